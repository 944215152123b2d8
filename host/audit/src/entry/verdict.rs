//! How a verdict is written in an entry. The tags are part of the format: they
//! are given here by hand, never taken from the order of an enum.

use std::sync::Arc;

use vak_types::{
    ComponentRef, Decision, Effect, FailureKind, KeyId, Obligation, PastMark, Reason, Source, Timestamp, Verdict,
    Wanted,
};

use crate::codec::{DecodeError, Reader, Writer};

pub(crate) fn write_verdict(writer: &mut Writer, verdict: &Verdict) {
    writer.u8(match verdict.decision {
        Decision::Allow => 1,
        Decision::Backtrack => 2,
        Decision::Escalate => 3,
        Decision::Deny => 4,
    });
    writer.list(&verdict.reasons, write_reason);
    writer.option(verdict.retry_after_ms, Writer::u64);
    writer.list(&verdict.obligations, write_obligation);
    writer.option(verdict.past, write_past);
    writer.option(verdict.approval, Writer::u64);
    writer.bool(verdict.unsigned);
}

pub(crate) fn read_verdict(reader: &mut Reader<'_>) -> Result<Verdict, DecodeError> {
    let decision = match reader.u8("decision")? {
        1 => Decision::Allow,
        2 => Decision::Backtrack,
        3 => Decision::Escalate,
        4 => Decision::Deny,
        tag => return Err(reader.bad_tag("decision", tag)),
    };
    Ok(Verdict {
        decision,
        reasons: reader.list("reasons", read_reason)?,
        retry_after_ms: reader.option("retry after", |reader| reader.u64("retry after"))?,
        obligations: reader.list("obligations", read_obligation)?,
        past: reader.option("past", read_past)?,
        approval: reader.option("approval", |reader| reader.u64("approval"))?,
        unsigned: reader.bool("unsigned")?,
    })
}

pub(super) fn write_reason(writer: &mut Writer, reason: &Reason) {
    write_source(writer, &reason.source);
    writer.u8(match reason.effect {
        Effect::Abstain => 1,
        Effect::Permit => 2,
        Effect::Backtrack => 3,
        Effect::Escalate => 4,
        Effect::Forbid => 5,
    });
    writer.option(reason.rule.as_deref(), Writer::text);
    writer.option(reason.failure, write_failure);
    writer.text(&reason.message);
}

pub(super) fn read_reason(reader: &mut Reader<'_>) -> Result<Reason, DecodeError> {
    let source = read_source(reader)?;
    let effect = match reader.u8("effect")? {
        1 => Effect::Abstain,
        2 => Effect::Permit,
        3 => Effect::Backtrack,
        4 => Effect::Escalate,
        5 => Effect::Forbid,
        tag => return Err(reader.bad_tag("effect", tag)),
    };
    Ok(Reason {
        source,
        effect,
        rule: reader.option("rule", |reader| reader.text("rule").map(str::to_owned))?,
        failure: reader.option("failure", read_failure)?,
        message: reader.text("message")?.to_owned(),
    })
}

pub(super) fn write_obligation(writer: &mut Writer, obligation: &Obligation) {
    match obligation.wanted() {
        Wanted::Redact { argument, replacement } => {
            writer.u8(1);
            writer.text(argument);
            writer.text(replacement);
        }
        Wanted::Cap { argument, at_most } => {
            writer.u8(2);
            writer.text(argument);
            writer.i64(*at_most);
        }
        Wanted::Header { name, value } => {
            writer.u8(3);
            writer.text(name);
            writer.text(value);
        }
    }
}

pub(super) fn read_obligation(reader: &mut Reader<'_>) -> Result<Obligation, DecodeError> {
    let text = |reader: &mut Reader<'_>| reader.text("obligation").map(str::to_owned);
    let wanted = match reader.u8("obligation")? {
        1 => Wanted::Redact { argument: text(reader)?, replacement: text(reader)? },
        2 => Wanted::Cap { argument: text(reader)?, at_most: reader.i64("obligation")? },
        3 => Wanted::Header { name: text(reader)?, value: text(reader)? },
        tag => return Err(reader.bad_tag("obligation", tag)),
    };
    Ok(Obligation::new(wanted)?)
}

fn write_past(writer: &mut Writer, past: PastMark) {
    writer.u64(past.steps);
    writer.u64(past.since.as_nanos());
}

fn read_past(reader: &mut Reader<'_>) -> Result<PastMark, DecodeError> {
    Ok(PastMark { steps: reader.u64("past")?, since: Timestamp::from_nanos(reader.u64("past")?) })
}

fn write_source(writer: &mut Writer, source: &Source) {
    match source {
        Source::Host => writer.u8(1),
        Source::Limit(name) => {
            writer.u8(2);
            writer.text(name.as_str());
        }
        Source::Component(component) => {
            writer.u8(3);
            write_component(writer, component);
        }
    }
}

fn read_source(reader: &mut Reader<'_>) -> Result<Source, DecodeError> {
    match reader.u8("source")? {
        1 => Ok(Source::Host),
        2 => Ok(Source::Limit(reader.checked("limit name")?)),
        3 => Ok(Source::Component(Arc::new(read_component(reader)?))),
        tag => Err(reader.bad_tag("source", tag)),
    }
}

pub(crate) fn write_component(writer: &mut Writer, component: &ComponentRef) {
    writer.text(component.name.as_str());
    writer.digest(&component.digest);
    writer.option(component.config.as_ref(), Writer::digest);
    writer.option(component.signer.as_ref().map(KeyId::digest), Writer::digest);
}

pub(crate) fn read_component(reader: &mut Reader<'_>) -> Result<ComponentRef, DecodeError> {
    Ok(ComponentRef {
        name: reader.checked("component name")?,
        digest: reader.digest("component digest")?,
        config: reader.option("component config", |reader| reader.digest("component config"))?,
        signer: reader
            .option("component signer", |reader| Ok(KeyId::from_digest(reader.digest("component signer")?)))?,
    })
}

fn write_failure(writer: &mut Writer, failure: FailureKind) {
    writer.u8(match failure {
        FailureKind::Trap => 1,
        FailureKind::TimeOut => 2,
        FailureKind::Fuel => 3,
        FailureKind::Memory => 4,
        FailureKind::Stack => 5,
        FailureKind::HostCalls => 6,
        FailureKind::Output => 7,
        FailureKind::Malformed => 8,
        FailureKind::Unavailable => 9,
        FailureKind::Unjudged => 10,
    });
}

fn read_failure(reader: &mut Reader<'_>) -> Result<FailureKind, DecodeError> {
    Ok(match reader.u8("failure")? {
        1 => FailureKind::Trap,
        2 => FailureKind::TimeOut,
        3 => FailureKind::Fuel,
        4 => FailureKind::Memory,
        5 => FailureKind::Stack,
        6 => FailureKind::HostCalls,
        7 => FailureKind::Output,
        8 => FailureKind::Malformed,
        9 => FailureKind::Unavailable,
        10 => FailureKind::Unjudged,
        tag => return Err(reader.bad_tag("failure", tag)),
    })
}
