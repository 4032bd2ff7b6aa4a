//! Customers who become one, and customers who are forgotten: contract section 6.

use super::effects::{discount_order, discount_referral, discount_review};
use super::handover::{Absorb, Handover, Matter};
use crate::facts::book::{Book, Id};
use crate::facts::customer::{
    Customer, Dated, Erased, Moved, REMEMBERED, REMEMBERED_EVENTS, Record, Slot,
};
use crate::facts::instant::{Day, Instant};
use crate::facts::series::Bought;
use hashbrown::HashSet;

/// Ids absorbed into one customer that are known; of more, the newest.
///
/// One that is too many is let go ([`let_go`]), and an event for it begins a new customer.
const MOST_ALIASES: usize = 4_096;
/// Bytes of such ids.
const MOST_ALIAS_BYTES: usize = 256 * 1024;
/// In the place of an erasure's instant, for who was only let go: no event is as old.
const LET_GO: Instant = -1;
/// Forwardings that a record follows before it comes to rest where it is.
const LONGEST_PATH: usize = 512;

/// Leave a forwarding in the place of an absorbed customer's record; gives what was there.
pub fn depart(slot: &mut Slot, into: &str) -> (Option<Box<Customer>>, Vec<Box<str>>) {
    let life = slot.next_life() - 1;
    let record = std::mem::take(&mut slot.record);
    let (moved, record) = match record {
        Record::Customer(c) => {
            let sequences = c.verdicts.iter().map(|verdict| verdict.sequence).collect();
            let others =
                c.others.iter().map(|other| (other.ladder, other.verdict.sequence)).collect();
            (Moved { into: into.into(), life: c.life, sequences, others }, Some(c))
        }
        Record::Nobody => {
            (Moved { into: into.into(), life, sequences: vec![], others: vec![] }, None)
        }
        Record::Moved(moved) => (Moved { into: into.into(), ..moved }, None),
    };
    slot.record = Record::Moved(moved);
    (record, std::mem::take(&mut slot.aliases))
}

/// Delete all that is kept under an id but the marker; gives what its aliases are told.
pub fn erase(slot: &mut Slot, instant: Instant) -> Vec<Handover> {
    let lives = match &slot.record {
        Record::Customer(c) => c.life,
        Record::Moved(moved) => moved.life,
        Record::Nobody => slot.next_life() - 1,
    };
    (slot.record, slot.named) = (Record::Nobody, false);
    let latest = slot.erased.map_or(instant, |erased| erased.instant.max(instant));
    slot.erased = Some(Erased { instant: latest, lives });
    let aliases = std::mem::take(&mut slot.aliases).into_iter();
    aliases.map(|alias| forget(alias, instant, instant)).collect()
}

/// Tell an absorbed id that its survivor was erased at an instant.
pub fn forget(alias: Box<str>, time: Instant, instant: Instant) -> Handover {
    Handover { to: alias, time, matter: Matter::Forget(instant) }
}

/// Ids absorbed into a customer, `known` and those that arrive; and who of them are too many.
///
/// An id stands before the one that it forwards to, so none goes on over one that was let go.
pub fn aliases_with(known: &[Box<str>], arrived: Vec<Box<str>>) -> (Vec<Box<str>>, Vec<Box<str>>) {
    let mut aliases = known.to_vec();
    let mut known: HashSet<Box<str>, foldhash::fast::RandomState> = known.iter().cloned().collect();
    for alias in arrived {
        if known.insert(alias.clone()) {
            aliases.push(alias);
        }
    }
    let mut room = MOST_ALIAS_BYTES;
    let mut fits = |bytes: usize| {
        let left = room.checked_sub(bytes);
        room = left.unwrap_or(0);
        left.is_some()
    };
    let newest = aliases.iter().rev().take(MOST_ALIASES);
    let kept = newest.take_while(|alias| fits(alias.len())).count();
    let newest = aliases.split_off(aliases.len() - kept);
    (newest, aliases)
}

/// Tell ids that they are remembered no longer.
///
/// They would not be told of an erasure, and forward to somebody erased for ever.
pub fn let_go(too_many: Vec<Box<str>>, time: Instant) -> impl Iterator<Item = Handover> {
    too_many.into_iter().map(move |alias| forget(alias, time, LET_GO))
}

/// Say where an absorbed record goes on to; gives it back if it comes to rest here.
///
/// Forwardings that run in a circle are merges that crossed: the smallest id of it survives. What a
/// record saw on its way may be out of date, so a circle counts once it was gone round from its
/// smallest id: nothing but coming to rest there opens it, and everybody finds the same one.
pub fn next_stop(
    id: &str,
    moved: &Moved,
    mut absorb: Absorb,
) -> Result<(Box<str>, Absorb), Absorb> {
    let into = &moved.into;
    if absorb.settle {
        if absorb.path.contains(into) {
            return Err(absorb);
        }
        (absorb.path, absorb.lap, absorb.settle) = (vec![id.into()], false, false);
        return Ok((into.clone(), absorb));
    }
    absorb.path.push(id.into());
    let Some(begin) = absorb.path.iter().position(|passed| passed == into) else {
        if absorb.path.len() > LONGEST_PATH {
            absorb.path.pop();
            return Err(absorb);
        }
        return Ok((into.clone(), absorb));
    };
    let smallest = absorb.path[begin..].iter().min().unwrap_or(into).clone();
    if absorb.lap && absorb.path[0] == *into && *into == smallest {
        absorb.settle = true;
    } else {
        (absorb.path, absorb.lap) = (vec![], true);
    }
    Ok((smallest, absorb))
}

