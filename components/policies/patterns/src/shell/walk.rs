//! The walk through a script's tree.

use std::collections::BTreeMap;

use brush_parser::ast::{
    AndOr, AndOrList, AssignmentName, AssignmentValue, Command, CommandPrefixOrSuffixItem as Item, CompoundList,
    IoRedirect, Pipeline, SeparatorOperator, SimpleCommand, Word,
};
use brush_parser::{ParserOptions, SourceInfo};

use super::Found;
use super::commands::{self, Outcome};
use super::expand::{PROCESS, UNKNOWN};
use super::output;
use super::places::Place;

/// Scripts in scripts that are followed, and brackets in one. A guest's stack
/// is small, and nobody nests deeper by hand.
const DEPTH_MAX: usize = 8;
const BRACKETS_MAX: usize = 24;

/// Commands looked at, each once for every value of its variables.
const STEPS_MAX: usize = 2_000;

/// Values remembered of a variable.
const VALUES_MAX: usize = 4;

/// What a command reads.
#[derive(Debug, Clone)]
pub(super) enum Input {
    /// Not from this script.
    Outside,
    Known(String),
    Unknown,
}

/// The state of a walk.
pub(super) struct Walk {
    pub(super) options: ParserOptions,
    /// All values that the text gives a variable: which one holds may depend on
    /// the run.
    pub(super) variables: BTreeMap<String, Vec<String>>,
    /// What substitutions print, if that is known.
    pub(super) substitutions: BTreeMap<String, Option<String>>,
    pub(super) here: Option<Place>,
    /// Files that were downloaded or written before.
    pub(super) downloads: Vec<String>,
    /// Functions around what is walked.
    functions: Vec<String>,
    /// In a pipe or in the background.
    forks: bool,
    pub(super) input: Input,
    depth: usize,
    steps: usize,
    found: Vec<Found>,
}

/// What a script does.
pub(super) fn judge(script: &str) -> Vec<Found> {
    let mut walk = Walk {
        options: ParserOptions::default(),
        variables: BTreeMap::new(),
        substitutions: BTreeMap::new(),
        here: None,
        downloads: Vec::new(),
        functions: Vec::new(),
        forks: false,
        input: Input::Outside,
        depth: 0,
        steps: 0,
        found: Vec::new(),
    };
    walk.script(script);
    walk.found
}

impl Walk {
    pub(super) fn find(&mut self, id: &'static str, detail: impl Into<String>) {
        let detail = detail.into().replace([UNKNOWN, PROCESS], "…");
        if !self.found.iter().any(|found| found.id == id && found.detail == detail) {
            self.found.push(Found { id, detail });
        }
    }

    pub(super) fn unparsable(&mut self, what: &str) {
        self.find("shell/unparsable", what);
    }

