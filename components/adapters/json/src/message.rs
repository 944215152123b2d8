//! What a message means, and what is answered to it.

use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, Answer, Decision, Ended, Intake, Request, each, object, one};

use crate::mapping::{Arguments, Asks, Each, Ending, Entry, Mapping, Means, Replies, Tells};
use crate::pointer::Found;
use crate::scope::{Sight, plain};
use crate::value::Source;

/// Most items of a message. The host takes no more.
const ITEMS_MAX: usize = 64;

impl Mapping {
    pub(crate) fn ingest(&self, event: &str) -> Result<Intake, AdapterError> {
        let (entry, found) = self.entry_of(event)?;
        entry.ingest(&found).map_err(|error| entry.named(error))
    }

    pub(crate) fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError> {
        let (entry, found) = self.entry_of(event)?;
        entry.render(&found, answers).map_err(|error| entry.named(error))
    }

    /// The first entry whose conditions hold, and what its pointers point to.
    fn entry_of<'a>(&self, event: &'a str) -> Result<(&Entry, Found<'a>), AdapterError> {
        for entry in &self.entries {
            let found = find(&entry.scope.message, event)?;
            let sight = Sight { message: &found, item: None };
            if entry.when.iter().all(|condition| condition.holds(sight)) {
                return Ok((entry, found));
            }
        }
        Err(AdapterError::unknown("no message of the mapping fits"))
    }
}

impl Entry {
    /// An error of this entry.
    fn named(&self, error: AdapterError) -> AdapterError {
        match error {
            AdapterError::Malformed(why) => AdapterError::malformed(format!("{}: {why}", self.name)),
            AdapterError::UnknownMessage(why) => AdapterError::unknown(format!("{}: {why}", self.name)),
        }
    }

    fn ingest(&self, found: &Found<'_>) -> Result<Intake, AdapterError> {
        match &self.means {
            Means::Passes { .. } => Ok(Intake::Pass),
            Means::Asks(asks) => {
                let requests = self.for_each(asks.each.as_ref(), found, |sight| asks.request(sight))?;
                Ok(if requests.is_empty() { Intake::Pass } else { Intake::Actions(requests) })
            }
            Means::Tells(tells) => {
                let ended = self.for_each(tells.each.as_ref(), found, |sight| tells.ended(sight))?;
                let ended: Vec<_> = ended.into_iter().flatten().collect();
                Ok(if ended.is_empty() { Intake::Pass } else { Intake::Outcomes(ended) })
            }
        }
    }

    fn render(&self, found: &Found<'_>, answers: &[Answer]) -> Result<String, AdapterError> {
        let sight = Sight { message: found, item: None };
        let whole = |answers| Source { sight, answer: None, asked: "{}", answers };
        match &self.means {
            Means::Passes { reply } => each(0, answers).and_then(|_| reply.write(&whole(&[]))),
            Means::Tells(tells) => each(0, answers).and_then(|_| tells.reply.write(&whole(&[]))),
            Means::Asks(asks) => {
                let asked = self.for_each(asks.each.as_ref(), found, |sight| asks.arguments.of(sight))?;
                each(asked.len(), answers)?;
                let mut number = 0;
                let replies = self.for_each(asks.each.as_ref(), found, |sight| {
                    let source = Source { sight, answer: Some(&answers[number]), asked: &asked[number], answers: &[] };
                    let reply = asks.replies.write(&answers[number], &source);
                    number += 1;
                    reply
                })?;
                match (&asks.each, &asks.replies.all) {
                    (None, _) => one(answers).map(|_| replies.concat()),
                    (Some(_), Some(all)) => all.write(&whole(&replies)),
                    (Some(_), None) => Ok(format!("[{}]", replies.join(","))),
                }
            }
        }
    }

