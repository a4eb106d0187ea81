//! `farm switch`: the farm becomes what the manifest says, in one plan and one generation.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use farm::manifest::Placed;
use farm::{
    Action, Change, Error, Failure, Farm, Known, LinkText, Memory, Mount, Name, Op, Place, Plan, Planned,
    Policy, RelPath, Rendered, Request, Route, RuleBook, Step, Store, Strategy, rendered_dir, shelf,
};

use super::args::{self, Global, Verb, Way};
use super::ask::Asker;
use super::contents::{self, Adopted, Gathered};
use super::env;
use super::manifest::Declared;
use super::progress::Progress;
use super::resolve::{self, Cause, Refusal};
use super::session::{self, Session};
use super::told::{Ended, NewShells, OnChange};
use super::words::{Words, reading};
use super::{Exit, StowRc, json, run};
use crate::environment;

/// Runs `farm switch`.
pub fn switch(global: &Global, args: &args::Switch, stowrc: &StowRc, words: &Words) -> Exit {
    do_switch(global, args, stowrc, words).unwrap_or_else(|exit| exit)
}

/// What the manifest asks for.
struct Wanted {
    packages: Vec<Placed>,
    gathered: Gathered,
    scripts: env::Scripts,
}

fn do_switch(global: &Global, args: &args::Switch, stowrc: &StowRc, words: &Words) -> Result<Exit, Exit> {
    let refuse = |refusal: Refusal| words.refusal(&refusal);
    let farm =
        resolve::Farm::find(global.dir.as_deref(), global.target.as_deref(), stowrc).map_err(refuse)?;
    let Some(declared) = farm.declared.clone() else {
        return Err(refuse(Refusal::NoManifest { dir: farm.dir.clone() }));
    };
    let profile = args.profile.as_deref();
    let wanted = wanted(&farm, &declared, profile).map_err(refuse)?;
    let way = run::way(&args.in_the_way, &farm.default_way(run::can_ask()), words)?;
    let former = args.moved_from.as_deref().map(|dir| farm.former(dir)).transpose().map_err(refuse)?;
    let sites = Sites::of(&farm, former);
    let wait = session::wait(global, words);
    // What earlier generations made is wanted by a dry run, too.
    let mut session = Session::open_to_read(global, &farm.target(), &wait, words)?;
    let ignore = farm.ignore();
    let rules = RuleBook::native(&farm.dir, ignore, &[], Default::default());
    let rules = rules.map_err(|error| words.scan_error(&error))?;
    let (mut request, mut known) = request(&farm, &wanted, &sites, session.memory(), words)?;
    let are_missing = check_written(&farm, &request, session.memory(), words)?;
    match way {
        Way::All(strategy) => request.policy.strategy = strategy,
        Way::Ask(backup) => {
            let asker = Asker::new(io::stdin().lock(), anstream::stderr(), backup);
            let answered = run::ask(&farm, &mut request, &rules, asker);
            if !answered.map_err(|error| words.scan_error(&error))? {
                return Err(words.quit());
            }
        }
    }
    let plan = |request: &Request| {
        let _planning = Progress::begin(words, reading);
        let farm = Farm::open(request, &rules).map_err(|error| words.error(&error))?;
        farm.plan().map_err(|error| words.scan_error(&error))
    };
    // What is adopted is the content from then on, and no change when the next switch sees it.
    let hashes = |planned: &Planned| {
        let hashes = wanted.gathered.hashes(&farm.dir, &adopted(&farm, &planned.plan));
        hashes.map_err(|error| words.error(&error))
    };
    let mut planned = plan(&request)?;
    let mut contents = hashes(&planned)?;
    let mut after = after(&known, &request, &planned, &wanted, &contents, &sites);
    let is_clear = planned.conflicts.is_empty();
    let mut failure = None;
    let state = environment::state_dir();
    let is_pointed = state.as_deref().is_none_or(|state| env::is_pointed(state, &after.session));
    let new_shells = match known.session == after.session && is_pointed {
        true => NewShells::AsBefore,
        false => NewShells::Differ,
    };
    let mut has_begun = None;
    let mut commands = Vec::new();
    if is_clear {
        commands = on_change(&wanted, &contents, &known, &pending(&farm, session.memory(), words)?);
    }
    let changes =
        |planned: &Planned, known: &Known, after: &Known| !planned.plan.is_empty() || known != after;
    let taken_over = after.links.keys().filter(|path| !known.links.contains_key(path)).count();
    let taken_over = taken_over.saturating_sub(made(&planned.plan));
    let differs = |planned: &Planned, known: &Known, after: &Known| {
        changes(planned, known, after) || new_shells == NewShells::Differ
    };
    let is_to_do = differs(&planned, &known, &after) || !commands.is_empty() || are_missing;
    let mut goes_on = !global.dry_run && is_clear && is_to_do;
    if goes_on && session.begin()? {
        let policy = request.policy.clone();
        (request, known) = self::request(&farm, &wanted, &sites, session.memory(), words)?;
        request.policy = policy;
        check_written(&farm, &request, session.memory(), words)?;
        planned = plan(&request)?;
        contents = hashes(&planned)?;
        after = self::after(&known, &request, &planned, &wanted, &contents, &sites);
        commands = on_change(&wanted, &contents, &known, &pending(&farm, session.memory(), words)?);
        goes_on = planned.conflicts.is_empty();
    }
    if goes_on {
        if let Some(rendered) = request.rendered.as_ref().filter(|it| !it.files.is_empty()) {
            match session.memory().store() {
                Some(store) => store.render(rendered).map_err(|error| words.error(&error))?,
                None => return Err(no_state(words)),
            }
        }
        let late = pending(&farm, session.memory(), words)?;
        // Should this run end before its commands have, the next one runs them.
        let due = late.iter().chain(commands.iter().map(|it| &it.at)).cloned().collect();
        remember(&farm, session.memory(), &late, &due).map_err(|error| words.error(&error))?;
        let session_after = after.session.clone();
        let phases: &[Plan] = if planned.plan.is_empty() { &[] } else { std::slice::from_ref(&planned.plan) };
        if differs(&planned, &known, &after) {
            failure = session.apply_knowing(&farm.root, phases, Some(after)).err();
        }
        if let (None, Some(state)) = (&failure, &state) {
            env::point(state, &known.session, &session_after).map_err(|error| words.left_behind(&error))?;
            has_begun = Some(state).filter(|_| known.session.is_empty() && !session_after.is_empty());
        }
        let mut left = late;
        if failure.is_none() {
            commands.iter_mut().for_each(run_command);
            let failed = commands.iter().filter(|it| it.ended != Some(Ended::Well)).map(|it| it.at.clone());
            // Those of other dotfiles directories wait for these.
            left.retain(|path| wanted.gathered.items.iter().all(|item| item.at != *path));
            left.extend(failed);
        }
        if let Err(error) = remember(&farm, session.memory(), &due, &left) {
            words.runs_again(&error);
        }
    }
    let exit = say(
        global,
        &farm,
        profile,
        &wanted,
        &planned,
        taken_over,
        new_shells,
        &commands,
        failure.as_deref(),
        words,
    )?;
    if let Some(state) = has_begun {
        words.session_begins(state);
    }
    Ok(exit)
}

