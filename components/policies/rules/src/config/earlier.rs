//! Conditions on what the session did before.

use super::node::{Node, Problem, Table};
use super::rule::patterns;
use super::test;
use crate::earlier::{Earlier, What};

/// The longest time that a host tells about.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Reads what stands under `earlier`, and beside it in `table`.
pub(super) fn read(node: Node<'_>, table: &mut Table<'_>) -> Result<Earlier, Problem> {
    let at = node.at;
    let mut of = node.table()?;
    let within_ms = of.need("within")?.parse(within)?;
    let what = match (of.take("operations"), of.take("label")) {
        (Some(pattern), None) => What::Count {
            operations: pattern.parse(|text| operations(text).map(|()| text.into()))?,
            refused: of.flag("refused")?.unwrap_or(false),
            range: test::count(table)?,
        },
        (None, Some(label)) => What::Label(patterns(label.listed())?),
        _ => return Err(Problem::new(at, "`earlier` needs exactly one of `operations` and `label`")),
    };
    of.finish(&["operations", "label", "within"])?;
    Ok(Earlier { within_ms, what })
}

/// Reads `90s`, `15m` or `24h`.
fn within(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no time up to a day; write it like `90s`, `15m` or `24h`");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse::<u64>().ok().filter(|_| digits).and_then(|number| number.checked_mul(unit));
    number.filter(|ms| (1..=DAY_MS).contains(ms)).ok_or_else(wrong)
}

/// The host counts by the beginning of names and knows no other patterns.
fn operations(text: &str) -> Result<(), String> {
    let name = text.strip_suffix('*').unwrap_or(text);
    let special = text.starts_with(crate::pattern::REGEX) || name.contains(['*', '?', '[', '{', '\\']);
    match text.is_empty() || special {
        true => Err(format!("`{text}` names no earlier operations; write a name, or its beginning and a `*`")),
        false => Ok(()),
    }
}
