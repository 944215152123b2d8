//! The HTTP server.
//!
//! A request passes, in this order: the limits of its connection
//! (`connection.rs`), who asks and what they may do (`who.rs`), its body as a
//! typed request (`body.rs`, `wire.rs`), the host (`desk.rs`), and the answer or
//! problem (`answer.rs`, `problem.rs`). `routes.rs` says what can be asked, and
//! OpenAPI is made of the same.
//!
//! * **Who.** A bearer token, of which the configuration has the SHA-256, or, on
//!   the Unix socket, whoever can open it. Each may act as the agents it names
//!   and no others. What it says of attributes and labels is believed: give
//!   tokens to applications, and not to models.
//! * **Sessions.** A session id is taken if this server gave it to this token
//!   for this agent, which shows in the id itself. Who names none has the one
//!   that this token always has with this agent.
//! * **Ids.** A request with an `id` is done once. Who asks the same again, at
//!   the same time or within `ids_s`, gets the same answer and consumes nothing;
//!   who asks for something else with it is refused. Each token has its ids for
//!   itself with each agent, `ids_max` of them: a token that asks for more in
//!   that time has its oldest forgotten, and then the same request is decided
//!   anew. After a restart an id that the log has from that time is not decided
//!   again; what was answered is not known any more, so it is a problem that says
//!   so (of the last 100,000 decisions).
//! * **Outcomes.** An allowed action waits here for its outcome. Who reports none
//!   within `outcome_s` has it recorded as unknown, and what it was to cost is
//!   spent. If no byte of the verdict was taken by the system, nobody can have
//!   acted on it: it is withdrawn, which the log has as unknown too, and the
//!   budget returns.
//! * **Approvals.** What is escalated waits for a person: whoever holds a token
//!   with the scope `approve`, which is good for nothing else. Who asked looks what
//!   became of it, and has it decided again once.
//! * **Tools** of the MCP servers in `[[mcp.upstreams]]` are called by the gateway's
//!   own code, so they are pinned, labelled and recorded as there. What a session
//!   hears from one that is not believed labels all that it does later, decisions
//!   included; after a restart as far as the log of the last day says so (of the
//!   last 100,000 decisions).
//! * **MCP** is spoken at `/mcp`, by the gateway's own code, with those who have the
//!   scope `mcp`: each of them is one agent. Sessions there are the gateway's.
//! * **Bodies** have a `Content-Length`. `Transfer-Encoding` is refused, so there
//!   are never two opinions about where a request ends.

mod answer;
mod approvals;
mod body;
mod connection;
mod desk;
mod health;
mod heard;
mod ids;
mod ingest;
mod link;
mod metrics;
mod parcel;
mod problem;
mod refusals;
mod routes;
mod schema;
mod seal;
mod serve;
mod state;
mod tls;
mod to_the_end;
mod tools;
mod waiting;
mod who;
mod wire;

pub use answer::Receipt;
pub use routes::openapi;
pub use serve::{ServeError, Server};
pub use tls::TlsError;
pub use vak_serving::Place;