#[expect(clippy::too_many_arguments, reason = "all that there is to say")]
fn say(
    global: &Global,
    farm: &resolve::Farm,
    profile: Option<&str>,
    wanted: &Wanted,
    planned: &Planned,
    taken_over: usize,
    new_shells: NewShells,
    commands: &[OnChange],
    failure: Option<&Failure>,
    words: &Words,
) -> Result<Exit, Exit> {
    if global.json {
        let packages: Vec<RelPath> = wanted.packages.iter().map(|placed| placed.source.clone()).collect();
        let is_clear = planned.conflicts.is_empty();
        let beside = json::Beside {
            taken_over: if is_clear { taken_over } else { 0 },
            new_shells: is_clear && new_shells == NewShells::Differ,
            commands: commands.len(),
        };
        let beside = Some(&beside);
        json::print(Verb::Switch, farm, &packages, planned, commands, beside, failure, global.dry_run);
    }
    Ok(words.switched(farm, profile, planned, taken_over, new_shells, commands, failure))
}

/// Returns what counts on this machine and in this profile, once all of its sources were looked at.
fn wanted(farm: &resolve::Farm, declared: &Declared, profile: Option<&str>) -> Result<Wanted, Refusal> {
    let manifest = &declared.manifest;
    let known = || manifest.profiles.keys().cloned().collect::<Vec<_>>();
    let chosen = match profile {
        None if manifest.profiles.is_empty() => None,
        None => return Err(Refusal::WhichProfile { known: known() }),
        Some(name) => match manifest.profiles.get(name) {
            Some(profile) => Some(profile),
            None => return Err(Refusal::UnknownProfile { name: name.to_owned(), known: known() }),
        },
    };
    let named = chosen.map(|profile| declared.names(&profile.packages)).transpose()?;
    let layout = declared.layout(named.as_deref().unwrap_or_default(), &farm.mount)?;
    let mut packages = layout.packages;
    packages.retain(|placed| named.as_ref().is_none_or(|named| named.contains(&placed.name)));
    let mut mistakes = Vec::new();
    for placed in &packages {
        mistakes.extend(declared.source_mistake(placed, &farm.dir, || farm.there(), chosen));
    }
    let gathered = contents::gather(declared, &farm.dir, &layout.entries, profile, &mut mistakes)?;
    if !mistakes.is_empty() {
        mistakes.sort_by_key(|mistake| mistake.span.start);
        return Err(declared.wrong(mistakes));
    }
    Ok(Wanted { packages, gathered, scripts: env::Scripts::new(&manifest.session) })
}

