//! The shells that clap does not know, leaves words of unquoted, or asks in a way that runs what is typed.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap_complete::engine::{CompletionCandidate, complete};
use clap_complete::env::{Bash, EnvCompleter};
use serde::Serialize;

/// Bash, as clap has it, but that the answers fit what stands there: it puts words into the line as they are.
#[derive(Clone, Copy, Default, Debug)]
pub struct QuotingBash {
    /// Whether the word begins with a quotation mark.
    pub is_quoted: bool,
    /// How many bytes of the word bash takes for another one: those up to an equals sign.
    pub cut: usize,
}

impl EnvCompleter for QuotingBash {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        Bash.write_registration(var, name, bin, completer, buf)
    }

    fn write_complete(
        &self,
        cmd: &mut clap::Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let at = args.len().saturating_sub(1);
        let found = complete(cmd, args, at, current_dir)?;
        let word = |it: &CompletionCandidate| {
            let value = it.get_value().to_string_lossy();
            let rest = value.get(self.cut..).unwrap_or(&value);
            if self.is_quoted { rest.to_owned() } else { quoted_for_bash(rest) }
        };
        // A vertical tab separates them, as the script has it.
        buf.write_all(found.iter().map(word).collect::<Vec<_>>().join("\u{b}").as_bytes())
    }
}

/// Returns a word with a backslash before each character that means something to bash.
fn quoted_for_bash(word: &str) -> String {
    let is_plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-_./=~+:@,%".contains(c);
    word.chars().flat_map(|c| (!is_plain(c)).then_some('\\').into_iter().chain([c])).collect()
}

/// Nushell: its external completer, put before the one that there is.
pub struct Nu;

const NU: &str = r#"# Completes farm; all else is left to the completer that was there.
let farm_before = $env.config.completions?.external?.completer?
$env.config.completions.external.enable = true
$env.config.completions.external.completer = {|spans|
    if ($spans.0 | path basename) == "farm" {
        let found = with-env { VAR: "nu" } { do { ^PROGRAM -- ...$spans } | complete | get stdout }
        if ($found | is-empty) { [] } else { $found | from json }
    } else if $farm_before != null {
        do $farm_before $spans
    }
}
"#;

#[derive(Serialize)]
struct Suggestion {
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl EnvCompleter for Nu {
    fn name(&self) -> &'static str {
        "nu"
    }

    fn is(&self, name: &str) -> bool {
        name == self.name()
    }

    fn write_registration(
        &self,
        var: &str,
        _name: &str,
        _bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let program = format!("\"{}\"", completer.replace('\\', "\\\\").replace('"', "\\\""));
        buf.write_all(NU.replace("VAR", var).replace("PROGRAM", &program).as_bytes())
    }

    fn write_complete(
        &self,
        cmd: &mut clap::Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let at = args.len().saturating_sub(1);
        let found = complete(cmd, args, at, current_dir)?;
        let suggestion = |it: &CompletionCandidate| Suggestion {
            value: quoted_for_nu(&it.get_value().to_string_lossy()),
            description: description(it),
        };
        let found: Vec<Suggestion> = found.iter().map(suggestion).collect();
        serde_json::to_writer(buf, &found).map_err(io::Error::from)
    }
}

/// Returns a word of a command line: Nushell takes what a completer returns as it is.
fn quoted_for_nu(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=~+:@,%".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// PowerShell: the words come from the parsed line, so that nothing on it runs.
pub struct PowerShell;

const POWERSHELL: &str = r#"Register-ArgumentCompleter -Native -CommandName 'BIN' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @(foreach ($element in $commandAst.CommandElements) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $element.Value }
        else { $element.Extent.Text }
    })
    $before = $env:VAR
    $env:VAR = 'powershell'
    try {
        # The equals sign keeps an empty word from getting lost.
        $found = & 'PROGRAM' -- @words "=$wordToComplete" 2>$null
    } finally {
        if ($null -eq $before) { Remove-Item Env:\VAR } else { $env:VAR = $before }
    }
    foreach ($line in $found) {
        $value, $about = $line -split "`t", 2
        if (-not $about) { $about = $value }
        $typed = $value
        if ($value -notmatch '^[\w./=~+:@%-]+$') { $typed = "'" + $value.Replace("'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($typed, $value, 'ParameterValue', $about)
    }
}
"#;

impl EnvCompleter for PowerShell {
    fn name(&self) -> &'static str {
        "powershell"
    }

    fn is(&self, name: &str) -> bool {
        name == self.name()
    }

    fn write_registration(
        &self,
        var: &str,
        _name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let program = completer.replace('\'', "''");
        let script = POWERSHELL.replace("VAR", var).replace("BIN", bin).replace("PROGRAM", &program);
        buf.write_all(script.as_bytes())
    }

    fn write_complete(
        &self,
        cmd: &mut clap::Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let at = args.len().saturating_sub(1);
        for it in complete(cmd, args, at, current_dir)? {
            let about = description(&it).map_or(String::new(), |about| format!("\t{about}"));
            writeln!(buf, "{}{about}", it.get_value().to_string_lossy())?;
        }
        Ok(())
    }
}

/// Returns the first line of what is said of a candidate.
fn description(it: &CompletionCandidate) -> Option<String> {
    it.get_help().map(|help| help.to_string().lines().next().unwrap_or_default().to_owned())
}
