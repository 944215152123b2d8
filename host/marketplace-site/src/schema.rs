//! A JSON Schema as a table: what there is, of which type, and what it means.

use maud::{Markup, html};
use serde_json::Value;

use crate::cut::{Text, cut};

/// How deep members of members are told.
const DEPTH_MAX: usize = 3;

/// How many references one after the other are followed.
const HOPS_MAX: usize = 4;

/// Bytes of HTML for a table. What is beyond is in the manifest.
const TABLE_BYTES_MAX: usize = 7_000;

/// Bytes of HTML for the schema itself.
const RAW_BYTES_MAX: usize = 6_000;

/// The schema under a heading. `manifest` is where it is whole.
pub(crate) fn section(id: &str, heading: &str, schema: &Value, manifest: &str) -> Markup {
    let (rows, whole) = rows(schema);
    let raw = serde_json::to_string_pretty(schema).unwrap_or_default();
    let raw = cut(&raw, RAW_BYTES_MAX);
    html! {
        section aria-labelledby=(id) {
            h2 #(id) { (heading) }
            @if let Some(text) = schema.get("description").and_then(Value::as_str) {
                p .told dir="auto" { (Text(&cut(text, 600).told())) }
            }
            @if rows.is_empty() {
                p { "No members are described; its type is " code { (Text(&cut(&type_of(schema), 120).told())) } "." }
            } @else {
                table .schema {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                    tbody { @for row in rows { (row) } }
                }
            }
            @if !whole { p .more { "There is more than fits here: " a href=(manifest) { "read the manifest" } "." } }
            details {
                summary { "JSON Schema" }
                pre tabindex="0" { code { (Text(&raw.told())) } }
                @if !raw.whole { p .more { "Cut here; it is whole in " a href=(manifest) { "the manifest" } "." } }
            }
        }
    }
}

/// Rows, as many as there is room for, and whether that is all.
fn rows(schema: &Value) -> (Vec<Markup>, bool) {
    let mut table = Table { root: schema, rows: Vec::new(), bytes: 0, whole: true };
    table.members(schema, "", 0);
    (table.rows, table.whole)
}

struct Table<'a> {
    root: &'a Value,
    rows: Vec<Markup>,
    bytes: usize,
    whole: bool,
}

impl<'a> Table<'a> {
    fn members(&mut self, schema: &'a Value, path: &str, depth: usize) {
        let schema = self.resolved(schema);
        let required: Vec<_> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let members = schema.get("properties").and_then(Value::as_object);
        // What is needed comes first, each in the schema's order.
        for wanted in [true, false] {
            for (name, member) in
                members.into_iter().flatten().filter(|(name, _)| required.contains(&name.as_str()) == wanted)
            {
                if !self.whole {
                    return;
                }
                self.member(&format!("{path}{name}"), member, wanted, depth);
            }
        }
    }

    fn member(&mut self, path: &str, member: &'a Value, required: bool, depth: usize) {
        let about = self.resolved(member);
        let described = [member, about].into_iter().find_map(|schema| schema.get("description")?.as_str());
        let bounds = bounds(about);
        let row = html! {
            tr {
                th scope="row" {
                    code { (Text(&cut(path, 200).told())) }
                    @if required { " " span .need { "required" } }
                }
                td { code .type { (Text(&cut(&type_of(about), 160).told())) } }
                td dir="auto" {
                    @if let Some(text) = described { (Text(&cut(text, 400).told())) " " }
                    @if !bounds.is_empty() { small .bounds { (Text(&cut(&bounds, 240).told())) } }
                    @if described.is_none() && bounds.is_empty() { span .none { "not described" } }
                }
            }
        };
        self.bytes += row.0.len();
        if self.bytes > TABLE_BYTES_MAX {
            self.whole = false;
            return;
        }
        self.rows.push(row);
        match about.get("items") {
            _ if depth + 1 >= DEPTH_MAX => {}
            Some(items) => self.members(items, &format!("{path}[]."), depth + 1),
            None => self.members(about, &format!("{path}."), depth + 1),
        }
    }

