//! `[[limits]]`

use serde::{Deserialize, Serialize};
use vak_types::{LimitName, Operation, Pattern};

/// A limit, or a budget.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct Limit {
    /// Its name in verdicts.
    pub name: LimitName,
    /// Who has a count of their own.
    pub per: Per,
    /// Which operations it covers.
    pub operations: Pattern<Operation>,
    /// What is limited.
    pub kind: LimitKind,
    /// Whether it denies, or only counts and tells.
    pub mode: LimitMode,
    /// From how many percent of it on the host's log says that it is near.
    pub near_percent: Option<u8>,
    /// Seconds after which what an action holds returns, if nobody says how it
    /// ended. What is shared is spent until somebody says otherwise.
    pub hold_s: u64,
    /// Whether it is counted over all hosts with the same `[sharing]`.
    pub shared: bool,
}

/// What a limit limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitKind {
    /// How fast: a token bucket.
    Rate {
        /// Actions that may come at once.
        burst: u32,
        /// Actions that come back in each period.
        actions: u32,
        /// The period, in seconds.
        period_s: u64,
        /// The attribute that says as how many actions one counts; each is one
        /// without it.
        cost: Option<String>,
    },
    /// How many in a window that slides.
    Quota {
        /// Actions in each window.
        actions: u64,
        /// The window, in seconds.
        window_s: u64,
        /// Whether an action that failed is given back.
        refund: bool,
    },
    /// How many at a time.
    Concurrency {
        /// Actions that have no outcome yet.
        at_once: u64,
    },
    /// How much: money, tokens or whatever an attribute says.
    Budget {
        /// How much there is, in the unit of the attribute.
        amount: u64,
        /// The window in which it comes back, in seconds; `None`, it does not.
        window_s: Option<u64>,
        /// The attribute that says what an action costs. Without it an action is
        /// denied.
        cost: String,
        /// Whether an action that failed is given back.
        refund: bool,
    },
}

/// Whether a limit denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitMode {
    /// It denies what goes beyond it.
    #[default]
    Enforce,
    /// It counts, and the host's log says what it would have denied.
    Shadow,
}

/// Who has a count of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Each agent.
    Agent,
    /// Each operation, over all agents.
    Operation,
    /// Each agent for each operation.
    AgentAndOperation,
    /// Each session of each agent.
    Session,
    /// Each label: an action counts for all of its labels.
    Label,
    /// One for all.
    Host,
}

/// As it is written: the keys of all kinds side by side.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Text {
    name: Option<LimitName>,
    per: Option<Per>,
    operations: Option<Pattern<Operation>>,
    #[serde(default)]
    kind: Word,
    burst: Option<u32>,
    actions: Option<u64>,
    period_s: Option<u64>,
    window_s: Option<u64>,
    refund: Option<bool>,
    at_once: Option<u64>,
    amount: Option<u64>,
    cost: Option<String>,
    #[serde(default)]
    mode: LimitMode,
    near_percent: Option<u8>,
    hold_s: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    shared: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The kinds' names.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    #[default]
    Rate,
    Quota,
    Concurrency,
    Budget,
}

impl TryFrom<Text> for Limit {
    type Error = String;

    fn try_from(mut text: Text) -> Result<Self, String> {
        let missing = |key: &str| format!("missing field `{key}`");
        let name = text.name.take().ok_or_else(|| missing("name"))?;
        let within = |message: String| format!("limit `{name}`: {message}");
        let kind = text.kind().map_err(within)?;
        if let Some(key) = text.left() {
            return Err(within(format!("`{key}` is for another kind of limit")));
        }
        if text.shared && text.hold_s.is_some() {
            return Err(within("what is shared is not held; leave `hold_s` out".to_owned()));
        }
        Ok(Self {
            per: text.per.ok_or_else(|| missing("per"))?,
            operations: text.operations.unwrap_or_else(Pattern::every),
            kind,
            mode: text.mode,
            near_percent: text.near_percent,
            hold_s: text.hold_s.unwrap_or(vak_limits::Limit::HOLD_DEFAULT.as_secs()),
            shared: text.shared,
            name,
        })
    }
}

