//! Packages as an index has them. Their components are nowhere: pages are made of
//! what the index says.

use jiff::{Span, Timestamp};
use semver::Version;
use serde_json::{Value, json};
use vak_marketplace::{Advisory, Entry, Release, Severity, Withdrawn};
use vak_oci::Blob;
use vak_registry::WithdrawalKind;
use vak_trust::{Manifest, Tool};
use vak_types::{Json, Kind};

use crate::Market;

/// A package to be.
pub struct Made<'a> {
    pub name: &'a str,
    pub publisher: usize,
    pub kind: Kind,
    pub versions: &'a [&'a str],
    pub description: &'a str,
    pub grants: Value,
    pub tool: Option<(&'a str, Value, Option<Value>)>,
    pub source: Option<&'a str>,
    pub license: &'a str,
    /// Days since the newest version was published.
    pub days: i64,
}

impl Default for Made<'_> {
    fn default() -> Self {
        Self {
            name: "package",
            publisher: 0,
            kind: Kind::Skill,
            versions: &["1.0.0"],
            description: "Does what it is called.",
            grants: json!({}),
            tool: None,
            source: None,
            license: "Apache-2.0",
            days: 3,
        }
    }
}

impl Made<'_> {
    /// Its entry in `market`, signed by its publisher and the marketplace.
    pub fn entry(&self, market: &Market) -> Entry {
        let (publisher, key) = &market.publishers[self.publisher];
        let signers = [key.public().id(), market.key.public().id()];
        let last = self.versions.len() as i64 - 1;
        let releases = self.versions.iter().enumerate().map(|(at, version)| {
            let version: Version = version.parse().unwrap();
            let blob = |part: &str| Blob::of(format!("{part} of {} {version}", self.name).as_bytes());
            let component = Blob { size: 48_211 + 1_733 * at as u64, ..blob("component") };
            Release {
                published: Timestamp::now() - Span::new().hours(24 * (self.days + 31 * (last - at as i64))),
                component,
                manifest: String::from_utf8(self.manifest(&version).to_packed()).unwrap(),
                signatures: blob("signatures"),
                image: blob("image"),
                signers: signers.into(),
                withdrawn: None,
                version,
            }
        });
        let (name, kind, releases) = (self.name.parse().unwrap(), self.kind, releases.collect());
        Entry { name, publisher: publisher.clone(), kind, releases, advisories: Vec::new() }
    }

    fn manifest(&self, version: &Version) -> Manifest {
        let mut manifest = json!({
            "name": self.name, "version": version.to_string(), "kind": self.kind.to_string(),
            "interface": self.kind.interface(), "description": self.description, "license": self.license,
        });
        manifest["grants"] = self.grants.clone();
        if let Some(source) = self.source {
            manifest["source"] = source.into();
        }
        let manifest: Manifest = serde_json::from_value(manifest).unwrap();
        match &self.tool {
            None => manifest,
            Some((description, input, output)) => {
                let json = |value: &Value| Json::from_value(value).unwrap();
                let (input_schema, output_schema) = (json(input), output.as_ref().map(json));
                manifest
                    .with_tool(Tool { description: (*description).to_owned(), input_schema, output_schema })
                    .unwrap()
            }
        }
    }
}

/// Packages as there may be some day, for the eye.
pub fn shelf(market: &Market) -> Vec<Entry> {
    let calculator = Made {
        name: "calculator",
        versions: &["0.9.0", "1.0.0", "1.0.1", "1.1.0"],
        description: "Evaluates arithmetic: the four operations, powers, roots, logarithms and trigonometry, with \
                      brackets and named constants.",
        tool: Some((
            "Evaluates an arithmetic expression and answers with its value. Use it instead of calculating in your head.",
            json!({"type": "object", "required": ["expression"], "additionalProperties": false, "properties": {
                "expression": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "What to evaluate, such as `2 * (3 + 4) ^ 2`."},
                "precision": {"type": "integer", "minimum": 1, "maximum": 17, "default": 12, "description": "Significant digits of the answer."},
                "angles": {"enum": ["radians", "degrees"], "default": "radians", "description": "What trigonometry takes and gives."}}}),
            Some(json!({"type": "object", "required": ["value"], "properties": {
                "value": {"type": "number", "description": "The value."},
                "steps": {"type": "array", "items": {"type": "object", "properties": {"text": {"type": "string", "description": "One step."}}}}}})),
        )),
        source: Some("https://code.example.org/acme/calculator"),
        ..Made::default()
    };
    let fetch = Made {
        name: "http-fetch",
        versions: &["0.3.0", "0.4.0", "0.4.1"],
        description: "Fetches a page from a host that you name, follows redirects there, and answers with its text, cut to what an agent can read.",
        grants: json!({"clock": true, "secrets": ["api-token"], "http": {
            "api.example.org": {"methods": ["GET"]}, "*.docs.example.org": {"methods": ["GET", "HEAD"], "ports": [443, 8443]}}}),
        tool: Some((
            "Fetches a page.",
            json!({"type": "object", "required": ["url"], "properties": {"url": {"type": "string", "format": "uri", "description": "An address that begins with `https://`."}}}),
            None,
        )),
        source: Some("https://code.example.org/acme/http-fetch"),
        days: 1,
        ..Made::default()
    };
    let notes = Made {
        name: "notes",
        publisher: 1,
        versions: &["2.0.0", "2.1.0"],
        description: "Keeps notes in a directory that you grant, and finds them again by their words.",
        grants: json!({"log": true, "memory": {"notes": "write"}, "directories": {"/notes": "write"}}),
        license: "MIT OR Apache-2.0",
        days: 9,
        ..Made::default()
    };
    let old = Made {
        name: "csv-query",
        publisher: 1,
        versions: &["0.1.0", "0.2.0"],
        description: "Asks questions of a table in CSV, in SQL.",
        days: 40,
        ..Made::default()
    };
    let rules = Made {
        name: "office-rules",
        kind: Kind::Policy,
        description: "A rule set for agents in an office: work stays in its folder, secrets stay where they are, and money is never moved without a person’s yes.",
        days: 5,
        ..Made::default()
    };
    let mut entries: Vec<_> = [&calculator, &fetch, &notes, &old, &rules].map(|made| made.entry(market)).into();
    let small = [
        ("hash", "SHA-2, SHA-3 and BLAKE3 of texts and bytes."),
        ("regex", "Finds what matches a regular expression, in time that grows with the text alone."),
        ("json-query", "Asks questions of JSON in jq’s language."),
        ("text-stats", "Counts words, sentences and characters of a text."),
        ("json-schema", "Says whether a document is what a schema wants, and what is wrong."),
    ];
    entries.extend(small.iter().enumerate().map(|(at, (name, description))| {
        Made { name, description, days: 12 + 3 * at as i64, ..Made::default() }.entry(market)
    }));
    let fetch = &mut entries[1];
    fetch.advisories.push(advisory("VAK-2026-0007", Severity::High, "<0.4.1", "A redirect could lead to a host that was not granted", "When a granted host answered with a redirect, the skill followed it without asking whether the next host is granted too.\n\nThe sandbox refused the request, so nothing was sent; but the skill told the address to the agent.\n\nUpdate to 0.4.1."));
    fetch.releases[0].withdrawn = Some(withdrawn(WithdrawalKind::Yanked, "It does not follow redirects at all."));
    for release in &mut entries[3].releases {
        release.withdrawn =
            Some(withdrawn(WithdrawalKind::Revoked, "A crafted table made it answer with another table's rows."));
    }
    entries
}

