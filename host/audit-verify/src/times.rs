//! Times on a command line.

use clap::Args;
use vak_types::Timestamp;

/// A span of time.
#[derive(Debug, Clone, Copy, Args)]
pub struct Times {
    /// Not before this time, such as 2026-11-23T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<Timestamp>,
    /// Before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    let nanos = u64::try_from(time.as_nanosecond()).map_err(|_| "the log has times from 1970 to 2554".to_owned())?;
    Ok(Timestamp::from_nanos(nanos))
}
