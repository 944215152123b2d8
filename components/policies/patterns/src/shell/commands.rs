//! One command with its words, and what follows from it.

use super::expand::{PROCESS, UNKNOWN};
use super::places::Place;
use super::{files, programs};

/// What a command does, or what has to be looked at for that.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Found(&'static str, String),
    /// A text that is run as a script.
    Script(String),
    /// What is sent to it is run.
    RunsInput,
    /// The same in a language that is not a shell's.
    RunsOtherInput,
    /// The working directory changes.
    Enters(String),
    /// A file holds what came from outside.
    Downloads(String),
    /// A variable gets a value that only the run decides.
    Sets(String),
}

/// Commands that run the command in their arguments, after options of their
/// own. Each of the words may begin it: nobody has to know all options.
const WRAPPERS: [&str; 38] = [
    "sudo",
    "doas",
    "env",
    "nohup",
    "nice",
    "ionice",
    "time",
    "timeout",
    "stdbuf",
    "setsid",
    "exec",
    "command",
    "builtin",
    "xargs",
    "chroot",
    "busybox",
    "toybox",
    "watch",
    "strace",
    "ltrace",
    "unshare",
    "nsenter",
    "su",
    "runuser",
    "flock",
    "parallel",
    "ssh",
    "docker",
    "podman",
    "kubectl",
    "systemd-run",
    "script",
    "screen",
    "tmux",
    "firejail",
    "proot",
    "coproc",
    "entr",
];

/// Words of a wrapper that may begin its command. A list as long is no wrapper
/// by hand.
const WRAPPED_MAX: usize = 64;

/// Shells: they run a file, `-c` or what they are sent.
const SHELLS: [&str; 10] = ["sh", "bash", "zsh", "dash", "ksh", "mksh", "ash", "fish", "csh", "tcsh"];

/// Other programs that run what they are sent.
const INTERPRETERS: [&str; 12] =
    ["python", "python2", "python3", "perl", "ruby", "node", "nodejs", "php", "lua", "pwsh", "osascript", "deno"];

/// Whether its arguments assign variables of this shell.
pub(super) fn declares(name: &str) -> bool {
    matches!(name, "export" | "declare" | "typeset" | "local" | "readonly")
}

/// The name of a command without its folder.
fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or_default()
}

/// What `argv` does from the directory `here`, where `downloads` came from
/// outside.
pub(super) fn judge(argv: &[String], here: Option<&Place>, downloads: &[String]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let Some(name) = argv.first() else { return outcomes };
    if base(name).contains([UNKNOWN, PROCESS]) || base(name) == "{}" {
        outcomes.push(Outcome::Found("shell/unknown", format!("the command is `{name}`")));
    }
    one(argv, false, here, downloads, &mut outcomes);
    if WRAPPERS.contains(&base(name)) {
        wrapped(argv, here, downloads, &mut outcomes);
    }
    outcomes
}

fn wrapped(argv: &[String], here: Option<&Place>, downloads: &[String], outcomes: &mut Vec<Outcome>) {
    if argv.len() > WRAPPED_MAX {
        outcomes.push(Outcome::Found("shell/unparsable", format!("`{}` has too many arguments", argv[0])));
        return;
    }
    let mut sent = base(&argv[0]) == "xargs";
    for at in 1..argv.len() {
        let word = &argv[at];
        sent |= base(word) == "xargs";
        // `su -c '…'`, `ssh host '…'`, `env -S '…'`.
        if word.contains(char::is_whitespace) && !WRAPPERS[..1].contains(&base(&argv[0])) && is_script(&argv[..=at]) {
            outcomes.push(Outcome::Script(word.clone()));
        }
        if !word.starts_with('-') {
            one(&argv[at..], sent, here, downloads, outcomes);
        }
        if !word.starts_with('-') && base(word) == "{}" && sent && argv[1..at].iter().all(|word| word.starts_with('-'))
        {
            outcomes.push(Outcome::Found("shell/unknown", "the command is what `xargs` is sent".to_owned()));
        }
    }
}

/// Whether the last of these words is a script by its place.
fn is_script(argv: &[String]) -> bool {
    let [name, .., before, _] = argv else { return matches!(base(&argv[0]), "watch" | "parallel" | "script") };
    let takes = matches!(base(name), "ssh" | "watch" | "parallel" | "tmux" | "screen");
    // An option's value is none, unless the option is for a command.
    takes && !before.starts_with('-') || matches!(&**before, "-c" | "-S" | "--command" | "--split-string")
}

