//! Commands that are made of others.

use brush_parser::ast::{CompoundCommand, ExtendedTestExpr};

use super::expand::UNKNOWN;
use super::walk::Walk;

impl Walk {
    pub(super) fn compound(&mut self, compound: &CompoundCommand) {
        match compound {
            CompoundCommand::Arithmetic(arithmetic) => self.judge_within(&arithmetic.expr.value),
            CompoundCommand::ArithmeticForClause(clause) => {
                let parts = [&clause.initializer, &clause.condition, &clause.updater];
                parts.into_iter().flatten().for_each(|part| self.judge_within(&part.value));
                self.list(&clause.body.list);
            }
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(subshell) => self.list(&subshell.list),
            CompoundCommand::ForClause(clause) => {
                match &clause.values {
                    Some(values) => {
                        let values: Vec<_> = values.iter().flat_map(|word| self.fields(&word.value, 0)).collect();
                        values.into_iter().for_each(|value| self.assign(&clause.variable_name, value));
                    }
                    None => self.assign(&clause.variable_name, UNKNOWN.to_string()),
                }
                self.list(&clause.body.list);
            }
            CompoundCommand::CaseClause(clause) => {
                self.fields(&clause.value.value, 0);
                for case in &clause.cases {
                    case.patterns.iter().for_each(|pattern| self.judge_within(&pattern.value));
                    case.cmd.iter().for_each(|list| self.list(list));
                }
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition);
                self.list(&clause.then);
                for other in clause.elses.iter().flatten() {
                    other.condition.iter().for_each(|condition| self.list(condition));
                    self.list(&other.body);
                }
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0);
                self.list(&clause.1.list);
            }
        }
    }

    pub(super) fn test(&mut self, test: &ExtendedTestExpr) {
        match test {
            ExtendedTestExpr::And(left, right) | ExtendedTestExpr::Or(left, right) => {
                self.test(left);
                self.test(right);
            }
            ExtendedTestExpr::Not(inner) | ExtendedTestExpr::Parenthesized(inner) => self.test(inner),
            ExtendedTestExpr::UnaryTest(_, word) => self.judge_within(&word.value),
            ExtendedTestExpr::BinaryTest(_, left, right) => {
                self.judge_within(&left.value);
                self.judge_within(&right.value);
            }
        }
    }
}
