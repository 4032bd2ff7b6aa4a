//! Whether a record has room for more: contract section 2, *Dead letters*, `too-much`.
//!
//! A record may have 512 KiB as stored. Most of it is bounded by what it is: days by the longest
//! window, orders, reviews, ids and referred customers by their number. What is not are attributes,
//! what referred customers brought by day, and the ids that were absorbed. So a record that holds
//! little of these three has room for every event, and nothing is measured. Of any other a copy takes
//! the event in, and the copy is measured.
//!
//! Rungs, graces and placements, and what is known of a referral of the customer's own, are counted
//! at the most that they can be. So what the clock does, a placement or a credit never carries a
//! record past the limit.

use super::effects::{fold_old_days, take_in};
use super::people::unite;
use super::refusal::LARGEST_AMOUNT;
use super::shop::Rules;
use crate::facts::book::{Id, RECENT};
use crate::facts::customer::{Customer, REMEMBERED, REMEMBERED_EVENTS, Record, Slot};
use crate::facts::instant::Amount;
use crate::facts::series::{LONGEST_WINDOW, SPEND};
use crate::facts::size::{attribute, facts_of, text, texts};
use crate::wire::event::{Data, Event, Reason, Refused};

/// Bytes of all rows of a customer together. A changelog takes a row of twice as many.
pub const LARGEST_RECORD: usize = 512 * 1024;

/// The most bytes that a day, a number and a sum of money take.
const DAY: usize = 5;
const NUMBER: usize = 9;
const SUM: usize = 18;
/// What a record has once: the heads of its parts, its card, its own referral (three ids).
const ONCE: usize = 3 * 1024;
/// What a ladder takes.
const A_LADDER: usize = 64;
/// Days that windows reach, and the one that they subtract.
const DAYS: usize = LONGEST_WINDOW as usize + 1;
const SERIES: usize = DAYS
    * ((DAY + 3 * NUMBER + SUM) // bought
        + 2 * (DAY + NUMBER) // happened, asked
        + (DAY + 5 * NUMBER) // reviewed
        + (DAY + NUMBER + SUM) // brought
        + (DAY + 1)) // wanted
    + REMEMBERED * (DAY + 3 * NUMBER + SUM); // days of orders that are remembered
const ORDER: usize = 48;
const REVIEW: usize = 16;
const REFERRAL: usize = 12;
const BOOKS: usize = (REMEMBERED_EVENTS + RECENT) * size_of::<Id>()
    + (REMEMBERED + RECENT) * (3 * size_of::<Id>() + ORDER + REVIEW + REFERRAL);
/// The most that one event adds to what is not bounded by itself.
const AN_EVENT: usize = 65_536 + ONCE;

/// More than one event adds to what is bounded by itself: a day of every series, an entry of a book.
const A_DAY: usize = 1_024;

/// A total of fewer bits is not brought beyond the limit by one event, or one merge.
const FAR_BELOW: Amount = 1 << 120;

/// Refuse an event for which the record has no room; `id` is what it is remembered under.
///
/// Who leaves takes room from nobody; but a record that is past the limit already, as an earlier
/// version may have left one, would not fit into a handover.
pub fn refuse_growth(rules: &Rules, slot: &mut Slot, event: &Event, id: Id) -> Result<(), Refused> {
    let merges = matches!(event.data, Data::ProfileMerged { .. });
    if event.data == Data::ProfileErased {
        return Ok(());
    }
    let life = slot.next_life();
    let Slot { record, aliases, .. } = slot;
    let mut stranger;
    let known = match record {
        Record::Customer(known) => &mut **known,
        _ if aliases.is_empty() || merges => return Ok(()),
        _ => {
            stranger = Customer::stranger(event.time, life, rules.ladders.len());
            &mut stranger
        }
    };
    if loose(known) + texts(aliases) <= room(known) && are_small(&[known]) {
        return Ok(());
    }
    cut(known);
    let before = stored(known, aliases);
    if merges {
        return if before > LARGEST_RECORD { Err(no_room(before)) } else { Ok(()) };
    }
    let day = rules.calendar.day_of(event.time);
    let taken_in = |mut trial: Customer| {
        take_in(rules, &mut trial, &event.data, day);
        trial.happened.add(day, [1]);
        trial.seen.add(id, (), REMEMBERED_EVENTS);
        trial
    };
    let adds =
        matches!(event.data, Data::PurchaseCompleted { .. } | Data::ReferralConverted { .. });
    if adds && !has_bits(known, LARGEST_AMOUNT) {
        return Err(beyond_bits());
    }
    if before + AN_EVENT + A_DAY <= LARGEST_RECORD {
        return Ok(()); // so far from the limit no copy need be tried
    }
    judge(known, taken_in, aliases, before)
}

