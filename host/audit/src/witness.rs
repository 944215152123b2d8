//! Who has to have witnessed a checkpoint.
//!
//! A log that shows different histories to different people signs both. A
//! witness signs only one: the one that goes on from what it signed before. So
//! whoever asks for the cosignatures of some witnesses cannot be shown a history
//! of his own. The policy file is that of
//! [C2SP tlog-policy](https://c2sp.org/tlog-policy), the signatures those of
//! [C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature) with Ed25519.

use std::collections::HashMap;
use std::str::FromStr;

use crate::key::{KeyError, WitnessKey};
use crate::note::{Note, NoteError};
use crate::{Checkpoint, VerifierKey};

/// The most lines of a policy that define something: three times what the
/// specification wants every implementation to take.
const DEFINITIONS_MAX: usize = 300;

/// Why a policy file is none, or a checkpoint not one it accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// A line that says nothing a policy can say.
    #[error("line {line} of the witness policy: {what}")]
    Policy {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A key that is none.
    #[error("line {line} of the witness policy: {source}")]
    Key {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        source: KeyError,
    },
    /// The policy does not say what it takes.
    #[error("the witness policy has no `quorum` line; `quorum none` asks for no witness")]
    NoQuorum,
    /// The checkpoint is of a log the policy does not name.
    #[error("the checkpoint is signed by none of the logs in the witness policy")]
    UnknownLog,
    /// The note cannot be read.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A cosignature that says it is by a witness and is not.
    #[error("the cosignature of witness `{witness}` does not fit the checkpoint: one of them was altered")]
    Forged {
        /// The witness, as the policy calls it.
        witness: String,
    },
    /// Too few cosigned.
    #[error("the checkpoint has no quorum of witnesses: cosigned by {}", if found.is_empty() { "none".to_owned() } else { found.join(", ") })]
    NoQuorumReached {
        /// Those who did, as the policy calls them.
        found: Vec<String>,
    },
}

/// Which witnesses have to have cosigned a checkpoint before it is believed.
#[derive(Debug, Clone)]
pub struct WitnessPolicy {
    logs: Vec<VerifierKey>,
    /// In the order of the file; members and the quorum are places in it.
    members: Vec<Member>,
    /// `None` asks for no witness.
    quorum: Option<usize>,
}

#[derive(Debug, Clone)]
struct Member {
    name: String,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    Witness(Box<WitnessKey>),
    Group { at_least: usize, of: Vec<usize> },
}

/// A witness that cosigned, and when it says it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness, as the policy calls it.
    pub witness: String,
    /// Seconds since 1970-01-01 UTC.
    pub time_s: u64,
}

impl WitnessPolicy {
    /// Checks that a checkpoint is cosigned as this asks for; gives who did.
    /// The log's own signature is checked by whoever opened the checkpoint.
    ///
    /// # Errors
    /// Too few cosigned, a cosignature is forged, or the policy names logs and
    /// this is none of them.
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<Vec<Cosigned>, WitnessError> {
        let note = Note::parse(checkpoint.note())?;
        if !self.logs.is_empty() && !self.logs.iter().any(|log| note.check(log).is_ok()) {
            return Err(WitnessError::UnknownLog);
        }
        let mut cosigned = Vec::new();
        let mut holds: Vec<bool> = Vec::new();
        for member in &self.members {
            holds.push(match &member.rule {
                Rule::Witness(key) => {
                    let time =
                        cosignature(&note, key).map_err(|()| WitnessError::Forged { witness: member.name.clone() })?;
                    cosigned.extend(time.map(|time_s| Cosigned { witness: member.name.clone(), time_s }));
                    time.is_some()
                }
                // Members stand before their group.
                Rule::Group { at_least, of } => of.iter().filter(|member| holds[**member]).count() >= *at_least,
            });
        }
        match self.quorum.is_none_or(|quorum| holds[quorum]) {
            true => Ok(cosigned),
            false => {
                Err(WitnessError::NoQuorumReached { found: cosigned.into_iter().map(|one| one.witness).collect() })
            }
        }
    }
}

