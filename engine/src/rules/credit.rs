//! The credit for a referral: contract section 2, *Credit*.

use super::effects::worth;
use super::handover::{Handover, Matter, Travelling};
use super::shop::Rules;
use crate::facts::address::{Address, Referrer};
use crate::facts::customer::{Credit, Customer, Order};
use crate::facts::instant::{Day, Instant};
use crate::wire::event::{Data, Event};

/// The source of the events that the worker itself sends.
pub const SOURCE: &str = "/loyalty-ladder";

/// What every id of a customer's later records ends in: nothing for the first.
pub fn life_ending(life: u32) -> String {
    if life > 1 { format!("/r{life}") } else { String::new() }
}

/// Keep of who brought the customer no more than the address, and let him know once.
///
/// Else his id would stay here when he is erased. He may be nobody yet: the credit makes him known.
pub fn hide_referrer(id: &str, c: &mut Customer, time: Instant) -> Option<Handover> {
    let signup = c.signup.as_mut()?;
    let Some(Referrer::Named(name)) = &signup.referrer else { return None };
    let (name, known) = (name.clone(), Referrer::Known(Address::of(name)));
    if let Some(credit) = &mut signup.credit {
        credit.referrer = known.clone();
    }
    signup.referrer = Some(known);
    (*name != *id).then_some(Handover { to: name, time, matter: Matter::Named })
}

/// Tell the referrer, after an event, that the referral has converted or is so no longer.
///
/// A signup or a purchase converts, a refund reverses; a merge does neither and leaves it to them.
/// `aliases` are the ids that were absorbed into the customer.
pub fn settle_credit(
    rules: &Rules,
    id: &str,
    aliases: &[Box<str>],
    c: &mut Customer,
    event: &Event,
) -> Option<Handover> {
    let newest = c.counted_until();
    let signup = c.signup.as_mut()?;
    let Some(referrer @ Referrer::Known(address)) = &signup.referrer else { return None };
    let has_bought = newest.is_some_and(|newest| newest >= signup.day);
    let converted = signup.credit.as_ref().is_some_and(|credit| credit.converted);
    let changes = match event.data {
        Data::PurchaseRefunded { .. } => converted && !has_bought,
        Data::Registered { .. } | Data::PurchaseCompleted { .. } => !converted && has_bought,
        _ => false,
    };
    let own_ids = std::iter::once(id).chain(aliases.iter().map(|alias| &**alias));
    if !changes || referrer.is_among(own_ids) {
        return None;
    }
    if converted {
        let credit = signup.credit.as_mut()?;
        let data = Data::ReferralReversed { referred_id: credit.customer.clone() };
        return Some(send(credit, *address, event, data));
    }
    let (life, since) = (c.life, signup.day);
    let credit = signup.credit.get_or_insert_with(|| Credit {
        customer: id.into(),
        life,
        referrer: referrer.clone(),
        k: 0,
        converted: false,
    });
    let data = Data::ReferralConverted {
        referred_id: credit.customer.clone(),
        amount: Some(earliest(c.orders.entries(), since)),
        currency: Some(rules.rates.base),
    };
    Some(send(credit, *address, event, data))
}

/// The worth of the earliest order that counts, dated on or after a day.
fn earliest(orders: &[Order], since: Day) -> i64 {
    let counting = orders.iter().filter(|order| !order.void && order.day >= since);
    let first = counting.min_by_key(|order| order.day).map_or(0, worth);
    // One order is worth 10^15 at most.
    i64::try_from(first).unwrap_or(0)
}

fn send(credit: &mut Credit, address: Address, event: &Event, data: Data) -> Handover {
    credit.k += 1;
    credit.converted = matches!(data, Data::ReferralConverted { .. });
    let id = format!("credit/{}/{}{}", credit.customer, credit.k, life_ending(credit.life)).into();
    let time = event.time;
    let event = Event { source: SOURCE.into(), id, subject: "".into(), time, data };
    let credit = Travelling { event, returns: 0, since: 0, address: Some(address) };
    Handover { to: "".into(), time, matter: Matter::Credit(credit) }
}
