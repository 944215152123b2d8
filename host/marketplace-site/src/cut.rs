//! Texts of others on a page: seen as they are, and no longer than there is room.

use maud::{Markup, Render};

/// A text of somebody else in a line of ours. What nobody would see is written
/// out, and neither its direction nor its marks reach beyond it.
pub(crate) struct Text<'a>(pub(crate) &'a str);

/// The same as a paragraph, in which lines stay lines.
pub(crate) struct Paragraph<'a>(pub(crate) &'a str);

impl Render for Text<'_> {
    fn render(&self) -> Markup {
        maud::html! { bdi { (visible(self.0)) } }
    }
}

impl Render for Paragraph<'_> {
    fn render(&self) -> Markup {
        maud::html! { p .told dir="auto" { (visible(self.0)) } }
    }
}

/// The text with escapes for all that nobody sees, or that makes the rest be read
/// in another order. Line breaks stay.
pub(crate) fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => seen.push('\n'),
            '\t' => seen.push(' '),
            character if is_unseen(character) => seen.extend(character.escape_unicode()),
            character => seen.push(character),
        }
    }
    seen
}

/// Control characters, those that change directions, and those without any width.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// As much of a text as has at most `bytes_max` in HTML.
pub(crate) fn cut(text: &str, bytes_max: usize) -> Cut<'_> {
    let mut bytes = 0;
    for (at, character) in text.char_indices() {
        bytes += match character {
            '&' => 5,
            '<' | '>' => 4,
            '"' => 6,
            character if is_unseen(character) => 10,
            character => character.len_utf8(),
        };
        if bytes > bytes_max {
            return Cut { text: &text[..at], whole: false };
        }
    }
    Cut { text, whole: true }
}

/// A text, or its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut<'a> {
    text: &'a str,
    /// Whether it is all of it.
    pub(crate) whole: bool,
}

impl Cut<'_> {
    /// It, and a sign that there is more.
    pub(crate) fn told(&self) -> String {
        match self.whole {
            true => self.text.to_owned(),
            false => format!("{}…", self.text.trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_written_out() {
        for (text, seen) in [
            ("plain\ntwo lines", "plain\ntwo lines"),
            ("safe\u{202e}elif", "safe\\u{202e}elif"),
            ("a\u{0}b\u{1b}[2J\u{7f}\u{9b}", "a\\u{0}b\\u{1b}[2J\\u{7f}\\u{9b}"),
            ("tag\u{e0041}\u{200b}\u{ad}\u{3164}", "tag\\u{e0041}\\u{200b}\\u{ad}\\u{3164}"),
            ("späte Grüße, שלום, 👩🏽‍🔬", "späte Grüße, שלום, 👩🏽\\u{200d}🔬"),
        ] {
            assert_eq!(visible(text), seen);
        }
        let html = Text("<b onclick=\"x\">&").render().into_string();
        assert_eq!(html, "<bdi>&lt;b onclick=&quot;x&quot;&gt;&amp;</bdi>");
    }

    #[test]
    fn a_cut_has_its_length_in_html() {
        for (text, bytes_max) in
            [("short", 10), ("\"\"\"\"\"\"", 20), ("ééééé", 5), ("a\u{0}b\u{e0041}", 14), ("<<<<", 9)]
        {
            let cut = cut(text, bytes_max);
            let html = maud::html! { (visible(cut.text)) }.into_string();
            assert!(html.len() <= bytes_max, "{html}");
            assert_eq!(cut.whole, cut.text == text);
        }
        assert_eq!(cut("\"\"\"", 13).told(), "\"\"…");
    }
}
