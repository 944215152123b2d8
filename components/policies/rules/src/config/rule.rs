//! Rules.

use vak_sdk::policy::{Effect, Obligation};

use super::node::{Node, Problem, Table, listed};
use super::{condition, obligation};
use crate::condition::Condition;
use crate::pattern::Pattern;

/// A checked rule. An empty list of patterns means anything.
///
/// A configured instance holds thousands, and the host looks through its memory
/// after each call: what few rules have lies apart.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The id and behind it the reason.
    texts: Box<str>,
    pub(crate) agents: Box<[Pattern]>,
    pub(crate) operations: Box<[Pattern]>,
    pub(crate) resources: Box<[Pattern]>,
    pub(crate) when: Box<[Condition]>,
    more: Option<Box<More>>,
    /// Where it stands in its text.
    pub(crate) line: u32,
    id_bytes: u16,
    pub(crate) effect: Effect,
}

/// What few rules have.
#[derive(Debug)]
struct More {
    roles: Box<[Pattern]>,
    obligations: Box<[Obligation]>,
}

impl Rule {
    pub(crate) fn id(&self) -> &str {
        &self.texts[..usize::from(self.id_bytes)]
    }

    pub(crate) fn reason(&self) -> &str {
        &self.texts[usize::from(self.id_bytes)..]
    }

    pub(crate) fn roles(&self) -> &[Pattern] {
        self.more.as_ref().map_or(&[], |more| &more.roles)
    }

    pub(crate) fn obligations(&self) -> &[Obligation] {
        self.more.as_ref().map_or(&[], |more| &more.obligations)
    }
}

const FIELDS: &[&str] =
    &["id", "effect", "reason", "agents", "roles", "operations", "resources", "when", "obligations"];

/// Reads a rule that starts on `line`, and says where its id stands.
pub(crate) fn read(node: Node<'_>, line: u32) -> Result<(Rule, usize), Problem> {
    let mut table = node.table()?;
    let id = table.need("id")?;
    let id_at = id.at;
    let id = id.parse(|id| match id {
        "" => Err("a rule has an empty `id`".to_owned()),
        id => visible(id).map(|()| id.to_owned()),
    })?;
    let rule = fields(table, id, line);
    rule.map(|rule| (rule, id_at))
}

fn fields(mut table: Table<'_>, id: String, line: u32) -> Result<Rule, Problem> {
    let within = |problem: Problem| Problem { message: format!("rule `{id}`: {}", problem.message), ..problem };
    let effect = table.need("effect").and_then(effect).map_err(within)?;
    let mut patterns = |name| table.take(name).map_or(Ok(Box::default()), patterns).map_err(within);
    let (agents, roles) = (patterns("agents")?, patterns("roles")?);
    let (operations, resources) = (patterns("operations")?, patterns("resources")?);
    let when = table.take("when").map_or(Ok(Box::default()), condition::list).map_err(within)?;
    let obligations = match table.take("obligations") {
        None => Box::default(),
        Some(node) if effect != Effect::Permit => {
            return Err(within(Problem::new(node.at, "only a permit has `obligations`")));
        }
        Some(node) => obligation::list(node).map_err(within)?,
    };
    let reason = table.text("reason").map_err(within)?;
    let id_bytes = u16::try_from(id.len()).map_err(|_| within(Problem::new(table.at, "the `id` is too long")))?;
    table.finish(FIELDS).map_err(within)?;
    let more = (!roles.is_empty() || !obligations.is_empty()).then(|| Box::new(More { roles, obligations }));
    let texts = (id + &*reason).into();
    Ok(Rule { texts, agents, operations, resources, when, more, line, id_bytes, effect })
}

fn effect(node: Node<'_>) -> Result<Effect, Problem> {
    node.parse(|text| match text {
        "permit" => Ok(Effect::Permit),
        "forbid" => Ok(Effect::Forbid),
        "escalate" => Ok(Effect::Escalate),
        _ => Err(format!("unknown variant `{text}`, expected {}", listed(&["permit", "forbid", "escalate"]))),
    })
}

/// A list of patterns.
pub(super) fn patterns(node: Node<'_>) -> Result<Box<[Pattern]>, Problem> {
    node.each(|pattern| {
        pattern.parse(|text| {
            visible(text)?;
            Pattern::parse(text)
        })
    })
}

/// Refuses what cannot be seen: names are compared byte by byte and never
/// normalized, and such a character is there by accident or to deceive.
fn visible(text: &str) -> Result<(), String> {
    let hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    match text.chars().find(|character| hidden(*character)) {
        Some(character) => Err(format!("the invisible character U+{:04X}; leave it out", u32::from(character))),
        None => Ok(()),
    }
}
