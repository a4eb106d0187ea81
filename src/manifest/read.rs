//! From a tree of TOML values whose form is right to a manifest: what keys mean, and which go together.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::check;
use super::keys::{MANIFEST, Shape};
use super::mistake::{Fault, Mistake, Only};
use super::{
    Clash, Content, Defaults, File, FileChoices, Folding, Landing, Manifest, Method, Package, PackageChoices,
    Profile, Said, Session, When,
};
use crate::path::Name;
use crate::policy::{Backup, Existing, Naming};
use crate::rules::{Base, GlobList, Globs};

/// Reads a manifest; see [`Manifest::parse`].
///
/// # Errors
/// Everything that is wrong.
pub fn read(text: &str) -> Result<Manifest, Vec<Mistake>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors.iter().map(syntax).collect());
    }
    if let Some(mistake) = check::version(root.get_ref()) {
        return Err(vec![mistake]);
    }
    let mut mistakes = Vec::new();
    if let Shape::Table(keys) = &MANIFEST {
        check::check_keys(root.get_ref(), keys, &mut mistakes);
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut reader = Reader { mistakes };
    let manifest = reader.manifest(root.get_ref());
    if reader.mistakes.is_empty() { Ok(manifest) } else { Err(reader.mistakes) }
}

fn syntax(error: &toml::de::Error) -> Mistake {
    Mistake::new(error.span().unwrap_or(0..0), Fault::Syntax(error.message().to_owned()))
}

/// A value, with the key that it stands under.
type Found<'t, 'i> = Option<&'t Spanned<DeValue<'i>>>;

fn text(value: Found) -> Option<Said<String>> {
    let value = value?;
    Some(Said { value: value.get_ref().as_str()?.to_owned(), span: value.span() })
}

fn flag(value: Found) -> Option<Said<bool>> {
    let value = value?;
    Some(Said { value: value.get_ref().as_bool()?, span: value.span() })
}

/// Returns one string, or the strings of a list.
fn texts(value: Found) -> Vec<Said<String>> {
    match value.map(Spanned::get_ref) {
        Some(DeValue::Array(values)) => values.iter().filter_map(|value| text(Some(value))).collect(),
        _ => text(value).into_iter().collect(),
    }
}

fn table<'t, 'i>(value: Found<'t, 'i>) -> Option<&'t DeTable<'i>> {
    value?.get_ref().as_table()
}

fn values(said: Vec<Said<String>>) -> Vec<String> {
    said.into_iter().map(|said| said.value).collect()
}

struct Reader {
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn mistake<T>(&mut self, said: &Said<T>, fault: Fault) {
        self.mistakes.push(Mistake::new(said.span.clone(), fault));
    }

    fn manifest(&mut self, root: &DeTable) -> Manifest {
        let mut manifest = Manifest::default();
        if let Some(defaults) = table(root.get("defaults")) {
            manifest.defaults = self.defaults(defaults);
        }
        for (name, value) in table(root.get("package")).into_iter().flatten() {
            let said = Said { value: name.get_ref().clone(), span: name.span() };
            match (Name::new(said.value.as_bytes()), value.get_ref().as_table()) {
                (Some(name), Some(table)) if !said.value.contains('\0') => {
                    let package = self.package(Said { value: name.clone(), span: said.span }, table);
                    manifest.packages.insert(name, package);
                }
                _ => self.mistake(&said, Fault::BadPackage),
            }
        }
        for (target, value) in table(root.get("file")).into_iter().flatten() {
            let target = Said { value: target.get_ref().clone().into_owned(), span: target.span() };
            if let Some(table) = value.get_ref().as_table() {
                let file = self.file(target, table);
                manifest.files.push(file);
            }
        }
        for (target, source) in table(root.get("files")).into_iter().flatten() {
            let target = Said { value: target.get_ref().clone().into_owned(), span: target.span() };
            let content = text(Some(source)).map(Content::Source);
            manifest.files.push(File::plain(target, content));
        }
        manifest.files.sort_by(|a, b| {
            (&a.target.value, a.target.span.start).cmp(&(&b.target.value, b.target.span.start))
        });
        if let Some(session) = table(root.get("session")) {
            manifest.session = self.session(session);
        }
        for (name, profile) in table(root.get("profile")).into_iter().flatten() {
            let packages = table(Some(profile)).map(|table| texts(table.get("packages"))).unwrap_or_default();
            manifest.profiles.insert(name.get_ref().clone().into_owned(), Profile { packages });
        }
        manifest
    }

