//! `[session]`: what farm.toml has for new shells, tried in the shells themselves.

use std::path::PathBuf;
use std::process::Command;

use crate::sandbox::Sandbox;
use toml_writer::ToTomlValue as _;

/// Each shell with how it reads a file twice, prints three variables and the directories of `PATH`, and calls what `init`
/// has made.
const SHELLS: [(&str, &[&str], &str); 6] = [
    ("sh", &["-uec"], SH),
    ("dash", &["-uec"], SH),
    ("bash", &["--norc", "-uec"], SH),
    ("zsh", &["-fuec"], SH),
    ("fish", &["-N", "-c"], "source FILE; source FILE; printenv ODD HOMED NAMED PATH; printf '%s\\n' $INIT"),
    ("nu", &["-n", "-c"], "source FILE; source FILE; ^printenv ODD HOMED NAMED PATH; print $env.INIT"),
];

const SH: &str = ". FILE; . FILE; printenv ODD HOMED NAMED PATH; printf '%s\\n' \"$INIT\"";

/// Quotes, dollars, spaces, newlines, and what shells would run or expand.
const ODD: &str = "a 'b' \"c\"  $$HOME $(echo no) `echo no` ${X:-y} \\n \\\\ \\' * ~ #!&|;<>()\n\t= é ";

fn manifest(odd: &str) -> String {
    format!(
        "[session]\npath = ['$HOME/a b', '/opt/it\\'s', '~/bin', '/usr/bin']\n[session.variables]\nODD = {}\nHOMED = \
         '~/x:$HOME/y$UNSET'\nNAMED = '<${{ZED}}>'\nZED = 'z'\n[session.init]\nsh = 'INIT=sh'\nbash = '''\nINIT=bash\n[[ $INIT \
         == b* ]] && f() {{ :; }} < <(:)\n'''\nzsh = 'INIT=${{(L):-ZSH}}'\nfish = 'set INIT fish'\nnu = '$env.INIT = \
         \"nu\"'\n",
        toml_writer::TomlStringBuilder::new(odd).as_default().to_toml_value()
    )
    .replace("'/opt/it\\'s'", "\"/opt/it's\"")
}

fn home(manifest: &str) -> Sandbox {
    let home = Sandbox::with(&["dotfiles/p/x"]);
    home.write("dotfiles/farm.toml", manifest);
    home
}

fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}

fn file(shell: &str) -> &'static str {
    match shell {
        "fish" => "session.fish",
        "nu" => "session.nu",
        _ => "session.sh",
    }
}

/// Returns what is said when there is something for new shells the first time.
pub fn first_hint(home: &Sandbox) -> String {
    let state = home.state().display().to_string();
    format!(
        "hint: `. {state}/session.sh` in ~/.profile lets new shells read it; man 5 farm.toml has other shells\n"
    )
}

#[test]
fn session_scripts_in_use_stay_when_the_generation_that_made_them_expires() {
    for rest in ["", "[file.'~/.a']\ntext = 'same'\n"] {
        let home = Sandbox::new();
        for value in ["one", "two"] {
            home.write("dotfiles/farm.toml", format!("[session.variables]\nA = '{value}'\n{rest}"));
            home.farm(&["switch"]).run().fails_with(0, &[]);
        }
        let script = || std::fs::read_to_string(home.state().join("session.sh")).unwrap();
        let expire = |says: &str| {
            std::thread::sleep(std::time::Duration::from_millis(1100));
            home.farm(&["generations", "--expire", "0s"]).run().prints(says);
        };
        home.farm(&["undo"]).run().fails_with(0, &[]);
        expire("dropped 2 generations, 1 to 2\n");
        assert!(script().contains("one"), "{rest}");
        // The state before the oldest generation that is left is known, too.
        home.write("dotfiles/farm.toml", format!("[session.variables]\nA = 'three'\n{rest}"));
        home.farm(&["switch"]).run().fails_with(0, &[]);
        expire("dropped generation 3\n");
        assert!(script().contains("three"), "{rest}");
        home.farm(&["undo"]).run().fails_with(0, &[]);
        assert!(script().contains("one"), "{rest}");
    }
}

