//! Obligations.

use vak_sdk::policy::{Cap, Header, Obligation, Redaction};

use super::condition::pointer;
use super::node::{Node, Problem, Table, listed};
use crate::number::Number;

const KINDS: &[&str] = &["redact", "cap", "header", "approval"];

/// A list of tables with one obligation each.
pub(super) fn list(node: Node<'_>) -> Result<Box<[Obligation]>, Problem> {
    node.each(|node| {
        let mut table = node.table()?;
        let (redact, cap) = (table.take("redact"), table.take("cap"));
        let (header, approval) = (table.take("header"), table.take("approval"));
        let at = table.at;
        table.finish(KINDS)?;
        let kinds = [
            redact.map(|node| part(node, &["argument", "with"], redaction).map(Obligation::Redact)),
            cap.map(|node| part(node, &["argument", "at_most"], lowered).map(Obligation::Cap)),
            header.map(|node| part(node, &["name", "value"], sent).map(Obligation::Header)),
            approval.map(|node| approved(node).map(Obligation::Approval)),
        ];
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (Some(obligation), None) => obligation,
            _ => Err(Problem::new(at, format!("an obligation is exactly one of {}", listed(KINDS)))),
        }
    })
}

fn part<T>(
    node: Node<'_>,
    fields: &[&str],
    read: impl FnOnce(&mut Table<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let mut table = node.table()?;
    let part = read(&mut table)?;
    table.finish(fields)?;
    Ok(part)
}

fn redaction(table: &mut Table<'_>) -> Result<Redaction, Problem> {
    Ok(Redaction { argument: argument(table)?, replacement: table.need("with")?.text()?.into_owned() })
}

fn lowered(table: &mut Table<'_>) -> Result<Cap, Problem> {
    let argument = argument(table)?;
    let node = table.need("at_most")?;
    let at = node.at;
    match node.number()? {
        Number::Integer(at_most) => Ok(Cap { argument, at_most }),
        _ => Err(Problem::new(at, "wants a whole number of 64 bits")),
    }
}

fn argument(table: &mut Table<'_>) -> Result<String, Problem> {
    let node = table.need("argument")?;
    node.parse(|text| match text {
        "" => Err("an obligation is on one argument; write `/name`".to_owned()),
        text => pointer(text).map(|()| text.to_owned()),
    })
}

fn sent(table: &mut Table<'_>) -> Result<Header, Problem> {
    let name = table.need("name")?.parse(|name| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match !name.is_empty() && name.bytes().all(plain) {
            true => Ok(name.to_owned()),
            false => Err(format!("`{name}` is no name of a header; write it in a-z, 0-9 and -")),
        }
    })?;
    let value = table.need("value")?.parse(|value| match value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        true => Ok(value.to_owned()),
        false => Err("a header's value has only visible ASCII characters and spaces".to_owned()),
    })?;
    Ok(Header { name, value })
}

fn approved(node: Node<'_>) -> Result<String, Problem> {
    node.parse(|text| match text {
        "" => Err("`approval` says why, or by which group".to_owned()),
        text => Ok(text.to_owned()),
    })
}
