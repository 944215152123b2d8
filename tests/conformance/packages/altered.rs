//! Signature files that were altered, and statements that a trusted key signed
//! and nobody should.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use proptest::prelude::Rng as _;
use proptest::test_runner::TestRunner;

use super::{SEED, judge, key, package, validity, with};

/// Some seconds of Python.
const CASES: usize = 4_000;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// What parsers of JSON, base64 and times are known to differ in.
const PIECES: [&str; 24] = [
    "\u{feff}", "\0", "\r\n", "\u{b}", "\u{a0}", "\\u0000", "\\ud800", "\\/", "//", "null", "NaN", "1e999", "-0", "[]",
    "{}", "\"", "\\", ",", "}", "=", "-", "_", "/**/", "\u{85}",
];

fn sound() -> String {
    String::from_utf8(package().sign(&key(SEED), validity(Some("2026-03-02T00:00:00Z"))).bundle.unwrap()).unwrap()
}

fn payload() -> String {
    let bundle: serde_json::Value = serde_json::from_str(&sound()).unwrap();
    String::from_utf8(STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap()).unwrap()
}

/// A bundle around any payload, signed by the trusted key.
fn signed(payload: &[u8]) -> String {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    let signature = ed25519_dalek::SigningKey::from_bytes(&SEED).sign(&[head.as_bytes(), payload].concat());
    let mut bundle: serde_json::Value = serde_json::from_str(&sound()).unwrap();
    bundle["dsseEnvelope"]["payload"] = STANDARD.encode(payload).into();
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = STANDARD.encode(signature.to_bytes()).into();
    bundle.to_string()
}

/// Replaces `from` in the sound text `of` by each, and says which are taken.
#[track_caller]
fn check(of: &str, wrap: impl Fn(&str) -> Vec<u8>, cases: &[(&str, &str, bool)]) {
    let altered = cases.iter().map(|(from, to, _)| {
        assert!(of.contains(from), "{from}");
        with(wrap(&of.replacen(from, to, 1)))
    });
    for ((from, to, expected), taken) in cases.iter().zip(judge(&altered.collect::<Vec<_>>())) {
        assert_eq!(taken, *expected, "{from} to {to}");
    }
}

