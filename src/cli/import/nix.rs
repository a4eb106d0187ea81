//! What a Nix file says of files and shells: the attributes of Home Manager, read off the syntax tree.
//!
//! Nothing is evaluated that takes Nix: names bound in the file, strings, paths and the home directory are followed, all
//! else is listed with its line.

use rnix::ast::{self, AstToken as _, Attr, BinOpKind, Entry, Expr, HasEntry as _, InterpolPart};
use rnix::{Root, SyntaxKind, SyntaxNode};

use super::super::lines::Lines;
use super::{Left, Why};

/// Stands for the home directory in a string.
pub const HOME: char = '\u{f8ff}';

/// Names that are followed at most, one inside the other.
const DEPTH: usize = 20;

/// What a file says.
#[derive(Debug, Default)]
pub struct Found {
    /// Settings that farm knows, in the order of the text.
    pub settings: Vec<Setting>,
    /// What it does not.
    pub left: Vec<Left>,
    /// `backupFileExtension`, and its line.
    pub backup: Option<(String, usize)>,
    /// How many settings that farm knows are in comments, when comments are not read.
    pub in_comments: usize,
}

/// A setting with its value.
#[derive(Debug)]
pub struct Setting {
    /// Its attributes: `home`, `file`, `.zshrc`, `source`.
    pub path: Vec<String>,
    /// Its value.
    pub value: Value,
    /// Its line, from one.
    pub line: usize,
    /// Whether it is in a comment.
    pub standing: Standing,
}

/// Where a setting stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// In the code.
    Live,
    /// In a comment.
    Commented,
}

/// A value, as far as it can be known without Nix.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A string, with [`HOME`] in the place of the home directory.
    Text(String),
    /// A path: `~/x`, `./x` or `/x`.
    Path(String),
    /// What is in the file at a path.
    ContentOf(String),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A list, each with its line.
    List(Vec<(Value, usize)>),
}

/// Reads a file; `comments` says whether settings in comments count.
///
/// # Errors
/// The line, from one, at which it is no Nix, and what is wrong there.
pub fn read(text: &str, comments: Standing) -> Result<Found, (usize, String)> {
    let parsed = Root::parse(text);
    if let Some(error) = parsed.errors().first() {
        return Err((line_of_error(text, error), error.to_string()));
    }
    let (uncommented, taken) = uncomment(text, &parsed.syntax());
    let mut found = Found::default();
    let read_in = |text: &str, found: &mut Found| {
        let parsed = Root::parse(text);
        let mut reader = Reader { lines: Lines::of(text), taken: &taken, found };
        if parsed.errors().is_empty() {
            if let Some(expr) = parsed.tree().expr() {
                reader.visit(&[], &expr);
            }
            reader.backup(&parsed.syntax());
        }
    };
    match comments {
        Standing::Commented => read_in(&uncommented, &mut found),
        Standing::Live => {
            read_in(text, &mut found);
            let mut all = Found::default();
            read_in(&uncommented, &mut all);
            found.in_comments = all.settings.iter().filter(|it| it.standing == Standing::Commented).count();
        }
    }
    Ok(found)
}

fn line_of_error(text: &str, error: &rnix::ParseError) -> usize {
    use rnix::ParseError as E;
    let at = match error {
        E::Unexpected(range) | E::UnexpectedExtra(range) | E::UnexpectedDoubleBind(range) => {
            Some(range.start())
        }
        E::UnexpectedWanted(_, range, _) | E::DuplicatedArgs(range, _) => Some(range.start()),
        _ => None,
    };
    Lines::of(text).line(at.map_or(text.len(), usize::from))
}

