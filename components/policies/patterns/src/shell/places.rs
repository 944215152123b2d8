//! Where a path leads, from its text.

use super::expand::UNKNOWN;

/// What a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Slash,
    Home,
    /// The working directory, which is not known.
    Here,
}

/// A path without `.`, `..` and double slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    root: Root,
    segments: Vec<String>,
}

/// Directories of the system and of all users.
const SYSTEM: [&str; 24] = [
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "mnt",
    "media",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "usr",
    "var",
    "Users",
    "System",
    "Library",
    "Applications",
];

/// Those in which nothing is anybody's own.
const DEEP: [&str; 14] = [
    "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "root", "sbin", "sys", "System", "Library",
];

/// Devices that can be written to.
const HARMLESS_DEVICES: [&str; 10] =
    ["null", "zero", "full", "stdout", "stderr", "stdin", "tty", "random", "urandom", "ptmx"];

/// What a shell or a desktop runs at its start, in a home directory.
const START_UP: [&str; 16] = [
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".profile",
    ".zshrc",
    ".zprofile",
    ".zshenv",
    ".zlogin",
    ".xinitrc",
    ".xprofile",
    ".kshrc",
    ".cshrc",
    ".tcshrc",
    ".inputrc",
    ".pam_environment",
];

/// Folders and files of credentials, in a home directory.
const CREDENTIALS: [&str; 24] = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".netrc",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".kube",
    ".docker",
    ".azure",
    ".bash_history",
    ".zsh_history",
    ".sh_history",
    ".history",
    ".python_history",
    ".mysql_history",
    ".psql_history",
    ".config/gh",
    ".config/gcloud",
    ".config/hub",
    ".vault-token",
    ".cargo/credentials.toml",
];

/// The same anywhere else.
const CREDENTIAL_FILES: [&str; 7] = [
    "etc/shadow",
    "etc/gshadow",
    "etc/sudoers",
    "etc/ssl/private",
    "etc/krb5.keytab",
    "etc/shadow-",
    "etc/master.passwd",
];

impl Place {
    /// Where `path` leads from `here`, if that is known.
    pub(super) fn of(path: &str, here: Option<&Self>) -> Self {
        let (mut place, rest) = match path.strip_prefix('~') {
            Some(rest) => {
                (Self { root: Root::Home, segments: Vec::new() }, rest.split_once('/').map_or("", |(_, rest)| rest))
            }
            None if path.starts_with('/') => (Self { root: Root::Slash, segments: Vec::new() }, path),
            None => (here.cloned().unwrap_or(Self { root: Root::Here, segments: Vec::new() }), path),
        };
        rest.split('/').for_each(|segment| place.enter(segment));
        place
    }

    fn enter(&mut self, segment: &str) {
        match segment {
            "" | "." => {}
            ".." => match (self.segments.last().map(String::as_str), self.root) {
                (None | Some(".."), Root::Here) => self.segments.push("..".to_owned()),
                (None, Root::Home) => *self = Self { root: Root::Slash, segments: vec!["home".to_owned()] },
                _ => {
                    self.segments.pop();
                }
            },
            name => self.segments.push(name.to_owned()),
        }
    }