/// When `key` cosigned the note, if it did.
fn cosignature(note: &Note<'_>, key: &WitnessKey) -> Result<Option<u64>, ()> {
    let mut newest = None;
    for signature in note.signatures_by(key) {
        let (time, signature) = signature.split_first_chunk().ok_or(())?;
        let time = u64::from_be_bytes(*time);
        if time > i64::MAX as u64
            || !key.verifies(format!("cosignature/v1\ntime {time}\n{}", note.text).as_bytes(), signature)
        {
            return Err(());
        }
        newest = newest.max(Some(time));
    }
    Ok(newest)
}

impl FromStr for WitnessPolicy {
    type Err = WitnessError;

    fn from_str(text: &str) -> Result<Self, WitnessError> {
        let mut parser = Parser::default();
        for (line, text) in (1..).zip(text.split('\n')) {
            if text.chars().any(|c| c.is_control() && c != '\t') {
                return Err(WitnessError::Policy { line, what: "a control character".to_owned() });
            }
            let words: Vec<_> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            if words.first().is_some_and(|word| !word.starts_with('#')) {
                parser.line(line, &words)?;
            }
        }
        let quorum = parser.quorum.ok_or(WitnessError::NoQuorum)?;
        Ok(Self { logs: parser.logs, members: parser.members, quorum })
    }
}

#[derive(Default)]
struct Parser {
    logs: Vec<VerifierKey>,
    members: Vec<Member>,
    places: HashMap<String, usize>,
    /// Those that are in a group already: each witness counts once.
    grouped: Vec<usize>,
    quorum: Option<Option<usize>>,
}

impl Parser {
    fn line(&mut self, line: usize, words: &[&str]) -> Result<(), WitnessError> {
        let wrong = |what: String| WitnessError::Policy { line, what };
        if self.logs.len() + self.members.len() == DEFINITIONS_MAX {
            return Err(wrong(format!("more than {DEFINITIONS_MAX} definitions")));
        }
        match *words {
            ["log", key] | ["log", key, _] => {
                let key: VerifierKey = key.parse().map_err(|source| WitnessError::Key { line, source })?;
                if self.logs.iter().any(|log| log.is_same_key(&key)) {
                    return Err(wrong("this log's key stands twice".to_owned()));
                }
                self.logs.push(key);
                Ok(())
            }
            ["witness", name, key] | ["witness", name, key, _] => {
                let key: WitnessKey = key.parse().map_err(|source| WitnessError::Key { line, source })?;
                let same = |member: &Member| matches!(&member.rule, Rule::Witness(other) if other.is_same_key(&key));
                if self.members.iter().any(same) {
                    return Err(wrong("this witness's key stands twice".to_owned()));
                }
                self.define(name, Rule::Witness(Box::new(key))).map_err(wrong)
            }
            ["group", name, at_least, ref members @ ..] if !members.is_empty() => {
                let of = members.iter().map(|name| self.member(name)).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
                let at_least = match at_least {
                    "all" => of.len(),
                    "any" => 1,
                    number => match number.parse() {
                        Ok(count) if (1..=of.len()).contains(&count) => count,
                        _ => return Err(wrong(format!("`{number}` is not `all`, `any` or 1 to {}", of.len()))),
                    },
                };
                self.define(name, Rule::Group { at_least, of }).map_err(wrong)
            }
            ["quorum", name] => {
                if self.quorum.is_some() {
                    return Err(wrong("a second quorum".to_owned()));
                }
                self.quorum = Some(match name {
                    "none" => None,
                    name => Some(self.place(name).map_err(wrong)?),
                });
                Ok(())
            }
            _ => Err(wrong(format!("`{}` is not a line of a witness policy", words.join(" ")))),
        }
    }

