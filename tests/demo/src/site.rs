//! The folder that the demonstration runs in and leaves behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// The demonstration's folder and the programs it uses.
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) vak: PathBuf,
    pub(crate) file_server: PathBuf,
}

const RULES: &str = r#"# What the demonstration's agent may do. Everything else is denied.
summary = "Files of the demonstration, and its skills."

[[rule]]
id = "files"
effect = "permit"
operations = ["files/{list_directory,read_file,write_file}"]
reason = "agents work on the demonstration's files"

[[rule]]
id = "skills"
effect = "permit"
operations = ["skill/*"]
reason = "skills run in a sandbox"

[[rule]]
id = "no-secrets"
effect = "forbid"
operations = ["files/**"]
reason = "secrets stay where they are"
when = [{ argument = "/path", matches = "**/.env*" }]

[[rule]]
id = "ask-before-contracts"
effect = "escalate"
operations = ["files/write_file"]
reason = "a person signs contracts"
when = [{ argument = "/path", matches = "contracts/**" }]
"#;

const ACTION: &str = r#"{
  "agent": "demo-agent",
  "session": "by-hand",
  "operation": "files/write_file",
  "resource": "mcp:files/write_file",
  "arguments": { "path": "contracts/lease.md", "content": "signed" }
}
"#;

impl Site {
    /// Makes the folder anew.
    pub(crate) fn lay_out() -> Result<Self> {
        let programs = std::env::current_exe()?;
        let programs = programs.parent().context("no folder of programs")?;
        let components = PathBuf::from(std::env::var("VAK_COMPONENTS").context("run `cargo xtask demo`")?);
        let site = Self {
            folder: components.parent().context("no target folder")?.join("demo"),
            vak: programs.join("vak"),
            file_server: programs.join("vak-file-server"),
        };
        if site.folder.exists() {
            std::fs::remove_dir_all(&site.folder)?;
        }
        site.write("files/notes.txt", "Buy milk. Ship the kernel.\n")?;
        site.write("files/.env", "API_KEY=do-not-read\n")?;
        site.write("rules.toml", RULES)?;
        site.write("action.json", ACTION)?;
        site.write("vak.toml", &config(&components)?)?;
        let key = Command::new(&site.vak).args(["key", "new"]).arg(site.folder.join("log.key")).output()?;
        ensure!(key.status.success(), "`vak key new`: {}", String::from_utf8_lossy(&key.stderr));
        Ok(site)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("vak.toml")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("state/audit.sqlite")
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(&path, text).with_context(|| format!("writing `{}`", path.display()))
    }
}

fn config(components: &Path) -> Result<String> {
    let publisher = std::fs::read_to_string(components.join("publisher.pub"))?;
    let (publisher, components) = (publisher.trim(), components.display());
    Ok(format!(
        r#"# The demonstration's host. Paths are relative to this file.
state = "state"

[[trust.keys]]
name = "first-party"
public = "{publisher}"
may_permit = true

[audit]
origin = "localhost/demo"
key = "log.key"

[[policies]]
name = "demo-rules"
component = "{components}/rules.wasm"
config = "rules.toml"
may_permit = true

[[skills]]
name = "calculator"
component = "{components}/calculator.wasm"

# A component that misbehaves on purpose.
[[skills]]
name = "hostile-skill"
component = "{components}/hostile-skill.wasm"
grants.log = true

[[limits]]
name = "writes"
per = "agent"
operations = "files/write_file"
burst = 2
actions = 1
period_s = 30

[mcp]
agent = "demo-agent"
upstream = "files"
"#
    ))
}
