//! Conditions that do not depend on a row.

use sqlparser::ast::{BinaryOperator as Op, Expr, InTarget, SetExpr, UnaryOperator, Value};

/// What a constant expression comes to.
#[derive(Debug, Clone, PartialEq)]
enum Constant {
    Number(f64),
    Text(String),
    Null,
}

/// Whether a statement with this `WHERE` concerns every row.
pub(crate) fn matches_all(selection: Option<&Expr>) -> bool {
    selection.is_none_or(|condition| truth(condition) == Some(true))
}

/// Whether one side of an `OR` in it is always true, as injections add it.
/// `WHERE 1 = 1 AND …` is what query builders write.
pub(crate) fn has_true_alternative(condition: &Expr) -> bool {
    match condition {
        Expr::BinaryOp { op: Op::Or, .. } => {
            alternatives(condition).iter().any(|side| truth(side) == Some(true) || has_true_alternative(side))
        }
        Expr::BinaryOp { left, op: Op::And, right } => has_true_alternative(left) || has_true_alternative(right),
        Expr::Nested(inner) => has_true_alternative(inner),
        _ => false,
    }
}

/// The sides of `a OR b OR …`, which the parser nests to the left: each is
/// looked at once.
fn alternatives(mut condition: &Expr) -> Vec<&Expr> {
    let mut sides = Vec::new();
    while let Expr::BinaryOp { left, op: Op::Or, right } = condition {
        sides.push(&**right);
        condition = left;
    }
    sides.push(condition);
    sides
}

/// Whether it holds for all rows or none; not known means that it depends.
fn truth(condition: &Expr) -> Option<bool> {
    match condition {
        Expr::Nested(inner) => truth(inner),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => truth(expr).map(|truth| !truth),
        Expr::BinaryOp { left, op: Op::And, right } => match (truth(left), truth(right)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Expr::BinaryOp { left, op: Op::Or, right } => match (truth(left), truth(right)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Expr::BinaryOp { left, op, right } => compare(left, op, right),
        Expr::IsNull(inner) => constant(inner).map(|value| value == Constant::Null),
        Expr::IsNotNull(inner) => constant(inner).map(|value| value != Constant::Null),
        Expr::IsTrue(inner) => truth(inner),
        Expr::IsNotFalse(inner) => truth(inner),
        Expr::Between { expr, negated, low, high } => {
            let within = compare(expr, &Op::GtEq, low)? && compare(expr, &Op::LtEq, high)?;
            Some(within != *negated)
        }
        Expr::In { expr, target: InTarget::List(list), negated, .. } => {
            let value = constant(expr)?;
            let values = list.iter().map(constant).collect::<Option<Vec<_>>>()?;
            Some(values.contains(&value) != *negated)
        }
        // Anything is like `%`.
        Expr::Like { pattern, negated, .. } | Expr::ILike { pattern, negated, .. } => match constant(pattern)? {
            Constant::Text(text) if !text.is_empty() && text.bytes().all(|byte| byte == b'%') => Some(!negated),
            _ => None,
        },
        // `EXISTS (SELECT 1)`.
        Expr::Exists { subquery, negated } => match &*subquery.body {
            SetExpr::Select(select) if select.from.is_empty() && select.selection.is_none() => Some(!negated),
            _ => None,
        },
        other => match constant(other)? {
            Constant::Number(number) => Some(number != 0.0),
            Constant::Text(text) => text.parse::<f64>().ok().map(|number| number != 0.0),
            Constant::Null => Some(false),
        },
    }
}

fn compare(left: &Expr, op: &Op, right: &Expr) -> Option<bool> {
    // A column is itself, or null.
    let column = matches!(left, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) && left == right;
    if column && matches!(op, Op::Eq | Op::GtEq | Op::LtEq | Op::Spaceship) {
        return Some(true);
    }
    let (left, right) = (constant(left)?, constant(right)?);
    let order = match (&left, &right) {
        (Constant::Number(left), Constant::Number(right)) => left.partial_cmp(right)?,
        (Constant::Text(left), Constant::Text(right)) => left.cmp(right),
        // Databases convert.
        (Constant::Number(number), Constant::Text(text)) => number.partial_cmp(&text.parse().ok()?)?,
        (Constant::Text(text), Constant::Number(number)) => text.parse::<f64>().ok()?.partial_cmp(number)?,
        (Constant::Null, _) | (_, Constant::Null) => return Some(false),
    };
    match op {
        Op::Eq | Op::Spaceship => Some(order.is_eq()),
        Op::NotEq => Some(order.is_ne()),
        Op::Lt => Some(order.is_lt()),
        Op::LtEq => Some(order.is_le()),
        Op::Gt => Some(order.is_gt()),
        Op::GtEq => Some(order.is_ge()),
        _ => None,
    }
}

fn constant(expression: &Expr) -> Option<Constant> {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => constant(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok().map(Constant::Number),
            Value::Boolean(boolean) => Some(Constant::Number(f64::from(u8::from(*boolean)))),
            Value::Null => Some(Constant::Null),
            other => other.clone().into_string().map(Constant::Text),
        },
        // MySQL reads `"a"` as a text; both sides are the same either way.
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match constant(expr)? {
            Constant::Number(number) => Some(Constant::Number(-number)),
            _ => None,
        },
        Expr::BinaryOp { left, op, right } => match (constant(left)?, op, constant(right)?) {
            (Constant::Number(left), Op::Plus, Constant::Number(right)) => Some(Constant::Number(left + right)),
            (Constant::Number(left), Op::Minus, Constant::Number(right)) => Some(Constant::Number(left - right)),
            (Constant::Number(left), Op::Multiply, Constant::Number(right)) => Some(Constant::Number(left * right)),
            (Constant::Text(left), Op::StringConcat, Constant::Text(right)) => Some(Constant::Text(left + &right)),
            _ => truth(expression).map(|truth| Constant::Number(f64::from(u8::from(truth)))),
        },
        _ => None,
    }
}