/// Returns the text with comments that hold settings made code, everything at its place, and where these are.
fn uncomment(text: &str, root: &SyntaxNode) -> (String, Vec<std::ops::Range<usize>>) {
    let mut blocks: Vec<Vec<std::ops::Range<usize>>> = Vec::new();
    for token in root.descendants_with_tokens().filter_map(|element| element.into_token()) {
        let in_set = token.parent().is_some_and(|parent| parent.kind() == SyntaxKind::NODE_ATTR_SET);
        if token.kind() != SyntaxKind::TOKEN_COMMENT || !in_set {
            continue;
        }
        let range = usize::from(token.text_range().start())..usize::from(token.text_range().end());
        match blocks.last_mut() {
            Some(block) if block.last().is_some_and(|last| text[last.end..range.start].trim().is_empty()) => {
                block.push(range);
            }
            _ => blocks.push(vec![range]),
        }
    }
    let mut bytes = text.as_bytes().to_vec();
    let mut taken = Vec::new();
    for block in &blocks {
        let mut at = 0;
        while at < block.len() {
            // The most lines that are settings together: a value may have several.
            let last = (at..block.len()).rev().find(|&last| {
                let lines: Vec<&str> =
                    block[at..=last].iter().map(|range| inside(&text[range.clone()])).collect();
                is_settings(&lines.join("\n"))
            });
            for range in last.map_or(&[][..], |last| &block[at..=last]) {
                let (before, after) = marks(&text[range.clone()]);
                bytes[range.start..range.start + before].fill(b' ');
                bytes[range.end - after..range.end].fill(b' ');
                taken.push(range.clone());
            }
            at = last.unwrap_or(at) + 1;
        }
    }
    (String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned()), taken)
}

/// Returns how long the marks of a comment are, before and after it.
fn marks(comment: &str) -> (usize, usize) {
    if comment.starts_with("/*") { (2, if comment.ends_with("*/") { 2 } else { 0 }) } else { (1, 0) }
}

fn inside(comment: &str) -> &str {
    let (before, after) = marks(comment);
    &comment[before..comment.len() - after]
}

/// Tells whether a text is attributes with values.
fn is_settings(text: &str) -> bool {
    let parsed = Root::parse(&format!("{{\n{text}\n}}"));
    let Some(Expr::AttrSet(set)) = parsed.tree().expr() else { return false };
    parsed.errors().is_empty() && set.attrpath_values().next().is_some()
}

struct Reader<'t> {
    lines: Lines<'t>,
    /// The comments that were made code, in the order of the text.
    taken: &'t [std::ops::Range<usize>],
    found: &'t mut Found,
}