#[test]
fn both_refuse_the_same_spellings_of_bundles() {
    let sound = sound();
    check(
        &sound,
        |text| text.as_bytes().to_vec(),
        &[
            ("{", " {\n", true),
            ("{", "\u{feff}{", false),
            ("{", "\u{a0}{", false),
            ("{", "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",", false),
            ("\"mediaType\"", "\"media\\u0054ype\"", true),
            ("\"mediaType\"", "\"media_type\"", false),
            ("application/vnd", "application\\/vnd", true),
            ("\"hint\":\"", "\"hint\":\"\\ud800", false),
            ("\"hint\":\"", "\"hint\":\"\\ud83d\\ude00", true),
            ("\"hint\":\"", "\"hint\":\"\t", false),
            ("\"hint\":\"", "\"hint\":\"\u{7f}\u{202e}", true),
            ("\"hint\":", "\"hint\":null,\"x\":", false),
            ("\"tlogEntries\":[]", "\"tlogEntries\":[{}]", false),
            ("\"tlogEntries\":[]", "\"tlogEntries\":{}", false),
            ("\"tlogEntries\":[]", "\"tlogEntries\":\"\"", false),
            ("\"tlogEntries\":[]", "\"tlogEntries\":null", false),
            (",\"tlogEntries\":[]", "", true),
            (",\"tlogEntries\":[]", ",\"timestampVerificationData\":{}", false),
            ("\"publicKey\":{", "\"publicKey\":[{", false),
            ("\"signatures\":[", "\"signatures\":[{},", false),
            ("\"signatures\":[{", "\"signatures\":{", false),
            ("\"sig\":\"", "\"sig\":\" ", false),
            ("==\"", "=\"", false),
            ("==\"", "\"", false),
            ("==\"", "==\\n\"", false),
            ("}\n", "},", false),
            ("}\n", "}\0", false),
            ("}\n", "}\r\n", true),
            ("}\n", "", false),
        ],
    );
    let key = sound.split("\"hint\":").nth(1).unwrap().split('}').next().unwrap();
    check(
        &sound,
        |text| text.as_bytes().to_vec(),
        &[
            (&format!("{{\"hint\":{key}}}"), "{}", true),
            (&format!("{{\"hint\":{key}}}"), &format!("[{key}]"), false),
            (&format!(",\"keyid\":{key}"), "", true),
        ],
    );
    let deep = "[".repeat(30_000);
    check(
        &sound,
        |text| text.as_bytes().to_vec(),
        &[
            ("\"tlogEntries\":[]", &format!("\"tlogEntries\":{deep}"), false),
            ("{", &deep, false),
            ("{", &format!("{{\"x\":{deep}"), false),
            ("{", &format!("{}{{", " ".repeat(65_536)), false),
        ],
    );
    let mut latin = sound.into_bytes();
    latin[10] = 0xe4;
    assert_eq!(judge(&[with(latin)]), [false]);
}

#[test]
fn both_refuse_the_same_spellings_of_statements() {
    let payload = payload();
    let digest = payload.split("\"sha256\":\"").nth(1).unwrap().split('"').next().unwrap();
    check(
        &payload,
        |text| signed(text.as_bytes()).into_bytes(),
        &[
            ("{", "\r\n\t {", true),
            ("{", "\u{feff}{", false),
            ("{", "{}{", false),
            ("{", "{\"x\":1,", false),
            ("Statement/v1", "Statement/v0.1", false),
            ("urn:vak:component:v1", "urn:vak:component:v2", false),
            (digest, &digest.to_uppercase(), false),
            (digest, &digest[1..], false),
            (digest, &"0".repeat(64), false),
            ("\"sha256\":", "\"sha512\":\"\",\"sha256\":", false),
            ("\"digest\":{", "\"digest\":[{", false),
            ("component.wasm", "Component.wasm", false),
            ("component.wasm", "component\\u002ewasm", true),
            ("\"subject\":[", "\"subject\":[{\"name\":\"x\",\"digest\":{\"sha256\":\"\"}},", false),
            ("\"name\":\"manifest.json\"", "\"name\":\"manifest.json\",\"name\":\"manifest.json\"", false),
            ("2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z", true),
            ("2026-03-01T00:00:00Z", "2026-03-01T00:05:00Z", true),
            ("2026-03-01T00:00:00Z", "2026-03-01T00:05:01Z", false),
            ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00.5Z", false),
            ("2026-03-01T00:00:00Z", "2026-03-01T01:00:00+01:00", false),
            ("2026-03-01T00:00:00Z", "2026-03-01t00:00:00z", false),
            ("2026-03-01T00:00:00Z", "2026-03-01 00:00:00Z", false),
            ("2026-03-01T00:00:00Z", "2026-02-30T00:00:00Z", false),
            ("2026-03-01T00:00:00Z", "2026-02-28T23:59:60Z", false),
            ("2026-03-01T00:00:00Z", "2026-02-28T24:00:00Z", false),
            ("2026-03-01T00:00:00Z", "1970-01-01T00:00:00Z", true),
            ("2026-03-01T00:00:00Z", "1969-12-31T23:59:59Z", false),
            ("2026-03-01T00:00:00Z", "٢٠٢٦-03-01T00:00:00Z", false),
            ("2026-03-02T00:00:00Z", "2026-03-01T00:00:01Z", true),
            ("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", false),
            ("2026-03-02T00:00:00Z", "9998-12-31T23:59:59Z", true),
            ("2026-03-02T00:00:00Z", "9999-01-01T00:00:00Z", false),
            ("2026-03-02T00:00:00Z", "+010000-01-01T00:00:00Z", false),
            ("\"expiresAt\":\"2026-03-02T00:00:00Z\"", "\"expiresAt\":null", false),
            ("\"expiresAt\":\"2026-03-02T00:00:00Z\"", "\"expiresAt\":1e999", false),
            (",\"expiresAt\":\"2026-03-02T00:00:00Z\"", "", true),
            ("\"signedAt\":\"2026-03-01T00:00:00Z\",", "", false),
        ],
    );
}

/// Other signatures over the same payload.
#[test]
fn both_refuse_the_same_signatures() {
    let sound = sound();
    let text = sound.split("\"sig\":\"").nth(1).unwrap().split('"').next().unwrap();
    let bytes = STANDARD.decode(text).unwrap();
    let (r, s) = bytes.split_at(32);
    let small: [&[u8]; 3] = [&[0; 32], &[&[1][..], &[0; 31]].concat(), &[&[0xec][..], &[0xff; 30], &[0x7f]].concat()];
    let mut altered = vec![
        [r, &plus_order(s)[..]].concat(),
        bytes[..63].to_vec(),
        [&bytes[..], &[0]].concat(),
        Vec::new(),
        [s, r].concat(),
        [r, &[0; 32]].concat(),
        vec![0; 64],
    ];
    altered.extend(small.iter().flat_map(|point| [[point, s].concat(), [point, &[0; 32][..]].concat()]));
    let cases: Vec<_> = altered.iter().map(|sig| with(sound.replace(text, &STANDARD.encode(sig)))).collect();
    assert!(judge(&cases).iter().all(|taken| !taken));
    // `==` leaves four bits of the last digit unused.
    let last = text.trim_end_matches('=').len() - 1;
    assert!(text.ends_with("==") && text.as_bytes()[last].is_ascii_uppercase(), "{text}");
    let stray = |digit: &str| with(sound.replace(text, &format!("{}{digit}==", &text[..last])));
    let own = &text[last..=last];
    let others = ["A", "B", "Q", "R", "g", "h", "w", "x"].into_iter().filter(|digit| *digit != own);
    assert!(judge(&others.map(stray).collect::<Vec<_>>()).iter().all(|taken| !taken));
    assert_eq!(judge(&[stray(own)]), [true]);
    let url = text.replace('+', "-").replace('/', "_");
    assert_ne!(url, text, "nothing to say about the alphabet");
    assert_eq!(judge(&[with(sound.replace(text, &url))]), [false]);
}

/// S plus the group's order is congruent to S, and not allowed since RFC 8032.
fn plus_order(s: &[u8]) -> [u8; 32] {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let (mut sum, mut carry) = ([0; 32], 0);
    for (at, byte) in sum.iter_mut().enumerate() {
        let total = u16::from(s[at]) + u16::from(ORDER[at]) + carry;
        *byte = (total & 0xff) as u8;
        carry = total >> 8;
    }
    sum
}

#[test]
fn both_refuse_the_same_damaged_files() {
    let (sound, payload) = (sound(), payload());
    let mut random = TestRunner::deterministic().new_rng();
    let mut below = move |end: usize| random.next_u64() as usize % end;
    let cases: Vec<_> = (0..CASES)
        .map(|case| {
            // Half of them have a genuine signature over a damaged payload.
            let mut text = if case % 2 == 0 { sound.clone() } else { payload.clone() }.into_bytes();
            let at = below(text.len());
            match below(6) {
                0 => text[at] ^= 1 << below(8),
                1 => text.insert(at, u8::try_from(below(256)).unwrap()),
                2 => drop(text.remove(at)),
                3 => text.truncate(at),
                4 => drop(text.splice(at..at, PIECES[below(PIECES.len())].bytes())),
                _ => {
                    let end = (at + below(40)).min(text.len());
                    let copy = text[at..end].to_vec();
                    let to = below(text.len());
                    drop(text.splice(to..to, copy));
                }
            }
            with(if case % 2 == 0 { text } else { signed(&text).into_bytes() })
        })
        .collect();
    let taken = judge(&cases).iter().filter(|taken| **taken).count();
    // Changes of the hint and in white space do no harm.
    assert!((CASES / 100..CASES / 5).contains(&taken), "{taken} of {CASES} taken");
}
