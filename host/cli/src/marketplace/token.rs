//! `vak marketplace token`

use std::process::ExitCode;

use clap::Args;
use vak_marketplace_site::UploadToken;
use vak_types::Name;

/// Make a token with which a publisher uploads, and print it and its lines for the
/// file of `vak marketplace serve --tokens`, which have its digest. It is shown
/// once and kept nowhere: give it to the publisher.
#[derive(Args)]
pub(crate) struct Token {
    /// Whose it is.
    publisher: Name,
}

impl Token {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (token, digest) = crate::token::fresh()?;
        let line = UploadToken { publisher: self.publisher, digest };
        println!("{token}\n\n[[tokens]]\n{}", toml::to_string(&line)?.trim_end());
        Ok(ExitCode::SUCCESS)
    }
}