impl Reader<'_> {
    fn line(&self, node: &impl ast::AstNode) -> usize {
        self.lines.line(usize::from(node.syntax().text_range().start()))
    }

    fn standing(&self, node: &impl ast::AstNode) -> Standing {
        let at = usize::from(node.syntax().text_range().start());
        let next = self.taken.partition_point(|range| range.end <= at);
        let is_commented = self.taken.get(next).is_some_and(|range| range.contains(&at));
        if is_commented { Standing::Commented } else { Standing::Live }
    }

    fn leave(&mut self, line: usize, path: &[String], why: Why) {
        self.found.left.push(Left { line, what: path.join("."), why });
    }

    /// Reads the settings of an expression, whose attributes come after `prefix`.
    fn visit(&mut self, prefix: &[String], expr: &Expr) {
        let set = match expr {
            Expr::Lambda(it) => return it.body().iter().for_each(|body| self.visit(prefix, body)),
            Expr::LetIn(it) => return it.body().iter().for_each(|body| self.visit(prefix, body)),
            Expr::With(it) => return it.body().iter().for_each(|body| self.visit(prefix, body)),
            Expr::Assert(it) => return it.body().iter().for_each(|body| self.visit(prefix, body)),
            Expr::Paren(it) => return it.expr().iter().for_each(|inner| self.visit(prefix, inner)),
            Expr::AttrSet(set) => set,
            other => return self.setting(prefix, other, self.line(other)),
        };
        for entry in set.entries() {
            let Entry::AttrpathValue(entry) = entry else {
                self.leave(self.line(&entry), prefix, Why::TakesNix("inherit".to_owned()));
                continue;
            };
            let (Some(attrs), Some(value)) = (entry.attrpath(), entry.value()) else { continue };
            let names: Option<Vec<String>> = attrs.attrs().map(|attr| name(&attr)).collect();
            let Some(names) = names else {
                let code = attrs.attrs().map(|attr| code(&attr)).collect::<Vec<_>>().join(".");
                self.leave(self.line(&entry), prefix, Why::TakesNix(code));
                continue;
            };
            let path = normal([prefix, &names].concat());
            if matches!(value, Expr::AttrSet(_)) {
                self.visit(&path, &value);
            } else {
                self.setting(&path, &value, self.line(&entry));
            }
        }
    }

    fn setting(&mut self, path: &[String], expr: &Expr, line: usize) {
        if !is_known(path) {
            if !is_silent(path) && self.standing(expr) == Standing::Live {
                self.leave(line, path, Why::OtherSetting);
            }
            return;
        }
        match self.value(expr, DEPTH) {
            Ok(value) => {
                let standing = self.standing(expr);
                self.found.settings.push(Setting { path: path.to_vec(), value, line, standing });
            }
            Err(part) => self.leave(line, path, Why::TakesNix(part)),
        }
    }

    /// Returns the value of an expression, or the part of it that takes Nix.
    fn value(&self, expr: &Expr, depth: usize) -> Result<Value, String> {
        let unknown = || Err(code(expr));
        if depth == 0 {
            return unknown();
        }
        let home = |rest: &str| Ok(Value::Text(format!("{HOME}{rest}")));
        match expr {
            Expr::Paren(it) => it.expr().map_or_else(unknown, |inner| self.value(&inner, depth - 1)),
            Expr::Str(text) => {
                let mut whole = String::new();
                for part in text.normalized_parts() {
                    match part {
                        InterpolPart::Literal(part) => whole += &part,
                        InterpolPart::Interpolation(part) => {
                            let inner = part.expr().ok_or_else(|| code(expr))?;
                            match self.value(&inner, depth - 1)? {
                                Value::Text(part) => whole += &part,
                                // A path in a string is a copy in the store, and what is meant is the file.
                                Value::Path(path) => whole += &path.replacen('~', &HOME.to_string(), 1),
                                _ => return Err(code(&inner)),
                            }
                        }
                    }
                }
                Ok(Value::Text(whole))
            }
            Expr::PathHome(_) | Expr::PathRel(_) | Expr::PathAbs(_) => {
                let path = code(expr);
                if path.contains("${") { unknown() } else { Ok(Value::Path(path)) }
            }
            Expr::Literal(literal) => match literal.kind() {
                ast::LiteralKind::Integer(number) => {
                    number.value().map_or_else(|_| unknown(), |number| Ok(Value::Number(number)))
                }
                ast::LiteralKind::Uri(uri) => Ok(Value::Text(uri.syntax().text().to_owned())),
                ast::LiteralKind::Float(_) => unknown(),
            },
            Expr::List(list) => {
                let value = |item: Expr| Ok((self.value(&item, depth - 1)?, self.line(&item)));
                list.items().map(value).collect::<Result<_, String>>().map(Value::List)
            }
            Expr::Ident(_) => match code(expr).as_str() {
                "true" => Ok(Value::Flag(true)),
                "false" => Ok(Value::Flag(false)),
                name => match bound(expr, name) {
                    Some(value) => self.value(&value, depth - 1),
                    None => unknown(),
                },
            },
            Expr::Select(_) => match code(expr).as_str() {
                "config.home.homeDirectory" => home(""),
                "config.xdg.configHome" => home("/.config"),
                "config.xdg.dataHome" => home("/.local/share"),
                "config.xdg.cacheHome" => home("/.cache"),
                "config.xdg.stateHome" => home("/.local/state"),
                _ => unknown(),
            },
            Expr::BinOp(sum) if sum.operator() == Some(BinOpKind::Add) => {
                let side =
                    |side: Option<Expr>| side.map_or_else(unknown, |side| self.value(&side, depth - 1));
                match (side(sum.lhs())?, side(sum.rhs())?) {
                    (Value::Text(one), Value::Text(other)) => Ok(Value::Text(one + &other)),
                    (Value::Path(one), Value::Text(other)) => Ok(Value::Path(one + &other)),
                    _ => unknown(),
                }
            }
            Expr::Apply(call) => self.call(call, depth).unwrap_or_else(unknown),
            _ => unknown(),
        }
    }

    /// Returns the value of a call of a function that is known; `None` for others.
    fn call(&self, call: &ast::Apply, depth: usize) -> Option<Result<Value, String>> {
        let (function, argument) = (call.lambda()?, call.argument()?);
        let name = code(&function);
        let value = || self.value(&argument, depth - 1);
        match name.rsplit('.').next()? {
            "mkOutOfStoreSymlink" | "mkDefault" | "mkForce" | "mkBefore" | "mkAfter" | "toString" => {
                Some(value())
            }
            "readFile" | "fileContents" => match value() {
                Ok(Value::Path(path) | Value::Text(path)) => Some(Ok(Value::ContentOf(path))),
                _ => None,
            },
            _ => {
                let Expr::Apply(inner) = &function else { return None };
                let order = ["lib.mkOrder", "mkOrder"].contains(&code(&inner.lambda()?).as_str());
                order.then(value)
            }
        }
    }

    /// Looks for Home Manager's `backupFileExtension`, wherever it is: it is a setting of NixOS or nix-darwin.
    fn backup(&mut self, root: &SyntaxNode) {
        for node in root.descendants() {
            let Some(entry) = cast::<ast::AttrpathValue>(&node) else { continue };
            let names =
                entry.attrpath().map(|path| path.attrs().filter_map(|attr| name(&attr)).collect::<Vec<_>>());
            let is_it = names.unwrap_or_default().last().is_some_and(|name| name == "backupFileExtension");
            if let (true, Some(value)) = (is_it, entry.value())
                && let Ok(Value::Text(text)) = self.value(&value, DEPTH)
            {
                self.found.backup = Some((text, self.line(&entry)));
            }
        }
    }
}

