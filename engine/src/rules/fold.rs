//! An event meets the record of the customer it names.

use super::change::{Cause, Change, Trigger};
use super::credit::{hide_referrer, settle_credit};
use super::due::advance;
use super::effects::take_in;
use super::fact::{Cutter, HAPPENED};
use super::handover::{Absorb, Handover, Matter, Travelling};
use super::people::{depart, erase};
use super::refusal::refuse;
use super::room::refuse_growth;
use super::shop::{Mask, Rules, bit};
use super::standing::{Look, Occasion, evaluate, leave};
use crate::facts::book::{Id, hash_parts};
use crate::facts::customer::{Customer, REMEMBERED_EVENTS, Record, Slot};
use crate::facts::instant::Instant;
use crate::wire::event::{Data, Event, Refused};
use std::sync::Arc;

/// What became of an event or a handover, and what the caller has to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is part of the record now; `late` if it came after a later one.
    Applied {
        /// Older than the record.
        late: bool,
    },
    /// It was applied before and changed nothing.
    Repeated,
    /// It concerns nobody any more (erased), or nothing was left to do.
    Dropped,
    /// The customer was absorbed: the event is on its way to the survivor.
    Forwarded,
    /// Something was noted that is no fact of anybody.
    Noted,
    /// It is a dead letter.
    Refused(Refused),
}

/// What the caller has to publish and to deliver, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Stage changes.
    pub changes: Vec<Change>,
    /// What other customers' records get.
    pub handovers: Vec<Handover>,
}

/// The id under which an event is remembered.
pub fn event_id(source: &str, id: &str) -> Id {
    hash_parts(&[source.as_bytes(), b"\0", id.as_bytes()])
}

/// Say why an event will change nothing; else give the id under which it is remembered.
pub fn admit(rules: &Rules, slot: &mut Slot, event: &Event) -> Result<Id, Verdict> {
    let id = event_id(&event.source, &event.id);
    if slot.customer().is_some_and(|c| c.seen.contains(&id)) {
        return Err(Verdict::Repeated);
    }
    let own = event.subject == slot.id;
    if own && slot.erased.is_some_and(|erased| event.time <= erased.instant) {
        return Err(Verdict::Dropped);
    }
    if matches!(slot.record, Record::Moved(_)) {
        return Ok(id);
    }
    if matches!(&event.data, Data::ProfileMerged { into } if slot.is_one_with(into)) {
        // It has no effect, but it happened.
        return Err(Verdict::Applied { late: false });
    }
    refuse(rules, slot.customer(), &event.data)
        .and_then(|()| refuse_growth(rules, slot, event, id))
        .map_err(Verdict::Refused)?;
    Ok(id)
}

