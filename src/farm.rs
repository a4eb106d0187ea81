//! One farm, opened: plan, then apply.

use std::path::Path;

use crate::error::{Result, ScanError};
use crate::execute::{Failure, Outcome, execute};
use crate::op::Plan;
use crate::package::Request;
use crate::plan::Planned;
use crate::rulebook::RuleBook;
use crate::scan::Scanner;
use crate::sys::os;

/// A farm and what is asked of it.
pub struct Farm<'a> {
    request: &'a Request,
    scanner: Scanner<'a>,
}

impl<'a> Farm<'a> {
    /// Opens the farm that `request` is about.
    ///
    /// # Errors
    /// When its root cannot be opened.
    pub fn open(request: &'a Request, rules: &'a RuleBook) -> Result<Farm<'a>> {
        Ok(Farm { request, scanner: Scanner::open(request, rules)? })
    }

    /// Reads what is needed and plans the request. Changes nothing.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn plan(&self) -> Result<Planned, ScanError> {
        self.scanner.plan()
    }

    /// Does a plan, all of it or nothing.
    ///
    /// Entries of packages whose place an adopted file takes are moved to a new directory below `keep`; without it
    /// such a plan fails.
    ///
    /// # Errors
    /// The step that failed, after everything before it was taken back.
    pub fn apply(&self, plan: &Plan, keep: Option<&Path>) -> Result<Outcome, Box<Failure>> {
        let root = Path::new(os(&self.request.root));
        execute(plan, self.scanner.root(), root, keep).map_err(Box::new)
    }
}
