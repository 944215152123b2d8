//! How deep a Cedar text can nest, found without recursion.
//!
//! Parser, validator and evaluator walk what they read recursively and have the
//! stack of a guest. What nests is brackets, and what chains: `a || b || c` is as
//! deep as it has parts. So both are counted, before anything is parsed.

/// Brackets within brackets.
pub(crate) const NESTING_MAX: usize = 32;

/// Operators, `if`s and accesses in a statement, which ends with `;`.
pub(crate) const OPERATORS_MAX: usize = 256;

/// The first byte that is too deep, and why.
pub(crate) fn too_complex(text: &str) -> Option<(usize, String)> {
    let mut scan = Scan::default();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let after = match byte {
            b'"' => string_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => line_end(bytes, at),
            byte if word(*byte) => word_end(bytes, at),
            _ if matches!(bytes.get(at..at + 2), Some(b"&&" | b"||" | b"==" | b"!=" | b"<=" | b">=")) => at + 2,
            _ => at + 1,
        };
        if let Some(why) = scan.token(&bytes[at..after]) {
            return Some((at, why));
        }
        at = after;
    }
    None
}

#[derive(Default)]
struct Scan {
    nesting: usize,
    operators: usize,
}

impl Scan {
    fn token(&mut self, token: &[u8]) -> Option<String> {
        match token {
            b"(" | b"[" | b"{" => {
                self.nesting += 1;
                self.operators += 1;
            }
            b")" | b"]" | b"}" => self.nesting = self.nesting.saturating_sub(1),
            // The end of a statement: within brackets there is none in a policy,
            // and in a schema namespaces have them.
            b";" => self.operators = 0,
            b"." | b"!" | b"-" | b"+" | b"*" | b"&&" | b"||" | b"==" | b"!=" | b"<" | b"<=" | b">" | b">=" | b"if" => {
                self.operators += 1;
            }
            _ => {}
        }
        if self.nesting > NESTING_MAX {
            return Some(format!("brackets in brackets {} deep; the most is {NESTING_MAX}", self.nesting));
        }
        let too_many = || format!("more than {OPERATORS_MAX} operators and brackets in one statement; split it");
        (self.operators > OPERATORS_MAX).then(too_many)
    }
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn word_end(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|byte| !word(*byte)).map_or(bytes.len(), |length| start + length)
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| start + length)
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_nests_and_what_chains() {
        let chain = |count: usize| {
            format!("permit(principal, action, resource) when {{ {} }};", vec!["true"; count].join(" || "))
        };
        assert_eq!(too_complex(&chain(100)), None);
        assert!(too_complex(&chain(300)).is_some());
        assert_eq!(too_complex(&chain(100).repeat(50)), None);
        let nested = |count: usize| format!("{}1{}", "(".repeat(count), ")".repeat(count));
        assert_eq!(too_complex(&nested(NESTING_MAX)), None);
        assert_eq!(too_complex(&nested(NESTING_MAX + 1)).map(|(at, _)| at), Some(NESTING_MAX));
        // Neither strings nor comments count, and a quote in one ends nothing.
        let quoted = format!("\"{} \\\" {}\" // \" {}\n", "(".repeat(500), "|".repeat(500), "[".repeat(500));
        assert_eq!(too_complex(&quoted), None);
        assert!(too_complex(&"if a then b else ".repeat(OPERATORS_MAX + 1)).is_some());
        assert_eq!(too_complex("\"never closed \\"), None);
    }
}