    fn names(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// Whether deleting all of it takes away more than a project's own files.
    pub(super) fn is_precious(&self) -> bool {
        match (self.root, &self.names()[..]) {
            (_, []) => true,
            (Root::Slash, [first]) => is_pattern(first) || SYSTEM.contains(first),
            (Root::Slash, [first, ..]) if is_pattern(first) || DEEP.contains(first) => true,
            (Root::Slash, ["usr", "local", _, _, ..]) => false,
            (Root::Slash, ["usr", ..]) => true,
            (Root::Slash, ["var", second]) => *second != "tmp",
            (Root::Slash, ["home" | "Users", _]) => true,
            (Root::Slash, ["home" | "Users", _, third]) => is_wild(third) || CREDENTIALS.contains(third),
            (Root::Slash, [first, second]) => SYSTEM.contains(first) && is_wild(second),
            (Root::Home, [first]) => {
                is_wild(first)
                    || first.contains(UNKNOWN)
                    || CREDENTIALS.contains(first)
                    || [".config", ".local", "Documents", "Desktop", "Library"].contains(first)
            }
            (Root::Here, names) if names.iter().all(|name| *name == "..") => true,
            (Root::Here, [only]) => is_wild(only) || is_unknown(only),
            (Root::Here, [first, second]) if is_unknown(first) => is_wild(second) || SYSTEM.contains(second),
            (Root::Here, [first, .., last]) if *first == ".." => {
                let above = self.segments.iter().all(|segment| segment == ".." || is_wild(segment));
                above && (*last == ".." || is_wild(last))
            }
            _ => false,
        }
    }

    /// Whether writing there changes the system or what is run at a start.
    pub(super) fn is_system(&self) -> bool {
        match (self.root, &self.names()[..]) {
            (Root::Slash, ["dev", device]) => !HARMLESS_DEVICES.contains(device),
            (Root::Slash, ["dev", "fd" | "shm" | "pts", ..]) => false,
            (Root::Slash, ["usr", "local", ..]) => false,
            (Root::Slash, ["usr", ..] | ["var", "spool", "cron", ..]) => true,
            (Root::Slash, [first, ..]) if DEEP.contains(first) => true,
            (Root::Slash, ["home" | "Users", _, rest @ ..]) | (Root::Home, rest) => match rest {
                [name, ..] if START_UP.contains(name) => true,
                [".ssh" | ".aws" | ".gnupg", ..] | [".config", "autostart" | "systemd" | "fish", ..] => true,
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether it is a disk or another block device.
    pub(super) fn is_device(&self) -> bool {
        self.root == Root::Slash && self.segments.first().is_some_and(|first| first == "dev") && self.is_system()
    }

    /// Whether reading it gives away credentials or what was typed.
    pub(super) fn is_credential(&self) -> bool {
        let joined = self.segments.join("/");
        // `~/.ss?/id_rsa` as well.
        let within = |folder: &&str| {
            let mut segments = self.segments.iter();
            folder.split('/').all(|name| segments.next().is_some_and(|segment| fast_glob::glob_match(segment, name)))
        };
        match (self.root, &self.names()[..]) {
            (_, [.., last])
                if last.ends_with(".pub") || matches!(*last, "known_hosts" | "config" | "authorized_keys") =>
            {
                // Of a cloud, the configuration holds keys as well.
                joined.contains(".kube/") || joined.contains(".docker/")
            }
            (Root::Slash, ["proc", _, "environ" | "mem"]) => true,
            (Root::Slash, ["home" | "Users", _, rest @ ..]) | (Root::Slash, ["root", rest @ ..]) => {
                Self { root: Root::Home, segments: rest.iter().map(|name| (*name).to_owned()).collect() }
                    .is_credential()
            }
            (Root::Slash, _) => CREDENTIAL_FILES.iter().any(within),
            // Also below the working directory: it may be the home directory.
            (Root::Home | Root::Here, _) => {
                CREDENTIALS.iter().filter(|name| **name != ".npmrc" || self.root == Root::Home).any(within)
            }
        }
    }
}

/// Only characters that match anything: `*`, `.*`, `?`.
fn is_wild(segment: &str) -> bool {
    segment.contains(['*', '?'])
        && segment.chars().all(|character| matches!(character, '*' | '?' | '.' | '[' | ']' | '^' | '!'))
}

/// Matches more than one name, or nobody knows what.
fn is_pattern(segment: &str) -> bool {
    segment.contains(['*', '?', '[', UNKNOWN])
}

fn is_unknown(segment: &str) -> bool {
    !segment.is_empty() && segment.chars().all(|character| character == UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precious_places() {
        for (path, expected) in [
            ("/", true),
            ("//./", true),
            ("/*", true),
            ("/tmp/../etc", true),
            ("/home/me", true),
            ("/home/me/work/build", false),
            ("/tmp/x", false),
            ("~", true),
            ("~/work/x", false),
            ("~/..", true),
            (".", true),
            ("*", true),
            ("../..", true),
            ("../build", false),
            ("build/*", false),
            ("/usr/local/lib/node_modules", false),
        ] {
            assert_eq!(Place::of(path, None).is_precious(), expected, "{path}");
        }
        let root = Place::of("/", None);
        assert!(Place::of("home", Some(&root)).is_precious());
    }
}