    /// One level deeper, if that is still followed.
    pub(super) fn enter(&mut self) -> bool {
        if self.depth >= DEPTH_MAX {
            self.unparsable("scripts nested too deep");
            return false;
        }
        self.depth += 1;
        true
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn assign(&mut self, name: &str, value: String) {
        let values = self.variables.entry(name.to_owned()).or_default();
        if values.contains(&value) {
            return;
        }
        self.substitutions.clear();
        if values.len() == VALUES_MAX {
            values.pop();
            values.push(UNKNOWN.to_string());
        } else {
            // The last first: it is the likeliest.
            values.insert(0, value);
        }
    }

    fn script(&mut self, text: &str) {
        if !self.enter() {
            return;
        }
        match self.parsed(text) {
            Ok(lists) => lists.iter().for_each(|list| self.list(list)),
            Err(why) => self.unparsable(&why),
        }
        self.leave();
    }

    fn parsed(&self, text: &str) -> Result<Vec<CompoundList>, String> {
        let mut brackets = 0_usize;
        for byte in text.bytes() {
            match byte {
                b'(' | b'{' => brackets += 1,
                b')' | b'}' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            if brackets > BRACKETS_MAX {
                return Err("brackets nested too deep".to_owned());
            }
        }
        let tokens = brush_parser::uncached_tokenize_str(text, &self.options.tokenizer_options());
        let tokens = tokens.map_err(|error| error.to_string())?;
        let program = brush_parser::parse_tokens(&tokens, &self.options, &SourceInfo::default());
        program.map(|program| program.complete_commands).map_err(|error| error.to_string())
    }

    /// What a substituted script prints, if that is known.
    pub(super) fn printed(&mut self, script: &str) -> Option<String> {
        if !self.enter() {
            return None;
        }
        let lists = self.parsed(script).map_err(|why| self.unparsable(&why)).unwrap_or_default();
        let mut printed = None;
        for list in &lists {
            self.list(list);
        }
        if let [list] = &lists[..]
            && let [item] = &list.0[..]
            && item.0.additional.is_empty()
            && let [Command::Simple(simple)] = &item.0.first.seq[..]
        {
            let argv = self.argv(simple, 0);
            printed = output::printed(&argv, None);
        }
        self.leave();
        printed
    }

    pub(super) fn list(&mut self, list: &CompoundList) {
        for item in &list.0 {
            let forks = self.forks;
            self.forks |= matches!(item.1, SeparatorOperator::Async);
            self.and_or(&item.0);
            self.forks = forks;
        }
    }

    fn and_or(&mut self, list: &AndOrList) {
        self.pipeline(&list.first);
        for next in &list.additional {
            match next {
                AndOr::And(pipeline) | AndOr::Or(pipeline) => self.pipeline(pipeline),
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        let (forks, input) = (self.forks, self.input.clone());
        self.forks |= pipeline.seq.len() > 1;
        let mut starts = false;
        for command in &pipeline.seq {
            let printed = self.command(command);
            if let Command::Simple(simple) = command {
                let argv = self.argv(simple, 0);
                if starts && commands::deletes_input(&argv) {
                    self.find("shell/delete", "what `find` finds there");
                }
                starts |= commands::finds_in_precious(&argv, self.here.as_ref());
            }
            self.input = printed.map_or(Input::Unknown, Input::Known);
        }
        self.forks = forks;
        self.input = input;
    }

    /// Walks a command and says what it prints, if that is known.
    fn command(&mut self, command: &Command) -> Option<String> {
        match command {
            Command::Simple(simple) => return self.simple(simple),
            Command::Compound(compound, redirects) => {
                let input = self.input.clone();
                self.redirects(redirects.as_ref());
                self.compound(compound);
                self.input = input;
            }
            Command::Function(function) => {
                self.functions.push(function.fname.value.clone());
                self.compound(&function.body.0);
                self.redirects(function.body.1.as_ref());
                self.functions.pop();
            }
            Command::ExtendedTest(test) => self.test(&test.expr),
        }
        None
    }

    /// The words of a command.
    fn argv(&mut self, simple: &SimpleCommand, choice: usize) -> Vec<String> {
        let mut argv = Vec::new();
        if let Some(name) = &simple.word_or_name {
            argv.extend(self.fields(&name.value, choice));
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            match item {
                Item::Word(word) | Item::AssignmentWord(_, word) => argv.extend(self.fields(&word.value, choice)),
                Item::ProcessSubstitution(..) => argv.push(PROCESS.to_string()),
                Item::IoRedirect(_) => {}
            }
        }
        argv
    }

    fn simple(&mut self, simple: &SimpleCommand) -> Option<String> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            self.unparsable("more commands than are looked at");
            return None;
        }
        let input = self.input.clone();
        let prefix = simple.prefix.iter().flat_map(|prefix| &prefix.0);
        let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
        let declares = simple.word_or_name.as_ref().is_some_and(|name| commands::declares(&name.value));
        let mut redirected = false;
        for (item, assigns) in prefix.map(|item| (item, true)).chain(suffix.map(|item| (item, declares))) {
            match item {
                Item::AssignmentWord(assignment, word) if assigns => {
                    self.assignment(&assignment.name, &assignment.value, assignment.append, word);
                }
                Item::IoRedirect(redirect) => {
                    redirected |= !matches!(redirect, IoRedirect::HereDocument(..) | IoRedirect::HereString(..));
                    self.redirect(redirect);
                }
                Item::ProcessSubstitution(kind, subshell) => self.process(kind, &subshell.list),
                _ => {}
            }
        }
        let mut printed = None;
        // All values of variables, one after the other.
        let choices = self.variables.values().map(Vec::len).max().unwrap_or(1).max(1);
        let mut judged: Vec<Vec<String>> = Vec::new();
        for choice in 0..choices {
            let argv = self.argv(simple, choice);
            if !judged.contains(&argv) {
                self.run(&argv);
                judged.push(argv);
            }
        }
        if let [argv] = &judged[..]
            && !redirected
        {
            let input = match &self.input {
                Input::Known(text) => Some(text.as_str()),
                _ => None,
            };
            printed = output::printed(argv, input);
        }
        self.input = input;
        printed
    }

    fn assignment(&mut self, name: &AssignmentName, value: &AssignmentValue, append: bool, word: &Word) {
        match (name, value) {
            (AssignmentName::VariableName(name), AssignmentValue::Scalar(value)) => {
                let value = self.text(&value.value, 0);
                let before = self.variables.get(name).filter(|_| append).cloned().unwrap_or_default();
                match before.is_empty() {
                    true => self.assign(name, value),
                    false => before.iter().for_each(|before| self.assign(name, format!("{before}{value}"))),
                }
            }
            _ => self.judge_within(&word.value),
        }
    }

    /// Judges one command with its words.
    fn run(&mut self, argv: &[String]) {
        let Some(name) = argv.first() else { return };
        if self.forks && (self.functions.contains(name) || argv.iter().any(|word| word == "$0")) {
            self.find("shell/fork-bomb", "");
        }
        if self.downloads.iter().any(|file| file.trim_start_matches("./") == name.trim_start_matches("./")) {
            self.find("shell/pipe-to-shell", name.as_str());
        }
        for outcome in commands::judge(argv, self.here.as_ref(), &self.downloads) {
            match outcome {
                Outcome::Found(id, detail) => self.find(id, detail),
                Outcome::Script(text) if text.contains([UNKNOWN, PROCESS]) => {
                    self.find("shell/unknown", "a script that cannot be known before");
                    self.script(&text.replace([UNKNOWN, PROCESS], " "));
                }
                Outcome::Script(text) => self.script(&text),
                Outcome::RunsInput => match self.input.clone() {
                    Input::Outside => {}
                    Input::Known(text) => self.script(&text),
                    Input::Unknown => self.find("shell/pipe-to-shell", name.as_str()),
                },
                // Not examined, but not from somewhere else either.
                Outcome::RunsOtherInput if !matches!(self.input, Input::Unknown) => {}
                Outcome::RunsOtherInput => self.find("shell/pipe-to-shell", name.as_str()),
                Outcome::Enters(path) => {
                    self.substitutions.clear();
                    self.here = Some(Place::of(&path, self.here.as_ref()));
                }
                Outcome::Downloads(path) => self.downloads.push(path),
                Outcome::Sets(variable) => self.assign(&variable, UNKNOWN.to_string()),
            }
        }
    }
}
