//! What makes ids of one client unlike those of all others.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use vak::{ActionId, AgentId, SessionId};
use vak_types::{Name, TextError};

use super::problem::{Kind, Problem};
use super::who::Who;

const KEY_BYTES: usize = blake3::KEY_LEN;

/// Hexadecimal digits of a seal and of a session's random part: 128 bits each.
const DIGITS: usize = 32;

/// What the ids of sessions begin with that the server opens.
const SESSION: &str = "http-";

/// Seals ids with a key of this host, which outlives restarts. So sessions need
/// no table: whether one was opened by a client shows in its id.
pub(crate) struct Seals([u8; KEY_BYTES]);

/// What a seal is for.
#[derive(Clone, Copy)]
enum Of<'a> {
    Session(&'a str),
    Action,
    Conversation(&'a Name, &'a str),
    Call(&'a SessionId, &'a str),
}

impl Seals {
    /// With the key in the file at `path`, which is made if there is none. Only
    /// one host has its state folder, so nobody else makes it meanwhile.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut key = [0; KEY_BYTES];
        match fs::File::open(path) {
            Ok(mut file) => file.read_exact(&mut key)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                getrandom::fill(&mut key).map_err(io::Error::other)?;
                // Put in its place whole: half a key would be a start that fails.
                let aside = path.with_extension("new");
                let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
                file.write_all(&key)?;
                file.sync_all()?;
                fs::rename(aside, path)?;
            }
            Err(error) => return Err(error),
        }
        Ok(Self(key))
    }

    /// A new session of `agent`, for nobody but `who`.
    pub(crate) fn open_session(&self, who: &Who, agent: &AgentId) -> Result<SessionId, Problem> {
        let random = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?))).map_err(Problem::internal)?;
        let random = format!("{:016x}{:016x}", random.0, random.1);
        let seal = self.seal(Of::Session(&random), who, agent);
        format!("{SESSION}{random}-{seal}").parse().map_err(Problem::internal)
    }

    /// The session that is meant: one that `who` opened for `agent`, or, if none
    /// is named, the one that they always have.
    pub(crate) fn session(&self, who: &Who, agent: &AgentId, named: Option<SessionId>) -> Result<SessionId, Problem> {
        let Some(session) = named else { return who.space.parse().map_err(Problem::internal) };
        let parts = session.as_str().strip_prefix(SESSION).and_then(|rest| rest.split_once('-'));
        match parts {
            Some((random, seal))
                if random.len() == DIGITS && same(&self.seal(Of::Session(random), who, agent), seal) =>
            {
                Ok(session)
            }
            _ => Err(Problem::new(
                Kind::Session,
                "`session` was not opened with this token for this agent; open one with POST /v1/sessions, or leave it out",
            )),
        }
    }

    /// The id in the log for what `who` calls `id` when it acts as `agent`.
    pub(crate) fn action(&self, who: &Who, agent: &AgentId, id: &Name) -> Result<ActionId, TextError> {
        format!("{id}@{}", self.seal(Of::Action, who, agent)).parse()
    }

    /// Whether an id in the log could be one of [`action`](Self::action): the
    /// host's own have no `@`.
    pub(crate) fn is_sealed(action: &ActionId) -> bool {
        action.as_str().rsplit_once('@').is_some_and(|(_, seal)| seal.len() == DIGITS)
    }

    /// The session for what a framework calls a conversation: the same for the same
    /// name, and another's for everybody else.
    pub(crate) fn conversation(
        &self,
        who: &Who,
        agent: &AgentId,
        adapter: &Name,
        named: &str,
    ) -> Result<SessionId, Problem> {
        let seal = self.seal(Of::Conversation(adapter, named), who, agent);
        format!("{adapter}-{seal}").parse().map_err(Problem::internal)
    }

    /// The id in the log for what a framework calls a call in `session`.
    pub(crate) fn call(
        &self,
        who: &Who,
        agent: &AgentId,
        session: &SessionId,
        call: &str,
    ) -> Result<ActionId, Problem> {
        let seal = self.seal(Of::Call(session, call), who, agent);
        format!("call@{seal}").parse().map_err(Problem::internal)
    }

    fn seal(&self, of: Of<'_>, who: &Who, agent: &AgentId) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        let [kind, one, other] = match of {
            Of::Session(random) => ["session", random, ""],
            Of::Action => ["action", "", ""],
            Of::Conversation(adapter, named) => ["conversation", adapter.as_str(), named],
            Of::Call(session, call) => ["call", session.as_str(), call],
        };
        for part in [kind, &who.space, agent.as_str(), one, other] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex()[..DIGITS].to_owned()
    }
}

/// Whether two texts are the same, in a time that does not say where they differ.
fn same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |differ, (one, other)| differ | (one ^ other));
    one.len() == other.len() && differ == 0
}