/// Returns the request, and what is known of the farm so far.
fn request(
    farm: &resolve::Farm,
    wanted: &Wanted,
    sites: &Sites,
    memory: &Memory,
    words: &Words,
) -> Result<(Request, Known), Exit> {
    let mut policy = Policy::native();
    farm.enter(&mut policy).map_err(|refusal| words.refusal(&refusal))?;
    let mut steps = resolve::steps(&[Action::Link], &landed(&wanted.packages));
    for item in &wanted.gathered.items {
        if item.force {
            policy.decisions.insert(item.at.clone(), Strategy::Replace);
        }
        steps.push(Step {
            action: Action::Link,
            supply: item.supply,
            method: item.method,
            package: item.package.clone(),
            entry: item.entry.clone(),
            mount: Mount::As(item.at.clone()),
            folds: item.folds.clone(),
        });
    }
    let mut request = farm.request(steps, policy);
    let mut files = wanted.gathered.files.clone();
    files.extend(wanted.scripts.files.clone());
    let Site { rendered, shelf, .. } = &sites.present;
    match rendered {
        Some(dir) => {
            request.rendered = Some(Arc::new(Rendered { dir: dir.clone(), shelf: shelf.clone(), files }));
        }
        None if files.is_empty() => {}
        None => {
            return Err(sites.problem.as_ref().map_or_else(|| no_state(words), |error| words.error(error)));
        }
    }
    request.former = sites.former.as_ref().map(|site| site.route.clone());
    let known = memory.known(&farm.root).map_err(|error| words.memory_error(&error))?;
    // Other dotfiles directories may have links in the same target.
    let mut earlier = known.clone();
    earlier.links.retain(|path, text| sites.have_link(&request, path, text));
    earlier.files.retain(|_, stored| sites.have_shelf(&stored.shelf));
    request.earlier = Some(earlier);
    Ok((request, known))
}

fn landed(packages: &[Placed]) -> Vec<resolve::Landed> {
    let landed =
        |placed: &Placed| resolve::Landed { package: placed.source.clone(), mount: placed.mount.clone() };
    packages.iter().map(landed).collect()
}

/// Where a dotfiles directory is or was, and what farm writes for it.
struct Site {
    path: PathBuf,
    route: Route,
    /// Where files lie that farm writes; `None` without a state directory.
    stored: Option<PathBuf>,
    /// The same, as seen from the farm's root.
    rendered: Option<Route>,
    /// What the memory calls it.
    shelf: Name,
}

/// Where the dotfiles directory is, and where it was when it has moved.
struct Sites {
    present: Site,
    former: Option<Site>,
    /// The farm's root.
    root: PathBuf,
    /// Why the state directory cannot be used.
    problem: Option<Error>,
}

