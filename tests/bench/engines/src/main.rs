//! Measures other policy engines on the rules and actions of `vak_bench`: each
//! set up for speed, with a rule of its language for each of ours, and without
//! keeping answers.
//!
//! Prints a line for each engine and number of rules: its name, the number, and
//! nanoseconds for a whole judgement and for the part of it that comes after its
//! input was made from the action's texts. Of these only the one argument that
//! the rules look at is read, which is less than a host for any rules could do.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod casbin;
mod cedar;
mod rego;

use std::hint::black_box;

use vak_bench::{Asked, asked, median_ns};

/// An engine with rules in it.
trait Judge {
    /// What it is asked with.
    type Input;

    fn input(&self, asked: &Asked) -> Self::Input;

    /// Whether the action may happen.
    fn judge(&mut self, input: Self::Input) -> bool;
}

fn main() {
    let counts = std::env::args().skip(1).map(|word| word.parse().expect("numbers of rules"));
    for count in counts {
        measure("cedar-policy", count, cedar::Cedar::new(count));
        measure("regorus", count, rego::Rego::new(count));
        measure("casbin", count, casbin::Casbin::new(count));
    }
}

fn measure<J: Judge>(name: &str, count: usize, mut engine: J)
where
    J::Input: Clone,
{
    let all = asked(count);
    for asked in &all {
        let input = engine.input(asked);
        assert_eq!(engine.judge(input), asked.allowed, "{name}, {count} rules: {asked:?}");
    }
    let asked = &all[0];
    let whole = median_ns(|| {
        let input = engine.input(black_box(asked));
        assert!(engine.judge(input));
    });
    let input = engine.input(asked);
    // A copy is cheaper than what it is a copy of, and part of neither.
    let copy = median_ns(|| drop(black_box(input.clone())));
    let judgement = median_ns(|| assert!(engine.judge(black_box(input.clone())))) - copy;
    println!("{name} {count} {whole:.0} {judgement:.0}");
}

/// The argument that the rules look at.
fn path(arguments: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Arguments {
        path: String,
    }
    serde_json::from_str::<Arguments>(arguments).unwrap().path
}