/// Refuse a merge for which the survivor has no room; `aliases` are all that it would have.
pub fn refuse_union(
    rules: &Rules,
    slot: &mut Slot,
    mut other: Option<&mut Customer>,
    aliases: &[Box<str>],
) -> Result<(), Refused> {
    let life = slot.next_life();
    let Slot { id, record, aliases: own_aliases, .. } = slot;
    let mut stranger;
    let known = match record {
        Record::Customer(known) => &mut **known,
        _ => {
            stranger = Customer::stranger(0, life, rules.ladders.len());
            &mut stranger
        }
    };
    let loosely = loose(known) + texts(aliases) + other.as_deref().map_or(0, loose);
    let both: Vec<&Customer> = std::iter::once(&*known).chain(other.as_deref()).collect();
    if loosely <= room(known) && are_small(&both) {
        return Ok(());
    }
    cut(known);
    other.as_deref_mut().into_iter().for_each(cut);
    let other = other.as_deref();
    if other.is_some_and(|other| !have_bits(known, other)) {
        return Err(beyond_bits());
    }
    let united = |mut trial: Customer| {
        if let Some(other) = other {
            unite(id, own_aliases, &mut trial, other.clone());
        }
        trial
    };
    let before = other.map_or(0, |other| stored(other, aliases));
    judge(known, united, aliases, before)
}

fn cut(c: &mut Customer) {
    c.seen.cut();
    c.orders.cut();
    c.reviews.cut();
    c.referrals.cut();
}

/// Try a change of a record; if need be, make room first by what costs no fact.
fn judge(
    known: &mut Customer,
    changed: impl Fn(Customer) -> Customer,
    aliases: &[Box<str>],
    before: usize,
) -> Result<(), Refused> {
    let mut size = stored(&changed(known.clone()), aliases);
    if size > LARGEST_RECORD && fold_old_days(known) {
        size = stored(&changed(known.clone()), aliases);
    }
    if size > before.max(LARGEST_RECORD) { Err(no_room(size)) } else { Ok(()) }
}

fn no_room(size: usize) -> Refused {
    let message = format!(
        "the customer's record would take {size} bytes; at most {LARGEST_RECORD} are kept: \
         attributes that are set to null make room"
    );
    Refused { reason: Reason::TooMuch, message }
}

fn beyond_bits() -> Refused {
    let message = "a sum of the customer's record would need more than 128 bits".to_owned();
    Refused { reason: Reason::TooMuch, message }
}

/// At least the bytes that all rows of a customer take, and not much more.
fn stored(c: &Customer, aliases: &[Box<str>]) -> usize {
    facts_of(c) + texts(aliases) + ONCE + A_LADDER * c.verdicts.len()
}

/// How much of what has no bound of its own leaves room for any event.
fn room(c: &Customer) -> usize {
    LARGEST_RECORD.saturating_sub(SERIES + BOOKS + ONCE + AN_EVENT + A_LADDER * c.verdicts.len())
}

/// At least the bytes of attributes, and of what referred customers brought.
fn loose(c: &Customer) -> usize {
    let referrals = c.referrals.entries().iter();
    let brought = referrals.map(|referral| REFERRAL + referral.revenue.len() * (1 + DAY + SUM));
    let attributes = c.attributes.iter().map(|(name, value)| text(name) + attribute(value));
    brought.sum::<usize>() + attributes.sum::<usize>()
}

/// Whether the sums of records are nowhere near their limit.
fn are_small(customers: &[&Customer]) -> bool {
    customers.iter().all(|c| spend_and_revenue(c) < FAR_BELOW)
}

/// The greater of a record's two sums of money.
fn spend_and_revenue(c: &Customer) -> Amount {
    c.bought.series().total(SPEND).max(c.brought.total(1))
}

/// Whether both sums of a record still fit with so much more.
///
/// No running total is greater than the last: what is taken off, is taken off its own day.
fn has_bits(c: &Customer, more: Amount) -> bool {
    spend_and_revenue(c).checked_add(more).is_some()
}

/// Whether both sums of two records fit when they are added up.
fn have_bits(one: &Customer, other: &Customer) -> bool {
    let spend = |c: &Customer| c.bought.series().total(SPEND);
    let revenue = |c: &Customer| c.brought.total(1);
    spend(one).checked_add(spend(other)).is_some()
        && revenue(one).checked_add(revenue(other)).is_some()
}
