//! `farm diff`: what links would replace.

use crate::sandbox::Sandbox;

#[test]
fn files_in_the_way_are_compared_with_the_packages() {
    let home = Sandbox::with(&["dotfiles/git/.gitconfig", "dotfiles/zsh/.zshenv", "dotfiles/zsh/.zlogin"]);
    home.write("dotfiles/zsh/.zshrc", "a\nb\nc\n");
    home.write(".zshrc", "a\nB\nc\n");
    home.write(".zshenv", "dotfiles/zsh/.zshenv");
    home.link(".zlogin", "elsewhere");
    let before = home.identity();
    let diff = "\
.zlogin: a link to elsewhere, not made by farm
--- ~/.zshrc
+++ ~/dotfiles/zsh/.zshrc
@@ -1,3 +1,3 @@
 a
-B
+b
 c
";
    home.farm(&["diff"]).run().prints(diff);
    home.farm(&["diff", "git"]).run().prints("");
    home.farm(&["diff", "-q"]).run().prints("");
    assert_eq!(home.identity(), before, "a look changes nothing");
    let colour = home.farm(&["diff", "--color", "zsh"]).run().stdout;
    assert!(colour.contains("\u{1b}[31m-B\u{1b}[0m\n\u{1b}[32m+b\u{1b}[0m\n"), "{colour}");
    let json = home.farm(&["diff", "--json", "zsh"]).run().json();
    let differences = serde_json::json!([
        { "package": "zsh", "path": "~/.zlogin", "reason": "foreign-link", "to": "elsewhere" },
        { "package": "zsh", "path": "~/.zshrc", "reason": "file-differs",
          "diff": "--- ~/.zshrc\n+++ ~/dotfiles/zsh/.zshrc\n@@ -1,3 +1,3 @@\n a\n-B\n+b\n c\n" },
    ]);
    assert_eq!((&json["differences"], &json["changed"]), (&differences, &false.into()));
    home.write(".zshrc", "a\0b");
    home.farm(&["diff", "zsh"])
        .run()
        .prints(".zlogin: a link to elsewhere, not made by farm\n.zshrc: not text\n");
}

#[test]
fn packages_of_other_machines_are_not_compared() {
    let home = Sandbox::with(&["dotfiles/git/.gitconfig", "dotfiles/zsh/.zshrc", ".gitconfig", ".zshrc"]);
    home.write("dotfiles/farm.toml", "[package.git]\nwhen.host = 'other'\n[package.zsh]\n");
    let diff = "--- ~/.zshrc\n+++ ~/dotfiles/zsh/.zshrc\n@@ -1 +1 @@\n-.zshrc\n\\ No newline at end of file\n\
                +dotfiles/zsh/.zshrc\n\\ No newline at end of file\n";
    home.farm(&["diff"]).run().prints(diff);
    home.farm(&["diff", "git", "zsh"]).run().prints(diff);
    let json = home.farm(&["diff", "--json", "git"]).run().json();
    assert_eq!(json["differences"], serde_json::json!([]));
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    let home = Sandbox::with(&["dotfiles/zsh/.zshrc"]);
    home.write(".zshrc", "mine");
    home.mode("..", 0o755);
    home.mode("dotfiles/zsh/.zshrc", if rustix::process::geteuid().is_root() { 0o600 } else { 0 });
    let farm = |args: &[&str]| match rustix::process::geteuid().is_root() {
        true => home.farm(args).by_nobody(),
        false => home.farm(args),
    };
    if farm(&["--version"]).can_start() {
        let why = "cannot read ~/dotfiles/zsh/.zshrc: Permission denied";
        farm(&["diff", "zsh"])
            .env("FARM_STATE_DIR", home.path("none"))
            .run()
            .prints(&format!(".zshrc: {why}\n"));
    }
}
