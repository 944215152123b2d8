//! Blocks, nodes and graphs of the Platform.

use serde::Deserialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, Ended, need, object};

use crate::event::{Event, Item, Kind, parse, part};

/// An `ExecutionContext`.
#[derive(Deserialize)]
struct Context {
    graph_exec_id: Option<String>,
    node_exec_id: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize)]
struct BlockEvent<'a> {
    #[serde(borrow)]
    block: Option<&'a RawValue>,
    #[serde(borrow)]
    input_data: Option<&'a RawValue>,
    #[serde(borrow)]
    execution_context: Option<&'a RawValue>,
    #[serde(borrow)]
    output_data: Option<&'a RawValue>,
    error: Option<String>,
}

impl BlockEvent<'_> {
    /// The session, the call, and whether nothing is really done.
    fn context(&self) -> Result<(String, String, bool), AdapterError> {
        let context = need(self.execution_context, "execution_context")?.get();
        let Context { graph_exec_id, node_exec_id, dry_run } = parse("`execution_context`", context)?;
        let session = need(graph_exec_id, "execution_context.graph_exec_id")?;
        Ok((session, need(node_exec_id, "execution_context.node_exec_id")?, dry_run))
    }
}

/// A block, about to be executed.
pub(crate) fn block(text: &str) -> Result<Event, AdapterError> {
    #[derive(Deserialize)]
    struct Block {
        id: Option<String>,
        name: Option<String>,
    }

    let event: BlockEvent<'_> = parse("the message", text)?;
    let Block { id, name } = parse("`block`", need(event.block, "block")?.get())?;
    let (session, call, dry_run) = event.context()?;
    let input = object("`input_data`", need(event.input_data, "input_data")?.get())?;
    Ok(Event::One(
        session,
        Box::new(Item {
            call: Some(call),
            operation: format!("block/{}", part("a block", need(name, "block.name")?)?),
            resource: format!("block:{}", need(id, "block.id")?),
            arguments: input.to_owned(),
            labels: dry(dry_run),
            goal: None,
            kind: Kind::Block,
        }),
    ))
}

#[derive(Deserialize)]
struct EntryEvent<'a> {
    #[serde(borrow)]
    entry: Option<&'a RawValue>,
}

/// A node, about to be executed: a `NodeExecutionEntry`.
pub(crate) fn node(text: &str) -> Result<Event, AdapterError> {
    #[derive(Deserialize)]
    struct Entry<'a> {
        graph_exec_id: Option<String>,
        node_exec_id: Option<String>,
        block_id: Option<String>,
        #[serde(borrow)]
        inputs: Option<&'a RawValue>,
        #[serde(borrow)]
        execution_context: Option<&'a RawValue>,
    }

    let event: EntryEvent<'_> = parse("the message", text)?;
    let entry: Entry<'_> = parse("`entry`", need(event.entry, "entry")?.get())?;
    let block = part("a block", need(entry.block_id, "entry.block_id")?)?;
    let context = entry.execution_context.map(|context| parse("`entry.execution_context`", context.get()));
    let context: Option<Context> = context.transpose()?;
    let inputs = object("`entry.inputs`", need(entry.inputs, "entry.inputs")?.get())?;
    Ok(Event::One(
        need(entry.graph_exec_id, "entry.graph_exec_id")?,
        Box::new(Item {
            call: Some(node_call(&need(entry.node_exec_id, "entry.node_exec_id")?)),
            operation: format!("node/{block}"),
            resource: format!("block:{block}"),
            arguments: inputs.to_owned(),
            labels: dry(context.is_some_and(|context| context.dry_run)),
            goal: None,
            kind: Kind::Block,
        }),
    ))
}

