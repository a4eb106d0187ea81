//! Every change is a generation, and there is a way back to each.

use std::fs;

use crate::sandbox::{Sandbox, strace};

/// What `farm generations` says, without the dates.
fn generations(home: &Sandbox) -> Vec<String> {
    let ran = home.farm(&["generations"]).run();
    assert_eq!(ran.code(), 0, "{ran}");
    let date = "2026-11-22 22:08".len();
    ran.stdout.lines().map(|line| line[date..].trim().to_owned()).collect()
}

fn two_packages() -> Sandbox {
    let home = Sandbox::with(&["dotfiles/p/.c/x", "dotfiles/q/.c/y", "dotfiles/q/.rc"]);
    home.write(".rc", "mine");
    home
}

#[test]
fn generations_are_listed_newest_first() {
    let home = two_packages();
    home.farm(&["generations"]).run().prints("no generations yet: farm has changed nothing in ~\n");
    home.farm(&["link", "p"]).run();
    home.farm(&["link", "p"]).run().prints("nothing to do: p is linked already\n");
    home.farm(&["link", "-n", "q"]).run();
    home.farm(&["link", "--backup", "q"]).run();
    home.farm(&["undo"]).run();
    assert_eq!(
        generations(&home),
        [
            "3  undo: 1 link removed, 1 directory folded, 1 file restored, back to 1 (current)",
            "2  link --backup q: 1 link, 1 directory unfolded, 1 file backed up",
            "1  link p: 1 link",
        ]
    );
}

#[test]
fn undo_goes_back_step_by_step_and_rollback_anywhere() {
    let home = two_packages();
    let mut trees = vec![home.tree()];
    for args in [
        &["link", "p"][..],
        &["link", "--backup", "q"],
        &["unlink", "--restore", "q"],
        &["link", "--replace", "q"],
    ] {
        home.farm(args).run().fails_with(0, &[]);
        trees.push(home.tree());
    }
    for back in (0..4).rev() {
        home.farm(&["undo"]).run().fails_with(0, &[]);
        assert_eq!(home.tree(), trees[back], "back to {back}");
    }
    assert_eq!(fs::read_to_string(home.path(".rc")).unwrap(), "mine");
    home.farm(&["undo"]).run().prints("nothing to undo\n");
    // To and fro, as numbers say; the rollbacks in between are generations of their own.
    for to in [4, 1, 3, 2, 0, 4] {
        home.farm(&["rollback", &to.to_string()]).run().fails_with(0, &[]);
        assert_eq!(home.tree(), trees[to], "to {to}");
    }
    home.farm(&["rollback", "4"]).run().prints("nothing to do: this is generation 4\n");
    home.farm(&["rollback", "0"]).run();
    assert_eq!(fs::read_to_string(home.path(".rc")).unwrap(), "mine");
}

#[test]
fn a_dry_run_shows_the_way_and_goes_nowhere() {
    let home = two_packages();
    home.farm(&["link", "p"]).run();
    let tree = home.tree();
    home.farm(&["undo", "-n"]).run().prints(
        "- .c -> dotfiles/p/.c\nwould go back to the state before the first generation: 1 link removed; nothing was \
         changed\n",
    );
    assert_eq!((home.tree(), generations(&home).len()), (tree, 1));
}

#[test]
fn what_was_changed_since_is_refused_or_left() {
    let home = two_packages();
    home.farm(&["link", "p"]).run();
    home.farm(&["link", "--replace", "q"]).run();
    home.remove(".rc");
    home.write(".rc", "newer");
    let tree = home.tree();
    let refused = home.farm(&["rollback", "0"]).run();
    refused.fails_with(
        1,
        &["cannot go back to generation 0: 1 path was changed since in other ways", "  .rc", "--keep-going"],
    );
    assert_eq!(home.tree(), tree);
    let went = home.farm(&["rollback", "0", "--keep-going"]).run();
    went.fails_with(0, &["left .rc: it was changed since"]);
    assert_eq!(home.tree(), ".rc\n");
    assert_eq!(fs::read_to_string(home.path(".rc")).unwrap(), "newer");
    // What was there before is still kept.
    let kept = fs::read_dir(home.path("../state/targets")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read_to_string(kept.join("kept/2/.rc")).unwrap(), "mine");
}

