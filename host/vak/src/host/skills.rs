//! Calls of skills.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use vak_audit::Receipt;
use vak_pipeline::Able;
use vak_plugin::{Skill, SkillError};
use vak_types::{Action, ActionId, ActionRequest, AgentId, Json, Name, TextError, Verdict};

use super::{Caller, Decided, Host, RecordError, refusal};
use crate::approvals::{ApprovalError, Standing};
use crate::inventory::Part;
use crate::names::StampError;
use crate::outcome::Outcome;
use crate::running::SKILL;

/// Skills that run at the same time. Each holds a thread and an instance slot;
/// half of the engine's slots are left to policies.
pub(super) const AT_ONCE_MAX: usize = 64;

/// Why a skill gave no result.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// There is no such skill; nothing was decided.
    #[error("there is no skill `{0}`")]
    Unknown(Name),
    /// The call's names do not fit into an action; nothing was decided.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A name in the call could be taken for another; nothing was decided.
    #[error(transparent)]
    Stamp(#[from] StampError),
    /// The verdict is not an allow.
    #[error("{}", refusal(.0))]
    Refused(Box<Verdict>),
    /// It waits for a person's answer. See [`Host::invoke_approved`].
    #[error("{}", refusal(verdict))]
    Waits {
        /// Its name for whoever answers.
        seq: u64,
        /// Who wants a person's word, and why.
        verdict: Box<Verdict>,
    },
    /// There is no yes to the call, or not this call's.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
    /// The skill ran and gave no result.
    #[error(transparent)]
    Skill(#[from] SkillError),
    /// The skill ran and its outcome could not be recorded: what cannot be
    /// accounted for is not handed out.
    #[error("the outcome could not be recorded: {0}")]
    Record(#[from] RecordError),
    /// The thread the skill ran on is gone.
    #[error("the host is shutting down")]
    Stopping,
}

/// A call of a skill that is not yet decided.
pub struct SkillCall {
    skill: Arc<Skill>,
    part: Part,
    action: Action,
}

impl SkillCall {
    /// What is to be decided.
    pub fn action(&self) -> &Action {
        &self.action
    }
}

/// What became of a call of a skill.
#[derive(Debug)]
pub struct Called {
    /// The verdict.
    pub verdict: Verdict,
    /// Proof that it was recorded.
    pub receipt: Option<Receipt>,
    /// How the skill ended. `None` if it did not run.
    pub ended: Option<Ended>,
}

/// How a skill ended.
#[derive(Debug)]
pub struct Ended {
    /// What it gave.
    pub output: Result<Json, InvokeError>,
    /// Proof that its outcome was recorded.
    pub receipt: Receipt,
}

impl Host {
    /// Calls a skill for an agent: decides the operation `skill/NAME`, runs it
    /// in a fresh sandbox if that is allowed, and records how it ended. Needs
    /// a tokio runtime, whose blocking threads the skill runs on.
    ///
    /// # Errors
    /// There is no such skill, the call is refused, or the skill gave no result.
    pub async fn invoke(&self, caller: &Caller, name: &Name, input: Json) -> Result<Json, InvokeError> {
        let called = self.call(self.skill_call(caller, name, input, None)?).await?;
        self.output(called)
    }

    /// Calls a skill as [`invoke`](Self::invoke) was asked to, and a person
    /// approved since. It has to be the caller's own call.
    ///
    /// # Errors
    /// There is no yes to it, or as [`invoke`](Self::invoke).
    pub async fn invoke_approved(&self, caller: &Caller, seq: u64) -> Result<Json, InvokeError> {
        let called = self.call_approved(caller, seq).await?;
        self.output(called)
    }

    /// As [`invoke_approved`](Self::invoke_approved), for those who also want to
    /// know how that is recorded.
    ///
    /// # Errors
    /// There is no yes to it, or the skill ran and that could not be recorded.
    pub async fn call_approved(&self, caller: &Caller, seq: u64) -> Result<Called, InvokeError> {
        let action = self.approvals.action(seq)?;
        let own = (&caller.agent, &caller.session) == (&action.agent, &action.session);
        let name = action.operation.as_str().strip_prefix(SKILL).filter(|_| own);
        let name: Name = name.ok_or(ApprovalError::OtherAction(seq))?.parse()?;
        let (skill, part) = self.skill(&name)?;
        let decided = self.decide_approved_with(Some(&part), seq, &action, Able::ARGUMENTS).await?;
        Ok(self.carry_out(skill, &action, decided).await?)
    }

    /// What a call gave, or why it gave nothing.
    fn output(&self, called: Called) -> Result<Json, InvokeError> {
        let Called { verdict, receipt, ended } = called;
        if let Some(ended) = ended {
            return ended.output;
        }
        let verdict = Box::new(verdict);
        let seq = receipt.map(|receipt| receipt.seq());
        Err(match seq.filter(|seq| matches!(self.approval(*seq), Ok(Standing::Waiting(_)))) {
            Some(seq) => InvokeError::Waits { seq, verdict },
            None => InvokeError::Refused(verdict),
        })
    }

    /// A call of a skill, not yet decided, with the time and `id`, or else an id
    /// of the host's own.
    ///
    /// # Errors
    /// There is no such skill, or a name could be taken for another.
    pub fn skill_call(
        &self,
        caller: &Caller,
        name: &Name,
        input: Json,
        id: Option<ActionId>,
    ) -> Result<SkillCall, InvokeError> {
        let (skill, part) = self.skill(name)?;
        let request = ActionRequest {
            session: caller.session.clone(),
            agent: caller.agent.clone(),
            operation: format!("{SKILL}{name}").parse()?,
            resource: format!("skill:{name}").parse()?,
            arguments: input,
            attributes: BTreeMap::new(),
            labels: caller.labels.clone(),
        };
        let action = match id {
            Some(id) => self.stamp_as(request, id),
            None => self.stamp(request),
        };
        Ok(SkillCall { skill, part, action: action? })
    }

    /// Decides a call, carries it out if that is allowed, and records how it
    /// ended. As [`invoke`](Self::invoke), for those who also want to know how
    /// that is recorded.
    ///
    /// # Errors
    /// The skill ran, and that could not be recorded.
    pub async fn call(&self, call: SkillCall) -> Result<Called, RecordError> {
        let SkillCall { skill, part, action } = call;
        let decided = self.decide_with(Some(&part), &action, Able::ARGUMENTS).await;
        self.carry_out(skill, &action, decided).await
    }

    /// A skill as it is now, which is called even if another takes its place
    /// meanwhile, but not once it is withdrawn.
    fn skill(&self, name: &Name) -> Result<(Arc<Skill>, Part), InvokeError> {
        let running = self.switch.now();
        let skill = running.skills.get(name).cloned().ok_or_else(|| InvokeError::Unknown(name.clone()))?;
        Ok((skill, Part::new(name, &running.inventory)))
    }

    async fn carry_out(&self, skill: Arc<Skill>, action: &Action, decided: Decided) -> Result<Called, RecordError> {
        let (verdict, receipt) = (decided.verdict.clone(), decided.receipt.clone());
        if !verdict.is_allow() {
            return Ok(Called { verdict, receipt, ended: None });
        }
        let start = Instant::now();
        let output = self.run(skill, &action.agent, decided.arguments(action)).await;
        let outcome = match &output {
            Ok(output) => Outcome::succeeded(output.as_str().as_bytes()),
            Err(error) => Outcome::failed(&error.to_string()),
        };
        let outcome = self.record_outcome(action, decided, outcome.took(start.elapsed())).await?;
        Ok(Called { verdict, receipt, ended: Some(Ended { output, receipt: outcome }) })
    }

    async fn run(&self, skill: Arc<Skill>, agent: &AgentId, input: &Json) -> Result<Json, InvokeError> {
        let _place = self.skill_calls.acquire().await.map_err(|_| InvokeError::Stopping)?;
        let (agent, input) = (agent.clone(), input.clone());
        let call = tokio::task::spawn_blocking(move || skill.invoke(&agent, &input));
        Ok(call.await.map_err(|_| InvokeError::Stopping)??)
    }
}
