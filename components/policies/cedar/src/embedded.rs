//! Texts that stand in a text, and what is wrong with them.

use miette::Diagnostic;
use toml::Spanned;
use vak_sdk::policy::ConfigError;

/// Bytes of a message. Cedar lists what it would have expected.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// What is wrong, and at which byte of the configuration.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// With line and column instead of the byte.
    pub(crate) fn located(self, config: &str) -> ConfigError {
        // A reader may complain of a byte inside a character.
        let before = &config[..config.floor_char_boundary(self.at)];
        let mut message = self.message;
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        ConfigError {
            message,
            line: Some(number(before.matches('\n').count() + 1)),
            column: Some(number(before.rsplit('\n').next().unwrap_or("").chars().count() + 1)),
        }
    }
}

pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A text that is the value of a key.
pub(crate) struct Embedded<'a> {
    pub(crate) text: &'a str,
    /// Where the value starts.
    at: usize,
    /// Where the text itself starts, if it stands there as it is.
    text_at: Option<usize>,
    /// Lines of the configuration before the text.
    lines_before: usize,
    /// The line breaks of the text: each policy asks for its line.
    breaks: Vec<usize>,
}

impl<'a> Embedded<'a> {
    pub(crate) fn new(config: &str, value: &'a Spanned<String>) -> Self {
        let (span, text) = (value.span(), value.get_ref().as_str());
        let text_at = config.get(span.clone()).and_then(|raw| raw.find(text)).map(|skipped| span.start + skipped);
        let before = config.get(..text_at.unwrap_or(span.start)).unwrap_or_default();
        let breaks = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { text, at: span.start, text_at, lines_before: before.matches('\n').count(), breaks }
    }

    /// A problem at a byte of this text, or with all of it.
    pub(crate) fn problem(&self, at: Option<usize>, message: impl Into<String>) -> Problem {
        match (at, self.text_at) {
            (None, _) => Problem::new(self.at, message),
            (Some(at), Some(text_at)) => Problem::new(text_at + at, message),
            // Written with escapes: only the line within it is known.
            (Some(at), None) => {
                let line = self.line_within(at) + 1;
                Problem::new(self.at, format!("in its line {line}: {}", message.into()))
            }
        }
    }

    /// What Cedar says is wrong with this text.
    pub(crate) fn diagnosed(&self, diagnostic: &dyn Diagnostic) -> Problem {
        let mut message = chain(diagnostic);
        let label = diagnostic.labels().and_then(|mut labels| labels.next());
        let hint = label.as_ref().and_then(|label| label.label()).map(str::to_owned);
        for more in hint.into_iter().chain(diagnostic.help().map(|help| help.to_string())) {
            message = format!("{message}; {more}");
        }
        self.problem(label.map(|label| label.offset()), message)
    }

    /// The line of the configuration that a byte of this text is on.
    pub(crate) fn line(&self, at: usize) -> u32 {
        match self.text_at {
            Some(_) => number(self.lines_before + self.line_within(at) + 1),
            None => number(self.lines_before + 1),
        }
    }

    fn line_within(&self, at: usize) -> usize {
        self.breaks.partition_point(|place| *place < at)
    }
}

/// An error with what it comes from: Cedar's outermost often says only that
/// something is wrong.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_message = inner.to_string();
        if !message.contains(&inner_message) {
            message = format!("{message}: {inner_message}");
        }
        source = inner.source();
    }
    message
}
