//! `vak hook`

use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use vak::{AgentId, Json, Name};
use vak_server::Client;

/// What agents that run hooks take as "this must not happen": they go on after any
/// other failure.
const BLOCKED: u8 = 2;

/// Bring a framework's message, on standard input, to a running `vak serve`, and
/// print what the framework is to be told.
///
/// For agents that run a program before each tool call, such as Claude Code: put
/// `vak hook claude-code …` there. Exit codes: 0, and the answer is on standard
/// output; 2 whatever else happens, with the reason on standard error, which
/// blocks the call.
#[derive(Args)]
pub(crate) struct Hook {
    /// The adapter's name in the server's configuration.
    adapter: Name,
    /// Where the server listens: `http://127.0.0.1:8080`, `https://…` or
    /// `unix:state/vak.sock`.
    #[arg(long, value_name = "ADDRESS", env = "VAK_SERVER")]
    server: String,
    /// The file with the token. None is needed at a socket that gives whoever
    /// opens it the scope `decide`.
    #[arg(long, value_name = "FILE", env = "VAK_TOKEN_FILE")]
    token: Option<PathBuf>,
    /// The agent that acts.
    #[arg(long, env = "VAK_AGENT")]
    agent: AgentId,
    /// How long the server may take, in seconds. Less than the agent waits for
    /// its hook: after that, it goes on.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

impl Hook {
    pub(crate) fn run(self) -> ExitCode {
        // A panic would end the program with a code that blocks nothing.
        let done = catch_unwind(AssertUnwindSafe(|| self.answer()));
        let why = match done {
            Ok(Ok(())) => return ExitCode::SUCCESS,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "a bug in the hook".to_owned(),
        };
        eprintln!("blocked, since it could not be decided: {}", crate::words::lines(&why));
        ExitCode::from(BLOCKED)
    }

    fn answer(&self) -> anyhow::Result<()> {
        let mut text = String::new();
        let most = Json::BYTES_MAX as u64 + 1;
        std::io::stdin().take(most).read_to_string(&mut text).context("standard input")?;
        let event = Json::parse(&text).context("the message on standard input")?;
        let client = Client::new(&self.server, self.token.as_deref(), Duration::from_secs(self.timeout))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let reply = runtime.block_on(client.ingest(&self.adapter, &self.agent, &event))?;
        let mut output = std::io::stdout().lock();
        writeln!(output, "{}", reply.as_str())?;
        output.flush().context("standard output")
    }
}
