//! What an action took of shared limits, until it is known what becomes of it.

use std::sync::Arc;

use crate::lessor::Lessor;
use crate::part::Part;
use crate::terms::Terms;

type Parts = Vec<(Part, Arc<Terms>)>;

/// An action's share of its shared limits, until it is decided. Given back when
/// dropped: this host may spend it otherwise, as long as the lease lasts.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub struct Reservation {
    lessor: Arc<Lessor>,
    parts: Parts,
}

impl Reservation {
    pub(crate) fn new(lessor: &Arc<Lessor>, parts: Parts) -> Self {
        Self { lessor: Arc::clone(lessor), parts }
    }

    /// The action is allowed. All of it is spent, unless the outcome says
    /// otherwise.
    pub fn hold(mut self) -> Held {
        self.parts.iter_mut().for_each(|(part, _)| part.keep());
        Held { lessor: self.lessor, parts: self.parts }
    }
}

/// An allowed action's share of its shared limits. Dropping it gives nothing
/// back.
#[derive(Debug)]
pub struct Held {
    lessor: Arc<Lessor>,
    parts: Parts,
}

impl Held {
    /// The action did what it was to do. `actual` has the costs that turned out
    /// to be others than reserved, by attribute. A higher one is booked in full,
    /// which blocks, never longer than the time-out for each limit it is for; it
    /// can put a budget into debt, for all hosts.
    pub fn succeed(self, actual: &[(&str, u64)]) {
        for (part, terms) in &self.parts {
            let Some(actual) = terms.limit.kind.actual_cost(actual) else { continue };
            match actual.checked_sub(part.amount) {
                Some(0) => {}
                Some(more) => self.lessor.book(part.key, terms, more),
                None => part.give_back(part.amount - actual),
            }
        }
    }

    /// The action failed: what its limits refund comes back, as long as the lease
    /// or the next one lasts. Later it stays spent.
    pub fn fail(self) {
        for (part, _) in self.parts.iter().filter(|(_, terms)| terms.refund) {
            part.give_back(part.amount);
        }
    }
}
