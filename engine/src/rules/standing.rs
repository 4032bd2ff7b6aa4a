//! Which rung, and how it changes: target, standing and rung of contract section 4.
//!
//! Places on a ladder count from 1 here, 0 is none; so they compare as the contract compares rungs.

use super::change::{Cause, Change, FactValue, Trigger};
use super::fact::{Cuts, View};
use super::ladder::{Climb, Down, Kind, Ladder};
use super::shop::{Mask, Rules};
use super::value::Value;
use crate::facts::customer::{Customer, Hold, Verdict};
use crate::facts::instant::{Day, Instant};
use crate::wire::event::Attribute;
use std::sync::Arc;

/// Why the ladders are looked at.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// The cause of what changes.
    pub cause: Cause,
    /// The event behind it.
    pub trigger: Option<Arc<Trigger>>,
    /// The place among the rules of the ladder that is placed or released on.
    pub by_hand: Option<usize>,
    /// The customer leaves all ladders.
    pub leaving: bool,
}

impl Occasion {
    /// Time alone.
    pub const CLOCK: Occasion =
        Occasion { cause: Cause::Clock, trigger: None, by_hand: None, leaving: false };

    /// An event that places nobody.
    pub fn of(cause: Cause, trigger: Arc<Trigger>) -> Occasion {
        Occasion { cause, trigger: Some(trigger), by_hand: None, leaving: false }
    }
}

/// A look at one customer as of an instant.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// The customer id.
    pub id: &'a str,
    /// As of when.
    pub instant: Instant,
    /// The calendar day of the instant.
    pub day: Day,
    /// The cuts of that day.
    pub cuts: &'a Cuts,
    /// Why.
    pub occasion: &'a Occasion,
}

/// Bring a set of ladders up to what the rules say; tells whether anything changed.
///
/// What changes is a rung, a standing or a grace; each changed rung adds a stage change to `out`.
pub fn evaluate(look: Look<'_>, c: &mut Customer, ladders: Mask, out: &mut Vec<Change>) -> bool {
    let mut changed = false;
    for (index, ladder) in look.rules.chosen(ladders) {
        let view = View { customer: c, day: look.day, cuts: look.cuts };
        let target = ladder.target(view);
        let before = c.verdicts[index];
        let mut verdict = settle(ladder, target, before, look.instant);
        let seen = seen(ladder, &verdict, view, look.instant);
        if seen != verdict.rung {
            verdict.sequence += 1;
            out.push(step(look, c, index, seen, target, &verdict));
            (verdict.rung, verdict.since) = (seen, look.instant);
        }
        if verdict != before {
            c.verdicts[index] = verdict;
            changed = true;
        }
    }
    changed
}

/// The rung that is seen: a placement by hand, else an override, else the standing.
fn seen(ladder: &Ladder, verdict: &Verdict, view: View<'_>, instant: Instant) -> u16 {
    let hold = &verdict.hold;
    if hold.is_placed(instant) {
        return match ladder.kind {
            Kind::Segment => hold.placed,
            Kind::Ladder => hold.placed.max(verdict.standing),
        };
    }
    match ladder.covered_by(view) {
        0 => verdict.standing,
        covering => covering,
    }
}

/// Move the standing under a target, and begin or end its grace.
fn settle(ladder: &Ladder, target: u16, before: Verdict, now: Instant) -> Verdict {
    let (standing, grace) = stand(ladder, target, before.standing, before.hold.grace, now);
    let mut verdict = Verdict { standing, ..before };
    if grace != before.hold.grace || standing != before.standing {
        verdict.hold.grace = grace;
        if verdict.hold.placed == 0 {
            // With the grace goes what was left of a placement that is over.
            verdict.hold = Hold { grace, ..Hold::default() };
        }
    }
    verdict
}