impl Sites {
    fn of(farm: &resolve::Farm, former: Option<Route>) -> Sites {
        let state = environment::state_dir();
        let mut problem = None;
        let mut site = |path: PathBuf, route| {
            let stored = state.as_ref().map(|state| rendered_dir(state, &farm.target(), &path));
            let rendered = stored.as_ref().and_then(|stored| match real_route(farm, stored) {
                Ok(route) => Some(route),
                Err(error) => {
                    problem.get_or_insert(error);
                    None
                }
            });
            Site { shelf: shelf(&path), path, route, stored, rendered }
        };
        let present = site(farm.dir.clone(), farm.route(&farm.dir));
        let former = former.map(|route| site(farm.absolute(&route), route));
        Sites { present, former, root: farm.root.clone(), problem }
    }

    fn all(&self) -> impl Iterator<Item = &Site> {
        std::iter::once(&self.present).chain(&self.former)
    }

    /// Tells whether a link leads into the dotfiles directory, or to a file that farm wrote for it.
    fn have_link(&self, request: &Request, path: &RelPath, text: &LinkText) -> bool {
        let Some((dir, _)) = path.split() else { return false };
        let route = request.route_of(&dir, text);
        let is_below = |above: &Route| route.below(above).is_some();
        let os = |bytes| OsStr::from_bytes(bytes);
        self.all().any(|site| is_below(&site.route) || site.rendered.as_ref().is_some_and(is_below))
            // One that was taken over may lead there by way of other links.
            || fs_err::canonicalize(self.root.join(os(dir.as_bytes())).join(os(text.as_bytes())))
                .is_ok_and(|real| real.starts_with(&self.present.path))
    }

    fn have_shelf(&self, shelf: &Name) -> bool {
        self.all().any(|site| site.shelf == *shelf)
    }

    /// Tells whether a path in the state directory is one of a file that farm wrote for the dotfiles directory.
    fn have_stored(&self, path: &Path) -> bool {
        self.all().any(|site| site.stored.as_ref().is_some_and(|stored| path.starts_with(stored)))
    }
}

/// Says that there is no place for files that farm writes.
fn no_state(words: &Words) -> Exit {
    let error = io::Error::new(io::ErrorKind::NotFound, "there is no state directory");
    words.error(&Error::new("write", "files of farm.toml", error))
}

/// Refuses when somebody has edited a file that farm wrote and that is linked or will be; else tells whether some are to be
/// written.
fn check_written(
    farm: &resolve::Farm,
    request: &Request,
    memory: &Memory,
    words: &Words,
) -> Result<bool, Exit> {
    let (Some(store), Some(rendered)) = (memory.store(), &request.rendered) else { return Ok(false) };
    let leads_to = |(path, text): (&RelPath, &LinkText)| {
        let file = request.route_of(&path.split()?.0, text).below(&rendered.dir)?;
        Some((file.names().next()?, path.clone()))
    };
    let links: BTreeMap<Name, RelPath> =
        request.earlier.iter().flat_map(|earlier| &earlier.links).filter_map(leads_to).collect();
    let touched = store.touched(&rendered.shelf, rendered.files.keys().chain(links.keys()));
    let touched = touched.map_err(|error| words.memory_error(&error))?;
    if let Some((name, file)) = touched.edited.into_iter().next() {
        let link = links.get(&name).map(|path| farm.root.join(OsStr::from_bytes(path.as_bytes())));
        return Err(words.refusal(&Refusal::Edited { link, file }));
    }
    Ok(touched.are_missing)
}

/// Returns where a directory of the state directory really is, as seen from the farm's root: links count from there.
fn real_route(farm: &resolve::Farm, path: &Path) -> Result<Route, Error> {
    let refuse = |cause| {
        let error = match cause {
            Cause::System(error) => error,
            Cause::NotADirectory => io::ErrorKind::NotADirectory.into(),
            Cause::Missing | Cause::DanglingLink => io::ErrorKind::NotFound.into(),
        };
        Error::new("use state directory", path, error)
    };
    let (real, missing) = resolve::existing(path).map_err(refuse)?;
    let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
    let path = [bytes(&real), missing.as_bytes().to_vec()].join(&b'/');
    Ok(Route::between(&bytes(&farm.root), &path))
}

