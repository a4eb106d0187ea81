//! `docs/JSON.md` is true: the answers of all commands have the keys of its tables, and no others, and its screen is what
//! the commands print.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sandbox::Sandbox;

const DOC: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/JSON.md"));

/// Keys that take a broken disk to be seen.
const UNSEEN: &[&str] = &["error", "stuck", "obstacle", "backup"];

/// A key of a table.
struct Key {
    value: String,
    is_always: bool,
}

/// The tables, by the names in their headings, and which of their keys were seen.
struct Schema {
    tables: BTreeMap<String, BTreeMap<String, Key>>,
    seen: BTreeSet<(String, String)>,
}

impl Schema {
    fn of_doc() -> Schema {
        let mut tables = BTreeMap::new();
        for section in DOC.split("\n## ").skip(1) {
            let (heading, text) = section.split_once('\n').unwrap();
            let rows = text.lines().filter(|line| line.starts_with("| `"));
            let keys: BTreeMap<String, Key> = rows
                .map(|row| {
                    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                    assert!(matches!(cells[3], "always" | "sometimes"), "{row}");
                    (
                        cells[1].trim_matches('`').to_owned(),
                        Key { value: cells[2].to_owned(), is_always: cells[3] == "always" },
                    )
                })
                .collect();
            // The names of one section have one table.
            tables.insert(heading.to_owned(), keys);
        }
        Schema { tables, seen: BTreeSet::new() }
    }

    /// Returns the heading that names this.
    fn heading(&self, name: &str) -> Option<String> {
        let quoted = format!("`{name}`");
        self.tables.keys().find(|heading| heading.split(", ").any(|it| it == quoted)).cloned()
    }

    /// Asserts that an object is as a table says.
    fn check(&mut self, heading: &str, value: &Value, at: &str) {
        let object = value.as_object().unwrap_or_else(|| panic!("{at}: {value} is no object"));
        let table = &self.tables[heading];
        for (key, key_of_doc) in table {
            assert!(object.contains_key(key) || !key_of_doc.is_always, "{at}: there is no {key} in {value}");
        }
        let mut found = Vec::new();
        for (key, value) in object {
            let Some(of_doc) = table.get(key) else { panic!("{at}: {heading} has no {key} in docs/JSON.md") };
            self.seen.insert((heading.to_owned(), key.clone()));
            found.push((of_doc.value.clone(), value, format!("{at}.{key}")));
        }
        for (kind, value, at) in found {
            self.check_value(&kind, value, &at);
        }
    }

    fn check_value(&mut self, kind: &str, value: &Value, at: &str) {
        if let Some(of) = kind.strip_prefix("list of ") {
            let all = value.as_array().unwrap_or_else(|| panic!("{at}: {value} is no list"));
            all.iter().for_each(|it| self.check_value(of, it, at));
        } else if let Some(words) = kind.strip_prefix("one of ") {
            let is_known = words.split(", ").any(|word| value == word.trim_matches('`'));
            assert!(is_known, "{at}: {value} is none of {words}");
        } else if let Some(of) = kind.strip_suffix(" by name") {
            let all = value.as_object().unwrap_or_else(|| panic!("{at}: {value} is no object"));
            all.values().for_each(|it| self.check_value(of, it, at));
        } else {
            let is_right = match kind.trim_matches('`') {
                "string" => value.is_string(),
                "number" => value.is_u64(),
                "boolean" => value.is_boolean(),
                "text" => value.is_string() || value.as_object().is_some_and(|it| it.keys().eq(["hex"])),
                name => {
                    let heading = self.heading(name).unwrap_or_else(|| panic!("there is no table of {name}"));
                    return self.check(&heading, value, at);
                }
            };
            assert!(is_right, "{at}: {value} is no {kind}");
        }
    }

