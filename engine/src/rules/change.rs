//! A stage change: who stepped from where to where, when, and why (contract section 7).

use crate::facts::instant::Instant;
use crate::wire::event::Attribute;
use std::sync::Arc;

/// Why the ladders were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // named as in the contract
pub enum Cause {
    Event,
    Refund,
    Clock,
    Merge,
    Erasure,
    Manual,
    Definition,
}

impl Cause {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Event => "event",
            Cause::Refund => "refund",
            Cause::Clock => "clock",
            Cause::Merge => "merge",
            Cause::Erasure => "erasure",
            Cause::Manual => "manual",
            Cause::Definition => "definition",
        }
    }
}

/// The event that caused a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its CloudEvents source.
    pub source: Box<str>,
    /// Its CloudEvents id.
    pub id: Box<str>,
    /// Its type.
    pub kind: Box<str>,
}

/// The value of a fact when a change was made.
#[derive(Clone, Debug, PartialEq)]
pub enum FactValue {
    /// none
    None,
    /// A whole number; sums may have up to 128 bits.
    Int(i128),
    /// What an attribute may be, and any other number.
    Other(Attribute),
}

/// One move of one customer on one ladder. Places count from 1, 0 is none.
///
/// What is always the same of such a step (ids, direction, what was passed, the rule) lies in the
/// ladder.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The customer id.
    pub customer: Box<str>,
    /// The how-manieth record of this id.
    pub life: u32,
    /// The ladder's place among the rules.
    pub ladder: usize,
    /// The place left.
    pub before: u16,
    /// The place taken.
    pub after: u16,
    /// Counts the changes of this customer and ladder.
    pub sequence: u64,
    /// When it was evaluated.
    pub time: Instant,
    /// When the place left was entered; of no meaning where it is none.
    pub since: Instant,
    /// Why.
    pub cause: Cause,
    /// The event that caused it.
    pub trigger: Option<Arc<Trigger>>,
    /// The place (from 0) of the rung whose rule explains it, and the values of its facts.
    pub because: Option<(usize, Box<[FactValue]>)>,
    /// The values of the facts of the next rung's rule, where there is a next rung.
    pub next: Option<Box<[FactValue]>>,
    /// Marketing should not act on it.
    pub quiet: bool,
}