/// A graph, about to be executed: a `GraphExecutionEntry`.
pub(crate) fn graph(text: &str) -> Result<Event, AdapterError> {
    #[derive(Deserialize)]
    struct Entry<'a> {
        graph_exec_id: Option<String>,
        graph_id: Option<String>,
        graph_version: Option<i64>,
        #[serde(borrow)]
        nodes_input_masks: Option<&'a RawValue>,
        #[serde(borrow)]
        execution_context: Option<&'a RawValue>,
    }

    let event: EntryEvent<'_> = parse("the message", text)?;
    let entry: Entry<'_> = parse("`entry`", need(event.entry, "entry")?.get())?;
    let version = need(entry.graph_version, "entry.graph_version")?;
    let masks = entry.nodes_input_masks.map_or("null", RawValue::get);
    let context = entry.execution_context.map(|context| parse("`entry.execution_context`", context.get()));
    let context: Option<Context> = context.transpose()?;
    let run = need(entry.graph_exec_id, "entry.graph_exec_id")?;
    let item = Item {
        call: Some(graph_call(&run)),
        operation: "graph".to_owned(),
        resource: format!("graph:{}", need(entry.graph_id, "entry.graph_id")?),
        arguments: format!("{{\"graph_version\":{version},\"nodes_input_masks\":{masks}}}"),
        labels: dry(context.is_some_and(|context| context.dry_run)),
        goal: None,
        kind: Kind::Graph,
    };
    Ok(Event::One(run, Box::new(item)))
}

/// What a block gave.
pub(crate) fn gave(text: &str) -> Result<Event, AdapterError> {
    let event: BlockEvent<'_> = parse("the message", text)?;
    let (session, call, _) = event.context()?;
    let output = need(event.output_data, "output_data")?;
    Ok(Event::Ended(vec![Ended::succeeded(call, Some(session), output.get())]))
}

/// A block that failed.
pub(crate) fn failed(text: &str) -> Result<Event, AdapterError> {
    let event: BlockEvent<'_> = parse("the message", text)?;
    let (session, call, _) = event.context()?;
    Ok(Event::Ended(vec![Ended::failed(call, Some(session), need(event.error, "error")?)]))
}

/// A block that was cancelled.
pub(crate) fn cancelled(text: &str) -> Result<Event, AdapterError> {
    let event: BlockEvent<'_> = parse("the message", text)?;
    let (session, call, _) = event.context()?;
    Ok(Event::Ended(vec![Ended::unknown(call, Some(session), "it was cancelled".to_owned())]))
}

/// What the event bus tells: a `NodeExecutionEvent` or a `GraphExecutionEvent`.
pub(crate) fn updated(kind: &str, text: &str) -> Result<Event, AdapterError> {
    #[derive(Deserialize)]
    struct Update<'a> {
        id: Option<String>,
        graph_exec_id: Option<String>,
        node_exec_id: Option<String>,
        status: Option<String>,
        #[serde(borrow)]
        output_data: Option<&'a RawValue>,
        #[serde(borrow)]
        outputs: Option<&'a RawValue>,
    }

    let update: Update<'_> = parse("the message", text)?;
    let status = need(update.status, "status")?;
    let (session, calls, output) = match kind {
        "node_execution_update" => {
            let node = need(update.node_exec_id, "node_exec_id")?;
            let session = need(update.graph_exec_id, "graph_exec_id")?;
            (session, vec![node_call(&node), node], need(update.output_data, "output_data")?)
        }
        "graph_execution_update" => {
            let run = need(update.id, "id")?;
            (run.clone(), vec![graph_call(&run)], need(update.outputs, "outputs")?)
        }
        "error_comms_update" => return Ok(Event::Ended(Vec::new())),
        other => return Err(AdapterError::unknown(format!("`{other}` is no event that this adapter knows"))),
    };
    let session = Some(session);
    let end = |call: String| match &*status {
        "COMPLETED" => Ok(Some(Ended::succeeded(call, session.clone(), output.get()))),
        "FAILED" => Ok(Some(Ended::failed(call, session.clone(), output.get().to_owned()))),
        "TERMINATED" => Ok(Some(Ended::unknown(call, session.clone(), "it was terminated".to_owned()))),
        "INCOMPLETE" | "QUEUED" | "RUNNING" | "REVIEW" => Ok(None),
        other => Err(AdapterError::malformed(format!("`status` is `{other}`"))),
    };
    let ended = calls.into_iter().map(end).collect::<Result<Vec<_>, _>>()?;
    Ok(Event::Ended(ended.into_iter().flatten().collect()))
}

/// The call of a node, which is another one than that of its block.
fn node_call(node: &str) -> String {
    format!("node:{node}")
}

fn graph_call(run: &str) -> String {
    format!("graph:{run}")
}

fn dry(dry_run: bool) -> Vec<String> {
    if dry_run { vec!["dry-run".to_owned()] } else { Vec::new() }
}