/// Make an absorbed id a customer again: the one that survives merges that crossed.
pub fn settle_here(slot: &mut Slot, ladders: usize) {
    let Record::Moved(moved) = std::mem::take(&mut slot.record) else { return };
    // Without sequences there was no record to move, so this one is the next.
    let life = moved.life + u32::from(moved.sequences.is_empty());
    let mut c = Customer::stranger(0, life, ladders);
    for (verdict, sequence) in c.verdicts.iter_mut().zip(moved.sequences) {
        verdict.sequence = sequence;
    }
    slot.record = Record::Customer(Box::new(c));
}

/// Take an absorbed customer's facts into the survivor's record; verdicts stay its own.
///
/// `id` is the survivor's own, `aliases` were absorbed into it.
pub fn unite(id: &str, aliases: &[Box<str>], c: &mut Customer, mut other: Customer) {
    for order in unite_book(&mut c.orders, &other.orders) {
        discount_order(&mut other, &order);
    }
    for review in unite_book(&mut c.reviews, &other.reviews) {
        discount_review(&mut other, &review);
    }
    for referral in unite_book(&mut c.referrals, &other.referrals) {
        discount_referral(&mut other, &referral);
    }
    c.forgotten_until = c.forgotten_until.max(other.forgotten_until);
    unite_bought(c, &other);
    c.asked = c.asked.united(&other.asked);
    c.reviewed = c.reviewed.united(&other.reviewed);
    c.brought = c.brought.united(&other.brought);
    c.happened = c.happened.united(&other.happened);
    c.wanted = c.wanted.united(&other.wanted);
    c.sent += other.sent;
    c.card = c.card.take().or(other.card.take());
    for (name, value) in std::mem::take(&mut other.attributes) {
        if c.attribute(&name).is_none() {
            c.set_attribute(&name, Some(value));
        }
    }
    unite_seen(&mut c.seen, &other.seen);
    c.registered = match (c.registered, other.registered) {
        (Some(own), Some(theirs)) => Some(own.min(theirs)),
        (own, theirs) => own.or(theirs),
    };
    choose_signup(id, aliases, c, other);
}

/// Keep the newest by date of both; what the survivor has already counts once, as its own.
///
/// Gives the entries of the other that the survivor has.
fn unite_book<E: Dated + Clone>(own: &mut Book<E>, others: &Book<E>) -> Vec<E> {
    if others.is_empty() {
        return vec![];
    }
    let known: HashSet<Id, foldhash::fast::RandomState> = own.ids().iter().copied().collect();
    let pairs = |book: &Book<E>| -> Vec<(Id, E)> {
        book.ids().iter().copied().zip(book.entries().iter().cloned()).collect()
    };
    let (twice, new): (Vec<_>, Vec<_>) =
        pairs(others).into_iter().partition(|(id, _)| known.contains(id));
    let mut contents = pairs(own);
    contents.extend(new);
    contents.sort_by_key(|(_, entry)| entry.day());
    contents.drain(..contents.len().saturating_sub(REMEMBERED));
    own.fill(contents);
    twice.into_iter().map(|(_, entry)| entry).collect()
}

/// Add up purchases by day, and count anew which days have a remembered order.
fn unite_bought(c: &mut Customer, other: &Customer) {
    let sums = c.bought.series().added_up(other.bought.series());
    let mut kept = vec![0; sums.days().len()];
    for order in c.orders.entries().iter().filter(|order| !order.void) {
        if let Ok(place) = sums.days().binary_search(&order.day) {
            kept[place] += 1;
        }
    }
    let has_kept = |day: Day| sums.days().binary_search(&day).is_ok_and(|place| kept[place] > 0);
    let had = c.bought.kept_days().chain(other.bought.kept_days());
    c.forgotten_until = c.forgotten_until.max(had.filter(|&day| !has_kept(day)).max());
    c.bought = Bought::from_totals(sums, kept);
    c.bought.drop_out_of_reach();
}

/// Remember the newest of both, taken in turn: their order between the two is not known.
fn unite_seen(own: &mut Book<()>, others: &Book<()>) {
    let (mut mine, mut theirs) = (own.ids().iter().rev(), others.ids().iter().rev());
    let mut newest_first: Vec<Id> = Vec::with_capacity(REMEMBERED_EVENTS);
    let mut known: HashSet<Id, foldhash::fast::RandomState> = HashSet::default();
    loop {
        let pair = [mine.next(), theirs.next()];
        if pair == [None, None] {
            break;
        }
        newest_first.extend(pair.into_iter().flatten().filter(|id| known.insert(**id)));
    }
    newest_first.truncate(REMEMBERED_EVENTS);
    own.fill(newest_first.into_iter().rev().map(|id| (id, ())).collect());
}

/// Keep the survivor's own referral if it has one that is not ignored, else take the other's.
fn choose_signup(id: &str, aliases: &[Box<str>], c: &mut Customer, other: Customer) {
    let Some(theirs) = other.signup else { return };
    let Some(own) = &c.signup else {
        c.signup = Some(theirs);
        return;
    };
    let own_ids = std::iter::once(id).chain(aliases.iter().map(|alias| &**alias));
    let ignored = own.referrer.as_ref().is_none_or(|referrer| referrer.is_among(own_ids));
    if ignored && theirs.referrer.is_some() {
        c.signup = Some(theirs);
    }
}
