//! `docs/STOW-DIFFERENCES.md` is true: the first console block of a case is what GNU Stow prints, the second what farm prints.
//!
//! A block is run as one shell script, line by line, in an empty `t/stow`, and its whole text is compared.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use assert_fs::TempDir;

use crate::corpus::stow_at_hand;

const LIST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/STOW-DIFFERENCES.md"));

#[test]
fn farm_does_what_the_list_of_differences_says() {
    let farm = std::env::var_os("FARM_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_farm").into());
    let farm = format!("'{}' stow", farm.to_str().unwrap());
    compare(|case| &case.farm, &farm);
}

#[test]
fn stow_does_what_the_list_of_differences_says() {
    let Some(stow) = stow_at_hand() else { return };
    compare(|case| &case.stow, &format!("'{}'", stow.display()));
}

/// One heading of the list, where it can be run: what each program prints.
struct Case {
    id: &'static str,
    stow: String,
    farm: String,
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = LIST
        .split("\n## ")
        .skip(1)
        .filter_map(|section| {
            let id = section.lines().next().unwrap();
            let mut blocks = section
                .split("```console\n")
                .skip(1)
                .map(|rest| rest.split("```").next().unwrap().to_owned());
            let (stow, farm) = (blocks.next()?, blocks.next()?);
            Some(Case { id, stow, farm })
        })
        .collect();
    assert!(cases.len() > 10, "the list has lost its form");
    cases
}

/// Runs one side of every case with `program` under the name stow, and shows all that differ at once.
fn compare(side: impl Fn(&Case) -> &String, program: &str) {
    let mut wrong = String::new();
    for case in cases() {
        let expected = side(&case);
        let got = run(expected, program);
        if got != *expected {
            wrong += &format!("## {}\n--- listed\n{expected}--- printed\n{got}\n", case.id);
        }
    }
    assert!(wrong.is_empty(), "{program}\n{wrong}");
}

/// Runs the lines of a block that begin with a prompt, and returns them with what they print.
fn run(block: &str, program: &str) -> String {
    let temp = TempDir::new().unwrap();
    let home = temp.path().canonicalize().unwrap();
    let (stow_directory, programs) = (home.join("t/stow"), home.join("bin"));
    fs::create_dir_all(&stow_directory).unwrap();
    fs::create_dir(&programs).unwrap();
    script(&programs.join("stow"), &format!("#!/bin/sh\nexec {program} \"$@\"\n"));
    let lines = block.lines().filter_map(|line| line.strip_prefix("$ "));
    let body: String = lines.map(|line| format!("cat <<'EOF'\n$ {line}\nEOF\n{line}\n")).collect();
    script(&home.join("case"), &format!("exec 2>&1\n{body}"));
    let output = Command::new("bash")
        .arg(home.join("case"))
        .current_dir(&stow_directory)
        .env_clear()
        .env("HOME", &home)
        .env("LC_ALL", "C")
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