    fn defaults(&mut self, table: &DeTable) -> Defaults {
        let conflict = text(table.get("conflict")).map(|conflict| match conflict.value.as_str() {
            "skip" => Clash::Skip,
            "backup" => Clash::Backup,
            "adopt" => Clash::Adopt,
            "replace" => Clash::Replace,
            "ask" => Clash::Ask,
            _ => Clash::Stop,
        });
        let (suffix, existing) = (text(table.get("backup")), text(table.get("backup-existing")));
        let mut backup = (suffix.is_some() || existing.is_some()).then(Backup::default);
        if let (Some(backup), Some(suffix)) = (&mut backup, &suffix) {
            match Name::new(suffix.value.as_bytes()).filter(|_| !suffix.value.contains('\0')) {
                Some(name) => backup.suffix = name,
                None => self.mistake(suffix, Fault::BadSuffix),
            }
        }
        if let (Some(backup), Some(existing)) = (&mut backup, existing) {
            backup.existing = match existing.value.as_str() {
                "number" => Existing::Number,
                _ => Existing::Refuse,
            };
        }
        let ignore = texts(table.get("ignore"));
        for line in &ignore {
            if let Err(error) = GlobList::new(Base::Dotfiles, line.value.as_bytes()) {
                self.mistake(line, Fault::Glob(error.message));
            }
        }
        Defaults {
            target: text(table.get("target")),
            landing: self.landing(table),
            folding: self.folding(table),
            naming: match flag(table.get("dotfiles")) {
                Some(Said { value: true, .. }) => Naming::Dotfiles,
                _ => Naming::AsIs,
            },
            // Home Manager's `backupFileExtension` says both in one.
            conflict: conflict.or(suffix.map(|_| Clash::Backup)),
            backup,
            ignore: values(ignore),
        }
    }

    fn landing(&mut self, table: &DeTable) -> Option<Landing> {
        match (text(table.get("as")), text(table.get("into"))) {
            (Some(at), None) => Some(Landing::As(at)),
            (None, Some(into)) => Some(Landing::Into(into)),
            (Some(at), Some(into)) => {
                let fault = Fault::Both("as", "into");
                self.mistakes.push(Mistake::between(into.span, at.span, fault));
                None
            }
            (None, None) => None,
        }
    }

    fn folding(&mut self, table: &DeTable) -> Option<Folding> {
        let fold = table.get("fold")?;
        if let Some(fold) = fold.get_ref().as_bool() {
            return Some(if fold { Folding::All } else { Folding::None });
        }
        let never = texts(fold.get_ref().as_table()?.get("never"));
        for glob in &never {
            self.glob(glob);
        }
        Some(Folding::Except(never))
    }

    fn glob(&mut self, said: &Said<String>) -> Globs {
        Globs::new([said.value.as_str()]).unwrap_or_else(|error| {
            self.mistake(said, Fault::Glob(error.message));
            Globs::default()
        })
    }

    fn package(&mut self, name: Said<Name>, table_of: &DeTable) -> Package {
        let mut on = |platform| {
            table(table_of.get(platform)).map(|table| self.package_choices(table)).unwrap_or_default()
        };
        let (linux, macos) = (on("linux"), on("macos"));
        Package { all: self.package_choices(table_of), linux, macos, when: self.when(table_of), name }
    }

    fn package_choices(&mut self, table: &DeTable) -> PackageChoices {
        PackageChoices {
            source: text(table.get("source")),
            landing: self.landing(table),
            folding: self.folding(table),
            enable: flag(table.get("enable")).map(|said| said.value),
        }
    }

    fn file(&mut self, target: Said<String>, table_of: &DeTable) -> File {
        let mut on = |platform| {
            table(table_of.get(platform)).map(|table| self.file_choices(table)).unwrap_or_default()
        };
        let (linux, macos) = (on("linux"), on("macos"));
        let all = self.file_choices(table_of);
        if [&all, &linux, &macos].iter().all(|choices| choices.content.is_none()) {
            self.mistake(&target, Fault::Lacks(&["source", "text", "template"]));
        }
        let method = match text(table_of.get("method")).map(|method| method.value).as_deref() {
            Some("copy") => Method::Copy,
            Some("seed") => Method::Seed,
            _ => Method::Link,
        };
        let file = File {
            mode: self.mode(table_of),
            recursive: flag(table_of.get("recursive")).is_some_and(|said| said.value),
            force: flag(table_of.get("force")).is_some_and(|said| said.value),
            when: self.when(table_of),
            on_change: text(table_of.get("on-change")).map(|said| said.value),
            target,
            all,
            linux,
            macos,
            method,
        };
        self.check_file(&file, table_of);
        file
    }

