//! What simple texts and commands come to.

use brush_parser::word::{BraceExpressionMember as Member, BraceExpressionOrText as Part};

use super::expand::UNKNOWN;

/// Numbers and letters that a sequence in braces may have.
const SEQUENCE_MAX: i64 = 64;

/// The words that braces become, if they are not more than `words_max`.
pub(super) fn braces(parts: &[Part], words_max: usize) -> Option<Vec<String>> {
    let mut words = vec![String::new()];
    for part in parts {
        let endings = match part {
            Part::Text(text) => vec![text.clone()],
            Part::Expr(members) => {
                let mut endings = Vec::new();
                for member in members {
                    endings.append(&mut endings_of(member, words_max)?);
                }
                endings
            }
        };
        if words.len() * endings.len() > words_max {
            return None;
        }
        words = words.iter().flat_map(|word| endings.iter().map(move |ending| format!("{word}{ending}"))).collect();
    }
    Some(words)
}

fn endings_of(member: &Member, words_max: usize) -> Option<Vec<String>> {
    match member {
        Member::Child(parts) => braces(parts, words_max),
        // A number is no path and no command.
        Member::NumberSequence { start, end, .. } => {
            (start.abs_diff(*end) <= SEQUENCE_MAX as u64).then(|| vec![start.to_string(), end.to_string()])
        }
        Member::CharSequence { start, end, .. } => {
            let (low, high) = (start.min(end), start.max(end));
            Some((*low..=*high).map(String::from).collect())
        }
    }
}

/// `\n`, `\x72`, `\162` and `\u0072` as in `$'…'`, `echo -e` and `printf`.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut characters = after.chars();
        let Some(kind) = characters.next() else { return plain + "\\" };
        let tail = characters.as_str();
        let (code, length) = match kind {
            'x' => digits(tail, 16, 2),
            'u' => digits(tail, 16, 4),
            'U' => digits(tail, 16, 8),
            '0'..='7' => {
                let (code, length) = digits(after, 8, if kind == '0' { 4 } else { 3 });
                (code, length.saturating_sub(1))
            }
            _ => (None, 0),
        };
        match (code.and_then(char::from_u32), kind) {
            (Some(character), _) => plain.push(character),
            (None, 'n') => plain.push('\n'),
            (None, 't') => plain.push('\t'),
            (None, 'r') => plain.push('\r'),
            (None, 'e' | 'a' | 'b' | 'f' | 'v') => {}
            (None, other) => plain.push(other),
        }
        rest = tail.get(length..).unwrap_or_default();
    }
    plain + rest
}

/// The number that `text` begins with and its length, of at most `most` digits.
fn digits(text: &str, radix: u32, most: usize) -> (Option<u32>, usize) {
    let length = text.bytes().take(most).take_while(|byte| char::from(*byte).is_digit(radix)).count();
    (u32::from_str_radix(&text[..length], radix).ok(), length)
}

/// What `echo`, `printf` or `cat` print, if that is known. `input` is what they
/// are sent.
pub(super) fn printed(argv: &[String], input: Option<&str>) -> Option<String> {
    let (name, arguments) = argv.split_first()?;
    if arguments.iter().any(|argument| argument.contains(UNKNOWN)) {
        return None;
    }
    match name.rsplit('/').next().unwrap_or_default() {
        "echo" => {
            let is_option = |argument: &&String| {
                argument.len() > 1
                    && argument.starts_with('-')
                    && argument[1..].bytes().all(|byte| matches!(byte, b'n' | b'e' | b'E'))
            };
            let options = arguments.iter().take_while(is_option).count();
            let text = arguments[options..].join(" ");
            // Some shells' `echo` unescapes without being asked.
            Some(if text.contains('\\') { unescaped(&text) } else { text })
        }
        "printf" => {
            let (format, values) = arguments.split_first()?;
            let format = unescaped(format);
            let mut values = values.iter();
            let mut printed = String::new();
            let mut parts = format.split('%');
            printed.push_str(parts.next()?);
            for part in parts {
                let conversion = part.strip_prefix(['s', 'b'])?;
                printed.push_str(values.next().map_or("", String::as_str));
                printed.push_str(conversion);
            }
            values.next().is_none().then_some(printed)
        }
        "cat" if arguments.is_empty() => input.map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescapes_as_a_shell() {
        for (text, plain) in
            [(r"\x72\x6d", "rm"), (r"\162m", "rm"), (r"\u0072m", "rm"), (r"a\nb", "a\nb"), (r"\\", "\\"), ("é", "é")]
        {
            assert_eq!(unescaped(text), plain, "{text}");
        }
    }

    #[test]
    fn prints_what_is_known() {
        let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(printed(&argv(&["echo", "-n", "a", "b"]), None).as_deref(), Some("a b"));
        assert_eq!(printed(&argv(&["printf", "%s -rf /", "rm"]), None).as_deref(), Some("rm -rf /"));
        assert_eq!(printed(&argv(&["cat"]), Some("ls")).as_deref(), Some("ls"));
        assert_eq!(printed(&argv(&["date"]), None), None);
    }
}