    /// Runs a command with `--json`, and asserts that its answer is as the tables say.
    fn run(&mut self, home: &Sandbox, line: &str) -> Value {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.push("--json");
        let ran = home.farm(&words).run();
        let answer = ran.json();
        // `adopt` without paths is a `link`, and `undo` a `rollback`.
        let command = answer.get("command").and_then(Value::as_str);
        let heading = command.map_or("`error`".to_owned(), |it| self.heading(&format!("farm {it}")).unwrap());
        self.check(&heading, &answer, line);
        assert!(command.is_some() || ran.code() != 0, "{ran}");
        answer
    }
}

/// Returns the names of all commands, as they are completed.
fn commands(home: &Sandbox) -> Vec<String> {
    let ran = home.farm(&["--", "farm", ""]).env("_FARM_COMPLETE", "fish").run();
    ran.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn every_command_answers_with_the_keys_that_are_documented() {
    let mut schema = Schema::of_doc();
    let mut is_run = BTreeSet::new();
    let mut run = |home: &Sandbox, line: &str| {
        is_run.insert(line.split(' ').next().unwrap().to_owned());
        schema.run(home, line)
    };

    let home = Sandbox::with(&[
        "dotfiles/zsh/.zshrc",
        "dotfiles/nvim/.config/nvim/init.lua",
        "dotfiles/tmux/.tmux.conf",
    ]);
    home.write("dotfiles/.farmignore", "*.bak\n");
    home.file("dotfiles/zsh/old.bak");
    for (line, changed) in [
        ("rollback", false),
        ("recover", false),
        ("init -n", false),
        ("link -n zsh", false),
        ("link zsh nvim", true),
        ("link zsh nvim", false),
        ("link none", false),
        ("link --nonsense", false),
        ("relink zsh", false),
        ("status", false),
        ("list", false),
        ("why ../.zshrc", false),
        ("why zsh/old.bak", false),
        ("why ../.config", false),
        ("why ../.tmux.conf", false),
        ("check --aliens", false),
        ("prune", false),
        ("doctor", false),
        ("generations", false),
        ("completions fish", false),
        ("env", false),
        ("unlink -n nvim", false),
        ("unlink nvim", true),
        ("unlink nvim", false),
        ("undo", true),
        ("rollback 0", true),
        ("generations", false),
        ("generations --expire 1y", false),
        ("init", true),
    ] {
        assert_eq!(run(&home, line)["changed"], changed, "{line}");
    }

    // What is in the way, in all its ways.
    let home = Sandbox::with(&["dotfiles/zsh/.zshrc", "dotfiles/nvim/.config/nvim/init.lua", ".tmux.conf"]);
    home.write(".zshrc", "mine\n");
    home.file("dotfiles/zsh/.zbinary");
    home.write(".zbinary", b"\0\xff");
    home.link(".config", "elsewhere");
    home.dir("elsewhere");
    home.file("dotfiles/zsh/.zshenv");
    home.link(".zshenv", "nowhere");
    for (line, changed) in [
        ("link zsh nvim", false),
        ("status zsh", false),
        ("diff zsh", false),
        ("link --skip zsh", false),
        ("link --keep-going zsh nvim", false),
        ("link --backup zsh", true),
        ("unlink --restore zsh", true),
        ("adopt zsh ../.nothing /etc", false),
        ("adopt tmux ../.tmux.conf", true),
        ("adopt zsh ../.tmux.conf ../.zshenv", false),
        ("eject tmux ../.tmux.conf", true),
        ("adopt zsh -n", false),
    ] {
        assert_eq!(run(&home, line)["changed"], changed, "{line}");
    }

    // A manifest, with commands and something for new shells.
    let home = Sandbox::with(&["dotfiles/zsh/.zshrc", "dotfiles/mac/.x", "dotfiles/b/x", "dotfiles/c/x"]);
    home.write(
        "dotfiles/farm.toml",
        "[package.zsh]\n[package.mac]\nenable = false\n[file.\"~/.note\"]\ntext = \"x\"\non-change = \"true\"\n\
         [session]\npath = [\"~/bin\"]\n[session.variables]\nA = \"b\"\n[session.init]\nsh = \":\"\n",
    );
    for (line, changed) in [
        ("env", false),
        ("switch -n", false),
        ("switch", true),
        ("switch", false),
        ("list", false),
        ("why mac/.x", false),
        ("why ../.note", false),
    ] {
        assert_eq!(run(&home, line)["changed"], changed, "{line}");
    }
    let manifest = std::fs::read_to_string(home.path("dotfiles/farm.toml")).unwrap();
    home.write("dotfiles/farm.toml", manifest.replace("A = \"b\"", "A = \"c\""));
    let answer = run(&home, "switch");
    assert_eq!((&answer["changed"], &answer["new_shells"]), (&true.into(), &true.into()), "only new shells");

    // Folding, links that lead nowhere, and the two that are one.
    let home =
        Sandbox::with(&["dotfiles/b/d/x", "dotfiles/c/d/y", "dotfiles/old/z", "dotfiles/n/w", "home.nix"]);
    home.write("home.nix", "{ home.file.\".w\".source = ./n/w; }\n");
    run(&home, "link b");
    run(&home, "link c old");
    run(&home, "why ../d");
    run(&home, "unlink c");
    home.link("again", "dotfiles/b/d");
    home.remove("dotfiles/old");
    home.fifo("pipe");
    home.dir("marked");
    home.file("marked/.stow");
    home.file("dotfiles/n/marked/x");
    run(&home, "link n");
    run(&home, "adopt n ../pipe ../d/x ../marked/.stow");
    run(&home, "check --aliens");
    assert_eq!(run(&home, "prune -n")["changed"], false);
    assert_eq!(run(&home, "prune")["changed"], true);
    run(&home, "undo");
    home.write("home.nix", "{ home.file.\".w\".source = ../dotfiles/n/w; }\n");
    run(&home, "import ../home.nix");
    home.remove("w");
    home.write("w", "mine\n");
    run(&home, "rollback 0 --keep-going");
    run(&home, "rollback 0");

    // A run that was interrupted: a journal is all that it takes.
    let home = Sandbox::with(&["dotfiles/p/x"]);
    run(&home, "link p");
    let targets = home.state().join("targets");
    let target = std::fs::read_dir(targets).unwrap().next().unwrap().unwrap().path();
    std::fs::rename(target.join("generations/1"), target.join("journal")).unwrap();
    assert_eq!(run(&home, "recover -n")["recovery"], "waiting");
    assert_eq!(run(&home, "recover --forget")["recovery"], "forgotten");
    let journals = std::fs::read_dir(&target).unwrap().map(|it| it.unwrap().path());
    let aside =
        journals.filter(|it| it.is_file()).find(|it| it.to_string_lossy().contains("journal")).unwrap();
    std::fs::rename(aside, target.join("journal")).unwrap();
    let answer = run(&home, "recover");
    assert_eq!((&answer["recovery"], &answer["changed"]), (&"recovered".into(), &true.into()));

    for command in
        commands(&home).iter().filter(|it| !["stow", "chkstow", "help", "schema"].contains(&it.as_str()))
    {
        assert!(
            is_run.contains(command),
            "farm {command} is not run here: its answer belongs in docs/JSON.md"
        );
    }
    let tables = schema.tables.iter();
    let all = tables.flat_map(|(name, keys)| keys.keys().map(move |key| (name.clone(), key.clone())));
    let unseen: Vec<_> =
        all.filter(|it| !schema.seen.contains(it) && !UNSEEN.contains(&it.1.as_str())).collect();
    assert!(unseen.is_empty(), "no command has answered with these: {unseen:?}");
}

#[test]
fn the_screen_in_the_document_is_what_the_commands_print() {
    let home = Sandbox::with(&["dotfiles/zsh/.zshrc"]);
    let (_, rest) = DOC.split_once("```console\n").unwrap();
    let (screen, _) = rest.split_once("```").unwrap();
    for block in screen.split("$ farm ").skip(1) {
        let (line, expected) = block.split_once('\n').unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(home.farm(&words).run().stdout, expected, "{line}");
    }
}
