//! What a server answered, as it is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn told(&self) -> Value {
        let headers = self.headers.iter().map(|(name, value)| json!([name, String::from_utf8_lossy(value)]));
        let (body, encoding) = match text(&self.body) {
            Some(text) => (text.to_owned(), "text"),
            None => (STANDARD.encode(&self.body), "base64"),
        };
        let headers: Vec<_> = headers.collect();
        json!({ "status": self.status, "headers": headers, "body": body, "encoding": encoding, "bytes": self.body.len() })
    }
}

/// The body as a text. One with control characters would become six times as long
/// in JSON.
fn text(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let strange = |byte: u8| (byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f;
    (!text.bytes().any(strange)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_told_without_loss() {
        let cases: [(&[u8], &str, &str); 4] = [
            (b"a\n\"", "text", "a\n\""),
            ("ä".as_bytes(), "text", "ä"),
            (b"\xff", "base64", "/w=="),
            (b"a\0", "base64", "YQA="),
        ];
        for (body, encoding, told) in cases {
            let answer =
                Answer { status: 200, headers: vec![("x".to_owned(), b"\xff".to_vec())], body: body.to_vec() }.told();
            assert_eq!((&answer["encoding"], &answer["body"]), (&json!(encoding), &json!(told)));
        }
    }
}
