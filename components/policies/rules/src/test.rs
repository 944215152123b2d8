//! Tests on one fact.

use std::cmp::Ordering;
use std::net::IpAddr;

use semver::{Version, VersionReq};

use crate::condition::Unknown;
use crate::fact::{Fact, Facts, Name, Operand, Why};
use crate::network::Network;
use crate::number::Number;
use crate::path;
use crate::pattern::Pattern;
use crate::tree::Tree;

/// What is tested. Large ones are boxed: they would enlarge every condition.
#[derive(Debug)]
pub(crate) enum Test {
    /// It is there at all, or is not. Decided before anything else is.
    Present(bool),
    OneOf(Box<[Tree<'static>]>),
    SameAs(Box<Operand>),
    Matches(Pattern),
    Within(Box<str>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Contains(Box<Tree<'static>>),
    Range(Box<Range>),
    Length(Box<Length>),
    InNetwork(Box<[Network]>),
    Version(Box<VersionReq>),
    AnyItem(Box<Item>),
    AllItems(Box<Item>),
}

/// A range of numbers; the flag says whether the bound itself is inside.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) least: Option<(Bound, bool)>,
    pub(crate) most: Option<(Bound, bool)>,
}

/// What a number is compared with.
#[derive(Debug)]
pub(crate) enum Bound {
    Number(Number),
    Fact(Operand),
}

/// How long a text or list may be, ends included.
#[derive(Debug)]
pub(crate) struct Length {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// A test on the items of a list.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) test: Test,
    pub(crate) negated: bool,
}

impl Test {
    /// Whether `fact`, which has this name, passes.
    pub(crate) fn holds<'r>(&'r self, name: Name<'r>, fact: Fact<'_>, facts: &Facts<'_>) -> Result<bool, Unknown<'r>> {
        let unknown = |why| Unknown { name, why };
        match self {
            Self::Present(wanted) => Ok(*wanted),
            Self::OneOf(values) => Ok(values.iter().any(|value| fact.same(Fact::Json(value)))),
            Self::SameAs(other) => {
                let other = other.name();
                facts.get(other).map(|other| fact.same(other)).map_err(|why| Unknown { name: other, why })
            }
            Self::Contains(value) => contains(fact, value).map_err(unknown),
            Self::Range(range) => range.holds(name, fact, facts),
            Self::Length(length) => {
                let count = fact.length().map_err(unknown)?;
                Ok(length.least <= count && count <= length.most)
            }
            Self::AnyItem(item) => item.decided_by(true, name, fact, facts),
            Self::AllItems(item) => item.decided_by(false, name, fact, facts),
            Self::Matches(_)
            | Self::Within(_)
            | Self::StartsWith(_)
            | Self::EndsWith(_)
            | Self::InNetwork(_)
            | Self::Version(_) => fact.text().and_then(|text| self.holds_for(text)).map_err(unknown),
        }
    }

    /// The tests on texts.
    fn holds_for(&self, text: &str) -> Result<bool, Why> {
        match self {
            Self::Matches(pattern) => Ok(pattern.matches(text)),
            Self::Within(folder) => Ok(path::is_within(text, folder)),
            Self::StartsWith(start) => Ok(text.starts_with(&**start)),
            Self::EndsWith(end) => Ok(text.ends_with(&**end)),
            Self::InNetwork(networks) => {
                let address: IpAddr = text.parse().map_err(|_| Why::Mistyped("IP address"))?;
                Ok(networks.iter().any(|network| network.contains(address)))
            }
            Self::Version(requirement) => {
                let version = Version::parse(text).map_err(|_| Why::Mistyped("semantic version"))?;
                Ok(requirement.matches(&version))
            }
            _ => Err(Why::Mistyped("text")),
        }
    }
}

/// A text has a part, a list an item.
fn contains(fact: Fact<'_>, value: &Tree<'_>) -> Result<bool, Why> {
    match (fact.text(), value) {
        (Ok(text), Tree::Text(part)) => Ok(text.contains(&**part)),
        (Ok(_), _) => Err(Why::Mistyped("list")),
        (Err(_), _) => {
            let items = fact.items().map_err(|_| Why::Mistyped("text or a list"))?;
            Ok((0..items).filter_map(|at| fact.item(at)).any(|item| item.same(Fact::Json(value))))
        }
    }
}

impl Range {
    pub(crate) fn holds<'r>(&'r self, name: Name<'r>, fact: Fact<'_>, facts: &Facts<'_>) -> Result<bool, Unknown<'r>> {
        let number = fact.number().map_err(|why| Unknown { name, why })?;
        let side = |bound: &'r Option<(Bound, bool)>, outside: Ordering| {
            let Some((bound, inclusive)) = bound else { return Ok(true) };
            let order = number.compare(bound.get(facts)?);
            Ok(order == outside.reverse() || (*inclusive && order.is_eq()))
        };
        // One bound that is passed settles it, even beside one that is unknown.
        match (side(&self.least, Ordering::Less), side(&self.most, Ordering::Greater)) {
            (Ok(false), _) | (_, Ok(false)) => Ok(false),
            (Err(unknown), _) | (_, Err(unknown)) => Err(unknown),
            (Ok(true), Ok(true)) => Ok(true),
        }
    }
}

impl Bound {
    fn get(&self, facts: &Facts<'_>) -> Result<Number, Unknown<'_>> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Fact(operand) => {
                let name = operand.name();
                facts.get(name).and_then(Fact::number).map_err(|why| Unknown { name, why })
            }
        }
    }
}

impl Item {
    /// As with conditions: one decisive item decides, else one unknown makes
    /// all unknown.
    fn decided_by<'r>(
        &'r self,
        decisive: bool,
        name: Name<'r>,
        fact: Fact<'_>,
        facts: &Facts<'_>,
    ) -> Result<bool, Unknown<'r>> {
        let items = fact.items().map_err(|why| Unknown { name, why })?;
        let mut unknown = None;
        for item in (0..items).filter_map(|at| fact.item(at)) {
            match self.test.holds(name, item, facts) {
                Ok(holds) if (holds != self.negated) == decisive => return Ok(decisive),
                Ok(_) => {}
                Err(why) => unknown = unknown.or(Some(why)),
            }
        }
        unknown.map_or(Ok(!decisive), Err)
    }
}
