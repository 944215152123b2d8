//! Bytes that one reader takes and another does not, or that cost a reader more
//! than they should: each refused with its error.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Unsigned, Validity};
use vak_types::Timestamp;

const NOW: Timestamp = Timestamp::from_nanos(1_790_000_000_000_000_000);

const MANIFEST: &str = r#"{"name":"a","version":"1.0.0","kind":"skill","interface":"vak:skill/skill@0.1.0","description":"","license":"MIT","grants":{"log":true,"secrets":["s"],"directories":{"/a":"read"}},"limits":{"fuel_max":5},"config_schema":{"a":1}}"#;

fn key() -> PrivateKey {
    PrivateKey::generate().unwrap()
}

fn package(manifest: impl Into<Vec<u8>>) -> Package {
    Package { component: b"one".to_vec(), manifest: manifest.into(), bundle: None }
}

/// What is said of a package that `key` is trusted to sign; nothing if it is
/// taken.
fn said(key: &PrivateKey, package: Package) -> String {
    let trust = TrustPolicy::of_publishers([key.public()]);
    trust.verify(package, Unsigned::Refuse, NOW).map_or_else(|error| error.to_string(), |_| String::new())
}

#[track_caller]
fn refused(said: &str, part: &str, of: &str) {
    assert!(said.contains(part), "{of:.200}: {said:?}");
    // It may be about anything, and is printed.
    assert_eq!(vak_types::printable(said, 1_000), said, "{of:.200}");
}