/// The standing and the end of its grace (0: none) under a target.
fn stand(ladder: &Ladder, target: u16, standing: u16, grace: Instant, now: Instant) -> (u16, i64) {
    if target > standing || ladder.down == Down::Now {
        return (target, 0);
    }
    let Down::Grace { one, .. } = ladder.down else { return (standing, 0) };
    let begun = || ladder.down.grace_from(now).unwrap_or(now);
    if target == standing {
        return (standing, 0);
    }
    if grace == 0 {
        return (standing, begun());
    }
    if now < grace {
        return (standing, grace);
    }
    if !one {
        return (target, 0);
    }
    let below = ladder.steps.iter().rev().map(|&place| super::ladder::counted(place));
    let lower = below.into_iter().find(|&place| place < standing).unwrap_or(0);
    (lower, if target < lower { begun() } else { 0 })
}

/// Take a customer off every ladder (absorbed or erased).
pub fn leave(look: Look<'_>, c: &mut Customer, out: &mut Vec<Change>) {
    for index in 0..look.rules.ladders.len() {
        let before = c.verdicts[index];
        if before.rung != 0 {
            let verdict = Verdict { sequence: before.sequence + 1, ..before };
            out.push(step(look, c, index, 0, 0, &verdict));
            c.verdicts[index] =
                Verdict { sequence: verdict.sequence, since: look.instant, ..Verdict::default() };
        } else {
            c.verdicts[index] = Verdict { standing: 0, hold: Hold::default(), ..before };
        }
    }
}

/// The stage change from the rung of a verdict to another. The verdict counts it already.
fn step(
    look: Look<'_>,
    c: &Customer,
    index: usize,
    after: u16,
    target: u16,
    verdict: &Verdict,
) -> Change {
    let ladder = &look.rules.ladders[index];
    let view = View { customer: c, day: look.day, cuts: look.cuts };
    let manual = look.occasion.by_hand == Some(index);
    let because = if manual { None } else { deciding(look, ladder, view, after, target, verdict) };
    Change {
        customer: look.id.into(),
        life: c.life,
        ladder: index,
        before: verdict.rung,
        after,
        sequence: verdict.sequence,
        time: look.instant,
        since: verdict.since,
        cause: if manual { Cause::Manual } else { look.occasion.cause },
        trigger: look.occasion.trigger.clone(),
        because: because.map(|place| (place, rung_facts(ladder, place, view))),
        next: ladder.above(after).map(|place| rung_facts(ladder, place, view)),
        quiet: look.rules.quiet_before.is_some_and(|before| look.instant < before)
            || look.occasion.cause == Cause::Definition,
    }
}

/// The place (from 0) of the rung whose rule explains a change: contract section 7, `because`.
fn deciding(
    look: Look<'_>,
    ladder: &Ladder,
    view: View<'_>,
    after: u16,
    target: u16,
    verdict: &Verdict,
) -> Option<usize> {
    let hold = &verdict.hold;
    if look.occasion.cause == Cause::Clock && hold.placed != 0 && hold.until == look.instant {
        return None;
    }
    if after == 0 && (ladder.kind == Kind::Segment || look.occasion.leaving) {
        return None;
    }
    let (before, after) = (usize::from(verdict.rung), usize::from(after));
    let is_override = |place: usize| place > 0 && ladder.rungs[place - 1].is_override;
    if is_override(after) {
        return Some(after - 1);
    }
    if is_override(before) && !ladder.rungs[before - 1].condition.holds(view) {
        return Some(before - 1);
    }
    if ladder.kind == Kind::Segment || after > before {
        return Some(after - 1);
    }
    if ladder.climb == Climb::Free {
        return Some(before - 1);
    }
    ladder.steps.iter().copied().find(|&step| step >= target.into())
}

/// The values of the facts that a rung's rule names, in their order.
pub fn rung_facts(ladder: &Ladder, place: usize, view: View<'_>) -> Box<[FactValue]> {
    let facts = ladder.rungs[place].facts.iter();
    facts.map(|named| owned(named.fact.read(view))).collect()
}

/// A value that outlives the record.
pub fn owned(value: Value<'_>) -> FactValue {
    FactValue::Other(match value {
        Value::None | Value::Lost => return FactValue::None,
        Value::Int(value) => return FactValue::Int(value),
        Value::Bool(value) => Attribute::Bool(value),
        Value::Float(value) => Attribute::Float(value),
        Value::Text(text) => Attribute::Text(text.into()),
        Value::Texts(texts) => Attribute::List(texts.into()),
    })
}