/// Apply an event to the customer it names. It has passed [`super::refusal::examine`].
pub fn fold(
    rules: &Rules,
    slot: &mut Slot,
    event: &Event,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> Verdict {
    match admit(rules, slot, event) {
        Ok(id) => fold_admitted(rules, slot, event, id, cutter, out),
        Err(verdict) => verdict,
    }
}

/// Apply an event that [`admit`] has let pass.
pub fn fold_admitted(
    rules: &Rules,
    slot: &mut Slot,
    event: &Event,
    id: Id,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> Verdict {
    if let Record::Moved(moved) = &slot.record {
        let travelling = Travelling { event: event.clone(), returns: 0, since: 0, address: None };
        let (to, matter) = (moved.into.clone(), Matter::Forward(travelling));
        out.handovers.push(Handover { to, time: event.time, matter });
        return Verdict::Forwarded;
    }
    slot.touched = true;
    match &event.data {
        Data::ProfileMerged { into } => merge(rules, slot, event, into, cutter, out),
        Data::ProfileErased => {
            let occasion =
                Occasion { leaving: true, ..Occasion::of(Cause::Erasure, trigger(event)) };
            let late = depart_from_ladders(rules, slot, event, &occasion, cutter, out);
            out.handovers.extend(erase(slot, event.time));
            Verdict::Applied { late }
        }
        _ => apply(rules, slot, event, id, cutter, out),
    }
}

fn apply(
    rules: &Rules,
    slot: &mut Slot,
    event: &Event,
    id: Id,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> Verdict {
    let instant = event.time;
    let (c, slot_id, aliases, mut ladders) = opened(rules, slot, instant);
    if ladders == 0 {
        advance(rules, slot_id, c, instant, cutter, &mut out.changes);
    }
    let late = instant < c.as_of;
    let by_hand = by_hand(rules, c, &event.data, instant.max(c.as_of));
    let day = rules.calendar.day_of(instant);
    let groups = take_in(rules, c, &event.data, day);
    c.happened.add(day, [1]);
    c.seen.add(id, (), REMEMBERED_EVENTS);
    if c.signup.is_some() {
        out.handovers.extend(hide_referrer(slot_id, c, instant));
        out.handovers.extend(settle_credit(rules, slot_id, aliases, c, event));
    }
    c.as_of = c.as_of.max(instant);
    let day = rules.calendar.today(c.as_of);
    ladders |= rules.touched_by(groups | HAPPENED) | by_hand.map_or(0, bit);
    let cause = match event.data {
        Data::PurchaseRefunded { .. }
        | Data::ReviewRemoved { .. }
        | Data::ReferralReversed { .. } => Cause::Refund,
        _ => Cause::Event,
    };
    let occasion = Occasion { by_hand, ..Occasion::of(cause, trigger(event)) };
    let (instant, cuts) = (c.as_of, cutter.at(day));
    let look = Look { rules, id: slot_id, instant, day, cuts, occasion: &occasion };
    evaluate(look, c, ladders, &mut out.changes);
    c.due = None;
    Verdict::Applied { late }
}

/// The record that an event is applied to, made if there is none; and the ladders on which a record
/// that was never looked at is to be looked at: all of them.
fn opened<'a>(
    rules: &Rules,
    slot: &'a mut Slot,
    instant: Instant,
) -> (&'a mut Customer, &'a str, &'a [Box<str>], Mask) {
    let life = slot.next_life();
    if !matches!(slot.record, Record::Customer(_)) {
        let stranger = Customer::stranger(instant, life, rules.ladders.len());
        slot.record = Record::Customer(Box::new(stranger));
        return split(slot, rules.all);
    }
    // A record that came to rest here out of a circle has no time of its own yet.
    let ladders = if slot.customer().is_some_and(|c| c.as_of == 0) { rules.all } else { 0 };
    split(slot, ladders)
}

fn split(slot: &mut Slot, ladders: Mask) -> (&mut Customer, &str, &[Box<str>], Mask) {
    let Record::Customer(c) = &mut slot.record else { unreachable!("a record was opened") };
    (c, &slot.id, &slot.aliases, ladders)
}

/// The place among the rules of the ladder on which somebody is placed or released.
fn by_hand(rules: &Rules, c: &Customer, data: &Data, instant: Instant) -> Option<usize> {
    let Data::ProfilePlaced { ladder, rung, .. } = data else { return None };
    let index = rules.place_of(ladder)?;
    let releases = c.verdicts[index].hold.is_placed(instant);
    (rung.is_some() || releases).then_some(index)
}

/// What a stage change says of the event behind it.
pub fn trigger(event: &Event) -> Arc<Trigger> {
    Arc::new(Trigger {
        source: event.source.clone(),
        id: event.id.clone(),
        kind: event.data.kind().into(),
    })
}

/// Take a customer off all ladders; tells whether the event came late.
fn depart_from_ladders(
    rules: &Rules,
    slot: &mut Slot,
    event: &Event,
    occasion: &Occasion,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> bool {
    let Record::Customer(c) = &mut slot.record else { return false };
    let late = event.time < c.as_of;
    advance(rules, &slot.id, c, event.time, cutter, &mut out.changes);
    c.as_of = c.as_of.max(event.time);
    let (instant, day) = (c.as_of, rules.calendar.today(c.as_of));
    let look = Look { rules, id: &slot.id, instant, day, cuts: cutter.at(day), occasion };
    leave(look, c, &mut out.changes);
    late
}

/// Absorb this customer into another: its record leaves as a handover.
fn merge(
    rules: &Rules,
    slot: &mut Slot,
    event: &Event,
    into: &str,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> Verdict {
    let trigger = trigger(event);
    let occasion = Occasion { leaving: true, ..Occasion::of(Cause::Merge, trigger.clone()) };
    let late = depart_from_ladders(rules, slot, event, &occasion, cutter, out);
    let (record, aliases) = depart(slot, into);
    let (absorbed, path) = (slot.id.clone(), vec![slot.id.clone()]);
    let absorb =
        Absorb { absorbed, record, aliases, trigger, path, lap: false, settle: false, home: false };
    out.handovers.push(Handover {
        to: into.into(),
        time: event.time,
        matter: Matter::Absorb(absorb),
    });
    Verdict::Applied { late }
}
