//! `vak search`

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use vak_marketplace::{IndexError, Line};
use vak_types::Name;

use crate::markets::Chosen;
use crate::words::quoted;
use crate::{Configured, block_on};

/// Search the marketplaces of the configuration, in what the last `vak update`
/// or `vak add` left here.
///
/// Exit codes: 0 something was found, 1 nothing, 2 there is nothing to search.
#[derive(Args)]
pub(crate) struct Search {
    /// Words that are all in a package's name, kind, publisher or description.
    words: Vec<String>,
    #[command(flatten)]
    configured: Configured,
    #[command(flatten)]
    chosen: Chosen,
    /// How many to show.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    count: usize,
    /// Print JSON, a line each.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Hit<'a> {
    marketplace: &'a Name,
    #[serde(flatten)]
    line: &'a Line,
}

impl Search {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let mut any = false;
        for market in self.chosen.all(&config)? {
            let catalogue = match market.marketplace.catalogue() {
                Err(IndexError::NoCopy) => {
                    block_on(market.refresh())??;
                    market.marketplace.catalogue()?
                }
                catalogue => catalogue?,
            };
            let found = catalogue.search(&self.words.join(" "), 0, self.count);
            any |= found.count > 0;
            if self.json {
                for line in &found.lines {
                    println!("{}", serde_json::to_string(&Hit { marketplace: market.name(), line })?);
                }
                continue;
            }
            print(&found.lines);
            if found.count > found.lines.len() {
                eprintln!("and {} more in `{}`; say more words", found.count - found.lines.len(), market.name());
            }
        }
        if !any {
            eprintln!("nothing has all of these words; `vak update` asks what is new");
        }
        Ok(ExitCode::from(u8::from(!any)))
    }
}

fn print(lines: &[Line]) {
    let version = |line: &Line| line.version.as_ref().map_or("withdrawn".to_owned(), ToString::to_string);
    let names = lines.iter().map(|line| line.name.as_str().len()).max().unwrap_or_default();
    let versions = lines.iter().map(|line| version(line).len()).max().unwrap_or_default();
    for line in lines {
        let (kind, text) = (line.kind.to_string(), quoted(line.description.lines().next().unwrap_or_default()));
        println!("{:names$}  {:versions$}  {kind:7}  {text} ({})", line.name, version(line), line.publisher);
    }
}