#[test]
fn a_generation_that_does_not_exist_is_refused() {
    let home = two_packages();
    home.farm(&["rollback", "7"])
        .run()
        .fails_with(1, &["cannot go back to generation 7", "`farm generations` lists them"]);
    home.farm(&["link", "p"]).run();
    home.farm(&["rollback", "7"]).run().fails_with(1, &["cannot go back to generation 7"]);
}

#[test]
fn old_generations_expire_with_what_they_keep() {
    let home = two_packages();
    home.farm(&["link", "--replace", "q"]).run();
    home.farm(&["link", "p"]).run();
    home.farm(&["generations", "--expire", "1d"]).run().prints("no generation is that old\n");
    home.farm(&["generations", "--expire", "soon"]).run().fails_with(2, &["soon is no span of time"]);
    // As if the first had been made long ago.
    let target = fs::read_dir(home.path("../state/targets")).unwrap().next().unwrap().unwrap().path();
    let first = fs::read_to_string(target.join("generations/1")).unwrap();
    let at = first.find("\"time\":").unwrap() + "\"time\":".len();
    let end = at + first[at..].find(',').unwrap();
    fs::write(target.join("generations/1"), format!("{}1000{}", &first[..at], &first[end..])).unwrap();
    let would = "would drop generation 1; nothing was changed\n";
    home.farm(&["generations", "-n", "--expire", "30d"]).run().prints(would);
    assert!(target.join("kept/1").exists());
    home.farm(&["generations", "--expire", "30d"]).run().prints("dropped generation 1\n");
    assert_eq!(generations(&home), ["2  link p: 1 directory unfolded (current)"]);
    assert!(!target.join("kept/1").exists());
    home.farm(&["rollback", "0"]).run().fails_with(1, &["there is none, or it has expired"]);
    home.farm(&["undo"]).run().prints("went back to generation 1: 1 directory folded\n");
    home.farm(&["undo"]).run().prints("nothing to undo\n");
}

/// Returns the directory with what farm remembers of the only target.
fn memory(home: &Sandbox) -> std::path::PathBuf {
    fs::read_dir(home.state().join("targets")).unwrap().next().unwrap().unwrap().path()
}

/// Drops all generations but the last.
fn expire(home: &Sandbox) {
    std::thread::sleep(std::time::Duration::from_millis(1100));
    home.farm(&["generations", "--expire", "0s", "-q"]).run().prints("");
}

#[test]
fn what_a_rollback_moved_stays_as_long_as_the_rollback() {
    let home = two_packages();
    home.farm(&["link", "--replace", "q"]).run().fails_with(0, &[]);
    home.farm(&["undo"]).run().fails_with(0, &[]);
    let before = home.tree();
    home.farm(&["rollback", "1"]).run().fails_with(0, &[]);
    expire(&home);
    assert_eq!(fs::read_to_string(memory(&home).join("kept/1/.rc")).unwrap(), "mine");
    home.farm(&["undo"]).run().fails_with(0, &[]);
    assert_eq!((home.tree(), fs::read_to_string(home.path(".rc")).unwrap()), (before, "mine".into()));
    home.farm(&["rollback", "3"]).run().fails_with(0, &[]);
    expire(&home);
    assert_eq!(fs::read_to_string(memory(&home).join("kept/1/.rc")).unwrap(), "mine");
    home.farm(&["link", "p"]).run().fails_with(0, &[]);
    expire(&home);
    assert_eq!(fs::read_dir(memory(&home).join("kept")).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_removed_when_a_generation_expires_leaves_no_half_generation() {
    let Some(strace) = strace() else { return };
    for call in 1..12 {
        let home = Sandbox::with(&["dotfiles/p/d", "dotfiles/q/x"]);
        for file in ["d/a", "d/b/c", "d/b/d", "d/e"] {
            home.file(file);
        }
        home.farm(&["link", "--replace", "p"]).run().fails_with(0, &[]);
        home.farm(&["link", "q"]).run().fails_with(0, &[]);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let kept = || fs::read_dir(memory(&home).join("kept")).unwrap().count();
        let expire = ["generations", "--expire", "0s"];
        let ran = home
            .call(&strace)
            .args([
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                &format!("inject=unlinkat:error=EACCES:when={call}"),
            ])
            .args([env!("CARGO_BIN_EXE_farm")])
            .args(expire)
            .run();
        if generations(&home).len() == 2 {
            ran.fails_with(1, &["nothing was changed"]);
            home.farm(&["rollback", "0"]).run().fails_with(0, &[]);
            assert_eq!(home.tree(), "d/\nd/a\nd/b/\nd/b/c\nd/b/d\nd/e\n", "call {call}");
            continue;
        }
        let left = kept();
        let warning = "kept/1.expired.1: Permission denied: the next `farm generations --expire` tries again";
        let words: &[&str] = if left == 0 { &[] } else { &[warning] };
        ran.fails_with(0, words);
        home.farm(&expire).run().prints("no generation is that old\n");
        assert_eq!(kept(), 0, "call {call}");
    }
}

#[test]
fn directories_that_may_not_be_changed_expire_too() {
    let home = Sandbox::with(&["dotfiles/p/d", "dotfiles/q/x", "d/b/c"]);
    home.mode("d/b", 0o500);
    home.farm(&["link", "--replace", "p"]).run().fails_with(0, &[]);
    home.farm(&["link", "q"]).run().fails_with(0, &[]);
    expire(&home);
    assert_eq!(fs::read_dir(memory(&home).join("kept")).unwrap().count(), 0);
}

#[test]
fn json_tells_generations_and_rollbacks() {
    let home = two_packages();
    home.farm(&["link", "p"]).run();
    let ran = home.farm(&["generations", "--json"]).run();
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["generations"][0]["id"], 1);
    assert_eq!(told["generations"][0]["current"], true);
    assert_eq!(told["generations"][0]["ops"][0]["op"], "make-link");
    let ran = home.farm(&["undo", "--json"]).run();
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["changed"], &told["to"]), (&true.into(), &0.into()));
}

