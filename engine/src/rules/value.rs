//! The values of a condition, and what its operators mean: contract section 3, *A condition*.
//!
//! Where the contract is silent: booleans count as 1 and 0 in `+`, `-` and `*`, and `true == 1`; but
//! a boolean and a number are unlike types, so no order comparison between them holds. Computing
//! with a text or a list counts as computed with none, and so does a result beyond 128 bits or
//! beyond a float.

use std::cmp::Ordering;

/// The value of an expression.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// none
    None,
    /// What was computed with none: not true, and every comparison with it is false.
    Lost,
    /// true or false
    Bool(bool),
    /// a whole number
    Int(i128),
    /// any other number
    Float(f64),
    /// text
    Text(&'a str),
    /// a list of texts
    Texts(&'a [Box<str>]),
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // named as they are written: == != < <= > >=
pub enum Comparator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// An operator that computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // named as they are written: + - *
pub enum Operator {
    Plus,
    Minus,
    Times,
}

impl<'a> Value<'a> {
    /// Whether it counts as true where a condition asks.
    pub fn is_true(self) -> bool {
        match self {
            Value::None | Value::Lost => false,
            Value::Bool(value) => value,
            Value::Int(value) => value != 0,
            Value::Float(value) => value != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Texts(texts) => !texts.is_empty(),
        }
    }

    /// Whether two values are equal, across kinds as `==` has it.
    pub fn equals(self, other: Value<'a>) -> bool {
        match (self, other) {
            (Value::None, Value::None) => true,
            (Value::Text(one), Value::Text(two)) => one == two,
            (Value::Texts(one), Value::Texts(two)) => one == two,
            _ => match (self.countable(), other.countable()) {
                (Some(one), Some(two)) => order(one, two) == Some(Ordering::Equal),
                _ => false,
            },
        }
    }

    /// What a comparison says.
    pub fn compare(self, comparator: Comparator, other: Value<'a>) -> bool {
        if matches!(self, Value::Lost) || matches!(other, Value::Lost) {
            return false;
        }
        match comparator {
            Comparator::Eq => self.equals(other),
            Comparator::Ne => !self.equals(other),
            Comparator::Lt => self.ordered(other).is_some_and(Ordering::is_lt),
            Comparator::Le => self.ordered(other).is_some_and(Ordering::is_le),
            Comparator::Gt => self.ordered(other).is_some_and(Ordering::is_gt),
            Comparator::Ge => self.ordered(other).is_some_and(Ordering::is_ge),
        }
    }

    /// The order of two values of one kind; None of unlike types.
    fn ordered(self, other: Value<'a>) -> Option<Ordering> {
        match (self, other) {
            (Value::Bool(one), Value::Bool(two)) => Some(one.cmp(&two)),
            (Value::Text(one), Value::Text(two)) => Some(one.cmp(two)),
            (Value::Texts(one), Value::Texts(two)) => Some(one.cmp(two)),
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                order(self, other)
            }
            _ => None,
        }
    }

    /// The value as a number, where booleans count as 1 and 0.
    fn countable(self) -> Option<Value<'a>> {
        match self {
            Value::Bool(value) => Some(Value::Int(value.into())),
            Value::Int(_) | Value::Float(_) => Some(self),
            _ => None,
        }
    }

    /// Compute with two values.
    pub fn compute(self, operator: Operator, other: Value<'a>) -> Value<'a> {
        let (Some(one), Some(two)) = (self.countable(), other.countable()) else {
            return Value::Lost;
        };
        if let (Value::Int(one), Value::Int(two)) = (one, two) {
            let result = match operator {
                Operator::Plus => one.checked_add(two),
                Operator::Minus => one.checked_sub(two),
                Operator::Times => one.checked_mul(two),
            };
            return result.map_or(Value::Lost, Value::Int);
        }
        let (one, two) = (one.float(), two.float());
        Value::Float(match operator {
            Operator::Plus => one + two,
            Operator::Minus => one - two,
            Operator::Times => one * two,
        })
    }

    fn float(self) -> f64 {
        match self {
            Value::Int(value) => value as f64,
            Value::Float(value) => value,
            _ => f64::NAN,
        }
    }

    /// Whether `in`, or `not in`, may hold: false with none on the left.
    pub fn may_be_inside(self) -> bool {
        !matches!(self, Value::None | Value::Lost)
    }
}

/// The order of two numbers, exact between a whole number and a float.
fn order(one: Value<'_>, two: Value<'_>) -> Option<Ordering> {
    match (one, two) {
        (Value::Int(one), Value::Int(two)) => Some(one.cmp(&two)),
        (Value::Float(one), Value::Float(two)) => one.partial_cmp(&two),
        (Value::Int(one), Value::Float(two)) => whole_beside_float(one, two),
        (Value::Float(one), Value::Int(two)) => whole_beside_float(two, one).map(Ordering::reverse),
        _ => None,
    }
}

/// Compare exactly: a float has a whole part, which is compared first, and a rest.
fn whole_beside_float(whole: i128, float: f64) -> Option<Ordering> {
    /// 2^127, which is a float.
    const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if float.is_nan() {
        return None;
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float < -BEYOND {
        return Some(Ordering::Greater);
    }
    let part = float.trunc();
    // Within 128 bits, so the cast is exact.
    let compared = whole.cmp(&(part as i128));
    Some(compared.then_with(|| 0.0.partial_cmp(&(float - part)).unwrap_or(Ordering::Equal)))
}
