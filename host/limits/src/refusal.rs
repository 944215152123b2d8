//! Why an action does not fit, and in which words.

use std::time::Duration;

use vak_types::{Action, AttributeValue, Label};

use crate::subject::Subject;
use crate::{Exceeded, Kind, Limit};

/// Why one limit stops an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It fits after this long; never at `u64::MAX`.
    Full { wait_ns: u64 },
    /// It costs more than there ever is.
    TooDear { cost: u64 },
    /// It does not say what it costs.
    NoCost,
    /// What it says is no cost.
    BadCost,
    /// It has more labels than are counted.
    Labels,
    /// No key is left for it.
    NoRoom,
}

impl Why {
    /// How long it takes until the action fits.
    pub(crate) fn wait_ns(self) -> u64 {
        match self {
            Self::Full { wait_ns } => wait_ns,
            _ => u64::MAX,
        }
    }

    pub(crate) fn explain(
        self,
        limit: &Limit,
        action: &Action,
        label: Option<&Label>,
        full: impl Fn() -> String,
    ) -> Exceeded {
        let subject = Subject { per: limit.per, action, label };
        let (kind, operations) = (&limit.kind, &limit.operations);
        let cost = kind.costs().map_or("", |(cost, _)| cost);
        let limited = format!("{subject} is limited to {kind} in `{operations}`");
        let retry_after = (self.wait_ns() < u64::MAX).then(|| Duration::from_nanos(self.wait_ns()));
        let message = match (self, retry_after) {
            (Self::Full { .. }, Some(wait)) => format!("{limited}; try again in {wait:?}"),
            (Self::Full { .. }, None) => format!("{limited}, which is used up; raise the limit"),
            (Self::TooDear { cost }, _) => format!("{limited}, and this costs {cost}; ask for less or raise the limit"),
            (Self::NoCost, _) => format!("{limited}, and this does not say what it costs; set the attribute `{cost}`"),
            (Self::BadCost, _) => {
                format!("{limited}, and the attribute `{cost}` is no whole number of at least 0; correct it")
            }
            (Self::Labels, _) => {
                let (labels, most) = (action.labels.len(), crate::Limits::LABELS_MAX);
                format!("the action has `{labels}` labels; the most that are counted is {most}")
            }
            (Self::NoRoom, _) => full(),
        };
        Exceeded { limit: limit.name.clone(), retry_after, message }
    }
}

/// What `action` costs under a limit of this kind.
pub(crate) fn cost_of(kind: &Kind, action: &Action) -> Result<u64, Why> {
    let Some((cost, most)) = kind.costs() else { return Ok(1) };
    match action.attributes.get(cost) {
        None => Err(Why::NoCost),
        Some(AttributeValue::Integer(cost)) => match u64::try_from(*cost) {
            Ok(cost) if cost > most => Err(Why::TooDear { cost }),
            Ok(cost) => Ok(cost),
            Err(_) => Err(Why::BadCost),
        },
        Some(_) => Err(Why::BadCost),
    }
}
