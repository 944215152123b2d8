//! Programs that destroy, by their arguments.

use super::commands::Outcome;
use super::expand::UNKNOWN;
use super::places::Place;

/// Programs that format, partition or wipe.
const DISKS: [&str; 18] = [
    "mke2fs",
    "mkswap",
    "wipefs",
    "blkdiscard",
    "fdisk",
    "sfdisk",
    "cfdisk",
    "gdisk",
    "sgdisk",
    "parted",
    "shred",
    "badblocks",
    "hdparm",
    "cryptsetup",
    "pvcreate",
    "zpool",
    "mkntfs",
    "diskutil",
];

/// Adds what the program `name` does with `arguments`. `sent` is that it gets
/// more that are not seen.
pub(super) fn judge(name: &str, arguments: &[String], sent: bool, here: Option<&Place>, outcomes: &mut Vec<Outcome>) {
    match name {
        "rm" | "rmdir" | "unlink" | "srm" | "trash" => delete(arguments, sent, here, outcomes),
        "find" | "fd" | "fdfind" => find(arguments, here, outcomes),
        "chmod" | "chown" | "chgrp" | "setfacl" => permissions(name, arguments, here, outcomes),
        "git" => push(arguments, outcomes),
        "dd" => {
            let target = arguments.iter().find_map(|argument| argument.strip_prefix("of="));
            outcomes.extend(target.and_then(|target| device(target, here)));
        }
        "crontab" if !has_option(arguments, &['l', 'e'], "help") && !arguments.is_empty() => {
            outcomes.push(found("shell/system-write", "the table of timed commands"));
        }
        "history" | "fc" => outcomes.push(found("shell/credentials", "the history of commands")),
        "mv" => {
            let moved = operands(arguments).into_iter().rev().skip(1).find(|path| Place::of(path, here).is_precious());
            outcomes.extend(moved.map(|path| found("shell/delete", path)));
        }
        _ if name.starts_with("mkfs") || DISKS.contains(&name) => disk(arguments, here, outcomes),
        _ => {}
    }
}

fn found(id: &'static str, detail: &str) -> Outcome {
    Outcome::Found(id, detail.to_owned())
}

/// Arguments that are no options, and all after `--`.
pub(super) fn operands(arguments: &[String]) -> Vec<&String> {
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let (before, after) = arguments.split_at(end);
    before.iter().filter(|argument| !argument.starts_with('-')).chain(after.iter().skip(1)).collect()
}

/// A short option, alone or among others, or the beginning of a long one.
pub(super) fn has_option(arguments: &[String], short: &[char], long: &str) -> bool {
    let options =
        arguments.iter().take_while(|argument| *argument != "--").filter(|argument| argument.starts_with('-'));
    options.into_iter().any(|option| match option.strip_prefix("--") {
        Some(name) => name.len() >= 2 && long.starts_with(name.split('=').next().unwrap_or_default()),
        None => option.contains(short) || option.contains(UNKNOWN),
    })
}

fn delete(arguments: &[String], sent: bool, here: Option<&Place>, outcomes: &mut Vec<Outcome>) {
    let recursive = has_option(arguments, &['r', 'R'], "recursive");
    if has_option(arguments, &[], "no-preserve-root") {
        outcomes.push(found("shell/delete", "`--no-preserve-root`"));
    }
    if recursive && sent {
        outcomes.push(found("shell/delete", "everything it is sent"));
    }
    for path in operands(arguments) {
        let place = Place::of(path, here);
        if place.is_system() || (recursive && place.is_precious()) || (recursive && path == "{}") {
            outcomes.push(found("shell/delete", path));
        } else if recursive && !path.is_empty() && path.chars().all(|character| character == UNKNOWN) {
            outcomes.push(found("shell/unknown", "what is deleted cannot be known before"));
        }
    }
}

/// The paths that `find` begins in.
pub(super) fn searched(arguments: &[String]) -> Vec<&String> {
    let is_global = |argument: &&String| matches!(&***argument, "-H" | "-L" | "-P") || argument.starts_with("-O");
    let rest = arguments.iter().skip_while(is_global);
    rest.take_while(|argument| !argument.starts_with(['-', '(', '!'])).collect()
}