/// Returns what is known of the farm when the plan is done.
fn after(
    known: &Known,
    request: &Request,
    planned: &Planned,
    wanted: &Wanted,
    contents: &BTreeMap<RelPath, String>,
    sites: &Sites,
) -> Known {
    let mut after = known.clone();
    planned.plan.ops.iter().for_each(|op| after.enter(&op, &RelPath::root()));
    // What is left then is that of other dotfiles directories.
    after.links.retain(|path, text| !sites.have_link(request, path, text));
    after.files.retain(|_, stored| !sites.have_shelf(&stored.shelf));
    after.contents.retain(|path, _| after.links.contains_key(path) || after.files.contains_key(path));
    after.links.extend(planned.links.clone());
    after.files.extend(planned.files.clone());
    after.contents.extend(contents.clone());
    if let (Some(state), Some(stored)) = (environment::state_dir(), &sites.present.stored) {
        // Another dotfiles directory of the target may have something for new shells.
        let is_own = |path: &String| sites.have_stored(&state.join(path));
        if !wanted.scripts.files.is_empty() || after.session.iter().any(is_own) {
            after.session = wanted.scripts.paths(&state, stored);
        }
    }
    after
}

/// Returns the files of the target that a plan moves into packages.
fn adopted(farm: &resolve::Farm, plan: &Plan) -> Adopted {
    let to_package = |op: &Op| match &op.change {
        Change::Displace { to: Place::Package { at, .. }, .. } => Some(farm.absolute(at)),
        _ => None,
    };
    let files = plan.ops.iter();
    files
        .filter_map(|op| Some((to_package(&op)?, farm.root.join(OsStr::from_bytes(op.path.as_bytes())))))
        .collect()
}

/// Returns how many links a plan makes where none was known.
fn made(plan: &Plan) -> usize {
    let mut made = Known::default();
    plan.ops.iter().for_each(|op| made.enter(&op, &RelPath::root()));
    made.links.len()
}

/// Returns the paths, from the farm's root, for which commands have not succeeded in earlier runs.
fn pending(farm: &resolve::Farm, memory: &Memory, words: &Words) -> Result<BTreeSet<RelPath>, Exit> {
    let all = memory.store().map_or(Ok(BTreeSet::new()), Store::pending);
    let all = all.map_err(|error| words.memory_error(&error))?;
    let root = from_top(farm);
    Ok(all.iter().filter_map(|path| path.below(&root)).collect())
}

/// Remembers for which paths commands have not succeeded, where it knows of others so far.
fn remember(
    farm: &resolve::Farm,
    memory: &Memory,
    known: &BTreeSet<RelPath>,
    paths: &BTreeSet<RelPath>,
) -> Result<(), Error> {
    let Some(store) = memory.store().filter(|_| known != paths) else { return Ok(()) };
    let root = from_top(farm);
    store.set_pending(&paths.iter().map(|path| root.join_path(path)).collect())
}

/// Returns the farm's root, from the file system's root.
fn from_top(farm: &resolve::Farm) -> RelPath {
    let root = farm.root.as_os_str().as_bytes();
    RelPath::new(root.strip_prefix(b"/").unwrap_or_default()).unwrap_or_default()
}

/// Returns the commands of entries whose content is another than the last switch saw, and of those that are `pending`.
fn on_change(
    wanted: &Wanted,
    contents: &BTreeMap<RelPath, String>,
    known: &Known,
    pending: &BTreeSet<RelPath>,
) -> Vec<OnChange> {
    let changed =
        wanted.gathered.items.iter().filter(|item| {
            known.contents.get(&item.at) != contents.get(&item.at) || pending.contains(&item.at)
        });
    let command = |item: &contents::Item| {
        Some(OnChange { at: item.at.clone(), command: item.on_change.clone()?, ended: None })
    };
    changed.filter_map(command).collect()
}

/// Runs a command; what it prints goes where messages go.
fn run_command(on_change: &mut OnChange) {
    let mut command = Command::new("sh");
    command.arg("-c").arg(&on_change.command).stdin(Stdio::null());
    // Standard output is for the result, which may be JSON.
    command.stdout(io::stderr().as_fd().try_clone_to_owned().map_or_else(|_| Stdio::null(), Stdio::from));
    on_change.ended = Some(match command.status() {
        Ok(status) if status.success() => Ended::Well,
        Ok(status) => Ended::Badly(status.to_string()),
        Err(error) => Ended::Badly(error.to_string()),
    });
}
