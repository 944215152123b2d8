//! Rego in regorus: compiled for its virtual machine, which is kept between
//! judgements.
//!
//! Rules that are all of one shape can also be written as a table of data that
//! one rule looks into by operation. That takes the same time for any number of
//! them, less than a fresh instance of ours; and it is the author who has to see
//! the shape and make the index.

use std::fmt::Write as _;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Rc, Value};
use vak_bench::{Asked, Effect, TEAM, rules};

use crate::{Judge, path};

const HEAD: &str = "package bench\n\
                    default allow := false\n\
                    allow if { permit; not forbid }\n";

const ENTRY: &str = "data.bench.allow";

pub(crate) struct Rego {
    machine: RegoVM,
    keys: [Value; 3],
}

impl Rego {
    pub(crate) fn new(count: usize) -> Self {
        let mut text = HEAD.to_owned();
        for rule in rules(count) {
            let effect = match rule.effect {
                Effect::Permit => "permit",
                Effect::Forbid => "forbid",
            };
            writeln!(text, "{effect} if {{").unwrap();
            writeln!(text, "  input.operation == {:?}", rule.operation).unwrap();
            writeln!(text, "  startswith(input.path, {:?})", rule.folder).unwrap();
            writeln!(text, "  input.agent in {{{}}}", TEAM.map(|name| format!("{name:?}")).join(", ")).unwrap();
            writeln!(text, "}}").unwrap();
        }
        let mut engine = Engine::new();
        engine.add_policy("bench.rego".to_owned(), text).unwrap();
        let policy = engine.compile_with_entrypoint(&Rc::from(ENTRY)).unwrap();
        let mut machine = RegoVM::new();
        machine.load_program(Compiler::compile_from_policy(&policy, &[ENTRY]).unwrap());
        machine.set_max_instructions(usize::MAX);
        Self { machine, keys: ["agent", "operation", "path"].map(Value::from) }
    }
}

impl Judge for Rego {
    type Input = Value;

    fn input(&self, asked: &Asked) -> Value {
        let [agent, operation, at] = self.keys.clone();
        let mut input = Value::new_object();
        let members = input.as_object_mut().unwrap();
        members.insert(agent, asked.agent.into());
        members.insert(operation, asked.operation.as_str().into());
        members.insert(at, path(&asked.arguments).into());
        input
    }

    fn judge(&mut self, input: Value) -> bool {
        self.machine.set_input(input);
        self.machine.execute().unwrap() == Value::Bool(true)
    }
}
