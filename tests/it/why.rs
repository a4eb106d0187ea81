//! `farm why`: which package and which rule make a path a link, or keep it from being one.

use crate::sandbox::Sandbox;

fn home() -> Sandbox {
    Sandbox::with(&[
        "dotfiles/nvim/.config/nvim/init.lua",
        "dotfiles/tmux/.config/tmux/tmux.conf",
        "dotfiles/zsh/.zshrc",
    ])
}

/// Asserts what is said of a path.
#[track_caller]
fn says(home: &Sandbox, path: &str, says: &str) {
    home.farm(&["why", path]).run().prints(&format!("{says}\n"));
}

#[test]
fn a_link_has_its_package_from_either_side() {
    let home = home();
    home.farm(&["link", "nvim", "tmux", "zsh"]).run();
    let times = home.times();
    says(&home, "../.zshrc", ".zshrc: a link to dotfiles/zsh/.zshrc, of zsh");
    says(&home, "zsh/.zshrc", "dotfiles/zsh/.zshrc: linked for zsh by .zshrc, a link to dotfiles/zsh/.zshrc");
    let by = "linked for nvim by .config/nvim, a link to ../dotfiles/nvim/.config/nvim";
    says(&home, "../.config/nvim/init.lua", &format!(".config/nvim/init.lua: {by}"));
    says(&home, "nvim/.config/nvim/init.lua", &format!("dotfiles/nvim/.config/nvim/init.lua: {by}"));
    let both = ".config: a real directory with 1 link of nvim\n.config: a real directory with 1 link of tmux";
    says(&home, "../.config", both);
    assert_eq!(home.times(), times, "a look changes nothing");
}

#[test]
fn a_pattern_that_keeps_a_path_out_is_told_with_its_file_and_line() {
    let home = home();
    home.write("dotfiles/.farmignore", "# for all\n\nzsh/*.old\n");
    home.write("dotfiles/zsh/.farmignore", "*.log\n!keep.log\n/cache/\n*.log\n!keep.log\n");
    for file in
        ["zsh/a.log", "zsh/keep.log", "zsh/x.old", "zsh/cache/a/b", "zsh/README.md", "zsh/.git/config"]
    {
        home.file(&format!("dotfiles/{file}"));
    }
    home.farm(&["link", "zsh"]).run();
    let line = |path: &str, why: &str| says(&home, &format!("../{path}"), &format!("{path}: {why}"));
    line("a.log", "not linked: ~/dotfiles/zsh/.farmignore:4 keeps zsh/a.log out with `*.log`");
    line("keep.log", "a link to dotfiles/zsh/keep.log, of zsh");
    line("x.old", "not linked: ~/dotfiles/.farmignore:3 keeps zsh/x.old out with `zsh/*.old`");
    line("cache/a/b", "not linked: ~/dotfiles/zsh/.farmignore:3 keeps zsh/cache out with `/cache/`");
    line("README.md", "not linked: the built-in list keeps zsh/README.md out");
    line(".farmignore", "not linked: zsh/.farmignore says what is linked, and is not itself");
    home.write("dotfiles/zsh/.stow-local-ignore", "key\n");
    home.file("dotfiles/zsh/key");
    line("key", "not linked: zsh/.stow-local-ignore keeps zsh/key out");
    home.write("dotfiles/farm.toml", "[defaults]\nignore = ['*.tmp']\n");
    home.file("dotfiles/zsh/a.tmp");
    line("a.tmp", "not linked: `ignore` in farm.toml keeps zsh/a.tmp out with `*.tmp`");
    let json = home.farm(&["why", "--json", "zsh/cache/a"]).run().json();
    let because = serde_json::json!([{
        "package": "zsh", "why": "ignored", "entry": "cache", "file": "~/dotfiles/zsh/.farmignore",
        "line": 3, "pattern": "/cache/",
    }]);
    assert_eq!((&json["because"], &json["path"]), (&because, &"~/dotfiles/zsh/cache/a".into()));
}

