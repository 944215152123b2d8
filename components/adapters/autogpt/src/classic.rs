//! Goals, plans and commands of Classic.

use serde::Deserialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, Ended, need, object};

use crate::event::{Event, ITEMS_MAX, Item, Kind, parse, part};

#[derive(Deserialize)]
struct Fields<'a> {
    agent_id: Option<String>,
    task: Option<String>,
    call: Option<String>,
    #[serde(borrow)]
    profile: Option<&'a RawValue>,
    #[serde(borrow)]
    plan: Option<&'a RawValue>,
    #[serde(borrow)]
    proposal: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

/// What an agent is given to do.
pub(crate) fn task(text: &str) -> Result<Event, AdapterError> {
    let fields: Fields<'_> = parse("the message", text)?;
    let task = need(fields.task, "task")?;
    Ok(Event::One(need(fields.agent_id, "agent_id")?, Box::new(words("goal", "goal", "task", task)?)))
}

/// What an agent is and is after: an `AIProfile`.
pub(crate) fn profile(text: &str) -> Result<Event, AdapterError> {
    #[derive(Deserialize)]
    struct Profile {
        ai_role: Option<String>,
        ai_goals: Option<Vec<String>>,
    }

    let fields: Fields<'_> = parse("the message", text)?;
    let Profile { ai_role, ai_goals } = parse("`profile`", need(fields.profile, "profile")?.get())?;
    let role = need(ai_role, "profile.ai_role")?;
    let role = (!role.is_empty()).then(|| words("goal", "goal", "role", role));
    let goals = need(ai_goals, "profile.ai_goals")?.into_iter().map(|goal| words("goal", "goal", "goal", goal));
    several(fields.agent_id, role.into_iter().chain(goals).collect::<Result<_, _>>()?)
}

/// A plan: an `ExecutionPlan`, or its steps alone, each a `PlannedStep` or a text.
pub(crate) fn plan(text: &str) -> Result<Event, AdapterError> {
    #[derive(Deserialize)]
    struct Plan<'a> {
        goal: Option<String>,
        #[serde(borrow)]
        steps: Option<Vec<&'a RawValue>>,
    }

    let fields: Fields<'_> = parse("the message", text)?;
    let plan = need(fields.plan, "plan")?.get();
    let (goal, steps) = match plan.starts_with('[') {
        true => {
            let steps = serde_json::from_str(plan).map_err(|error| AdapterError::malformed(format!("`plan`: {error}")));
            (None, steps?)
        }
        false => {
            let plan: Plan<'_> = parse("`plan`", plan)?;
            (Some(need(plan.goal, "plan.goal")?), need(plan.steps, "plan.steps")?)
        }
    };
    let goal = goal.map(|goal| words("plan", "plan", "goal", goal)).transpose()?;
    let mut items: Vec<_> = goal.into_iter().collect();
    for planned in steps {
        items.extend(step(planned)?);
    }
    several(fields.agent_id, items)
}

/// A step that is still to be done.
fn step(json: &RawValue) -> Result<Option<Item>, AdapterError> {
    #[derive(Deserialize)]
    struct PlannedStep<'a> {
        thought: Option<String>,
        tool_name: Option<String>,
        #[serde(borrow)]
        tool_arguments: Option<&'a RawValue>,
        status: Option<String>,
    }

    if json.get().starts_with('"') {
        let text = serde_json::from_str(json.get()).map_err(|error| AdapterError::malformed(error.to_string()))?;
        return words("plan-step", "plan", "step", text).map(Some);
    }
    let step: PlannedStep<'_> = parse("a step of `plan`", json.get())?;
    match step.status.as_deref() {
        None | Some("pending" | "in_progress") => {}
        Some("completed" | "failed") => return Ok(None),
        Some(other) => return Err(AdapterError::malformed(format!("a step of `plan` has the status `{other}`"))),
    }
    let tool = part("a tool", need(step.tool_name, "tool_name")?)?;
    let arguments = object("`tool_arguments`", step.tool_arguments.map_or("{}", RawValue::get))?;
    Ok(Some(Item {
        call: None,
        operation: format!("plan-step/{tool}"),
        resource: format!("tool:{tool}"),
        arguments: arguments.to_owned(),
        labels: Vec::new(),
        goal: Some(need(step.thought, "thought")?),
        kind: Kind::Words,
    }))
}

