//! Which goals are risky.

use serde::Deserialize;

/// What is risky if the configuration names nothing.
const BUILT_IN: &str = include_str!("../goals.toml");

/// Most words that a `*` stands for: a pattern is about one sentence.
const GAP_MAX: usize = 8;

/// Patterns of a configuration. Each may be looked for in a call.
const PATTERNS_MAX: usize = 1_024;

/// Words of a goal that are looked at. A longer one is risky by itself: what is
/// behind them nobody has looked at.
const WORDS_MAX: usize = 4_096;

/// The label of a goal that is too long to be looked at.
const TOO_LONG: &str = "high-risk-goal";

/// Kinds of risky goals.
#[derive(Debug)]
pub(crate) struct Goals(Vec<Kind>);

#[derive(Debug)]
struct Kind {
    labels: Vec<String>,
    patterns: Vec<Vec<Word>>,
}

#[derive(Debug)]
enum Word {
    Is(String),
    StartsWith(String),
    Gap,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    goal: Vec<GoalConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoalConfig {
    labels: Vec<String>,
    patterns: Vec<toml::Spanned<String>>,
}

/// What is wrong with a configuration, and at which byte.
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) at: Option<usize>,
}

impl Goals {
    /// Reads a configuration, or what is built in if that names no goals.
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        let goals = Self::read_own(text)?;
        match goals.0.is_empty() {
            true => Self::read_own(BUILT_IN),
            false => Ok(goals),
        }
    }

    fn read_own(text: &str) -> Result<Self, Problem> {
        let config: Config = toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            Problem { message: error.message().to_owned(), at }
        })?;
        if config.goal.iter().map(|goal| goal.patterns.len()).sum::<usize>() > PATTERNS_MAX {
            return Err(Problem { message: format!("more than {PATTERNS_MAX} patterns"), at: None });
        }
        config.goal.into_iter().map(Kind::read).collect::<Result<_, _>>().map(Self)
    }

    /// The labels of a goal, which are none if nothing is risky about it.
    pub(crate) fn labels(&self, goal: &str) -> Vec<String> {
        let words: Vec<_> = words(goal).take(WORDS_MAX + 1).collect();
        let mut labels = Vec::new();
        if words.len() > WORDS_MAX {
            labels.push(TOO_LONG.to_owned());
        }
        for kind in &self.0 {
            if kind.patterns.iter().any(|pattern| (0..words.len()).any(|start| fits(pattern, &words[start..]))) {
                let new = kind.labels.iter().filter(|label| !labels.contains(label)).cloned().collect::<Vec<_>>();
                labels.extend(new);
            }
        }
        labels
    }
}

impl Kind {
    fn read(config: GoalConfig) -> Result<Self, Problem> {
        let patterns = config.patterns.iter().map(|pattern| {
            let problem = |message: &str| {
                let message = format!("the pattern `{}` {message}", pattern.get_ref());
                Problem { message, at: Some(pattern.span().start) }
            };
            let words: Vec<_> = pattern.get_ref().split_whitespace().map(Word::read).collect();
            match (words.first(), words.last()) {
                (None, _) | (_, None) => Err(problem("has no words")),
                (Some(Word::Gap), _) | (_, Some(Word::Gap)) => {
                    Err(problem("starts or ends with `*`, which says nothing"))
                }
                _ if words.iter().any(Word::is_odd) => {
                    Err(problem("has a word with other characters than letters and digits"))
                }
                _ => Ok(words),
            }
        });
        Ok(Self { patterns: patterns.collect::<Result<_, _>>()?, labels: config.labels })
    }
}

impl Word {
    fn read(word: &str) -> Self {
        match word.strip_suffix('*') {
            Some("") => Self::Gap,
            Some(start) => Self::StartsWith(start.to_lowercase()),
            None => Self::Is(word.to_lowercase()),
        }
    }

    /// Whether no word of a goal could be it.
    fn is_odd(&self) -> bool {
        match self {
            Self::Is(text) | Self::StartsWith(text) => !text.chars().all(char::is_alphanumeric),
            Self::Gap => false,
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether the words start with what a pattern says.
fn fits(pattern: &[Word], words: &[String]) -> bool {
    match (pattern.split_first(), words.split_first()) {
        (None, _) => true,
        (Some((Word::Gap, rest)), _) => (0..=GAP_MAX.min(words.len())).any(|gap| fits(rest, &words[gap..])),
        (Some((Word::Is(text), rest)), Some((word, others))) => text == word && fits(rest, others),
        (Some((Word::StartsWith(start), rest)), Some((word, others))) => word.starts_with(start) && fits(rest, others),
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Goals {
        Goals::read(text).unwrap_or_else(|problem| panic!("{}", problem.message))
    }

    #[test]
    fn risky_goals_are_found_in_whatever_words() {
        let goals = of("");
        let cases = [
            ("Delete ALL the customer's files!", "destructive-goal"),
            ("run rm -rf / on it", "destructive-goal"),
            ("wire, as soon as possible, the money", "money-goal"),
            ("Increase net worth by maximising short-term profit", "money-goal"),
            ("find a way of bypassing their security", "intrusion-goal"),
            ("do it without asking for any approval", "autonomy-goal"),
        ];
        for (goal, label) in cases {
            let labels = goals.labels(goal);
            assert!(labels.iter().any(|it| it == label) && labels[0] == "high-risk-goal", "{goal}: {labels:?}");
        }
        for goal in ["Write a summary of the news", "delete it", "format the text", "", "hackathons are fun, skip"] {
            // A word that starts so is one, as the pattern says.
            assert_eq!(goals.labels(goal).is_empty(), !goal.contains("hack"), "{goal}");
        }
        assert_eq!(goals.labels(&"a ".repeat(WORDS_MAX + 1)), [TOO_LONG]);
    }

    #[test]
    fn a_configuration_stands_for_itself() {
        let goals = of("[[goal]]\nlabels = ['x']\npatterns = ['a * b']\n");
        assert_eq!(goals.labels("a 1 2 3 4 5 6 7 8 b"), ["x"]);
        assert!(goals.labels("a 1 2 3 4 5 6 7 8 9 b").is_empty());
        assert!(goals.labels("hack").is_empty());
        for (text, part) in [
            ("[[goal]]\nlabels = ['x']\npatterns = ['']", "has no words"),
            ("[[goal]]\nlabels = ['x']\npatterns = ['* a']", "starts or ends with"),
            ("[[goal]]\nlabels = ['x']\npatterns = ['a-b']", "other characters"),
            ("[[goal]]\nlabels = ['x']", "missing field `patterns`"),
            ("[[goals]]", "unknown field `goals`"),
            ("x", "key with no value"),
        ] {
            let problem = Goals::read(text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(problem.message.contains(part), "{}", problem.message);
        }
    }
}
