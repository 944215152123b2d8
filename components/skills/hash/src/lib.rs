//! A skill that computes digests: `{"algorithm": "sha2-256", "text": "abc"}`
//! gives `{"digest": "ba7816bf…", "bytes": 3}`.

mod digest;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use vak_sdk::skill::{Skill, SkillError, Tool};

use digest::Algorithm;

#[derive(Default)]
struct Hash;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    algorithm: Algorithm,
    text: Option<String>,
    base64: Option<String>,
    key: Option<String>,
    #[serde(default)]
    encoding: Encoding,
}

/// How a digest is written.
#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Hex,
    Base64,
}

impl Skill for Hash {
    fn describe(&self) -> Tool {
        let input = json!({
            "type": "object",
            "properties": {
                "algorithm": { "enum": ["sha2-256", "sha2-384", "sha2-512", "sha3-256", "sha3-512", "blake3"] },
                "text": { "type": "string", "description": "What to hash: the bytes of this text in UTF-8. Give this or `base64`." },
                "base64": { "type": "string", "description": "What to hash, as base64 with padding (RFC 4648, section 4)." },
                "key": {
                    "type": "string",
                    "description": "A key, as base64. With it the result is HMAC (RFC 2104), or keyed BLAKE3, whose key has 32 bytes."
                },
                "encoding": { "enum": ["hex", "base64"], "default": "hex", "description": "How the digest is written." }
            },
            "required": ["algorithm"],
            "oneOf": [{ "required": ["text"] }, { "required": ["base64"] }],
            "additionalProperties": false
        });
        let output = json!({
            "type": "object",
            "properties": {
                "digest": { "type": "string" },
                "bytes": { "type": "integer", "minimum": 0, "description": "How many bytes were hashed." }
            },
            "required": ["digest", "bytes"]
        });
        Tool::new(
            "Computes a digest of a text or of bytes: SHA-2, SHA-3 or BLAKE3; with a key an authentication code.",
            &input,
        )
        .output(&output)
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let input: Input = serde_json::from_str(input).map_err(|error| invalid(&error))?;
        let bytes = match (input.text, input.base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(text)) => decode("base64", &text)?,
            _ => return Err(invalid(&"exactly one of `text` and `base64` has to be given")),
        };
        let key = input.key.map(|key| decode("key", &key)).transpose()?;
        let digest = input.algorithm.digest(&bytes, key.as_deref()).map_err(|error| invalid(&error))?;
        let digest = match input.encoding {
            Encoding::Hex => digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            Encoding::Base64 => STANDARD.encode(&digest),
        };
        Ok(json!({ "digest": digest, "bytes": bytes.len() }).to_string())
    }
}

fn decode(name: &str, text: &str) -> Result<Vec<u8>, SkillError> {
    STANDARD.decode(text).map_err(|error| invalid(&format!("`{name}` is not base64 with padding: {error}")))
}

fn invalid(why: &impl ToString) -> SkillError {
    SkillError::InvalidInput(why.to_string())
}

vak_sdk::export_skill!(Hash);