/// What a model wants done next: an `ActionProposal`, or the older reply with a
/// `command`.
pub(crate) fn proposal(text: &str) -> Result<Event, AdapterError> {
    #[derive(Deserialize)]
    struct Proposal<'a> {
        #[serde(borrow)]
        use_tool: Option<&'a RawValue>,
        #[serde(borrow)]
        use_tools: Option<Vec<&'a RawValue>>,
        #[serde(borrow)]
        command: Option<&'a RawValue>,
        #[serde(borrow)]
        raw_message: Option<&'a RawValue>,
    }

    let fields: Fields<'_> = parse("the message", text)?;
    let proposal: Proposal<'_> = parse("`proposal`", need(fields.proposal, "proposal")?.get())?;
    let commands = match (proposal.use_tools.filter(|tools| !tools.is_empty()), proposal.use_tool, proposal.command) {
        (Some(tools), _, None) => tools,
        (None, Some(tool), None) => vec![tool],
        (None, None, Some(command)) => vec![command],
        _ => return Err(AdapterError::malformed("`proposal` has to have one of `use_tool` and `command`")),
    };
    let calls = calls(proposal.raw_message, commands.len())?;
    let items = commands.into_iter().zip(calls).map(|(json, call)| command(json, call));
    several(fields.agent_id, items.collect::<Result<_, _>>()?)
}

fn command(json: &RawValue, call: Option<String>) -> Result<Item, AdapterError> {
    #[derive(Deserialize)]
    struct Command<'a> {
        name: Option<String>,
        #[serde(borrow)]
        arguments: Option<&'a RawValue>,
        #[serde(borrow)]
        args: Option<&'a RawValue>,
    }

    let Command { name, arguments, args } = parse("a command", json.get())?;
    let name = part("a command", need(name, "name")?)?;
    let arguments = match (arguments, args) {
        (Some(arguments), None) | (None, Some(arguments)) => object("the arguments of a command", arguments.get())?,
        (None, None) => return Err(AdapterError::malformed("`arguments` is missing")),
        (Some(_), Some(_)) => return Err(AdapterError::malformed("a command has `arguments` and `args`")),
    };
    Ok(Item {
        call,
        operation: format!("command/{name}"),
        resource: format!("command:{name}"),
        arguments: arguments.to_owned(),
        labels: Vec::new(),
        goal: None,
        kind: Kind::Command,
    })
}

/// The ids of a message's tool calls, if it has one for each command.
fn calls(message: Option<&RawValue>, commands: usize) -> Result<Vec<Option<String>>, AdapterError> {
    #[derive(Deserialize)]
    struct Message {
        tool_calls: Option<Vec<Call>>,
    }

    #[derive(Deserialize)]
    struct Call {
        id: Option<String>,
    }

    let message: Option<Message> = message.map(|message| parse("`raw_message`", message.get())).transpose()?;
    let calls = message.and_then(|message| message.tool_calls).unwrap_or_default();
    Ok(match calls.len() == commands {
        true => calls.into_iter().map(|call| call.id).collect(),
        false => vec![None; commands],
    })
}

/// How a command ended: an `ActionResult`.
pub(crate) fn result(text: &str) -> Result<Event, AdapterError> {
    #[derive(Deserialize)]
    struct Ending<'a> {
        status: Option<String>,
        #[serde(borrow)]
        outputs: Option<&'a RawValue>,
        reason: Option<String>,
        feedback: Option<String>,
    }

    let fields: Fields<'_> = parse("the message", text)?;
    let ending: Ending<'_> = parse("`result`", need(fields.result, "result")?.get())?;
    let session = Some(need(fields.agent_id, "agent_id")?);
    // One without a name could not be waiting for its end.
    let Some(call) = fields.call else { return Ok(Event::Ended(Vec::new())) };
    Ok(Event::Ended(vec![match &*need(ending.status, "result.status")? {
        "success" => Ended::succeeded(call, session, ending.outputs.map_or("null", RawValue::get)),
        "error" => Ended::failed(call, session, need(ending.reason, "result.reason")?),
        "interrupted_by_human" => Ended::failed(call, session, need(ending.feedback, "result.feedback")?),
        other => return Err(AdapterError::malformed(format!("`result.status` is `{other}`"))),
    }]))
}

/// Words about what is to be reached.
fn words(operation: &str, resource: &str, member: &str, words: String) -> Result<Item, AdapterError> {
    let arguments = serde_json::to_string(&std::collections::BTreeMap::from([(member, &words)]));
    Ok(Item {
        call: None,
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        arguments: arguments.map_err(|error| AdapterError::malformed(error.to_string()))?,
        labels: Vec::new(),
        goal: Some(words),
        kind: Kind::Words,
    })
}

fn several(agent: Option<String>, items: Vec<Item>) -> Result<Event, AdapterError> {
    match items.len() > ITEMS_MAX {
        true => {
            Err(AdapterError::malformed(format!("{} actions in one message; {ITEMS_MAX} are the most", items.len())))
        }
        false => Ok(Event::Several(need(agent, "agent_id")?, items)),
    }
}
