//! What another customer's record sent meets the record it is addressed to.

use super::change::Cause;
use super::due::advance;
use super::fact::Cutter;
use super::fold::{Outbox, Verdict, admit, event_id, fold};
use super::handover::{Absorb, Handover, Matter, Travelling};
use super::people::{aliases_with, erase, forget, let_go, next_stop, settle_here, unite};
use super::room::refuse_union;
use super::shop::Rules;
use super::standing::{Look, Occasion, evaluate};
use crate::facts::book::{Id, hash_id};
use crate::facts::customer::{Customer, REMEMBERED_EVENTS, Record, Slot};
use crate::facts::instant::Instant;
use crate::wire::event::Data;

/// How often an event goes on to somebody who knows nothing of its customer, and comes back.
///
/// That is the way of an event that overtook its customer's record. But where an erasure crossed
/// with merges, a forwarding may lead to somebody who will never know: after so many returns the
/// customer it names begins anew, rather than that events go to and fro for ever. A worker counts
/// no further while the record may still wait for a partition that is away.
pub const MOST_RETURNS: u32 = 64;

/// Apply what another customer's record sent to this one.
pub fn receive(
    rules: &Rules,
    slot: &mut Slot,
    handover: Handover,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> Verdict {
    let Handover { time, matter, .. } = handover;
    match matter {
        Matter::Forward(travelling) => forwarded(rules, slot, time, travelling, cutter, out),
        Matter::Credit(travelling) => credited(rules, slot, time, travelling, cutter, out),
        Matter::Absorb(absorb) => absorbed(rules, slot, time, absorb, cutter, out),
        Matter::Named => {
            // Not the id of who is erased and not back.
            if slot.record != Record::Nobody || slot.erased.is_none() {
                slot.touched |= !slot.named;
                slot.named = true;
            }
            Verdict::Noted
        }
        Matter::Forget(instant) => {
            if !matches!(slot.record, Record::Moved(_)) {
                return Verdict::Dropped;
            }
            erase(slot, instant);
            slot.touched = true;
            Verdict::Applied { late: false }
        }
        Matter::Redirect(into) => {
            let Record::Moved(moved) = &mut slot.record else { return Verdict::Dropped };
            moved.into = into;
            slot.touched = true;
            Verdict::Applied { late: false }
        }
    }
}

fn forwarded(
    rules: &Rules,
    slot: &mut Slot,
    time: Instant,
    travelling: Travelling,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> Verdict {
    let travelling = counted(slot, travelling);
    if let Record::Moved(moved) = &slot.record {
        if travelling.returns <= MOST_RETURNS {
            let to = moved.into.clone();
            if let Err(verdict) = admit(rules, slot, &travelling.event) {
                return verdict;
            }
            out.handovers.push(Handover { to, time, matter: Matter::Forward(travelling) });
            return Verdict::Forwarded;
        }
        settle_here(slot, rules.ladders.len());
        slot.touched = true;
    }
    if !slot.is_one_with(&travelling.event.subject) {
        let (to, matter) = (travelling.event.subject.clone(), Matter::Forward(travelling));
        out.handovers.push(Handover { to, time, matter });
        return Verdict::Forwarded;
    }
    fold(rules, slot, &travelling.event, cutter, out)
}

/// Count this as a return, too, if it came home and finds a forwarding.
fn counted(slot: &Slot, travelling: Travelling) -> Travelling {
    let home = matches!(slot.record, Record::Moved(_)) && travelling.event.subject == slot.id;
    Travelling { returns: travelling.returns + u32::from(home), ..travelling }
}

fn credited(
    rules: &Rules,
    slot: &mut Slot,
    time: Instant,
    travelling: Travelling,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> Verdict {
    let travelling = counted(slot, travelling);
    let onward = match &slot.record {
        Record::Moved(_) if travelling.returns > MOST_RETURNS => return Verdict::Dropped,
        Record::Moved(moved) => Some(moved.into.clone()),
        _ if !slot.is_one_with(&travelling.event.subject) => Some(travelling.event.subject.clone()),
        _ => None,
    };
    if let Some(to) = onward {
        out.handovers.push(Handover { to, time, matter: Matter::Credit(travelling) });
        return Verdict::Forwarded;
    }
    if slot.customer().is_none() && slot.erased.is_some() {
        return Verdict::Dropped;
    }
    let mut event = travelling.event;
    let (Data::ReferralConverted { referred_id, .. } | Data::ReferralReversed { referred_id }) =
        &event.data
    else {
        // Nobody sends another kind (`super::credit`), and who reads handovers refuses one.
        unreachable!("a credit carries {}", event.data.kind());
    };
    if slot.is_one_with(referred_id) {
        return Verdict::Dropped;
    }
    let id = hash_id(referred_id.as_bytes());
    let known = slot.customer().is_some_and(|c| c.referrals.contains(&id));
    match &mut event.data {
        Data::ReferralReversed { .. } if !known => return Verdict::Dropped,
        Data::ReferralConverted { amount, currency, .. } if known => {
            (*amount, *currency) = (None, None);
        }
        _ => {}
    }
    fold(rules, slot, &event, cutter, out)
}

fn absorbed(
    rules: &Rules,
    slot: &mut Slot,
    time: Instant,
    mut absorb: Absorb,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> Verdict {
    if let Record::Moved(moved) = &slot.record {
        match next_stop(&slot.id, moved, absorb) {
            Ok((to, further)) => {
                out.handovers.push(Handover { to, time, matter: Matter::Absorb(further) });
                return Verdict::Forwarded;
            }
            Err(rests) => absorb = rests,
        }
        settle_here(slot, rules.ladders.len());
        slot.touched = true;
    }
    // What came home out of a circle names this customer, too.
    let ids = absorb.aliases.iter().chain([&absorb.absorbed]);
    let arrived: Vec<Box<str>> = ids.filter(|id| **id != slot.id).cloned().collect();
    if let Some(erased) = slot.erased.filter(|erased| erased.instant >= time) {
        out.handovers
            .extend(arrived.into_iter().map(|alias| forget(alias, erased.instant, erased.instant)));
        return Verdict::Dropped;
    }
    let (aliases, too_many) = aliases_with(&slot.aliases, arrived);
    if let Err(refused) = refuse_union(rules, slot, absorb.record.as_deref_mut(), &aliases) {
        send_home(slot, time, absorb, out);
        return Verdict::Refused(refused);
    }
    slot.aliases = aliases;
    slot.touched = true;
    out.handovers.extend(let_go(too_many, time));
    if absorb.absorbed != slot.id && absorb.path.last() != Some(&absorb.absorbed) {
        let matter = Matter::Redirect(slot.id.clone());
        out.handovers.push(Handover { to: absorb.absorbed, time, matter });
    }
    let Some(record) = absorb.record else { return Verdict::Applied { late: false } };
    let merge = (!absorb.home).then(|| event_id(&absorb.trigger.source, &absorb.trigger.id));
    let occasion = Occasion::of(Cause::Merge, absorb.trigger);
    unite_with(rules, slot, time, *record, merge, &occasion, cutter, out)
}

/// Let a record for which there is no room go back to its own id, and be a customer there.
///
/// One that is there already, and finds no room beside what began there in the meantime, stays in
/// the dead letter that is made of it.
fn send_home(slot: &Slot, time: Instant, mut absorb: Absorb, out: &mut Outbox) {
    if absorb.absorbed != slot.id {
        absorb.path.push(slot.id.clone());
        (absorb.lap, absorb.settle, absorb.home) = (false, true, true);
        let to = absorb.absorbed.clone();
        out.handovers.push(Handover { to, time, matter: Matter::Absorb(absorb) });
    }
}

/// `merge` is what the event is remembered under, unless it was refused.
#[allow(clippy::too_many_arguments)] // one caller
fn unite_with(
    rules: &Rules,
    slot: &mut Slot,
    time: Instant,
    other: Customer,
    merge: Option<Id>,
    occasion: &Occasion,
    cutter: &dyn Cutter,
    out: &mut Outbox,
) -> Verdict {
    if slot.customer().is_none() {
        let stranger = Customer::stranger(time, slot.next_life(), rules.ladders.len());
        slot.record = Record::Customer(Box::new(stranger));
    }
    let Slot { id, record: Record::Customer(c), aliases, .. } = slot else {
        unreachable!("a record was opened")
    };
    let late = time < c.as_of;
    let instant = time.max(c.as_of).max(other.as_of);
    advance(rules, id, c, instant, cutter, &mut out.changes);
    c.as_of = instant;
    unite(id, aliases, c, other);
    if let Some(merge) = merge {
        c.seen.add(merge, (), REMEMBERED_EVENTS);
    }
    let day = rules.calendar.today(instant);
    let look = Look { rules, id, instant, day, cuts: cutter.at(day), occasion };
    evaluate(look, c, rules.all, &mut out.changes);
    c.due = None;
    Verdict::Applied { late }
}
