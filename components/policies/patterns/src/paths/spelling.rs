//! Other ways to write a path.

/// Decodings that are undone: `%252e` is `%2e` is `.`. Something behind the
/// host decodes once or twice; more is no honest path.
const ROUNDS: usize = 4;

/// The path as something behind that decodes percent signs, overlong UTF-8 and
/// look-alikes would see it.
pub(crate) fn decoded(path: &str) -> String {
    let mut decoded: String = path.chars().map(plain).collect();
    for _ in 0..ROUNDS {
        if !decoded.contains(['%', '\\']) {
            break;
        }
        let next = round(&decoded);
        if next == decoded {
            break;
        }
        decoded = next;
    }
    decoded
}

/// Characters that normalisation (NFKC) makes a dot or a slash.
fn plain(character: char) -> char {
    match character {
        '\u{FF0E}' | '\u{2024}' | '\u{FE52}' => '.',
        '\u{FF0F}' | '\u{2215}' | '\u{2044}' => '/',
        '\u{FF3C}' | '\u{FE68}' => '\\',
        character => character,
    }
}

/// One decoding of `%XX`, `%uXXXX` and `\u00XX`.
fn round(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (character, length) = match bytes[at] {
            b'%' if matches!(bytes.get(at + 1), Some(b'u' | b'U')) => (hex(bytes, at + 2, 4), 6),
            b'\\' if matches!(bytes.get(at + 1), Some(b'u')) => (hex(bytes, at + 2, 4), 6),
            b'\\' if matches!(bytes.get(at + 1), Some(b'x')) => (hex(bytes, at + 2, 2), 4),
            b'%' => escape(bytes, at),
            _ => (None, 0),
        };
        match character {
            Some(code) => {
                let character = char::from_u32(code).map_or(char::REPLACEMENT_CHARACTER, plain);
                decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                at += length;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The code of the escape at `at` and its length. Two bytes that are an
/// overlong form (`%c0%ae`, and `%c1%9c`) are the ASCII that they stand for.
fn escape(bytes: &[u8], at: usize) -> (Option<u32>, usize) {
    let byte = |at: usize| if bytes.get(at) == Some(&b'%') { hex(bytes, at + 1, 2) } else { None };
    match (byte(at), byte(at + 3), byte(at + 6)) {
        (Some(first @ (0xc0 | 0xc1)), Some(second), _) => (Some((first & 1) << 6 | second & 0x3f), 6),
        (Some(0xe0), Some(second @ 0x80..=0x9f), Some(third)) => (Some((second & 0x1f) << 6 | third & 0x3f), 9),
        (Some(first), ..) => (Some(first), 3),
        _ => (None, 0),
    }
}

fn hex(bytes: &[u8], from: usize, count: usize) -> Option<u32> {
    let digits = bytes.get(from..from + count)?;
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}

/// A NUL ends a path for C; line feeds and their like split one in two.
pub(crate) fn has_control(path: &str) -> bool {
    path.chars().any(char::is_control)
}

/// Shares, devices and streams: `\\host\share`, `\\.\C:`, `CON`, `a.txt::$DATA`.
pub(crate) fn is_windows_special(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let device =
        ["con", "prn", "aux", "nul", "conin$", "conout$"].iter().any(|device| device.eq_ignore_ascii_case(stem));
    let numbered = stem.len() == 4
        && stem.get(..3).is_some_and(|port| port.eq_ignore_ascii_case("com") || port.eq_ignore_ascii_case("lpt"))
        && stem.ends_with(|last: char| last.is_ascii_digit());
    let device = (device || numbered) && !path.contains('/');
    path.starts_with("\\\\") || device || name.to_ascii_lowercase().contains("::$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_dots_are_dots() {
        for spelled in [
            "%2e%2e%2fetc",
            "%252e%252e%252fetc",
            "%c0%ae%c0%ae%c0%afetc",
            "%e0%80%ae%e0%80%ae/etc",
            "%u002e%u002e/etc",
            "\\u002e\\u002e/etc",
            "．．／etc",
        ] {
            assert_eq!(decoded(spelled), "../etc", "{spelled}");
        }
        assert_eq!(decoded("100%/é"), "100%/é");
    }
}
