//! Characters that a person does not see and a model reads.

use std::ops::Range;

/// Zero-width characters in a row that no script needs. One alone joins emoji
/// and separates letters of Persian and Hindi.
const ZERO_WIDTH_RUN: usize = 3;

pub(crate) fn find(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    if text.is_ascii() {
        return;
    }
    let mut run: Option<(Range<usize>, usize)> = None;
    let mut before = ' ';
    // Tags after a black flag spell which flag it is.
    let mut flag = false;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        if is_zero_width(character) {
            // Inside a word of Latin letters it is there to break a filter.
            let next = text[end..].chars().next().unwrap_or(' ');
            let breaks = before.is_ascii_alphabetic() && (next.is_ascii_alphabetic() || is_zero_width(next));
            let (range, count) = run.get_or_insert((at..end, 0));
            range.end = end;
            *count += if breaks { ZERO_WIDTH_RUN } else { 1 };
            continue;
        }
        if let Some((range, count)) = run.take()
            && count >= ZERO_WIDTH_RUN
        {
            found("prompt-injection/hidden", range);
        }
        flag = character == '\u{1F3F4}' || flag && is_tag(character);
        let smuggles = is_tag(character) && !flag || is_selector(character) && is_selector(before);
        if smuggles || is_direction(character) {
            found("prompt-injection/hidden", at..end);
        }
        before = character;
    }
    if let Some((range, count)) = run
        && count >= ZERO_WIDTH_RUN
    {
        found("prompt-injection/hidden", range);
    }
}

fn is_zero_width(character: char) -> bool {
    let spaces = matches!(character, '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{180E}');
    // Hangul fillers are letters that nothing shows.
    spaces || matches!(character, '\u{115F}' | '\u{1160}' | '\u{3164}')
}

/// Copies of ASCII that nothing shows.
fn is_tag(character: char) -> bool {
    matches!(character, '\u{E0000}'..='\u{E007F}')
}

/// Variation selectors of the second block: several in a row carry bytes.
fn is_selector(character: char) -> bool {
    matches!(character, '\u{E0100}'..='\u{E01EF}')
}

/// Embeddings and overrides, which change the order of what follows. Isolates
/// and marks are in ordinary Arabic and Hebrew.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}')
}