    fn define(&mut self, name: &str, rule: Rule) -> Result<(), String> {
        if name == "none" || self.places.contains_key(name) {
            return Err(format!("the name `{name}` is taken"));
        }
        self.places.insert(name.to_owned(), self.members.len());
        self.members.push(Member { name: name.to_owned(), rule });
        Ok(())
    }

    fn place(&self, name: &str) -> Result<usize, String> {
        self.places.get(name).copied().ok_or_else(|| format!("`{name}` is not defined before"))
    }

    fn member(&mut self, name: &str) -> Result<usize, String> {
        let place = self.place(name)?;
        if self.grouped.contains(&place) {
            return Err(format!("`{name}` is a member of a group already"));
        }
        self.grouped.push(place);
        Ok(place)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ed25519_dalek::{Signer as _, SigningKey};
    use vak_types::Digest;

    use super::*;
    use crate::{Origin, Signer};

    fn origin() -> Origin {
        "example.org/audit".parse().unwrap()
    }

    /// A witness as others write one.
    struct Witness {
        name: &'static str,
        key: SigningKey,
    }

    impl Witness {
        fn new(name: &'static str, seed: u8) -> Self {
            Self { name, key: SigningKey::from_bytes(&[seed; 32]) }
        }

        fn hash(&self) -> Vec<u8> {
            let public = self.key.verifying_key();
            let hashed = [self.name.as_bytes(), b"\n\x04", public.as_bytes()].concat();
            Digest::of(&hashed).as_bytes()[..4].to_vec()
        }

        fn vkey(&self) -> String {
            let hash: String = self.hash().iter().map(|byte| format!("{byte:02x}")).collect();
            let key = STANDARD.encode([&[4], &self.key.verifying_key().as_bytes()[..]].concat());
            format!("{}+{hash}+{key}", self.name)
        }

        fn cosign(&self, text: &str, time: u64) -> String {
            let signature = self.key.sign(format!("cosignature/v1\ntime {time}\n{text}").as_bytes());
            let line = [&self.hash()[..], &time.to_be_bytes(), &signature.to_bytes()].concat();
            format!("— {} {}\n", self.name, STANDARD.encode(line))
        }
    }

    fn checkpoint(witnesses: &[(&Witness, u64)]) -> Checkpoint {
        let signer = Signer::new(origin(), &[7; 32]);
        let plain = Checkpoint::sign(&origin(), 3, Digest::of(b"root"), &signer);
        let text = plain.note().split_once("\n\n").unwrap().0.to_owned() + "\n";
        let lines: String = witnesses.iter().map(|(witness, time)| witness.cosign(&text, *time)).collect();
        Checkpoint::open(&format!("{}{lines}", plain.note()), &origin(), signer.verifier()).unwrap()
    }

    fn policy(text: &str, witnesses: &[&Witness]) -> Result<WitnessPolicy, WitnessError> {
        let mut text = text.to_owned();
        for (index, witness) in witnesses.iter().enumerate() {
            text = text.replace(&format!("<{index}>"), &witness.vkey());
        }
        text.parse()
    }

    #[test]
    fn a_quorum_is_what_the_policy_says() {
        let all: Vec<_> =
            [("x1", 1), ("x2", 2), ("x3", 3), ("y1", 4), ("y2", 5)].map(|(n, s)| Witness::new(n, s)).into();
        let all: Vec<_> = all.iter().collect();
        let text = "# two levels\nwitness X1 <0>\nwitness X2 <1> https://example.org\n\twitness X3\t<2>\n\
            group X 2 X1 X2 X3\nwitness Y1 <3>\nwitness Y2 <4>\ngroup Y any Y1 Y2\ngroup both all X Y\nquorum both\n";
        let both = policy(text, &all).unwrap();
        for chosen in 0..32_usize {
            let cosigners: Vec<_> =
                all.iter().enumerate().filter(|(index, _)| chosen >> index & 1 == 1).map(|(_, w)| (*w, 9)).collect();
            let of_x = (chosen & 7).count_ones();
            let expected = of_x >= 2 && chosen >> 3 != 0;
            let found = both.check(&checkpoint(&cosigners));
            assert_eq!(found.is_ok(), expected, "{chosen:05b}");
            if let Ok(found) = found {
                assert_eq!(found.len(), cosigners.len());
            }
        }
        let none = policy("quorum none\n", &[]).unwrap();
        assert_eq!(none.check(&checkpoint(&[])), Ok(Vec::new()));
        let single = policy("witness W <0>\nquorum W", &all).unwrap();
        assert!(matches!(single.check(&checkpoint(&[(all[1], 9)])), Err(WitnessError::NoQuorumReached { .. })));
        let seen = single.check(&checkpoint(&[(all[0], 8), (all[0], 9)])).unwrap();
        assert_eq!(seen, [Cosigned { witness: "W".to_owned(), time_s: 9 }]);
    }

    #[test]
    fn cosignatures_of_something_else_are_forged() {
        let witness = Witness::new("w", 1);
        let single = policy("witness W <0>\nquorum W", &[&witness]).unwrap();
        let signer = Signer::new(origin(), &[7; 32]);
        let plain = Checkpoint::sign(&origin(), 3, Digest::of(b"root"), &signer);
        for text in ["example.org/audit\n4\nAAAA\n", "another\n"] {
            let note = format!("{}{}", plain.note(), witness.cosign(text, 9));
            let found = Checkpoint::open(&note, &origin(), signer.verifier()).unwrap();
            assert_eq!(single.check(&found), Err(WitnessError::Forged { witness: "W".to_owned() }));
        }
        // A log's signature by a witness's key is no cosignature.
        let log = Signer::new("w".parse().unwrap(), &[1; 32]);
        let text = plain.note().split_once("\n\n").unwrap().0.to_owned() + "\n";
        let note = format!("{}{}", plain.note(), log.sign_line(&text));
        let found = Checkpoint::open(&note, &origin(), signer.verifier()).unwrap();
        assert!(matches!(single.check(&found), Err(WitnessError::NoQuorumReached { .. })));
    }

    #[test]
    fn only_logs_that_are_named_are_accepted() {
        let (ours, other) =
            (Signer::new(origin(), &[7; 32]), Signer::new("example.org/other".parse().unwrap(), &[6; 32]));
        let named = |signer: &Signer| policy(&format!("log {}\nquorum none", signer.verifier()), &[]).unwrap();
        assert!(named(&ours).check(&checkpoint(&[])).is_ok());
        assert_eq!(named(&other).check(&checkpoint(&[])), Err(WitnessError::UnknownLog));
    }

    #[test]
    fn policies_that_say_nothing_sound_are_refused() {
        let (one, two) = (Witness::new("one", 1), Witness::new("two", 2));
        let log = Signer::new(origin(), &[7; 32]).verifier().to_string();
        for text in [
            "",
            "witness W <0>",
            "quorum W",
            "quorum W\nwitness W <0>",
            "witness W <0>\nquorum W\nquorum none",
            "witness none <0>\nquorum none",
            "witness W <0>\nwitness W <1>\nquorum W",
            "witness W <0>\nwitness V <0>\nquorum W",
            "witness W <0>\ngroup G 2 W\nquorum G",
            "witness W <0>\ngroup G 0 W\nquorum G",
            "witness W <0>\ngroup G any\nquorum G",
            "witness W <0>\ngroup G all W W\nquorum G",
            "witness W <0>\ngroup G all W\ngroup H all W\nquorum H",
            "group G any G\nquorum G",
            "witness W <log>\nquorum W",
            "log <0>\nquorum none",
            "log <log>\nlog <log>\nquorum none",
            "quorum none\r\n",
            "witnesses W <0>\nquorum W",
        ] {
            let text = text.replace("<log>", &log);
            assert!(policy(&text, &[&one, &two]).is_err(), "{text}");
        }
    }
}
