//! Every key of `farm.toml`, with what it takes and what it is for: the checks, the JSON schema and the manual page are
//! all read off this one table.

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// What it is for, in a sentence.
    pub about: &'static str,
}

/// What a value may be.
#[derive(Debug)]
pub enum Shape {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
    /// A list of strings.
    Texts,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A list of some of these strings.
    SomeOf(&'static [&'static str]),
    /// A table with some of these keys.
    Table(&'static [Key]),
    /// A table whose keys the user chooses: what they stand for, and what each takes.
    Named(&'static str, &'static Shape),
    /// Any of these.
    Either(&'static [Shape]),
}

use Shape::{Either, Flag, Named, Number, OneOf, SomeOf, Table, Text, Texts};

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about }
}

/// What `fold` takes.
const FOLD: Shape = Either(&[
    Flag,
    Table(&[key(
        "never",
        Texts,
        "Globs of target directories that are never one link; `**/Spoons` is any directory of that name.",
    )]),
]);

const ONE_OR_MORE: Shape = Either(&[Text, Texts]);

/// The systems that `when.os` takes: those that farm may run on, and the one that others of a repository may.
const SYSTEMS: &[&str] = &[
    "linux",
    "macos",
    "android",
    "freebsd",
    "netbsd",
    "openbsd",
    "dragonfly",
    "illumos",
    "solaris",
    "windows",
];

/// What other programs call what is called otherwise here.
pub const ALSO_CALLED: &[(&str, &str)] =
    &[("darwin", "macos"), ("osx", "macos"), ("os x", "macos"), ("mac os x", "macos"), ("mac", "macos")];

/// What `when` takes.
const WHEN: Shape = Table(&[
    key("os", Either(&[OneOf(SYSTEMS), SomeOf(SYSTEMS)]), "The system, or a list of which it is one."),
    key("host", ONE_OR_MORE, "A glob on the name of the machine, or a list of which one matches."),
    key("env", Named("VARIABLE", &Text), "Globs on environment variables; `*` says that it is set."),
    key("exists", ONE_OR_MORE, "A path at which there is something, or a list of such."),
]);

const WHEN_ABOUT: &str = "Conditions, all of which must hold; else it counts as not there.";
const AS_ABOUT: &str = "The path under which the package itself appears; `{package}` is its name.";
const INTO_ABOUT: &str = "The directory in which the package's content appears; `{package}` is its name.";
const SOURCE_ABOUT: &str = "The package's directory beside farm.toml [default: its name].";

/// What a platform may say otherwise of a package.
const PACKAGE_ON: Shape = Table(&[
    key("source", Text, SOURCE_ABOUT),
    key("as", Text, AS_ABOUT),
    key("into", Text, INTO_ABOUT),
    key("fold", FOLD, "Whether its directories may be one link."),
    key("enable", Flag, "Whether it counts [default: true]."),
]);

const PACKAGE: Shape = Table(&[
    key("source", Text, SOURCE_ABOUT),
    key("as", Text, AS_ABOUT),
    key("into", Text, INTO_ABOUT),
    key("fold", FOLD, "Whether its directories may be one link."),
    key("enable", Flag, "Whether it counts [default: true]."),
    key("when", WHEN, WHEN_ABOUT),
    key("linux", PACKAGE_ON, "What is different on Linux."),
    key("macos", PACKAGE_ON, "What is different on macOS."),
]);

const FILE_SOURCE_ABOUT: &str = "The file or directory, from the directory of farm.toml.";
const TEXT_ABOUT: &str = "The content itself.";
const TEMPLATE_ABOUT: &str = "A template in the syntax of Jinja, from the directory of farm.toml.";

/// What a platform may say otherwise of a file.
const FILE_ON: Shape = Table(&[
    key("source", Text, FILE_SOURCE_ABOUT),
    key("text", Text, TEXT_ABOUT),
    key("template", Text, TEMPLATE_ABOUT),
    key("enable", Flag, "Whether it counts [default: true]."),
]);

const FILE: Shape = Table(&[
    key("source", Text, FILE_SOURCE_ABOUT),
    key("text", Text, TEXT_ABOUT),
    key("template", Text, TEMPLATE_ABOUT),
    key("enable", Flag, "Whether it counts [default: true]."),
    key("executable", Flag, "Whether a file that farm writes may be run."),
    key("mode", Either(&[Text, Number]), "The permissions of a file that farm writes: \"0600\" or 0o600."),
    key("recursive", Flag, "Links every file of a directory by itself [default: false]."),
    key("force", Flag, "What is in the way goes to the state directory [default: false]."),
    key(
        "method",
        OneOf(&["link", "copy", "seed"]),
        "`link`; `copy` writes a file and keeps it equal; `seed` writes it once and leaves it to you [default: link].",
    ),
    key("when", WHEN, WHEN_ABOUT),
    key("on-change", Text, "A command for `sh`, run after a switch that changed the content."),
    key("linux", FILE_ON, "What is different on Linux."),
    key("macos", FILE_ON, "What is different on macOS."),
]);

/// The schema's version, the only one there is.
pub const VERSION: i64 = 1;

/// The whole of `farm.toml`.
pub const MANIFEST: Shape = Table(&[
    key("version", Number, "The version of this file's form: 1."),
    key(
        "defaults",
        Table(&[
            key("target", Text, "The root of the farm; everything lands below it [default: ~]."),
            key(
                "as",
                Text,
                "Where a package lands that does not say so: its own path, with `{package}` in it.",
            ),
            key(
                "into",
                Text,
                "Where a package lands that does not say so: the directory that gets its content [default: the target].",
            ),
            key("fold", FOLD, "Whether directories may be one link [default: true]."),
            key(
                "dotfiles",
                Flag,
                "Translates `dot-name` in a package to `.name` in the target [default: false].",
            ),
            key(
                "conflict",
                OneOf(&["stop", "skip", "backup", "adopt", "replace", "ask"]),
                "What to do when something is in the way [default: stop, or backup when `backup` is given].",
            ),
            key("backup", Text, "The end of the name that a backup gets [default: .backup]."),
            key(
                "backup-existing",
                OneOf(&["refuse", "number"]),
                "What to do when a backup's name is taken [default: refuse].",
            ),
            key("ignore", Texts, "What is never linked, in gitignore syntax; adds to the built-in list."),
        ]),
        "What holds for everything that does not say otherwise.",
    ),
    key("package", Named("NAME", &PACKAGE), "A package: a directory beside farm.toml."),
    key("file", Named("TARGET", &FILE), "One file or directory at one target path."),
    key("files", Named("TARGET", &Text), "The short form of `file`: a target path and its source."),
    key(
        "session",
        Table(&[
            key("path", Texts, "Directories that are put before PATH, if they are not in it."),
            key("variables", Named("NAME", &Text), "Variables of the environment."),
            key(
                "init",
                Table(&[
                    key("sh", Text, "Lines for sh, and for bash and zsh before their own."),
                    key("bash", Text, "Lines for bash."),
                    key("zsh", Text, "Lines for zsh."),
                    key("fish", Text, "Lines for fish."),
                    key("nu", Text, "Lines for nushell."),
                ]),
                "Lines that a new shell runs.",
            ),
        ]),
        "What a new shell gets.",
    ),
    key(
        "profile",
        Named("NAME", &Table(&[key("packages", Texts, "The packages that it links.")])),
        "A choice of packages: `farm switch NAME`.",
    ),
]);