#[test]
fn what_is_in_the_way_is_told() {
    let home = home();
    home.write(".zshrc", "mine");
    says(&home, "../.zshrc", ".zshrc: a file, not a link, and not equal to zsh's");
    says(
        &home,
        "../.config/nvim/init.lua",
        ".config/nvim/init.lua: not linked, and nothing keeps nvim from it",
    );
    home.link(".config", "elsewhere");
    let why = ".config is a link to elsewhere, not made by farm";
    says(&home, "nvim/.config/nvim", &format!("dotfiles/nvim/.config/nvim: {why}"));
    home.file("mine");
    says(&home, "../mine", "mine: no package has it");
    says(&home, "zsh/none", "dotfiles/zsh/none: no package has it");
    home.farm(&["why", "/usr"])
        .run()
        .fails(1, "error: /usr is neither in the target, ~, nor in ~/dotfiles\n");
}

#[test]
fn a_package_of_other_machines_and_one_that_lands_elsewhere_are_known() {
    let home = home();
    home.write(
        "dotfiles/farm.toml",
        "[defaults]\ndotfiles = true\n[package.nvim]\nas = '~/x'\n\n[package.zsh]\nwhen = { os = 'windows' }\n",
    );
    home.file("dotfiles/tmux/dot-tmux/dot-a");
    home.farm(&["link", "nvim", "tmux"]).run();
    says(&home, "../x/.config", "x/.config: linked for nvim by x, a link to dotfiles/nvim");
    says(&home, "../.zshrc", ".zshrc: not linked: zsh is not for this machine, says ~/dotfiles/farm.toml:6");
    let by = "linked for tmux by .tmux, a link to dotfiles/tmux/dot-tmux";
    says(&home, "tmux/dot-tmux/dot-a", &format!("dotfiles/tmux/dot-tmux/dot-a: {by}"));
}

#[test]
fn a_path_that_farm_toml_names_by_itself_is_known() {
    let home = home();
    home.file("dotfiles/ssh/ssh-config");
    home.file("dotfiles/claude/agents/a.md");
    home.write(
        "dotfiles/farm.toml",
        "[files]\n'~/.ssh/config' = 'ssh/ssh-config'\n\n[file.'~/.agents']\nsource = 'claude/agents'\n\
         recursive = true\n\n[file.'~/.seed']\ntext = 'x'\nmethod = 'copy'\n",
    );
    let line = |path: &str, why: &str| says(&home, &format!("../{path}"), &format!("{path}: {why}"));
    let none = "~/dotfiles/farm.toml:2 names it, and nothing is there: `farm switch` makes it";
    line(".ssh/config", none);
    home.farm(&["switch", "-q"]).run().prints("");
    line(".ssh/config", "~/dotfiles/farm.toml:2 names it, a link to ../dotfiles/ssh/ssh-config");
    line(".agents/a.md", "~/dotfiles/farm.toml:4 names .agents, a real directory");
    line(".seed", "~/dotfiles/farm.toml:8 names it, a file, not a link");
    let source = "~/dotfiles/farm.toml:2 names .ssh/config, a link to ../dotfiles/ssh/ssh-config";
    // Its directory could be a package, too.
    let package = "dotfiles/ssh/ssh-config: not linked, and nothing keeps ssh from it";
    says(&home, "ssh/ssh-config", &format!("{package}\ndotfiles/ssh/ssh-config: {source}"));
    line(".ssh/known_hosts", "no package has it");
    let json = home.farm(&["why", "--json", "../.ssh/config"]).run().json();
    let because = serde_json::json!([{
        "why": "named", "at": "~/.ssh/config", "to": "../dotfiles/ssh/ssh-config",
        "file": "~/dotfiles/farm.toml", "line": 2,
    }]);
    assert_eq!(json["because"], because);
}