/// What is wrong with a version.
fn advisory(id: &str, severity: Severity, affected: &str, title: &str, text: &str) -> Advisory {
    let (id, affected) = (id.parse().unwrap(), affected.parse().unwrap());
    Advisory { id, severity, affected, title: title.to_owned(), text: text.to_owned(), published: Timestamp::now() }
}

/// That a version was withdrawn.
fn withdrawn(kind: WithdrawalKind, reason: &str) -> Withdrawn {
    Withdrawn { kind, reason: reason.parse().unwrap(), since: Timestamp::now(), advisory: None }
}

/// What would do something in a page if it were more than text.
const MARKUP: &str = "</p></bdi><script>document.title='owned'</script><img src=x onerror=alert(1)>\"' autofocus \
                          onfocus=alert(1) x=\"<svg/onload=alert(1)>&lt;b&gt;{{7*7}}${7*7}<!--";

/// A package each text of which is markup, as long as it may be, with all that
/// there is room for: the heaviest page.
pub fn hostile(market: &Market) -> Entry {
    let long = |bytes: usize| MARKUP.repeat(bytes / MARKUP.len());
    let member = json!({"type": MARKUP, "description": long(600), "default": MARKUP, "pattern": MARKUP, "enum": [MARKUP, MARKUP]});
    let members: serde_json::Map<_, _> = (0..36).map(|at| (format!("{MARKUP}{at}"), member.clone())).collect();
    let schema = json!({"type": "object", "title": MARKUP, "description": long(400), "required": [MARKUP], "properties": members});
    let directories: serde_json::Map<_, _> = (0..60).map(|at| (format!("/<b>&'{at}"), "write".into())).collect();
    let http: serde_json::Map<_, _> = (0..60)
        .map(|at| {
            (
                format!("h{at}.{}.example.org", "long".repeat(14)),
                json!({"methods": ["GET", "POST"], "ports": (1..=60).collect::<Vec<_>>()}),
            )
        })
        .collect();
    let versions: Vec<_> = (0..1_000).map(|at| format!("0.{at}.0-{}", "x".repeat(60))).collect();
    let made = Made {
        name: "hostile",
        versions: &versions.iter().map(String::as_str).collect::<Vec<_>>()[990..],
        description: &long(2_000),
        grants: json!({"log": true, "directories": directories, "http": http}),
        tool: Some((&long(4_000), schema.clone(), Some(schema))),
        source: Some("javascript:alert(document.domain)//"),
        license: MARKUP,
        days: 0,
        ..Made::default()
    };
    let mut entry = made.entry(market);
    for at in 0..200 {
        let id = format!("VAK-{at}");
        entry.advisories.push(advisory(&id, Severity::Critical, ">=0.0.0-0", &long(480), &long(8_000)));
    }
    for release in &mut entry.releases {
        release.withdrawn = Some(withdrawn(WithdrawalKind::Revoked, &long(480)));
    }
    entry
}

/// Very many packages.
pub fn crowd(market: &Market, count: usize) -> Vec<Entry> {
    const VERBS: [&str; 8] = ["reads", "sorts", "counts", "joins", "checks", "draws", "sends", "folds"];
    const THINGS: [&str; 10] =
        ["tables", "pages", "mails", "trees", "images", "logs", "notes", "dates", "prices", "graphs"];
    let one = |at: usize| {
        let (verb, thing, other) = (VERBS[at % 8], THINGS[(at / 8) % 10], THINGS[(at / 80) % 10]);
        let name = format!("{thing}-{at}-{verb}");
        let description =
            format!("It {verb} {thing} and {other}, number {at} of its kind, for agents that work with {thing}.");
        Made { name: &name, publisher: at % 2, description: &description, days: (at % 900) as i64, ..Made::default() }
            .entry(market)
    };
    (0..count).map(one).collect()
}