fn cast<N: ast::AstNode>(node: &SyntaxNode) -> Option<N> {
    N::cast(node.clone())
}

/// Returns the text of an expression.
fn code(node: &impl ast::AstNode) -> String {
    node.syntax().text().to_string().trim().to_owned()
}

/// Returns the name of an attribute, when it does not take Nix to know it.
fn name(attr: &Attr) -> Option<String> {
    match attr {
        Attr::Ident(_) => Some(code(attr)),
        Attr::Str(text) => match text.normalized_parts().as_slice() {
            [] => Some(String::new()),
            [InterpolPart::Literal(name)] => Some(name.clone()),
            _ => None,
        },
        Attr::Dynamic(_) => None,
    }
}

/// Returns what a name is bound to where an expression stands.
fn bound(at: &Expr, name: &str) -> Option<Expr> {
    let is_it = |entry: &ast::AttrpathValue| entry.attrpath().is_some_and(|path| code(&path) == name);
    ancestors(at).into_iter().find_map(|node| {
        let scope = cast::<ast::LetIn>(&node).map(|scope| scope.attrpath_values());
        let set = cast::<ast::AttrSet>(&node).filter(|set| set.rec_token().is_some());
        let entries = scope.or_else(|| set.map(|set| set.attrpath_values()));
        entries.into_iter().flatten().find(is_it).and_then(|entry| entry.value())
    })
}

/// Returns a node and all that it is in, the innermost first.
fn ancestors(node: &impl ast::AstNode) -> Vec<SyntaxNode> {
    std::iter::successors(Some(node.syntax().clone()), SyntaxNode::parent).collect()
}

/// Returns the attributes of a setting as Home Manager's own modules name them.
fn normal(path: Vec<String>) -> Vec<String> {
    let is = |at: usize, name: &str| path.get(at).is_some_and(|it| it == name);
    let skip = if is(0, "home-manager") && is(1, "users") {
        3.min(path.len())
    } else {
        usize::from(is(0, "config"))
    };
    path[skip..].to_vec()
}

/// Tells whether a setting says something of files or shells that farm knows.
fn is_known(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["home", "file", _, key] | ["xdg", "configFile" | "dataFile", _, key] => {
            ["source", "text", "recursive", "executable", "force", "enable", "target", "onChange"]
                .contains(key)
        }
        ["home", "sessionVariables", _] | ["home", "sessionPath"] | ["home", "homeDirectory"] => true,
        ["programs", "zsh", "sessionVariables", _] => true,
        ["programs", "zsh", "initExtra" | "initContent"] => true,
        _ => false,
    }
}

/// Tells whether a setting is about Home Manager itself.
fn is_silent(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(
        path.as_slice(),
        ["home", "username" | "stateVersion"]
            | ["programs", "home-manager", "enable"]
            | ["home-manager", ..]
            | ["backupFileExtension"]
    )
}