fn find(arguments: &[String], here: Option<&Place>, outcomes: &mut Vec<Outcome>) {
    let paths = searched(arguments);
    let precious = paths.iter().find(|path| Place::of(path, here).is_precious());
    let filtered = arguments.iter().any(|argument| {
        ["-name", "-iname", "-path", "-ipath", "-regex", "-mtime", "-mmin", "-size", "-empty", "-newer", "-user"]
            .contains(&&**argument)
    });
    // Without a filter, all of the working directory.
    let everything = (paths.is_empty() || paths.iter().all(|path| *path == ".")) && !filtered;
    let mut runs = arguments.iter().enumerate().filter(|(_, argument)| {
        matches!(&***argument, "-exec" | "-execdir" | "-ok" | "-okdir" | "-x" | "-X" | "--exec" | "--exec-batch")
    });
    let own = precious.filter(|path| **path != "." || !filtered);
    if arguments.iter().any(|argument| argument == "-delete") && (own.is_some() || everything) {
        outcomes.push(found("shell/delete", own.map_or(".", |path| path)));
    }
    let deletes = runs.clone().any(|(at, _)| {
        let run = &arguments[at + 1..];
        let end = run.iter().position(|word| word == ";" || word == "+").unwrap_or(run.len());
        let deletes =
            run[..end].iter().any(|word| matches!(word.rsplit('/').next(), Some("rm" | "shred" | "unlink" | "rmdir")));
        deletes && (own.is_some() || everything)
    });
    if deletes {
        outcomes.push(found("shell/delete", own.map_or(".", |path| path)));
    }
    // What it runs is judged like any other command.
    if let Some((at, _)) = runs.next() {
        let run = arguments[at + 1..].iter().take_while(|word| *word != ";" && *word != "+");
        let words: Vec<_> = run.map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        let is_filtered_delete =
            filtered && words.first().is_some_and(|first| first == "'rm'") && !words.join(" ").contains("sh");
        if !is_filtered_delete && !words.is_empty() {
            outcomes.push(Outcome::Script(words.join(" ")));
        }
    }
}

fn permissions(name: &str, arguments: &[String], here: Option<&Place>, outcomes: &mut Vec<Outcome>) {
    let recursive = has_option(arguments, &['R'], "recursive");
    let mode = arguments.iter().find(|argument| name == "chmod" && is_open(argument));
    let operands = operands(arguments);
    let set_user = operands.first().is_some_and(|mode| name == "chmod" && sets_user(mode));
    for path in operands.into_iter().skip(1) {
        let place = Place::of(path, here);
        let opens = mode.is_some() || set_user || name != "chmod";
        if (recursive && place.is_precious()) || (opens && place.is_system()) {
            outcomes.push(found("shell/permissions", path));
        }
    }
}

/// A mode in which everybody may write.
fn is_open(mode: &str) -> bool {
    let octal = (3..=5).contains(&mode.len()) && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let others = mode.bytes().last().is_some_and(|last| matches!(last, b'2' | b'3' | b'6' | b'7'));
    let symbolic = mode.split(',').any(|part| {
        let who = part.split(['+', '=']).next().unwrap_or_default();
        part.len() > who.len() && part[who.len()..].contains('w') && (who.is_empty() || who.contains(['o', 'a']))
    });
    octal && others || symbolic && !mode.starts_with('-') && !mode.contains('/')
}

fn sets_user(mode: &str) -> bool {
    let octal =
        mode.len() == 4 && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) && mode.starts_with(['2', '4', '6']);
    octal || mode.split_once('+').is_some_and(|(_, what)| what.contains('s'))
}

/// A push that replaces or deletes what is on the other side. One with a lease
/// fails if that changed, so it is none.
fn push(arguments: &[String], outcomes: &mut Vec<Outcome>) {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match &**argument {
            "-C" | "-c" | "--git-dir" | "--work-tree" | "--namespace" | "--exec-path" => {
                rest.next();
            }
            _ if argument.starts_with('-') => {}
            "push" => break,
            _ => return,
        }
    }
    for argument in rest {
        let short = argument.starts_with('-') && !argument.starts_with("--") && argument.contains(['f', 'd']);
        let long = ["--force", "--forc", "--mirror", "--delete", "--prune"].contains(&&**argument);
        let refspec = argument.len() > 1 && argument.starts_with(['+', ':']);
        if short || long || refspec {
            outcomes.push(found("shell/force-push", argument));
        }
    }
}

fn device(path: &str, here: Option<&Place>) -> Option<Outcome> {
    let place = Place::of(path, here);
    match (place.is_device(), place.is_system()) {
        (true, _) => Some(found("shell/disk", path)),
        (_, true) => Some(found("shell/system-write", path)),
        _ => path.contains(UNKNOWN).then(|| found("shell/unknown", "what is overwritten cannot be known before")),
    }
}

fn disk(arguments: &[String], here: Option<&Place>, outcomes: &mut Vec<Outcome>) {
    let reads = arguments.iter().any(|argument| {
        matches!(
            &**argument,
            "-l" | "--list" | "-p" | "--print" | "print" | "status" | "list" | "info" | "--help" | "-I" | "-i"
        )
    });
    let target = arguments
        .iter()
        .find(|argument| Place::of(argument, here).is_device() || argument.chars().all(|it| it == UNKNOWN));
    if !reads {
        outcomes.extend(target.map(|target| found("shell/disk", target)));
    }
}
