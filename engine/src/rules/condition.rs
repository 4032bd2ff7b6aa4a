//! Conditions: the trees that Python parsed and checked, and their values.

use super::fact::{Fact, View};
use super::value::{Comparator, Operator, Value};
use serde::Deserialize;

/// A condition as it is handed over: JSON, each node an object of one field that names its kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tree {
    /// none
    None(()),
    /// true or false
    Bool(bool),
    /// A whole number in decimal digits.
    Int(Box<str>),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(Box<str>),
    /// A fact: its name and its arguments.
    Fact(Box<str>, Vec<i64>),
    /// `not a`
    Not(Box<Tree>),
    /// `a and b`
    All(Vec<Tree>),
    /// `a or b`
    Any(Vec<Tree>),
    /// `a < b <= c`: the operands, and the operators between them.
    Compare(Vec<Tree>, Vec<Box<str>>),
    /// `a in b`, where the last is whether it is `not in`.
    In(Box<Tree>, Box<Tree>, bool),
    /// `a in [b, c]`, likewise.
    Among(Box<Tree>, Vec<Tree>, bool),
    /// `a + b`: the operator, and both sides.
    Compute(Box<str>, Box<Tree>, Box<Tree>),
}

/// A condition as the engine evaluates it.
#[derive(Clone, Debug)]
pub enum Condition {
    /// A constant.
    Constant(Constant),
    /// A fact.
    Fact(Fact),
    /// `not a`
    Not(Box<Condition>),
    /// The first part that is not true, else the last.
    All(Box<[Condition]>),
    /// The first part that is true, else the last.
    Any(Box<[Condition]>),
    /// Every operator holds between its neighbours.
    Compare(Box<Condition>, Box<[(Comparator, Condition)]>),
    /// Whether the left is among the texts of the right.
    In(Box<Condition>, Box<Condition>, bool),
    /// Whether the left equals one of the right.
    Among(Box<Condition>, Box<[Condition]>, bool),
    /// The result of an operator.
    Compute(Operator, Box<Condition>, Box<Condition>),
}

/// A constant of a condition.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // named as the kinds of `Value`
pub enum Constant {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Box<str>),
}

impl Constant {
    fn value(&self) -> Value<'_> {
        match self {
            Constant::None => Value::None,
            Constant::Bool(value) => Value::Bool(*value),
            Constant::Int(value) => Value::Int(*value),
            Constant::Float(value) => Value::Float(*value),
            Constant::Text(text) => Value::Text(text),
        }
    }
}

impl Condition {
    /// Take a tree that was handed over; the error says what in it the engine does not know.
    pub fn from_tree(tree: Tree) -> Result<Condition, String> {
        let constant = |constant| Ok(Condition::Constant(constant));
        match tree {
            Tree::None(()) => constant(Constant::None),
            Tree::Bool(value) => constant(Constant::Bool(value)),
            Tree::Int(digits) => match digits.parse() {
                Ok(value) => constant(Constant::Int(value)),
                Err(_) => Err(format!("{digits} has more than 128 bits")),
            },
            Tree::Float(value) => constant(Constant::Float(value)),
            Tree::Text(text) => constant(Constant::Text(text)),
            Tree::Fact(name, args) => Fact::named(&name, &args)
                .map(Condition::Fact)
                .ok_or_else(|| format!("no fact is named {name}")),
            Tree::Not(operand) => Ok(Condition::Not(boxed(*operand)?)),
            Tree::All(parts) => Ok(Condition::All(all(parts)?)),
            Tree::Any(parts) => Ok(Condition::Any(all(parts)?)),
            Tree::Compare(operands, operators) => compare(operands, &operators),
            Tree::In(item, container, negated) => {
                Ok(Condition::In(boxed(*item)?, boxed(*container)?, negated))
            }
            Tree::Among(item, among, negated) => {
                Ok(Condition::Among(boxed(*item)?, all(among)?, negated))
            }
            Tree::Compute(operator, left, right) => {
                let operator = match &*operator {
                    "+" => Operator::Plus,
                    "-" => Operator::Minus,
                    "*" => Operator::Times,
                    other => return Err(format!("no operator is written {other}")),
                };
                Ok(Condition::Compute(operator, boxed(*left)?, boxed(*right)?))
            }
        }
    }

