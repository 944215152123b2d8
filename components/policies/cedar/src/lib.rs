//! A policy made of Cedar policies, configured by a TOML text with the policies,
//! their schema and entities in it.
//!
//! ```toml
//! policies = '''
//! @id("read-workspace")
//! permit (principal, action == Action::"files/read_file", resource)
//! when { context.arguments.path like "/workspace/*" };
//! '''
//! schema = '''
//! entity Agent;
//! entity Resource;
//! action "files/read_file" appliesTo {
//!   principal: Agent, resource: Resource, context: { arguments: { path: String } }
//! };
//! '''
//! ```
//!
//! The agent is the principal, the operation the action. All texts are parsed and
//! the policies validated when the component is configured; a call makes a
//! request, holds it against the schema and asks Cedar's evaluator. Unlike
//! Cedar, which skips a policy that fails, a `forbid` that cannot be evaluated
//! forbids. `CEDAR.md` is the reference of the configuration.

mod complexity;
mod config;
mod datetime;
mod embedded;
mod known;
mod policy;
mod request;
mod rules;

pub use policy::Cedar;

vak_sdk::export_configurable_policy!(Cedar);
