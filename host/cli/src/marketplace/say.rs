//! What a marketplace says of packages that are published.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use semver::VersionReq;
use vak_marketplace::{Advisory, Severity, Withdrawn};
use vak_registry::WithdrawalKind;
use vak_types::{AdvisoryId, Grounds, Name};

use super::{Signing, now};
use crate::block_on;
use crate::markets::Exactly;

/// Say that a version must not be used any more. Nobody finds it, and hosts that
/// run it stop it at the next decision after they have heard.
#[derive(Args)]
pub(crate) struct Yank {
    /// Which version, such as `hash@0.1.0`.
    #[arg(value_name = "NAME@VERSION")]
    version: Exactly,
    /// Why, in a sentence.
    #[arg(long, required_unless_present = "undo")]
    reason: Option<Grounds>,
    /// Where there is more about it.
    #[arg(long, value_name = "ID")]
    advisory: Option<AdvisoryId>,
    /// Revoke it: it is dangerous. That can't be undone.
    #[arg(long, conflicts_with = "undo")]
    revoke: bool,
    /// Take back that it was yanked.
    #[arg(long, conflicts_with_all = ["reason", "advisory"])]
    undo: bool,
    #[command(flatten)]
    signing: Signing,
}

impl Yank {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { version: Exactly { name, version }, reason, advisory, revoke, undo, signing } = self;
        let kind = if revoke { WithdrawalKind::Revoked } else { WithdrawalKind::Yanked };
        let why = reason.map(|reason| -> anyhow::Result<_> { Ok(Withdrawn { kind, reason, since: now()?, advisory }) });
        let why = why.transpose()?;
        block_on(signing.change(async |edit| match why {
            Some(why) => Ok(edit.withdraw(&name, &version, why).await?),
            None => Ok(edit.restore(&name, &version).await?),
        }))??;
        match undo {
            true => println!("{name} {version} may be used again"),
            false => println!("{kind} {name} {version}"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Say what is wrong with some versions of a package.
#[derive(Args)]
pub(crate) struct Advise {
    /// The package.
    name: Name,
    /// Under which id, such as `VAK-2026-0001`; what was said under it is replaced.
    #[arg(long)]
    id: AdvisoryId,
    /// How bad it is.
    #[arg(long)]
    severity: SeverityArgument,
    /// Which versions have it, such as `<0.1.2`.
    #[arg(long, value_name = "RANGE")]
    affected: VersionReq,
    /// In a sentence.
    #[arg(long)]
    title: String,
    /// In a paragraph.
    #[arg(long)]
    text: String,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Clone, Copy, ValueEnum)]
enum SeverityArgument {
    Low,
    Medium,
    High,
    Critical,
}

impl Advise {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { name, id, severity, affected, title, text, signing } = self;
        let severity = match severity {
            SeverityArgument::Low => Severity::Low,
            SeverityArgument::Medium => Severity::Medium,
            SeverityArgument::High => Severity::High,
            SeverityArgument::Critical => Severity::Critical,
        };
        let advisory = Advisory { id: id.clone(), severity, affected, title, text, published: now()? };
        block_on(signing.change(async |edit| Ok(edit.advise(&name, advisory).await?)))??;
        println!("{id} is about `{name}`");
        Ok(ExitCode::SUCCESS)
    }
}
