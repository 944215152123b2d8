//! A folder with packages, and the program run in it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use vak_trust::{Manifest, Package};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_vak-skill-sign");

pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Site {
    /// With the unsigned packages `a.wasm` and `b.wasm`, and the key `k`.
    pub(crate) fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["a", "b"] {
            let manifest =
                format!("name = '{name}'\nversion = '1.2.3'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'");
            let manifest = Manifest::from_toml(&manifest).unwrap();
            Package::unsigned(name.into(), &manifest).write(&site.path(&format!("{name}.wasm"))).unwrap();
        }
        site.fine("keygen k");
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Every name in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("VAK_KEY_PASSPHRASE").env_remove("SOURCE_DATE_EPOCH");
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Runs what works, and gives what it prints.
    #[track_caller]
    pub(crate) fn fine(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments}: {ran:?}");
        ran.out
    }

    /// Runs what ends with `code` and says `part` on standard error.
    #[track_caller]
    pub(crate) fn not(&self, code: i32, arguments: &str, part: &str) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments}: {ran:?}");
        assert!(ran.err.contains(part), "{arguments}: {ran:?}");
    }

    /// Runs what prints a JSON object a line.
    pub(crate) fn json(&self, arguments: &str) -> (i32, Vec<serde_json::Value>) {
        let ran = self.run(arguments);
        (ran.code, ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// The public key in the file `name`.
    pub(crate) fn public(&self, name: &str) -> String {
        self.fine(&format!("public {name}")).trim().to_owned()
    }
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
