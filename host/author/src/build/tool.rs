//! Running the tools of a language, and passing on what they say.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{BuildError, io_error};

/// Lines of a tool's output that are shown from its start: compilers put the
/// first error there.
const LINES_FIRST: usize = 60;

/// Lines that are shown from its end: what failed in the end is there.
const LINES_LAST: usize = 20;

/// A program, and what to say about it when it fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    /// The program.
    pub(crate) program: &'static str,
    /// How it is installed.
    pub(crate) hint: &'static str,
}

impl Tool {
    /// A call of this program in `folder`.
    pub(crate) fn command(self, folder: &Path) -> Command {
        let mut command = Command::new(self.program);
        command.current_dir(folder);
        command
    }

    /// Runs a call of this program, and says that it is missing if it is.
    pub(crate) fn run(self, what: &'static str, command: &mut Command) -> Result<Output, BuildError> {
        run(what, command).map_err(|error| match error {
            BuildError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                BuildError::NoTool { program: self.program, hint: self.hint }
            }
            other => other,
        })
    }
}

/// Runs a program to its end. What it says is in the error if it fails.
pub(crate) fn run(what: &'static str, command: &mut Command) -> Result<Output, BuildError> {
    // A backtrace through a tool says nothing about the project.
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    let output = command.output().map_err(|source| io_error(Path::new(command.get_program()), source))?;
    match output.status.success() {
        true => Ok(output),
        false => Err(BuildError::Tool { what, told: told(&output) }),
    }
}

/// What a tool said, shortened in the middle: its errors and warnings, or what it
/// printed if there are none.
pub(crate) fn told(output: &Output) -> String {
    let [errors, printed] = [&output.stderr, &output.stdout].map(|stream| String::from_utf8_lossy(stream));
    let text = if errors.trim().is_empty() { printed } else { errors };
    let lines: Vec<&str> = text.trim_end().trim_start_matches('\n').lines().collect();
    match lines.len().checked_sub(LINES_FIRST + LINES_LAST) {
        None if lines.is_empty() => format!("it said nothing and ended with {}", output.status),
        None | Some(0) => lines.join("\n"),
        Some(left_out) => {
            let (first, last) = (&lines[..LINES_FIRST], &lines[lines.len() - LINES_LAST..]);
            format!("{}\n[{left_out} lines left out]\n{}", first.join("\n"), last.join("\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> String {
        run("the script", Command::new("sh").args(["-c", script])).unwrap_err().to_string()
    }

    #[test]
    fn what_a_tool_says_is_passed_on() {
        assert_eq!(shell("echo out; echo err >&2; exit 3"), "the script failed:\nerr");
        assert_eq!(shell("echo out; exit 3"), "the script failed:\nout");
        assert_eq!(shell("exit 3"), "the script failed:\nit said nothing and ended with exit status: 3");
        let long = shell("seq 1 100 >&2; exit 1");
        assert!(long.contains("\n60\n[20 lines left out]\n81\n") && long.ends_with("\n100"), "{long}");
    }

    #[test]
    fn a_missing_tool_is_named_with_what_to_do() {
        let tool = Tool { program: "vak-no-such-tool", hint: "install it" };
        let error = tool.run("it", &mut tool.command(Path::new("."))).unwrap_err();
        assert_eq!(error.to_string(), "vak-no-such-tool is missing; install it");
    }
}
