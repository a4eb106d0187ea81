//! What ignore lists cost: reading them, and asking them about every entry of a package of 100,000 nodes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_fs::TempDir;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use farm::{Action, OptionPatterns, Policy, RuleBook};

use crate::world::{World, request};

const NODES: usize = 100_000;

/// Where rules come from. None of them matches a file of the package, so all plan the same.
const SOURCES: [(&str, Source); 6] = [
    ("none", Source::None),
    ("stow, built in", Source::BuiltIn),
    ("stow, list of names", Source::StowList("node_modules\ntarget\n\\.cache\n\\.DS_Store\n")),
    ("stow, list of patterns", Source::StowList(".*\\.bak\n.+\\.sw[a-p]\n^/build/.*\n\\#.*\\#\n")),
    ("stow, --ignore", Source::Ignore(r"\.bak")),
    ("gitignore list", Source::Farmignore("*.bak\n*.sw[a-p]\n/build/\n.DS_Store\n!keep.bak\n")),
];

enum Source {
    None,
    BuiltIn,
    /// The text of a `.stow-global-ignore`.
    StowList(&'static str),
    /// A pattern of stow's `--ignore`.
    Ignore(&'static str),
    /// The text of a `.farmignore`.
    Farmignore(&'static str),
}

pub fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rules");
    group.sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(2));
    let mut world = World::unlinked(NODES);
    for (label, source) in SOURCES {
        let temp = TempDir::new().expect("a directory for a list");
        let list = source.write(temp.path());
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("read", label), |bencher| {
            bencher.iter(|| source.book(&list));
        });
        world.rules =
            source.book(&list).rules_for_new(Path::new("/home/s/p")).expect("the list is well-formed");
        let mut request = request(Action::Link);
        if matches!(source, Source::Farmignore(_)) {
            request.policy = Policy::native();
        }
        assert!(!world.know(&request).1.plan.is_empty());
        group.throughput(Throughput::Elements(NODES as u64));
        group.bench_function(BenchmarkId::new("link", label), |bencher| {
            bencher.iter_with_large_drop(|| world.know(&request));
        });
    }
    group.finish();
}

impl Source {
    /// Writes the list, if there is one, and returns where.
    fn write(&self, dir: &Path) -> PathBuf {
        let (name, text) = match self {
            Source::None | Source::BuiltIn | Source::Ignore(_) => return dir.to_owned(),
            Source::StowList(text) => (".stow-global-ignore", text),
            Source::Farmignore(text) => (".farmignore", text),
        };
        fs::write(dir.join(name), text).expect("a list is written");
        dir.join(name)
    }

    fn book(&self, list: &Path) -> RuleBook {
        let none = OptionPatterns::default();
        let book = match self {
            Source::None => Ok(RuleBook::All),
            Source::BuiltIn => Ok(RuleBook::stow(none, None)),
            Source::StowList(_) => Ok(RuleBook::stow(none, Some(list))),
            Source::Ignore(pattern) => {
                let patterns = OptionPatterns::new(&[pattern.as_bytes().to_vec()]);
                Ok(RuleBook::stow(patterns.expect("a pattern"), None))
            }
            Source::Farmignore(_) => {
                RuleBook::native(list.parent().expect("a list has a directory"), &[], &[], none)
            }
        };
        book.expect("the list is well-formed")
    }
}
