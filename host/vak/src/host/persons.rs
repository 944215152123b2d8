//! What persons decide.

use std::sync::Arc;

use vak_audit::{Answer, Given, Receipt, Tier};
use vak_pipeline::Able;
use vak_types::{Action, Decision, Person, Timestamp};

use super::{Decided, Host};
use crate::approvals::{self, ApprovalError, Asker, Standing, Waiting};
use crate::inventory::Part;

impl Host {
    /// What waits for a person's answer, the oldest first.
    pub fn approvals(&self) -> Vec<Waiting> {
        self.approvals.waiting()
    }

    /// What became of the action that entry `seq` escalated.
    ///
    /// # Errors
    /// It is not kept, or not any more.
    pub fn approval(&self, seq: u64) -> Result<Standing, ApprovalError> {
        self.approvals.standing(seq)
    }

    /// Who asked for the action that entry `seq` escalated, whatever became of it.
    ///
    /// # Errors
    /// Nothing is known of it any more.
    pub fn asker(&self, seq: u64) -> Result<Asker, ApprovalError> {
        self.approvals.asker(seq)
    }

    /// The action that entry `seq` escalated, as it was asked.
    ///
    /// # Errors
    /// It is not kept, or not any more.
    pub fn escalated(&self, seq: u64) -> Result<Arc<Action>, ApprovalError> {
        self.approvals.action(seq)
    }

    /// A person agrees to the action that entry `seq` escalated. `by` is who it
    /// is, as the surface vouches for; an agent must not get here. The answer is
    /// in the log before it counts, and is the only one.
    ///
    /// ```
    /// use vak::{Able, Action, ApprovalError, Decided, Host, Person};
    ///
    /// /// Carries `action` out, which entry `seq` escalated, once `by` has agreed.
    /// async fn agreed(host: &Host, seq: u64, action: &Action, by: &Person) -> Result<Decided, ApprovalError> {
    ///     host.approve(seq, by, "as we said on the phone").await?;
    ///     // Limits and policies may have other reasons against it by now.
    ///     host.decide_approved(seq, action, Able::default()).await
    /// }
    /// ```
    ///
    /// # Errors
    /// It does not wait for an answer, `by` may not give it, or the log does not
    /// take it.
    pub async fn approve(&self, seq: u64, by: &Person, note: &str) -> Result<Receipt, ApprovalError> {
        self.answer(seq, by, note, |until| Answer::Approved { until }).await
    }

    /// A person does not agree.
    ///
    /// # Errors
    /// As [`approve`](Self::approve).
    pub async fn reject(&self, seq: u64, by: &Person, note: &str) -> Result<Receipt, ApprovalError> {
        self.answer(seq, by, note, |_| Answer::Rejected).await
    }

    async fn answer(
        &self,
        seq: u64,
        by: &Person,
        note: &str,
        answer: impl FnOnce(Timestamp) -> Answer,
    ) -> Result<Receipt, ApprovalError> {
        let note = approvals::note(note);
        let answering = self.approvals.begin_answer(seq, by, self.config().approvals.wait())?;
        let answer = answer(answering.until);
        let given = Given { decision: seq, leaf: &answering.leaf, answer, by };
        let draft = match self.ledger.answer(&answering.action, answering.now, &given, &note) {
            Ok(draft) => draft,
            Err(error) => {
                answering.undone();
                return Err(error.into());
            }
        };
        let receipt = self.ledger.log.append(draft, Tier::Durable).await?;
        answering.done(receipt.seq(), answer, by, note);
        Ok(receipt)
    }

    /// An action that a person has approved and that was not decided again since, with
    /// the entry that escalated it, if it is the same as `action` but for its id and
    /// when it was asked: for those who have no other way to ask again. The yes may
    /// have ended by now, as [`decide_approved`](Self::decide_approved) says.
    pub fn approved_like(&self, action: &Action) -> Option<(u64, Action)> {
        self.approvals.approved_like(action)
    }

    /// Decides an action again that entry `seq` escalated and a person approved:
    /// the same action, byte for byte. Limits and policies are asked as they are
    /// now, at the time it is now; the person's yes answers what the person was
    /// asked, and nothing else. A yes counts once, unless the verdict is a deny.
    ///
    /// # Errors
    /// There is no yes to this action that could still be used; nothing was
    /// decided.
    pub async fn decide_approved(&self, seq: u64, action: &Action, able: Able) -> Result<Decided, ApprovalError> {
        self.decide_approved_with(None, seq, action, able).await
    }

    /// The same for somebody who carries it out `with` a component that was loaded
    /// before.
    pub(super) async fn decide_approved_with(
        &self,
        with: Option<&Part>,
        seq: u64,
        action: &Action,
        able: Able,
    ) -> Result<Decided, ApprovalError> {
        let (_guard, running) = self.switch.hold().await;
        let using = self.approvals.begin_use(seq, action)?;
        let action = Action { time: using.now, ..action.clone() };
        let decided = match self.in_the_way(&running, with, &action) {
            Some(why) => running.pipeline.refuse(&action, &why).await,
            None => {
                let decided = running.pipeline.decide_approved(&action, able, &using.approval).await;
                self.follow_up(&running, &action, &decided, using.approval.answered.clone());
                decided
            }
        };
        self.verdicts.count(decided.verdict.decision);
        // Without a receipt nobody knows what is in the log.
        if decided.receipt.is_some() && decided.verdict.decision == Decision::Deny {
            using.unused();
        }
        Ok(decided)
    }
}
