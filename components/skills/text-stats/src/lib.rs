//! A skill that counts what a text consists of, by the rules of Unicode:
//! `{"text": "To be or not to be."}` gives `{"words": 6, "sentences": 1, …}`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;
use vak_sdk::skill::{Skill, SkillError, Tool};

/// More words than this are a word list.
const TOP_MAX: usize = 100;

/// A text without spaces may be one word. It is cut so that the answer stays short.
const WORD_CHARACTERS_MAX: usize = 64;

#[derive(Default)]
struct TextStats;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    text: String,
    #[serde(default = "top")]
    top: usize,
    #[serde(default)]
    case_sensitive: bool,
}

fn top() -> usize {
    10
}

impl Skill for TextStats {
    fn describe(&self) -> Tool {
        let input = json!({
            "type": "object",
            "properties": {
                "text": { "type": "string" },
                "top": {
                    "type": "integer", "minimum": 0, "maximum": TOP_MAX, "default": top(),
                    "description": "How many of the most frequent words to list."
                },
                "case_sensitive": {
                    "type": "boolean", "default": false,
                    "description": "Whether `The` and `the` are two words in that list."
                }
            },
            "required": ["text"],
            "additionalProperties": false
        });
        let count = |what: &str| json!({ "type": "integer", "minimum": 0, "description": what });
        let output = json!({
            "type": "object",
            "properties": {
                "bytes": count("Bytes in UTF-8."),
                "characters": count("Unicode scalar values."),
                "graphemes": count("What a reader sees as characters (UAX #29)."),
                "words": count("Words that have a letter or a digit (UAX #29)."),
                "distinct_words": count("How many of them are different."),
                "sentences": count("Sentences that have a word (UAX #29)."),
                "lines": count("Lines; the end of the last may be missing."),
                "top": {
                    "type": "array",
                    "description": "The most frequent words; equally frequent ones in the order of their code points. Words of more than 64 characters are cut.",
                    "items": {
                        "type": "object",
                        "properties": { "word": { "type": "string" }, "count": count("How often.") },
                        "required": ["word", "count"]
                    }
                }
            },
            "required": ["bytes", "characters", "graphemes", "words", "distinct_words", "sentences", "lines", "top"]
        });
        Tool::new("Counts characters, words, sentences and lines of a text, and lists its most frequent words.", &input)
            .output(&output)
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let input: Input = serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        if input.top > TOP_MAX {
            let why = format!("`top` is {}, and the most is {TOP_MAX}", input.top);
            return Err(SkillError::InvalidInput(why));
        }
        Ok(count(&input).to_string())
    }
}

fn count(input: &Input) -> Value {
    let text = input.text.as_str();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut words = 0;
    for word in text.unicode_words() {
        words += 1;
        let word = if input.case_sensitive { word.to_owned() } else { word.to_lowercase() };
        *counts.entry(word).or_default() += 1;
    }
    let distinct = counts.len();
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|(one, times), (other, other_times)| other_times.cmp(times).then_with(|| one.cmp(other)));
    counts.truncate(input.top);
    let top = counts.iter().map(
        |(word, count)| json!({ "word": word.chars().take(WORD_CHARACTERS_MAX).collect::<String>(), "count": count }),
    );
    json!({
        "bytes": text.len(),
        "characters": text.chars().count(),
        "graphemes": text.graphemes(true).count(),
        "words": words,
        "distinct_words": distinct,
        "sentences": text.unicode_sentences().count(),
        "lines": text.lines().count(),
        "top": top.collect::<Vec<_>>(),
    })
}

vak_sdk::export_skill!(TextStats);

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Value {
        count(&Input { text: text.to_owned(), top: 2, case_sensitive: false })
    }

    #[test]
    fn counts_as_readers_do() {
        // text; graphemes, words, sentences, lines
        let cases = [
            ("", [0, 0, 0, 0]),
            ("To be, or not to be. That is it?\n", [33, 9, 2, 1]),
            ("e\u{301}te\u{301}", [3, 1, 1, 1]),
            ("👩‍👩‍👧 🇩🇪", [3, 0, 0, 1]),
            ("can't 3.14 foo_bar", [18, 3, 1, 1]),
            ("a\r\nb\n\nc", [6, 3, 3, 4]),
            ("…!?", [3, 0, 0, 1]),
        ];
        for (text, [graphemes, words, sentences, lines]) in cases {
            let told = counted(text);
            let found = [&told["graphemes"], &told["words"], &told["sentences"], &told["lines"]];
            assert_eq!(found.map(|count| count.as_u64().unwrap()), [graphemes, words, sentences, lines], "{text:?}");
        }
    }

    #[test]
    fn equally_frequent_words_have_an_order() {
        let told = counted("b a B c A ä Ä");
        assert_eq!(told["top"], json!([{ "word": "a", "count": 2 }, { "word": "b", "count": 2 }]));
        assert_eq!(told["distinct_words"], 4);
        let long = counted(&"x".repeat(10_000));
        assert_eq!(long["top"][0]["word"].as_str().unwrap().len(), WORD_CHARACTERS_MAX);
    }
}
