//! What guards say of an action together, before any ledger has it.

use std::sync::Arc;

use vak_types::{Action, Json, Obligation, Past, Verdict};

use crate::approval::Approval;
use crate::join::Join;
use crate::ports::{Able, Guard};

/// A verdict that nobody has recorded, so nothing may be done on it.
#[derive(Debug)]
pub struct Judged {
    /// The answer.
    pub verdict: Verdict,
    /// The arguments to carry the action out with, where obligations make them
    /// others than were asked.
    pub arguments: Option<Json>,
}

/// What guards are asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The action.
    pub action: &'a Action,
    /// What its session did before, if somebody knows that.
    pub past: Option<&'a Arc<Past>>,
    /// What whoever would carry it out can do.
    pub able: Able,
    /// That a person agreed to it.
    pub approval: Option<&'a Approval>,
}

/// Asks those of `guards` that cover the action. `unsigned` marks the verdict
/// from the start.
pub fn judge(guards: &[impl Guard], asked: Asked<'_>, unsigned: bool) -> Judged {
    let mut join = heard(guards, asked, unsigned);
    let arguments = match join.allows() && !join.obligations().is_empty() {
        true => oblige(&mut join, guards, asked),
        false => None,
    };
    let verdict = join.finish();
    let arguments = arguments.filter(|_| verdict.is_allow());
    Judged { verdict, arguments }
}

fn heard<'a>(guards: &[impl Guard], asked: Asked<'a>, unsigned: bool) -> Join<'a> {
    let Asked { action, past, approval, .. } = asked;
    let mut join = Join::new(unsigned).with_approval(approval);
    for guard in guards.iter().filter(|guard| guard.covers(action)) {
        join.hear(guard, guard.evaluate(action, past));
    }
    join
}

/// Looks whether what is wanted of an action that would be allowed can be done,
/// and whether it would be allowed like that, too: a policy that may only
/// restrict must not put other arguments in place of those that the others have
/// seen. Gives the arguments if they change.
fn oblige(join: &mut Join<'_>, guards: &[impl Guard], asked: Asked<'_>) -> Option<Json> {
    let Asked { action, able, .. } = asked;
    if let Some(unmet) = join.obligations().iter().find(|obligation| !able.meets(obligation)) {
        let message =
            format!("it is allowed with {unmet}, and whoever asks for it does not say that it will see to that");
        join.object(&message);
        return None;
    }
    let arguments = match Obligation::applied(join.obligations(), &action.arguments) {
        Ok(arguments) if arguments == action.arguments => return None,
        Ok(arguments) => arguments,
        Err(error) => {
            join.object(&error.to_string());
            return None;
        }
    };
    let action = Action { arguments, ..action.clone() };
    let again = heard(guards, Asked { action: &action, ..asked }, false);
    let settled = again.obligations().iter().all(|obligation| able.meets(obligation))
        && Obligation::applied(again.obligations(), &action.arguments).is_ok_and(|twice| twice == action.arguments);
    if !settled {
        join.object("what its obligations make of it obliges to something else again");
    }
    join.oblige_also(again.obligations());
    join.hear_again(again);
    Some(action.arguments)
}