/// One command, no wrapper looked through. `sent` is that it gets arguments
/// that are not seen.
fn one(argv: &[String], sent: bool, here: Option<&Place>, downloads: &[String], outcomes: &mut Vec<Outcome>) {
    let Some((name, arguments)) = argv.split_first() else { return };
    let name = base(name);
    if SHELLS.contains(&name) {
        return shell(arguments, sent, downloads, outcomes);
    }
    if INTERPRETERS.contains(&name) || name.starts_with("python3.") {
        return interpreter(arguments, downloads, outcomes);
    }
    match name {
        "eval" => outcomes.push(Outcome::Script(arguments.join(" "))),
        "trap" => outcomes.extend(arguments.first().cloned().map(Outcome::Script)),
        "alias" => {
            let values = arguments.iter().filter_map(|alias| alias.split_once('=')).map(|(_, value)| value);
            outcomes.extend(values.map(|value| Outcome::Script(value.to_owned())));
        }
        "source" | "." => match arguments.first() {
            Some(file) if file == "/dev/stdin" => outcomes.push(Outcome::RunsInput),
            Some(file) => outcomes.extend(foreign(file, downloads)),
            None => {}
        },
        "cd" | "pushd" => {
            let folder = arguments.iter().find(|argument| !argument.starts_with('-'));
            outcomes.push(Outcome::Enters(folder.cloned().unwrap_or("~".to_owned())));
        }
        "read" | "mapfile" | "readarray" | "getopts" | "unset" => {
            let names = arguments.iter().filter(|argument| !argument.starts_with('-'));
            outcomes.extend(names.cloned().map(Outcome::Sets));
        }
        _ => {}
    }
    programs::judge(name, arguments, sent, here, outcomes);
    files::judge(name, arguments, here, outcomes);
}

/// A file or descriptor that holds a script from elsewhere.
fn foreign(file: &str, downloads: &[String]) -> Option<Outcome> {
    if file.contains(PROCESS)
        || downloads.iter().any(|download| download.trim_start_matches("./") == file.trim_start_matches("./"))
    {
        return Some(Outcome::Found("shell/pipe-to-shell", file.to_owned()));
    }
    (file.chars().all(|character| character == UNKNOWN) && !file.is_empty())
        .then(|| Outcome::Found("shell/unknown", "a script that cannot be known before".to_owned()))
}

fn shell(arguments: &[String], sent: bool, downloads: &[String], outcomes: &mut Vec<Outcome>) {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let is_short = argument.starts_with('-') && !argument.starts_with("--");
        match &**argument {
            _ if is_short && argument.contains('c') => {
                match rest.next() {
                    Some(script) => outcomes.push(Outcome::Script(script.clone())),
                    // `xargs sh -c`: what is sent is the script.
                    None => outcomes.push(Outcome::RunsInput),
                }
                return;
            }
            "-" | "-s" | "/dev/stdin" => return outcomes.push(Outcome::RunsInput),
            "-o" | "+o" | "--rcfile" | "--init-file" | "-O" => {
                outcomes.extend(rest.next().and_then(|file| foreign(file, downloads)));
            }
            _ if argument.starts_with(['-', '+']) => {}
            _ => return outcomes.extend(foreign(argument, downloads)),
        }
    }
    outcomes.push(match sent {
        true => Outcome::Found("shell/unknown", "a script that cannot be known before".to_owned()),
        false => Outcome::RunsInput,
    });
}

fn interpreter(arguments: &[String], downloads: &[String], outcomes: &mut Vec<Outcome>) {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match &**argument {
            "-c" | "-e" | "-r" | "--eval" | "-p" | "--print" | "-Command" | "eval" => {
                let unknown = rest.next().is_some_and(|code| code.contains([UNKNOWN, PROCESS]));
                if unknown {
                    outcomes.push(Outcome::Found("shell/unknown", "code that cannot be known before".to_owned()));
                }
                return;
            }
            "-m" => return,
            "-" | "/dev/stdin" => return outcomes.push(Outcome::RunsOtherInput),
            "--version" | "-V" | "-v" | "--help" | "-h" => return,
            // `perl -ne '…'`, `python -ic '…'`.
            _ if argument.starts_with('-') && !argument.starts_with("--") && argument.ends_with(['e', 'c', 'E']) => {
                return;
            }
            _ if argument.starts_with('-') => {}
            _ => return outcomes.extend(foreign(argument, downloads)),
        }
    }
    outcomes.push(Outcome::RunsOtherInput);
}

/// Whether `argv` is a `find` in a place that must not be deleted.
pub(super) fn finds_in_precious(argv: &[String], here: Option<&Place>) -> bool {
    let Some(at) = argv.iter().position(|word| matches!(base(word), "find" | "fd" | "ls")) else { return false };
    programs::searched(&argv[at + 1..])
        .iter()
        .any(|path| !path.is_empty() && *path != "." && !path.contains(UNKNOWN) && Place::of(path, here).is_precious())
}

/// Whether `argv` deletes what it is sent.
pub(super) fn deletes_input(argv: &[String]) -> bool {
    let sent = argv.iter().position(|word| matches!(base(word), "xargs" | "parallel"));
    let deletes = |word: &String| matches!(base(word), "rm" | "unlink" | "shred" | "rmdir");
    sent.is_some_and(|at| argv[at..].iter().any(deletes))
}
