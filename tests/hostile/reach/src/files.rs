//! Files.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;

use serde_json::{Value, json};

/// Does to a file what the input says.
pub(crate) fn reach(input: &Value) -> Result<Value, String> {
    let text = |key: &str| input[key].as_str().unwrap_or_default();
    let (path, to) = (text("path"), text("to"));
    let done = |result: std::io::Result<()>| result.map(|()| Value::Null);
    let result = match text("do") {
        "read" => fs::read_to_string(path).map(Value::from),
        "write" => done(fs::write(path, text("text"))),
        "append" => done(
            OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(text("text").as_bytes())),
        ),
        "truncate" => done(File::open(path).and_then(|file| file.set_len(0))),
        "make-directory" => done(fs::create_dir(path)),
        "remove" => done(fs::remove_file(path)),
        "rename" => done(fs::rename(path, to)),
        "hard-link" => done(fs::hard_link(path, to)),
        "symbolic-link" => done(symbolic_link(path, to)),
        "list" => fs::read_dir(path).map(|entries| {
            let mut names: Vec<_> =
                entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            json!(names)
        }),
        "hoard" => {
            let held: Vec<_> = (0..10_000).map(|_| File::open(path)).collect();
            Ok(json!(held.iter().filter(|file| file.is_ok()).count()))
        }
        what => return Err(format!("does not know `{what}`")),
    };
    result.map_err(|error| format!("{:?}: {error}", error.kind()))
}

/// Past `std`, which has no way to make one here: `path` points to `to`, and
/// both are said to the first directory there is.
fn symbolic_link(path: &str, to: &str) -> std::io::Result<()> {
    let directories = wasip2::filesystem::preopens::get_directories();
    let directory = directories.first().map(|(directory, _)| directory);
    let made = directory.map(|directory| directory.symlink_at(to, path));
    match made {
        Some(Ok(())) => Ok(()),
        Some(Err(code)) => Err(std::io::Error::other(format!("{code:?}"))),
        None => Err(std::io::Error::other("no directory")),
    }
}