#[test]
fn a_target_that_was_made_remembers_from_its_first_day() {
    let home = Sandbox::with(&["dotfiles/p/a", "dotfiles/q/b"]);
    let target = home.text("new/target");
    home.farm(&["link", "-t", &target, "p"]).run().fails_with(0, &[]);
    home.farm(&["link", "-t", &target, "q"]).run().fails_with(0, &[]);
    home.farm(&["rollback", "-t", &target, "1"]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), "new/\nnew/target/\nnew/target/a -> ../../dotfiles/p/a\n");
    home.farm(&["rollback", "-t", &target, "2"]).run().fails_with(0, &[]);
    home.farm(&["rollback", "-t", &target, "0"]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), "");
}

#[test]
fn unlink_restores_the_backups_that_farm_made_and_no_others() {
    let home = two_packages();
    home.write(".c.backup", "not farm's");
    home.farm(&["link", "--backup=.old", "q"]).run();
    home.farm(&["unlink", "--restore", "p", "q"]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), ".c.backup\n.rc\n");
    assert_eq!(fs::read_to_string(home.path(".rc")).unwrap(), "mine");
}

#[test]
fn a_rollback_that_only_leaves_things_says_so() {
    let home = two_packages();
    home.farm(&["link", "--backup", "q"]).run();
    for path in [".c", ".rc"] {
        home.remove(path);
        home.write(path, "newer");
    }
    home.farm(&["undo", "--keep-going"]).run().says(
        0,
        "nothing to do: nothing else differs from the state before the first generation\n",
        "warning: left .c: it was changed since\nwarning: left .rc: it was changed since\n",
    );
}

#[test]
fn a_damaged_record_of_a_generation_can_be_moved_away() {
    let home = two_packages();
    home.farm(&["link", "p"]).run();
    home.farm(&["link", "--backup", "q"]).run();
    home.farm(&["unlink", "p"]).run();
    let target = fs::read_dir(home.state().join("targets")).unwrap().next().unwrap().unwrap().path();
    let second = target.join("generations/2");
    fs::write(&second, "junk").unwrap();
    for args in [&["generations"][..], &["undo"], &["unlink", "--restore", "q"]] {
        home.farm(args).run().fails(
            1,
            &format!(
                "error: cannot read generation {}: it is damaged, or no record of farm's\nnothing was changed\nhint: move \
                 it away: that generation then counts as expired, and the others are there\n",
                second.display()
            ),
        );
    }
    // What links only needs none of it.
    home.farm(&["link", "-q", "p"]).run().prints("");
    fs::remove_file(second).unwrap();
    assert_eq!(generations(&home).len(), 3);
    let undone = home.farm(&["undo"]).run();
    undone.fails_with(0, &[]);
}

