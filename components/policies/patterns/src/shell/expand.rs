//! What words come to, as far as the text itself says.

use brush_parser::word::{self, Parameter, ParameterExpr, SpecialParameter, WordPiece, WordPieceWithSource};

use super::output;
use super::walk::Walk;

/// Stands for what only the run decides. From the private use area, so that no
/// text means it.
pub(super) const UNKNOWN: char = '\u{E000}';

/// Stands for the file of a process substitution: `<(…)`.
pub(super) const PROCESS: char = '\u{E001}';

/// Braces can multiply: `{a,b}{a,b}…`.
const BRACES_MAX: usize = 64;

/// The fields that a word becomes when it is split.
#[derive(Default)]
struct Fields {
    done: Vec<String>,
    current: String,
    open: bool,
    /// What `IFS` was set to, beside white space.
    separators: String,
}

impl Fields {
    fn literal(&mut self, text: &str) {
        self.current.push_str(text);
        self.open = true;
    }

    /// The value of an expansion, which is split unless it is in quotes.
    fn value(&mut self, text: &str, quoted: bool) {
        if quoted {
            return self.literal(text);
        }
        for character in text.chars() {
            match character.is_ascii_whitespace() || self.separators.contains(character) {
                true => self.close(),
                false => {
                    self.current.push(character);
                    self.open = true;
                }
            }
        }
    }

    fn close(&mut self) {
        if self.open {
            self.done.push(std::mem::take(&mut self.current));
        }
        self.open = false;
    }
}

impl Walk {
    /// The fields of a word. Of a variable with several values the `choice`-th.
    pub(super) fn fields(&mut self, word: &str, choice: usize) -> Vec<String> {
        let mut all = Vec::new();
        for word in self.braces(word) {
            let separators = self.variables.get("IFS").map(|values| values.concat()).unwrap_or_default();
            let mut fields = Fields { separators, ..Fields::default() };
            match word::parse(&word, &self.options) {
                Ok(pieces) => self.pieces(&word, &pieces, false, choice, &mut fields),
                Err(_) => self.unparsable("a word in it"),
            }
            fields.close();
            all.append(&mut fields.done);
        }
        all
    }

    /// The same without splitting.
    pub(super) fn text(&mut self, word: &str, choice: usize) -> String {
        let mut fields = Fields::default();
        match word::parse(word, &self.options) {
            Ok(pieces) => self.pieces(word, &pieces, true, choice, &mut fields),
            Err(_) => self.unparsable("a word in it"),
        }
        fields.current
    }

    /// `{a,b}` as words of their own, before anything else is expanded.
    fn braces(&mut self, word: &str) -> Vec<String> {
        if !word.contains('{') || !word.contains(',') && !word.contains("..") {
            return vec![word.to_owned()];
        }
        // The parser does not take numbers that are longer.
        if word.bytes().filter(u8::is_ascii_digit).count() > 18 && word.contains("..") {
            self.unparsable("a sequence in braces");
            return Vec::new();
        }
        match word::parse_brace_expansions(word, &self.options) {
            Ok(Some(parts)) => output::braces(&parts, BRACES_MAX).unwrap_or_else(|| {
                self.unparsable("more braces than are looked at");
                Vec::new()
            }),
            _ => vec![word.to_owned()],
        }
    }

    fn pieces(&mut self, word: &str, pieces: &[WordPieceWithSource], quoted: bool, choice: usize, fields: &mut Fields) {
        for piece in pieces {
            let source = word.get(piece.start_index..piece.end_index).unwrap_or_default();
            match &piece.piece {
                WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => fields.literal(text),
                WordPiece::AnsiCQuotedText(text) => fields.literal(&output::unescaped(text)),
                WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                    fields.literal("");
                    self.pieces(word, inner, true, choice, fields);
                }
                WordPiece::TildePrefix(user) => fields.literal(&format!("~{user}")),
                WordPiece::EscapeSequence(text) => {
                    fields.literal(text.trim_start_matches('\\').trim_start_matches('\n'))
                }
                WordPiece::ParameterExpansion(expression) => {
                    let value = self.parameter(expression, source, choice);
                    fields.value(&value, quoted);
                }
                WordPiece::CommandSubstitution(script) => {
                    let value = self.substituted(script);
                    fields.value(&value, quoted);
                }
                WordPiece::BackquotedCommandSubstitution(script) => {
                    let script = script.replace("\\`", "`").replace("\\$", "$").replace("\\\\", "\\");
                    let value = self.substituted(&script);
                    fields.value(&value, quoted);
                }
                WordPiece::ArithmeticExpression(expression) => {
                    self.judge_within(&expression.value);
                    fields.literal(&UNKNOWN.to_string());
                }
            }
        }
    }

    /// What a substitution prints. Judged as any other script, once for what is
    /// known of variables at the time.
    fn substituted(&mut self, script: &str) -> String {
        let printed = match self.substitutions.get(script) {
            Some(printed) => printed.clone(),
            None => {
                let printed = self.printed(script);
                self.substitutions.insert(script.to_owned(), printed.clone());
                printed
            }
        };
        printed.map_or(UNKNOWN.to_string(), |printed| printed.trim_end_matches('\n').to_owned())
    }

    /// Substitutions in a text that is itself not worked out.
    pub(super) fn judge_within(&mut self, text: &str) {
        if text.contains(['$', '`']) && self.enter() {
            self.text(text, 0);
            self.leave();
        }
    }

    fn parameter(&mut self, expression: &ParameterExpr, source: &str, choice: usize) -> String {
        match expression {
            ParameterExpr::Parameter { parameter, indirect: false } => {
                self.value(parameter, choice).unwrap_or(UNKNOWN.to_string())
            }
            ParameterExpr::UseDefaultValues { parameter, indirect: false, default_value, .. }
            | ParameterExpr::AssignDefaultValues { parameter, indirect: false, default_value, .. } => {
                let default = default_value.as_deref().map(|word| self.text(word, choice)).unwrap_or_default();
                let value = self.value(parameter, choice).unwrap_or(default);
                if let (ParameterExpr::AssignDefaultValues { .. }, Parameter::Named(name)) = (expression, parameter) {
                    self.assign(name, value.clone());
                }
                value
            }
            ParameterExpr::UseAlternativeValue { alternative_value: Some(word), .. } => self.text(word, choice),
            _ => {
                let inner = source.strip_prefix("${").and_then(|inner| inner.strip_suffix('}')).unwrap_or_default();
                self.judge_within(inner);
                UNKNOWN.to_string()
            }
        }
    }

    fn value(&self, parameter: &Parameter, choice: usize) -> Option<String> {
        match parameter {
            Parameter::Named(name) => {
                let assigned = self.variables.get(name).and_then(|values| values.get(choice).or(values.last()));
                let known = match &**name {
                    "HOME" => Some("~"),
                    "IFS" => Some(" "),
                    "SHELL" | "BASH" => Some("sh"),
                    _ => None,
                };
                assigned.cloned().or(known.map(str::to_owned))
            }
            // The script itself, for fork bombs.
            Parameter::Special(SpecialParameter::ShellName) | Parameter::Positional(0) => Some("$0".to_owned()),
            _ => None,
        }
    }
}