    /// Says which keys of a file have no meaning beside the others.
    fn check_file(&mut self, file: &File, table: &DeTable) {
        let is_source = |choices: &&FileChoices| matches!(choices.content, Some(Content::Source(_)));
        let sources = [&file.all, &file.linux, &file.macos].iter().filter(|it| is_source(it)).count();
        let mut useless = |key: &'static str, only| {
            if let Some(value) = table.get(key) {
                self.mistakes.push(Mistake::new(value.span(), Fault::Useless { key, only }));
            }
        };
        // A link has the permissions of what it leads to, and that is the user's own file.
        if sources > 0 && file.method == Method::Link {
            useless("mode", Only::ForWritten);
            useless("executable", Only::ForWritten);
        }
        if file.recursive && sources == 0 {
            useless("recursive", Only::WithSource);
        } else if file.recursive && file.method != Method::Link {
            useless("recursive", Only::WithLinks);
        }
    }

    fn file_choices(&mut self, table: &DeTable) -> FileChoices {
        let given = [
            ("source", text(table.get("source")).map(Content::Source)),
            ("text", text(table.get("text")).map(Content::Text)),
            ("template", text(table.get("template")).map(Content::Template)),
        ];
        let mut given = given.into_iter().filter_map(|(key, content)| Some((key, content?)));
        let content = given.next();
        if let (Some((first, one)), Some((second, other))) = (&content, given.next()) {
            let mistake =
                Mistake::between(other.span().clone(), one.span().clone(), Fault::Both(first, second));
            self.mistakes.push(mistake);
        }
        FileChoices {
            content: content.map(|(_, content)| content),
            enable: flag(table.get("enable")).map(|said| said.value),
        }
    }

    /// Returns the permissions that `mode` or `executable` ask for.
    fn mode(&mut self, table: &DeTable) -> Option<u32> {
        let executable = flag(table.get("executable"));
        let Some(value) = table.get("mode") else {
            return executable.map(|said| if said.value { 0o755 } else { 0o644 });
        };
        let said = Said { value: (), span: value.span() };
        if let Some(executable) = executable {
            let fault = Fault::Both("mode", "executable");
            self.mistakes.push(Mistake::between(said.span.clone(), executable.span, fault));
        }
        let number = match value.get_ref() {
            // 600 is what people mean when they write it, and no number that means the same.
            DeValue::String(text) => u32::from_str_radix(text, 8).ok(),
            DeValue::Integer(number) if number.radix() == 8 => integer(number),
            _ => None,
        };
        let mode = number.filter(|mode| *mode <= 0o777);
        if mode.is_none() {
            self.mistake(&said, Fault::BadMode);
        }
        mode
    }

    fn when(&mut self, table_of: &DeTable) -> When {
        let Some(when) = table(table_of.get("when")) else { return When::default() };
        let globs = |reader: &mut Reader, said: &[Said<String>]| {
            said.iter().for_each(|glob| drop(reader.glob(glob)));
            Globs::new(said.iter().map(|said| said.value.as_str())).unwrap_or_default()
        };
        let env = table(when.get("env")).into_iter().flatten();
        let exists = texts(when.get("exists"));
        for path in &exists {
            if !(path.value == "~" || path.value.starts_with("~/") || path.value.starts_with('/')) {
                self.mistake(path, Fault::NotAbsolute);
            }
        }
        When {
            os: when.get("os").map(|os| values(texts(Some(os)))),
            host: when.get("host").map(|host| globs(self, &texts(Some(host)))),
            env: env
                .map(|(name, value)| {
                    let said = texts(Some(value));
                    said.iter().for_each(|glob| drop(self.glob(glob)));
                    let globs = Globs::on_values(said.iter().map(|said| said.value.as_str()));
                    (name.get_ref().clone().into_owned(), globs.unwrap_or_default())
                })
                .collect(),
            exists: values(exists),
        }
    }

    fn session(&mut self, table_of: &DeTable) -> Session {
        let mut variables = BTreeMap::new();
        for (name, value) in table(table_of.get("variables")).into_iter().flatten() {
            let said = Said { value: name.get_ref().clone().into_owned(), span: name.span() };
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let starts = said.value.chars().next().is_some_and(|c| word(c) && !c.is_ascii_digit());
            if !starts || !said.value.chars().all(word) {
                self.mistake(&said, Fault::BadVariable);
            }
            variables.extend(text(Some(value)).map(|text| (said.value, text.value)));
        }
        let init = table(table_of.get("init")).into_iter().flatten();
        let path = texts(table_of.get("path"));
        let tables =
            [table_of.get("init"), table_of.get("variables")].into_iter().filter_map(table).flatten();
        let said = tables.filter_map(|(_, value)| text(Some(value))).chain(path.iter().cloned());
        // No shell has a way to write one.
        for said in said.filter(|said| said.value.contains('\0')) {
            self.mistake(&said, Fault::Nul);
        }
        Session {
            path: values(path),
            variables,
            init: init
                .filter_map(|(shell, lines)| {
                    Some((shell.get_ref().clone().into_owned(), text(Some(lines))?.value))
                })
                .collect(),
        }
    }
}

fn integer(number: &DeInteger) -> Option<u32> {
    u32::from_str_radix(number.as_str(), number.radix()).ok()
}

impl Content {
    /// Returns where the manifest says it.
    pub fn span(&self) -> &std::ops::Range<usize> {
        match self {
            Content::Source(said) | Content::Text(said) | Content::Template(said) => &said.span,
        }
    }
}

impl File {
    /// Returns a file of the short form: a target path and its source.
    fn plain(target: Said<String>, content: Option<Content>) -> File {
        File {
            target,
            all: FileChoices { content, enable: None },
            linux: FileChoices::default(),
            macos: FileChoices::default(),
            mode: None,
            recursive: false,
            force: false,
            method: Method::Link,
            when: When::default(),
            on_change: None,
        }
    }
}