#[test]
fn every_shell_gets_the_values_as_they_are() {
    let home = home(&manifest(ODD));
    home.farm(&["switch"]).run().says(0, "switched: session changed for new shells\n", &first_hint(&home));
    for (shell, args, script) in SHELLS {
        let Some(program) = program(shell) else {
            assert!(!["sh", "bash"].contains(&shell), "there is no {shell}");
            continue;
        };
        let path = home.state().join(file(shell));
        let script = script.replace("FILE", &format!("\"{}\"", path.display()));
        let output = Command::new(&program)
            .args(args)
            .arg(script)
            .env_clear()
            .env("HOME", home.path(""))
            .env("PATH", "/usr/bin:/bin")
            .output()
            .unwrap();
        let top = home.path("");
        let top = top.to_str().unwrap();
        let init = if shell == "dash" { "sh" } else { shell };
        let expected = format!(
            "{}\n{top}/x:{top}/y\n<z>\n{top}/a b:/opt/it's:{top}/bin:/usr/bin:/bin\n{init}\n",
            ODD.replace("$$", "$")
        );
        let printed = String::from_utf8_lossy(&output.stdout);
        // What `sh` is differs: it may be bash.
        let printed =
            if shell == "sh" { printed.replace("\nbash\n", "\nsh\n") } else { printed.into_owned() };
        assert_eq!(printed, expected, "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_shell_that_has_it_gets_it_again_only_when_it_has_changed() {
    let home = home("[session]\npath = ['/a']\n[session.variables]\nX = 'one'\n");
    home.farm(&["switch"]).run();
    let in_shell = |script: &str| {
        let state = home.state().display().to_string();
        let output = Command::new("sh")
            .args(["-c", script])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("S", format!("{state}/session.sh"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let later = "X=mine; . \"$S\"; echo $X $PATH";
    assert_eq!(in_shell(&format!(". \"$S\"; {later}")), "mine /a:/usr/bin:/bin\n");
    let old = std::fs::read_to_string(home.state().join("session.sh")).unwrap();
    home.write("old.sh", old);
    home.write("dotfiles/farm.toml", "[session]\npath = ['/b', '/a']\n[session.variables]\nX = 'two'\n");
    home.farm(&["switch"]).run();
    let script = format!(". '{}'; {later}", home.path("old.sh").display());
    assert_eq!(in_shell(&script), "two /b:/a:/usr/bin:/bin\n");
}

#[test]
fn generations_bring_the_old_session_back() {
    let home = home("[session.variables]\nX = 'one'\n");
    let said = || std::fs::read_to_string(home.state().join("session.sh")).unwrap_or_default();
    let says = |value: &str| said().contains(&format!("export X='{value}'\n"));
    home.farm(&["switch", "-n"])
        .run()
        .prints("would switch: session changed for new shells; nothing was changed\n");
    assert!(!home.state().exists());
    home.farm(&["switch"]).run();
    home.farm(&["switch"]).run().prints("nothing to do: everything is as farm.toml says\n");
    home.write("dotfiles/farm.toml", "[package.p]\n[session.variables]\nX = 'two'\n");
    home.farm(&["switch"]).run().prints("switched: 1 link, session changed for new shells\n");
    home.farm(&["undo", "-n"]).run();
    assert!(says("two"));
    home.farm(&["undo"])
        .run()
        .prints("went back to generation 1: 1 link removed, session changed for new shells\n");
    assert!(says("one"));
    home.farm(&["undo"])
        .run()
        .prints("went back to the state before the first generation: session changed for new shells\n");
    assert_eq!(said(), "");
    assert!(!home.state().join("session.fish").is_symlink());
    home.farm(&["rollback", "2"]).run();
    assert!(says("two"));
    home.remove("dotfiles/farm.toml");
    home.write("dotfiles/farm.toml", "[package.p]\n");
    home.farm(&["switch"]).run().prints("switched: session changed for new shells\n");
    assert_eq!(said(), "");
}

#[test]
fn a_link_that_somebody_removed_is_made_again() {
    let home = home("[session.variables]\nX = 'one'\n");
    home.farm(&["switch"]).run();
    std::fs::remove_file(home.state().join("session.nu")).unwrap();
    home.farm(&["switch"]).run();
    assert!(home.state().join("session.nu").is_file());
}

#[test]
fn env_prints_what_switch_writes() {
    let home = home(&manifest(ODD));
    home.farm(&["switch"]).run();
    for shell in ["sh", "bash", "zsh", "fish", "nu"] {
        let written = std::fs::read_to_string(home.state().join(file(shell))).unwrap();
        home.farm(&["env", "--shell", shell]).run().prints(&written);
        home.farm(&["env"]).env("SHELL", format!("/bin/{shell}")).run().prints(&written);
    }
    let json = home.farm(&["env", "--json"]).run().json();
    assert_eq!((json["variables"]["ZED"].as_str(), json["path"][2].as_str()), (Some("z"), Some("~/bin")));
    home.write("dotfiles/farm.toml", "[session.variables]\nX = \"a\\u0000\"\n");
    home.farm(&["env"]).run().fails_with(1, &["there is a NUL in this", "farm.toml:2:5"]);
}
