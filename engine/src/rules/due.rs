//! When to look again: the instants at which something may change by time alone (contract 5).
//!
//! These are the day boundaries at which a window drops something, the ends of graces and the ends
//! of placements. A look that changes nothing leaves the record as it was, so it may be repeated.

use super::change::Change;
use super::fact::Cutter;
use super::shop::{Mask, Rules, bit};
use super::standing::{Look, Occasion, evaluate};
use crate::facts::customer::Customer;
use crate::facts::instant::{Day, Instant, NEVER};

/// A day boundary at which a window drops something.
struct Boundary {
    instant: Instant,
    /// The day that begins.
    day: Day,
    /// The ladders that it concerns.
    ladders: Mask,
}

/// The boundaries after `today` up to the day `last`, in order; and the first day after `last` on
/// which a window drops something, if there is one.
///
/// A day that clocks skip begins where the next one does: one instant, so one boundary.
fn boundaries(rules: &Rules, c: &Customer, today: Day, last: Day) -> (Vec<Boundary>, Option<Day>) {
    let mut found: Vec<(Day, Mask)> = Vec::new();
    let mut following: Option<Day> = None;
    for (series, windows) in &rules.windows {
        let days = series.days(c);
        let Some(&newest) = days.last() else { continue };
        for &(length, concerned) in windows {
            if newest + length <= today {
                continue;
            }
            let first = days.partition_point(|&day| day + length <= today);
            let mut drops = days[first..].iter().map(|&day| day + length);
            let next = drops.find(|&drop| {
                if drop <= last {
                    found.push((drop, concerned));
                }
                drop > last
            });
            following = match (following, next) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            };
        }
    }
    found.sort_unstable();
    let mut merged: Vec<Boundary> = Vec::with_capacity(found.len());
    for (day, ladders) in found {
        let instant = rules.calendar.start_of(day);
        match merged.last_mut() {
            Some(known) if known.instant == instant => known.ladders |= ladders,
            _ => merged.push(Boundary { instant, day: rules.calendar.today(instant), ladders }),
        }
    }
    (merged, following)
}

/// The first day after `today` on which a window drops something.
fn next_boundary(rules: &Rules, c: &Customer, today: Day) -> Option<Day> {
    let mut next: Option<Day> = None;
    for (series, windows) in &rules.windows {
        let days = series.days(c);
        let (Some(&oldest), Some(&newest)) = (days.first(), days.last()) else { continue };
        for &(length, _) in windows {
            if newest + length <= today {
                continue;
            }
            let drop = if oldest + length > today {
                oldest + length
            } else {
                days[days.partition_point(|&day| day + length <= today)] + length
            };
            next = Some(next.map_or(drop, |known| known.min(drop)));
        }
    }
    next
}

/// When the next grace or placement ends after an instant, and the ladders on which it does.
fn timer(c: &Customer, after: Instant) -> (Instant, Mask) {
    let (mut instant, mut ladders) = (NEVER, 0);
    for (index, verdict) in c.verdicts.iter().enumerate() {
        for end in [verdict.hold.grace, verdict.hold.until] {
            if after < end && end < instant {
                (instant, ladders) = (end, bit(index));
            } else if end == instant {
                ladders |= bit(index);
            }
        }
    }
    (instant, ladders)
}

/// The first due instant after another; [`NEVER`] when nothing is to come.
pub fn next_instant(rules: &Rules, c: &Customer, after: Instant) -> Instant {
    let day = next_boundary(rules, c, rules.calendar.today(after));
    let boundary = day.map_or(NEVER, |day| rules.calendar.start_of(day));
    boundary.min(timer(c, after).0)
}

/// The next instant at which something may change by time alone, noted in the record.
pub fn next_due(rules: &Rules, c: &mut Customer) -> Instant {
    match c.due {
        Some(due) => due,
        None => *c.due.insert(next_instant(rules, c, c.as_of)),
    }
}

/// Evaluate everything due up to and at an instant, in order; tells whether anything changed.
///
/// Two kinds of instants run beside one another: day boundaries, which are known beforehand, and
/// timers (the ends of graces and placements), which a look may begin anew. So before each boundary
/// the timers that end earlier have their turn, one at a time; one that ends at the boundary itself
/// is looked at together with it, since each instant is evaluated once for all that falls on it.
pub fn advance(
    rules: &Rules,
    id: &str,
    c: &mut Customer,
    until: Instant,
    cutter: &dyn Cutter,
    out: &mut Vec<Change>,
) -> bool {
    if c.due.is_some_and(|due| until < due) {
        return false;
    }
    let mut seen = c.due.map_or(c.as_of, |due| due - 1);
    if seen >= until {
        return false;
    }
    let calendar = &rules.calendar;
    let (first, last) = (calendar.today(seen), calendar.today(until));
    let holds = c.verdicts.iter().any(|verdict| !verdict.hold.is_empty());
    if first == last && !holds && c.due.is_none() {
        return false; // no day begins between the two, so when something is due need not be known
    }
    let (boundaries, following) = boundaries(rules, c, first, last);
    let mut clock = Clock { rules, id, cutter, changed: false };
    for Boundary { instant, day, mut ladders } in boundaries {
        ladders |= clock.timers_before(c, &mut seen, until, instant, out);
        clock.look(c, instant, day, ladders, out);
        seen = instant;
    }
    let following = following.map_or(NEVER, |day| calendar.start_of(day));
    clock.timers_before(c, &mut seen, until, following, out);
    c.due = Some(following.min(timer(c, seen).0));
    clock.changed
}

/// Looks at one customer again and again, as time passes.
struct Clock<'a> {
    rules: &'a Rules,
    id: &'a str,
    cutter: &'a dyn Cutter,
    changed: bool,
}

impl Clock<'_> {
    /// Give the timers that end after `seen`, up to `until` and before a boundary, their turn.
    ///
    /// Gives the ladders on which one ends at the boundary itself.
    fn timers_before(
        &mut self,
        c: &mut Customer,
        seen: &mut Instant,
        until: Instant,
        boundary: Instant,
        out: &mut Vec<Change>,
    ) -> Mask {
        loop {
            let (end, expiring) = timer(c, *seen);
            if end >= boundary || end > until {
                return if end == boundary { expiring } else { 0 };
            }
            self.look(c, end, self.rules.calendar.today(end), expiring, out);
            *seen = end;
        }
    }

    fn look(
        &mut self,
        c: &mut Customer,
        instant: Instant,
        day: Day,
        ladders: Mask,
        out: &mut Vec<Change>,
    ) {
        let (rules, id, occasion) = (self.rules, self.id, &Occasion::CLOCK);
        let look = Look { rules, id, instant, day, cuts: self.cutter.at(day), occasion };
        if evaluate(look, c, ladders, out) {
            c.as_of = instant;
            self.changed = true;
        }
    }
}