    /// Whether the condition holds.
    pub fn holds(&self, view: View<'_>) -> bool {
        self.value(view).is_true()
    }

    /// The value, as Python has it: `a or b` is the first of them that counts as true.
    fn value<'a>(&'a self, view: View<'a>) -> Value<'a> {
        match self {
            Condition::Constant(constant) => constant.value(),
            Condition::Fact(fact) => fact.read(view),
            Condition::Not(operand) => Value::Bool(!operand.holds(view)),
            Condition::All(parts) => until(parts, view, |value| !value.is_true()),
            Condition::Any(parts) => until(parts, view, Value::is_true),
            Condition::Compare(first, rest) => {
                let mut left = first.value(view);
                Value::Bool(rest.iter().all(|(comparator, operand)| {
                    let right = operand.value(view);
                    let holds = left.compare(*comparator, right);
                    left = right;
                    holds
                }))
            }
            Condition::In(item, container, negated) => {
                let (item, container) = (item.value(view), container.value(view));
                let Value::Texts(texts) = container else { return Value::Bool(false) };
                let inside = || texts.iter().any(|text| item.equals(Value::Text(text)));
                Value::Bool(item.may_be_inside() && inside() != *negated)
            }
            Condition::Among(item, among, negated) => {
                let item = item.value(view);
                if !item.may_be_inside() {
                    return Value::Bool(false);
                }
                let mut inside = false;
                for element in among {
                    match element.value(view) {
                        Value::Lost => return Value::Bool(false),
                        element => inside |= item.equals(element),
                    }
                }
                Value::Bool(inside != *negated)
            }
            Condition::Compute(operator, left, right) => {
                left.value(view).compute(*operator, right.value(view))
            }
        }
    }

    /// Hand every fact that is named to `each`, in the order of the text.
    pub fn each_fact(&self, each: &mut impl FnMut(&Fact)) {
        match self {
            Condition::Constant(_) => {}
            Condition::Fact(fact) => each(fact),
            Condition::Not(operand) => operand.each_fact(each),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| part.each_fact(each));
            }
            Condition::Compare(first, rest) => {
                first.each_fact(each);
                rest.iter().for_each(|(_, operand)| operand.each_fact(each));
            }
            Condition::In(one, two, _) | Condition::Compute(_, one, two) => {
                one.each_fact(each);
                two.each_fact(each);
            }
            Condition::Among(item, among, _) => {
                item.each_fact(each);
                among.iter().for_each(|element| element.each_fact(each));
            }
        }
    }
}

fn boxed(tree: Tree) -> Result<Box<Condition>, String> {
    Condition::from_tree(tree).map(Box::new)
}

fn all(trees: Vec<Tree>) -> Result<Box<[Condition]>, String> {
    trees.into_iter().map(Condition::from_tree).collect()
}

fn compare(operands: Vec<Tree>, operators: &[Box<str>]) -> Result<Condition, String> {
    let mut operands = operands.into_iter().map(Condition::from_tree);
    let first = operands.next().ok_or("a comparison of nothing")??;
    let rest = operators
        .iter()
        .map(|operator| {
            let comparator = match &**operator {
                "==" => Comparator::Eq,
                "!=" => Comparator::Ne,
                "<" => Comparator::Lt,
                "<=" => Comparator::Le,
                ">" => Comparator::Gt,
                ">=" => Comparator::Ge,
                other => return Err(format!("no operator is written {other}")),
            };
            Ok((comparator, operands.next().ok_or("an operator without an operand")??))
        })
        .collect::<Result<Box<[_]>, String>>()?;
    Ok(Condition::Compare(Box::new(first), rest))
}

/// The first value at which to stop, else the last.
fn until<'a>(
    parts: &'a [Condition],
    view: View<'a>,
    stop: impl Fn(Value<'a>) -> bool,
) -> Value<'a> {
    let mut last = Value::None;
    for part in parts {
        last = part.value(view);
        if stop(last) {
            break;
        }
    }
    last
}