    /// What a reference within the document means.
    fn resolved(&self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..HOPS_MAX {
            let pointer = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
            match pointer.and_then(|pointer| self.root.pointer(pointer)) {
                Some(meant) => schema = meant,
                None => break,
            }
        }
        schema
    }
}

/// A schema's type in a few words.
fn type_of(schema: &Value) -> String {
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().take(12).map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    match schema.get("type") {
        Some(Value::String(name)) if name == "array" => match schema.get("items") {
            Some(items) => format!("array of {}", type_of(items)),
            None => "array".to_owned(),
        },
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ if schema.get("properties").is_some() => "object".to_owned(),
        _ => {
            let choices = ["oneOf", "anyOf"].iter().find_map(|word| schema.get(word)?.as_array());
            let choices = choices.map(|choices| choices.iter().take(6).map(named).collect::<Vec<_>>().join(" | "));
            choices.unwrap_or_else(|| "any".to_owned())
        }
    }
}

/// One of several, without those that it is made of.
fn named(schema: &Value) -> String {
    let title = ["title", "type"].iter().find_map(|word| schema.get(word)?.as_str());
    title.map_or_else(|| "any".to_owned(), str::to_owned)
}

/// What else is said of a value.
fn bounds(schema: &Value) -> String {
    // What comes before the value, and after it.
    const WORDS: [(&str, &str, &str); 14] = [
        ("default", "default ", ""),
        ("minimum", "at least ", ""),
        ("exclusiveMinimum", "more than ", ""),
        ("maximum", "at most ", ""),
        ("exclusiveMaximum", "less than ", ""),
        ("multipleOf", "a multiple of ", ""),
        ("minLength", "at least ", " characters"),
        ("maxLength", "at most ", " characters"),
        ("minItems", "at least ", " items"),
        ("maxItems", "at most ", " items"),
        ("minProperties", "at least ", " members"),
        ("maxProperties", "at most ", " members"),
        ("pattern", "matches ", ""),
        ("format", "format ", ""),
    ];
    let value = |key: &str| {
        let value = schema.get(key)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let said = WORDS.iter().filter_map(|(key, before, after)| Some(format!("{before}{}{after}", value(key)?)));
    said.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn text(schema: &Value) -> String {
        rows(schema).0.into_iter().map(maud::PreEscaped::into_string).collect()
    }

    #[test]
    fn members_are_told_with_what_is_needed_first() {
        let schema = serde_json::json!({
            "type": "object", "required": ["b"],
            "properties": {
                "a": {"type": ["string", "null"], "maxLength": 9},
                "b": {"$ref": "#/$defs/b"},
                "c": {"type": "array", "items": {"properties": {"d": {"enum": ["x", 1]}}}},
            },
            "$defs": {"b": {"type": "integer", "description": "How many.", "minimum": 1, "default": 3}},
        });
        let text = text(&schema);
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in {text}"));
        assert!(at("<bdi>b</bdi>") < at("required") && at("required") < at("<bdi>a</bdi>"));
        for part in [
            "How many.",
            "default 3; at least 1",
            "string | null",
            "at most 9 characters",
            "c[].d",
            "&quot;x&quot; | 1",
        ] {
            at(part);
        }
    }

    #[test]
    fn hostile_schemas_are_bounded() {
        let turns = serde_json::json!({"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#/properties/b"}}});
        assert!(rows(&turns).0.len() < 40);
        let members: Map<_, _> = (0..5_000).map(|at| (format!("\"<{at}>"), Value::Bool(true))).collect();
        let wide = serde_json::json!({ "properties": members });
        let (rows, whole) = rows(&wide);
        assert!(!whole && rows.iter().map(|row| row.0.len()).sum::<usize>() <= TABLE_BYTES_MAX);
        let html = section("i", "In", &wide, "/m").into_string();
        assert!(html.len() < TABLE_BYTES_MAX + RAW_BYTES_MAX + 1_500, "{}", html.len());
        // Nothing of a schema has to be what it should be.
        for odd in
            [r#"{"properties": 1, "required": "a"}"#, r#"{"type": {}, "enum": 1}"#, r#"{"$ref": 7, "items": []}"#]
        {
            section("i", "In", &serde_json::from_str(odd).unwrap(), "/m");
        }
    }
}
