//! Every target over its corpus and alterations of it, the same in every run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use vak_fuzz::{QUICK, Target};

/// Alterations of a quick target: together some seconds.
const ALTERATIONS: u64 = 4_000;

/// A component that still compiles takes a dozen milliseconds or more.
#[cfg(feature = "engine")]
const COMPILED_ALTERATIONS: u64 = 60;

/// Longest input that is altered: what is larger takes long and says little.
const BYTES_MAX: usize = 40_000;

/// A sequence that looks random and is the same in every run (SplitMix64,
/// <https://prng.di.unimi.it/splitmix64.c>).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as usize % end.max(1)
    }
}

/// What parsers stumble over.
const PIECES: [&[u8]; 16] = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\"",
    b"\\",
    b"{}",
    b"[[[[[[[[",
    b"null",
    b"1e999",
    b"-0.0",
    b"0.1",
    b"=",
    b"\xed\xa0\x80",
    b"\xff\xff\xff\xff\x0f",
    b"\x7f",
];

fn altered(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        let (at, length) = (random.below(bytes.len()), bytes.len());
        match random.below(7) {
            0 if length > 0 => bytes[at] ^= 1 << random.below(8),
            1 if length > 0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            2 if length > 0 => drop(bytes.remove(at)),
            3 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
            4 => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied())),
            5 => bytes.truncate(at),
            _ => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len());
                let part = other[from..(from + random.below(60)).min(other.len())].to_vec();
                drop(bytes.splice(at..(at + random.below(60)).min(length), part));
            }
        }
    }
    bytes
}

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

#[track_caller]
fn hold((name, target): Target, alterations: u64) {
    let corpus = corpus(name);
    assert!(!corpus.is_empty());
    let run = |bytes: &[u8], of: &dyn Fn() -> String| {
        if catch_unwind(AssertUnwindSafe(|| target(bytes))).is_err() {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
            std::fs::write(&file, bytes).unwrap();
            panic!("`{name}` does not hold for {}; the bytes are in `{}`", of(), file.display());
        }
    };
    for (path, bytes) in &corpus {
        run(bytes, &|| path.display().to_string());
    }
    let seeds: Vec<_> = corpus.into_iter().map(|(_, bytes)| bytes).filter(|bytes| bytes.len() <= BYTES_MAX).collect();
    for number in 0..alterations {
        let bytes = altered(&seeds, &mut Random(number.wrapping_mul(0x2545_f491_4f6c_dd1d)));
        run(&bytes, &|| format!("alteration {number}"));
    }
}

#[test]
fn the_laws_hold_for_every_quick_target() {
    for target in QUICK {
        hold(*target, ALTERATIONS);
    }
}

#[cfg(feature = "engine")]
#[test]
fn the_laws_hold_for_the_engine() {
    hold(("engine", vak_fuzz::engine), COMPILED_ALTERATIONS);
}

/// A target that nobody can run without end is half a target.
#[test]
fn every_target_has_its_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for name in QUICK.iter().map(|(name, _)| *name).chain(["engine"]) {
        let program = std::fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("vak_fuzz::{name}(")), "{program}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
