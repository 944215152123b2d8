//! Paths that leave where they should stay.

mod spelling;

use crate::arguments::{Part, Text};
use crate::globs::Globs;
use crate::guard::{Call, Guard, Hit, Kind, Pattern, Reaction};

/// What is fixed about this guard.
pub(crate) static KIND: Kind = Kind { name: "paths", default: Reaction::Forbid, redactable: false, patterns: PATTERNS };

const PATTERNS: &[Pattern] = &[
    Pattern { id: "paths/parent", finds: "a path that leaves its start through `..`" },
    Pattern { id: "paths/encoded", finds: "a path with an encoded `..`, slash or NUL" },
    Pattern { id: "paths/nul", finds: "a path with a NUL or another control character" },
    Pattern { id: "paths/outside", finds: "an absolute path outside of the configured roots" },
    Pattern { id: "paths/home", finds: "a path into a home directory through `~` or a variable" },
    Pattern { id: "paths/process", finds: "a path into `/proc` or to a process's descriptors" },
    Pattern { id: "paths/sensitive", finds: "a path to the system's accounts or keys" },
    Pattern { id: "paths/windows", finds: "a Windows device, share or stream" },
];

/// Names of arguments that are paths.
const PATHS: [&str; 14] = [
    "/**/path",
    "/**/paths/*",
    "/**/file",
    "/**/files/*",
    "/**/filename",
    "/**/file_path",
    "/**/filepath",
    "/**/{dir,directory,folder}",
    "/**/source",
    "/**/destination",
    "/**/*_path",
    "/**/*_{dir,file}",
    "/**/*Path",
    "/**/cwd",
];

/// No file system takes a longer one.
const PATH_BYTES_MAX: usize = 4_096;

/// The guard.
pub(crate) struct Paths {
    paths: Globs,
    roots: Vec<String>,
}

/// Directories that absolute paths may lead into.
pub(crate) fn roots(roots: &[String]) -> Result<Vec<String>, String> {
    let plain = |root: &String| match root.starts_with('/') && root.split('/').all(|part| part != "." && part != "..") {
        true => Ok(root.trim_end_matches('/').to_owned()),
        false => Err(format!("`{root}` is no absolute path without `.` and `..`")),
    };
    roots.iter().map(plain).collect()
}

impl Paths {
    pub(crate) fn new(paths: Option<Globs>, roots: Vec<String>) -> Self {
        Self { paths: paths.unwrap_or_else(|| Globs::of(&PATHS)), roots }
    }

    /// The id for one path, if it is a finding.
    fn judge(&self, text: &str) -> Option<&'static str> {
        let path = text.strip_prefix("file://").unwrap_or(text);
        let decoded = spelling::decoded(path);
        if spelling::has_control(path) {
            return Some("paths/nul");
        }
        // As it is, and as something behind may decode it.
        if decoded != path
            && (spelling::has_control(&decoded)
                || leaves(&decoded)
                || dots(&decoded)
                || decoded.starts_with('/') != path.starts_with('/'))
        {
            return Some("paths/encoded");
        }
        if path.starts_with('~')
            || ["$HOME", "${HOME}", "%USERPROFILE%", "%APPDATA%", "$env:"].iter().any(|home| path.starts_with(home))
        {
            return Some("paths/home");
        }
        if spelling::is_windows_special(&decoded) {
            return Some("paths/windows");
        }
        let slashed = decoded.replace('\\', "/");
        let drive = slashed.as_bytes().get(1) == Some(&b':') && slashed.as_bytes()[0].is_ascii_alphabetic();
        let slashed = slashed.get(if drive { 2 } else { 0 }..).unwrap_or_default().to_owned();
        // What a filter that takes out `../` leaves of it.
        if leaves(&slashed) || slashed.contains("....//") {
            return Some("paths/parent");
        }
        let resolved = resolved(&slashed);
        if slashed.starts_with('/') && !drive {
            let within = |folder: &str| {
                resolved == folder || resolved.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
            };
            if within("/proc") || within("/dev/fd") || within("/sys") {
                return Some("paths/process");
            }
            if self.roots.iter().any(|root| root.is_empty() || within(root)) {
                return None;
            }
            if !self.roots.is_empty() {
                return Some("paths/outside");
            }
        }
        match drive && !self.roots.is_empty() {
            true => Some("paths/outside"),
            false => is_sensitive(&resolved).then_some("paths/sensitive"),
        }
    }
}

impl Guard for Paths {
    fn look(&self, call: &Call<'_>, hits: &mut Vec<Hit>) {
        for (at, text) in call.arguments.texts.iter().enumerate() {
            let configured = text.part == Part::Value && self.paths.matches(&text.pointer);
            if !configured && !looks_like_path(text) {
                continue;
            }
            if text.text.len() > PATH_BYTES_MAX {
                if configured {
                    let detail = format!("{} bytes; the most is {PATH_BYTES_MAX}", text.text.len());
                    hits.push(Hit::part("paths/nul", at, text, 0..text.text.len()).unexamined().detail(detail));
                }
            } else if let Some(id) = self.judge(&text.text) {
                hits.push(Hit::part(id, at, text, 0..text.text.len()));
            }
        }
    }
}

/// Without a name that says so: one word that begins like a path, or that has
/// `..` between separators, spelled any way.
fn looks_like_path(text: &Text) -> bool {
    let it = &*text.text;
    if text.part == Part::Number || it.len() > PATH_BYTES_MAX || it.contains(char::is_whitespace) || it.contains("://")
    {
        return false;
    }
    let absolute = it.starts_with('/') && !it.starts_with("//") && it.len() > 1;
    absolute || it.starts_with("~/") || dots(&spelling::decoded(it).replace('\\', "/"))
}

/// Has a `..` between separators.
fn dots(path: &str) -> bool {
    path.contains(['/', '\\']) && path.split(['/', '\\']).any(|segment| segment == "..")
}

/// Whether a `..` goes above where the path began. From the root there is no
/// way up, but an absolute path that tries is no honest one.
fn leaves(path: &str) -> bool {
    let mut depth = 0_i32;
    for segment in path.split('/') {
        match segment.trim_end_matches(' ') {
            "" | "." => {}
            // Windows strips spaces, some servers `;…`.
            dots if dots == ".." || dots.starts_with("..;") => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// Without `.`, `..` and double slashes.
fn resolved(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    let slash = if path.starts_with('/') { "/" } else { "" };
    format!("{slash}{}", segments.join("/"))
}

fn is_sensitive(path: &str) -> bool {
    const FILES: [&str; 9] = [
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/passwd",
        "/etc/sudoers",
        "/etc/sudoers.d",
        "/etc/ssh",
        "/etc/ssl/private",
        "/root",
        "/boot",
    ];
    const NAMES: [&str; 9] =
        [".ssh", ".aws", ".gnupg", ".kube", ".netrc", ".git-credentials", ".bash_history", ".zsh_history", ".pgpass"];
    let within =
        |folder: &&str| path.strip_prefix(*folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    FILES.iter().any(within) || path.split('/').any(|segment| NAMES.contains(&segment))
}