#[test]
fn what_was_linked_again_after_somebody_removed_it_goes_in_one_rollback() {
    let home = Sandbox::with(&["dotfiles/z/.a", "dotfiles/z/.b"]);
    let before = home.tree();
    home.farm(&["link", "z"]).run().fails_with(0, &[]);
    home.remove(".a");
    home.farm(&["link", "z"]).run().fails_with(0, &[]);
    home.farm(&["rollback", "0"]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), before);
}

#[test]
fn what_changed_between_generations_is_listed_and_stays_with_keep_going() {
    let home = Sandbox::with(&["dotfiles/z/.a", "dotfiles/z/.b"]);
    home.farm(&["link", "z"]).run().fails_with(0, &[]);
    home.remove(".a");
    home.write(".a", "mine");
    home.farm(&["relink", "--backup", "z"]).run().fails_with(0, &[]);
    let words =
        ["cannot go back to generation 0: 1 path was changed since in other ways", "  .a", "--keep-going"];
    home.farm(&["rollback", "-n", "0"]).run().fails_with(1, &words);
    home.farm(&["rollback", "0"]).run().fails_with(1, &words);
    home.farm(&["rollback", "0", "--keep-going"]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), ".a -> dotfiles/z/.a\n.a.backup\n");
}

#[test]
fn a_redo_whose_place_is_taken_is_told_beforehand() {
    let home = Sandbox::with(&["dotfiles/p/f", "dotfiles/p/g"]);
    home.write("f", "first");
    home.write("g", "g");
    home.farm(&["link", "--replace", "p"]).run().fails_with(0, &[]);
    home.remove("f");
    home.write("f", "second");
    home.farm(&["undo", "--keep-going"]).run().fails_with(0, &[]);
    let words = ["cannot go back to generation 1: 1 path was changed since in other ways", "  f"];
    home.farm(&["rollback", "1"]).run().fails_with(1, &words);
    home.farm(&["rollback", "--keep-going", "1"]).run().fails_with(0, &[]);
    assert_eq!(fs::read_to_string(home.path("f")).unwrap(), "second");
    assert!(home.path("g").is_symlink());
}

#[test]
fn what_somebody_put_beside_a_copy_stays_with_its_directory() {
    let home = Sandbox::with(&[]);
    home.write("dotfiles/farm.toml", "[file.'~/top/a']\ntext = 'a'\nmethod = 'copy'\n");
    home.farm(&["switch"]).run().fails_with(0, &[]);
    home.write("top/z", "mine");
    let words = ["1 path was changed since in other ways", "  top/z", "--keep-going"];
    home.farm(&["undo", "-n"]).run().fails_with(1, &words);
    home.farm(&["undo"]).run().fails_with(1, &words);
    home.farm(&["undo", "--keep-going"]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), "top/\ntop/z\n");
}

#[test]
fn a_rollback_puts_a_link_where_a_directory_was() {
    let home = Sandbox::with(&["dotfiles/p1/g", "dotfiles/p3/x"]);
    home.write("g/c", "kept");
    home.farm(&["link", "--backup", "p1"]).run().fails_with(0, &[]);
    let linked = home.tree();
    home.farm(&["undo"]).run().fails_with(0, &[]);
    home.farm(&["adopt", "p3", "../g/c"]).run().fails_with(0, &[]);
    home.farm(&["rollback", "1"]).run().fails_with(0, &[]);
    assert_eq!(home.tree(), linked);
}

#[test]
fn a_rollback_that_moves_a_directory_cleans_up_what_it_did_in_it_before() {
    let home = Sandbox::with(&["dotfiles/p/z"]);
    home.write("g/e", "e");
    home.write("g/f", "f");
    home.farm(&["link", "p"]).run();
    home.farm(&["adopt", "new", "../g"]).run().fails_with(0, &[]);
    let adopted = home.tree_below("");
    home.farm(&["undo"]).run().fails_with(0, &[]);
    home.farm(&["adopt", "p", "../g/e"]).run().fails_with(0, &[]);
    home.farm(&["rollback", "2"]).run().fails_with(0, &[]);
    assert_eq!(home.tree_below(""), adopted);
}