    /// What `read` makes of the message, or of each item of the list in it.
    fn for_each<T>(
        &self,
        each: Option<&Each>,
        found: &Found<'_>,
        mut read: impl FnMut(Sight<'_, '_>) -> Result<T, AdapterError>,
    ) -> Result<Vec<T>, AdapterError> {
        let sight = Sight { message: found, item: None };
        let (Some(Each { list, skip }), Some(pointers)) = (each, &self.scope.item) else {
            return Ok(vec![read(sight)?]);
        };
        let Some(json) = list.json(sight)? else { return Ok(Vec::new()) };
        let items: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| list.wrong("a list"))?;
        let mut all = Vec::new();
        for item in items {
            let found = find(pointers, item.get())?;
            let sight = Sight { item: Some(&found), ..sight };
            if !skip.is_empty() && skip.iter().all(|condition| condition.holds(sight)) {
                continue;
            }
            if all.len() == ITEMS_MAX {
                return Err(list.wrong(&format!("a list of {ITEMS_MAX} at the most")));
            }
            all.push(read(sight)?);
        }
        Ok(all)
    }
}

impl Asks {
    fn request(&self, sight: Sight<'_, '_>) -> Result<Request, AdapterError> {
        let labels = self.labels.iter().map(|label| label.of(sight)).collect::<Result<Vec<_>, _>>()?;
        let optional = |name: &Option<crate::text::Name>| name.as_ref().map(|name| name.of(sight)).transpose();
        Ok(Request {
            call: optional(&self.call)?.flatten(),
            session: optional(&self.session)?.flatten(),
            operation: self.operation.needed(sight)?,
            resource: self.resource.needed(sight)?,
            arguments: self.arguments.of(sight)?,
            labels: labels.into_iter().flatten().collect(),
        })
    }
}

impl Arguments {
    fn of(&self, sight: Sight<'_, '_>) -> Result<String, AdapterError> {
        match self {
            Self::Of(value) => value.write(&Source { sight, answer: None, asked: "{}", answers: &[] }),
            Self::At(reference) => {
                let Some(json) = reference.json(sight)? else { return Ok("{}".to_owned()) };
                let wrong = || reference.wrong("an object, or a text that holds one");
                match json.starts_with('"') {
                    true => plain(json).filter(|text| object("", text).is_ok()).ok_or_else(wrong),
                    false => object("", json).map(str::to_owned).map_err(|_| wrong()),
                }
            }
        }
    }
}

impl Replies {
    fn write(&self, answer: &Answer, source: &Source<'_, '_>) -> Result<String, AdapterError> {
        let value = match (answer.verdict.decision, &answer.arguments, &self.rewrite) {
            (Decision::Allow, None, _) => &self.allow,
            (Decision::Allow, Some(_), Some(rewrite)) => rewrite,
            // The host takes back what it allowed if there is no answer.
            (Decision::Allow, Some(_), None) => {
                return Err(AdapterError::malformed("the mapping has no way to give other arguments"));
            }
            (Decision::Deny, ..) => &self.deny,
            (Decision::Escalate, ..) => &self.escalate,
            (Decision::Backtrack, ..) => &self.backtrack,
        };
        value.write(source)
    }
}

impl Tells {
    /// `None` if the call has no name, so that none waits for its end.
    fn ended(&self, sight: Sight<'_, '_>) -> Result<Option<Ended>, AdapterError> {
        let Some(call) = self.call.of(sight)? else { return Ok(None) };
        let session = self.session.as_ref().map(|session| session.of(sight)).transpose()?.flatten();
        let detail = match &self.detail {
            Some(detail) => {
                let json = detail.write(&Source { sight, answer: None, asked: "{}", answers: &[] })?;
                plain(&json).unwrap_or(json)
            }
            None => String::new(),
        };
        Ok(Some(match self.ending {
            Ending::Succeeded => {
                let output = self.output.as_ref().map(|output| output.json(sight)).transpose()?.flatten();
                Ended::succeeded(call, session, output.unwrap_or("null"))
            }
            Ending::Failed => Ended::failed(call, session, detail),
            Ending::Unknown => Ended::unknown(call, session, detail),
        }))
    }
}

fn find<'a>(pointers: &crate::pointer::Pointers, json: &'a str) -> Result<Found<'a>, AdapterError> {
    pointers.find(json).map_err(|error| AdapterError::malformed(error.to_string()))
}
