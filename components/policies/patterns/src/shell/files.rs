//! Files that commands read and write, whatever they do otherwise.

use super::commands::Outcome;
use super::places::Place;
use super::programs::{has_option, operands};

/// Programs that use a key or touch a file without showing what is in it.
const DISCREET: [&str; 26] = [
    "ssh",
    "ssh-add",
    "ssh-keygen",
    "ssh-copy-id",
    "sftp",
    "mosh",
    "chmod",
    "chown",
    "ls",
    "stat",
    "test",
    "[",
    "mkdir",
    "touch",
    "rm",
    "cd",
    "pushd",
    "find",
    "git",
    "kubectl",
    "docker",
    "export",
    "du",
    "echo",
    "printf",
    "ln",
];

/// Adds what the program `name` does to files that matter.
pub(super) fn judge(name: &str, arguments: &[String], here: Option<&Place>, outcomes: &mut Vec<Outcome>) {
    if !DISCREET.contains(&name) {
        let read = arguments.iter().enumerate().find(|(at, argument)| {
            let before = at.checked_sub(1).and_then(|at| arguments.get(at));
            // `scp -i KEY` uses it, and `--key=KEY`; `-d @FILE` and `-F f=@FILE` send it.
            let path = argument.rsplit('@').next().unwrap_or_default();
            let path = path.strip_prefix("file://").unwrap_or(path);
            let path = path.rsplit('=').next().unwrap_or_default();
            before.is_none_or(|before| before != "-i") && Place::of(path, here).is_credential()
        });
        outcomes.extend(read.map(|(_, path)| Outcome::Found("shell/credentials", path.clone())));
    }
    for path in written(name, arguments) {
        let place = Place::of(&path, here);
        match (place.is_device(), place.is_system()) {
            (true, _) => outcomes.push(Outcome::Found("shell/disk", path)),
            (_, true) => outcomes.push(Outcome::Found("shell/system-write", path)),
            _ => {}
        }
    }
    outcomes.extend(downloaded(name, arguments).map(Outcome::Downloads));
}

/// The files that it writes.
fn written(name: &str, arguments: &[String]) -> Vec<String> {
    let paths = operands(arguments);
    match name {
        "tee" | "truncate" | "sponge" => paths.into_iter().cloned().collect(),
        "sed" | "perl" if has_option(arguments, &['i'], "in-place") => paths.into_iter().skip(1).cloned().collect(),
        "cp" | "mv" | "install" | "ln" | "rsync" | "scp" => {
            match (value_of(arguments, &["-t", "--target-directory"]), &paths[..]) {
                (Some(target), _) => vec![target],
                (None, [_, .., last]) => vec![(*last).clone()],
                _ => Vec::new(),
            }
        }
        "curl" | "wget" => downloaded(name, arguments).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The file that a download becomes.
fn downloaded(name: &str, arguments: &[String]) -> Option<String> {
    let output = match name {
        "curl" => value_of(arguments, &["-o", "--output"]),
        "wget" => value_of(arguments, &["-O", "--output-document"]),
        _ => return None,
    };
    // `curl -O` and plain `wget` name it after the URL.
    let named = name == "wget" || has_option(arguments, &['O'], "remote-name");
    let last = || arguments.iter().find(|argument| argument.contains("://")).and_then(|url| url.rsplit('/').next());
    match output {
        Some(output) if output == "-" => None,
        Some(output) => Some(output),
        None if named => last().map(|name| name.split(['?', '#']).next().unwrap_or_default().to_owned()),
        None => None,
    }
}

/// The value of an option: after it, attached, or at the end of short ones.
fn value_of(arguments: &[String], names: &[&str]) -> Option<String> {
    arguments.iter().enumerate().find_map(|(at, argument)| {
        names.iter().find_map(|name| match argument.strip_prefix(name) {
            Some("") => arguments.get(at + 1).cloned(),
            Some(value) if name.starts_with("--") => value.strip_prefix('=').map(str::to_owned),
            Some(value) => Some(value.to_owned()),
            // `-fsSLo file`.
            None => {
                let short = argument.starts_with('-') && !argument.starts_with("--") && name.len() == 2;
                (short && argument.ends_with(&name[1..])).then(|| arguments.get(at + 1).cloned()).flatten()
            }
        })
    })
}