/// The publisher itself signed these manifests, with whatever tool.
#[test]
fn a_manifest_has_one_spelling() {
    let key = key();
    let sign = |manifest: Vec<u8>| said(&key, package(manifest).sign(&key, Validity::since(NOW)));
    assert_eq!(sign(MANIFEST.into()), "");
    let deep = |levels: usize| {
        format!("\"config_schema\":{}{}", "{\"a\":".repeat(levels), "1".to_owned() + &"}".repeat(levels))
    };
    let (allowed, too_deep, far_too_deep) = (deep(64), deep(65), deep(30_000));
    assert_eq!(sign(MANIFEST.replace(r#""config_schema":{"a":1}"#, &allowed).into()), "");
    let cases: &[(&str, &str, &str)] = &[
        // A struct reports a key that stands twice; a map and a set would not.
        (r#""name":"a""#, r#""name":"a","name":"b""#, "duplicate field `name`"),
        (r#""log":true"#, r#""log":true,"log":false"#, "duplicate field `log`"),
        (r#""fuel_max":5"#, r#""fuel_max":5,"fuel_max":6"#, "duplicate field `fuel_max`"),
        (r#"{"/a":"read"}"#, r#"{"/a":"read","/a":"write"}"#, "not in canonical form"),
        (r#"["s"]"#, r#"["s","s"]"#, "not in canonical form"),
        (r#"{"a":1}"#, r#"{"a":1,"a":2}"#, "the key `a` stands twice in one object"),
        (r#"{"a":1}"#, r#"{"a":[{"b":1,"b":1}]}"#, "the key `b` stands twice in one object"),
        (r#"{"a":1}"#, r#"{"a":1e999}"#, "number out of range"),
        (r#"{"a":1}"#, r#"{"a":NaN}"#, "expected value"),
        (r#"{"a":1}"#, r#"{"a":1.0e0}"#, "not in canonical form"),
        (r#"{"a":1}"#, r#"{"a":-0}"#, "not in canonical form"),
        (r#"{"a":1}"#, r#"{"a":"\ud800"}"#, "unexpected end of hex escape"),
        (r#"{"a":1}"#, "{\"a\":\"\u{202e}\"}", "config_schema has a control character"),
        (r#"{"a":1}"#, r#"{"a":"\u001b[2J"}"#, "config_schema has a control character"),
        (r#""config_schema":{"a":1}"#, &too_deep, "nested deeper than 64 levels"),
        (r#""config_schema":{"a":1}"#, &far_too_deep, "nested deeper than 64 levels"),
        (r#""fuel_max":5"#, r#""fuel_max":1e999"#, "number out of range"),
        (r#""fuel_max":5"#, r#""fuel_max":5.0"#, "invalid type: floating point"),
        (r#""fuel_max":5"#, r#""fuel_max":-5"#, "invalid value: integer `-5`"),
        (r#""fuel_max":5"#, r#""fuel_max":18446744073709551616"#, "invalid type: floating point"),
        (r#""description":"""#, r#""description":"\n""#, ""),
        (r#""description":"""#, r#""description":"\u000a""#, "not in canonical form"),
        (r#""description":"""#, "\"description\":\"\n\"", "control character"),
        (r#""description":"""#, r#""description":"\u0000""#, "description has a control character"),
        (r#""description":"""#, "\"description\":\"\u{2066}\"", "description has a control character"),
        (r#""description":"""#, "\"description\":\"\u{e0041}\"", "description has a control character"),
        (r#""description":"""#, r#""description":null"#, "invalid type: null"),
        (r#""name":"a""#, "\"na\u{202e}me\":\"a\"", "unknown field `na\\u{202e}me`"),
        ("{", "\u{feff}{", "expected value"),
        ("{", "{\r\n", "not in canonical form"),
        ("{", "\0{", "expected value"),
        ("{", "[{", "expected"),
    ];
    for (from, to, part) in cases {
        let manifest = MANIFEST.replacen(from, to, 1);
        assert_ne!(manifest, MANIFEST, "{from}");
        match *part {
            "" => assert_eq!(sign(manifest.into()), ""),
            part => refused(&sign(manifest.into()), part, to),
        }
    }
    for (end, part) in [("}", "trailing characters"), ("{}", "trailing characters"), ("\0", "trailing characters")] {
        refused(&sign(format!("{MANIFEST}{end}").into()), part, end);
    }
    for end in ["\n", " ", "\r\n"] {
        refused(&sign(format!("{MANIFEST}{end}").into()), "not in canonical form", end);
    }
    let mut latin = MANIFEST.as_bytes().to_vec();
    latin[9] = 0xe9;
    refused(&sign(latin), "invalid unicode code point", "latin-1");
    refused(&sign(vec![b' '; 300_000]), "text has 300000 bytes; the most is 262144", "spaces");
    refused(&sign(Vec::new()), "EOF while parsing", "nothing");
    // An array of the fields' values is an object to some readers.
    refused(
        &sign(br#"["a","1.0.0","skill","vak:skill/skill@0.1.0","","MIT"]"#.to_vec()),
        "not in canonical form",
        "array",
    );
}

/// Outside of what is signed, so anybody can do it.
#[test]
fn a_signature_file_is_read_in_one_way() {
    let key = key();
    let manifest = Manifest::from_packed(MANIFEST.as_bytes()).unwrap();
    let good = Package::unsigned(b"one".to_vec(), &manifest).sign(&key, Validity::since(NOW));
    let text = String::from_utf8(good.bundle.clone().unwrap()).unwrap();
    let with = |bundle: Vec<u8>| said(&key, Package { bundle: Some(bundle), ..good.clone() });
    assert_eq!(with(text.clone().into()), "");
    let deep = "[".repeat(60_000);
    let cases: &[(&str, &str, &str)] = &[
        ("{", "{\"mediaType\":\"x\",", "duplicate field `mediaType`"),
        ("\"payload\":", "\"payload\":\"\",\"payload\":", "duplicate field `payload`"),
        ("\"hint\":", "\"hint\":\"\",\"hint\":", "duplicate field `hint`"),
        ("\"sig\":", "\"sig\":\"\",\"sig\":", "duplicate field `sig`"),
        ("\"tlogEntries\":[]", "\"tlogEntries\":[1]", "not a bundle"),
        ("\"tlogEntries\":[]", "\"tlogEntries\":1e999", "not a bundle"),
        ("\"tlogEntries\":[]", &format!("\"tlogEntries\":{deep}"), "not a bundle"),
        ("\"signatures\":[{", "\"signatures\":[[", "expected an object"),
        ("\"dsseEnvelope\":{", "\"dsseEnvelope\":[{", "expected an object"),
        ("{", &deep, "expected an object"),
        ("{", &format!("{{\"x\":{deep}"), "unknown field `x`"),
        ("{", "{\"\u{202e}\\u001b\":1,", "unknown field `\\u{202e}\\u{1b}`"),
        ("application/vnd.dev", "\u{202e}", "has the media type `\\u{202e}"),
        ("{", "\u{feff}{", "not a bundle"),
        ("{", "\0{", "not a bundle"),
        ("}\n", "}\0", "not a bundle"),
        ("}\n", "}\n\n,", "not a bundle"),
        ("}\n", "}\r\nx", "not a bundle"),
        ("\"payload\":\"", "\"payload\":\" ", "payload is not base64"),
        ("\"payload\":\"", "\"payload\":\"\\n", "payload is not base64"),
        ("\"payload\":\"", "\"payload\":\"-___", "payload is not base64"),
        ("\"payload\":\"", "\"payload\":\"=", "payload is not base64"),
        ("\"sig\":\"", "\"sig\":\"A", "signature is not base64"),
        ("==\"", "\"", "is not base64"),
    ];
    for (from, to, part) in cases {
        assert!(text.contains(from), "{from}");
        refused(&with(text.replacen(from, to, 1).into()), part, to);
    }
    for same in [text.replacen('{', " {\r\n", 1), text.trim_end().to_owned(), format!("{text}\r\n\t "), text.repeat(2)]
    {
        assert_eq!(with(same.into()), "");
    }
    let mut latin = text.into_bytes();
    latin[20] = 0xe9;
    refused(&with(latin), "invalid unicode code point", "latin-1");
    refused(&with(vec![b'{'; 65_537]), "has 65537 bytes; the most is 65536", "braces");
    refused(&with(vec![b'{'; 65_536]), "not a bundle", "braces");
}