impl Text {
    /// Takes the keys of its kind.
    fn kind(&mut self) -> Result<LimitKind, String> {
        fn needed<T>(value: &mut Option<T>, key: &str) -> Result<T, String> {
            value.take().ok_or_else(|| format!("missing field `{key}`"))
        }
        Ok(match self.kind {
            Word::Rate => {
                let actions = needed(&mut self.actions, "actions")?;
                LimitKind::Rate {
                    burst: needed(&mut self.burst, "burst")?,
                    actions: actions.try_into().map_err(|_| format!("`actions = {actions}` is too much"))?,
                    period_s: needed(&mut self.period_s, "period_s")?,
                    cost: self.cost.take(),
                }
            }
            Word::Quota => LimitKind::Quota {
                actions: needed(&mut self.actions, "actions")?,
                window_s: needed(&mut self.window_s, "window_s")?,
                refund: self.refund.take().unwrap_or(false),
            },
            Word::Concurrency => LimitKind::Concurrency { at_once: needed(&mut self.at_once, "at_once")? },
            Word::Budget => LimitKind::Budget {
                amount: needed(&mut self.amount, "amount")?,
                window_s: self.window_s.take(),
                cost: needed(&mut self.cost, "cost")?,
                refund: self.refund.take().unwrap_or(true),
            },
        })
    }

    /// A key that its kind did not take.
    fn left(&self) -> Option<&'static str> {
        [
            ("burst", self.burst.is_some()),
            ("actions", self.actions.is_some()),
            ("period_s", self.period_s.is_some()),
            ("window_s", self.window_s.is_some()),
            ("refund", self.refund.is_some()),
            ("at_once", self.at_once.is_some()),
            ("amount", self.amount.is_some()),
            ("cost", self.cost.is_some()),
        ]
        .into_iter()
        .find_map(|(key, there)| there.then_some(key))
    }
}

impl From<Limit> for Text {
    fn from(limit: Limit) -> Self {
        let Limit { name, per, operations, kind, mode, near_percent, hold_s, shared } = limit;
        let text = Self {
            name: Some(name),
            per: Some(per),
            operations: Some(operations),
            mode,
            near_percent,
            hold_s: (!shared).then_some(hold_s),
            shared,
            ..Self::default()
        };
        match kind {
            LimitKind::Rate { burst, actions, period_s, cost } => Self {
                kind: Word::Rate,
                burst: Some(burst),
                actions: Some(actions.into()),
                period_s: Some(period_s),
                cost,
                ..text
            },
            LimitKind::Quota { actions, window_s, refund } => Self {
                kind: Word::Quota,
                actions: Some(actions),
                window_s: Some(window_s),
                refund: Some(refund),
                ..text
            },
            LimitKind::Concurrency { at_once } => Self { kind: Word::Concurrency, at_once: Some(at_once), ..text },
            LimitKind::Budget { amount, window_s, cost, refund } => Self {
                kind: Word::Budget,
                amount: Some(amount),
                window_s,
                cost: Some(cost),
                refund: Some(refund),
                ..text
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_keys_and_no_others() {
        let head = "name = 'a'\nper = 'agent'\n";
        for text in [
            "burst = 1\nactions = 2\nperiod_s = 3",
            "kind = 'quota'\nactions = 2\nwindow_s = 3\nnear_percent = 80",
            "kind = 'concurrency'\nat_once = 2\nmode = 'shadow'",
            "kind = 'budget'\namount = 2\ncost = 'cost_micros'\nhold_s = 9",
            "kind = 'budget'\namount = 2\ncost = 'tokens'\nwindow_s = 3\nrefund = false",
            "kind = 'quota'\nactions = 2\nwindow_s = 3\nshared = true",
        ] {
            let limit: Limit = toml::from_str(&format!("{head}{text}")).unwrap();
            let written = toml::to_string(&limit).unwrap();
            assert_eq!(toml::from_str::<Limit>(&written).unwrap(), limit, "{written}");
        }
        for (text, message) in [
            ("burst = 1\nactions = 2", "limit `a`: missing field `period_s`"),
            ("burst = 1\nactions = 5000000000\nperiod_s = 1", "`actions = 5000000000` is too much"),
            ("kind = 'quota'\nactions = 2\nwindow_s = 3\nburst = 1", "limit `a`: `burst` is for another kind of limit"),
            ("kind = 'concurrency'\nat_once = 2\nrefund = true", "`refund` is for another kind"),
            ("kind = 'budget'\namount = 2", "missing field `cost`"),
            (
                "kind = 'quota'\nactions = 2\nwindow_s = 3\nshared = true\nhold_s = 1",
                "limit `a`: what is shared is not held",
            ),
            ("kind = 'money'", "unknown variant `money`"),
            ("kind = 'quota'\nbursts = 1", "unknown field `bursts`"),
        ] {
            let error = toml::from_str::<Limit>(&format!("{head}{text}")).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
