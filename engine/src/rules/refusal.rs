//! What makes an event a dead letter, beyond its form: contract section 2, *Dead letters*.
//!
//! [`examine`] looks at the event alone, [`refuse`] at the event and the record it would change.

use super::shop::Rules;
use crate::facts::book::hash_id;
use crate::facts::customer::Customer;
use crate::facts::instant::{Amount, Instant, format_instant};
use crate::facts::money::{Rates, convert};
use crate::wire::event::{Currency, Data, Event, Reason, Refused};

/// In minor units, before and after conversion.
pub const LARGEST_AMOUNT: Amount = 1_000_000_000_000_000;

fn refused(reason: Reason, message: impl Into<String>) -> Result<(), Refused> {
    Err(Refused { reason, message: message.into() })
}

/// Refuse what no record could make right; `latest` is the latest time allowed, if any.
pub fn examine(rules: &Rules, event: &Event, latest: Option<Instant>) -> Result<(), Refused> {
    let checked = match &event.data {
        Data::PurchaseCompleted { amount, currency, .. } => {
            convertible(rules, event, *amount, *currency)
        }
        Data::ReferralConverted { amount, currency: Some(currency), .. } => {
            convertible(rules, event, amount.unwrap_or(0), *currency)
        }
        Data::ProfilePlaced { ladder, rung, .. } => placeable(rules, ladder, rung.as_deref()),
        _ => Ok(()),
    };
    // The time comes before a rate that is missing, and after everything else.
    if !matches!(&checked, Ok(()) | Err(Refused { reason: Reason::NoRate, .. })) {
        return checked;
    }
    if latest.is_some_and(|latest| event.time > latest) {
        let mut message = b"time ".to_vec();
        format_instant(event.time, &mut message);
        message.extend_from_slice(b" is more than a day ahead");
        return refused(Reason::Future, String::from_utf8_lossy(&message));
    }
    checked
}

fn convertible(
    rules: &Rules,
    event: &Event,
    amount: i64,
    currency: Currency,
) -> Result<(), Refused> {
    if currency == rules.rates.base {
        return Ok(());
    }
    let Some(factor) = rules.rates.factor(currency, rules.calendar.day_of(event.time)) else {
        return refused(Reason::NoRate, no_rate(currency, &rules.rates));
    };
    if convert(amount.into(), factor).is_none_or(|converted| converted > LARGEST_AMOUNT) {
        let base = String::from_utf8_lossy(&rules.rates.base);
        return refused(
            Reason::BadData,
            format!("data.amount is over 10^15 in {base} minor units"),
        );
    }
    Ok(())
}

/// A shop that has none at all most likely reckons in that currency, and did not say so.
fn no_rate(currency: Currency, rates: &Rates) -> String {
    let code = String::from_utf8_lossy(&currency);
    let base = String::from_utf8_lossy(&rates.base);
    if rates.knows(currency) {
        return format!(
            "no rate from {code} to {base} on or before the event's date: add one to LADDER_RATES"
        );
    }
    format!(
        "no rate from {code} to {base}: for a shop that reckons in {code} set \
         LADDER_CURRENCY={code} (--currency {code}), else add one to LADDER_RATES"
    )
}

fn placeable(rules: &Rules, ladder: &str, rung: Option<&str>) -> Result<(), Refused> {
    let Some(index) = rules.place_of(ladder) else {
        return refused(Reason::UnknownLadder, "data.ladder names no ladder of this shop");
    };
    let Some(rung) = rung else { return Ok(()) };
    match rules.ladders[index].rungs.iter().find(|known| *known.id == *rung) {
        Some(rung) if rung.is_override => {
            refused(Reason::BadData, "data.rung is an override: nobody is placed on one")
        }
        Some(_) => Ok(()),
        None => refused(Reason::BadData, format!("data.rung names no rung of ladder {ladder}")),
    }
}

/// Refuse what does not fit the customer's record.
pub fn refuse(rules: &Rules, c: Option<&Customer>, data: &Data) -> Result<(), Refused> {
    match data {
        Data::PurchaseCompleted { order_id, .. } => {
            let known = c.is_some_and(|c| c.orders.contains(&hash_id(order_id.as_bytes())));
            if known {
                refused(Reason::BadData, "data.order_id was bought already")
            } else {
                Ok(())
            }
        }
        Data::PurchaseRefunded { order_id, currency, .. } => {
            refundable(rules, c, order_id, *currency)
        }
        Data::ReviewRemoved { review_id } => {
            let known = c.is_some_and(|c| c.reviews.contains(&hash_id(review_id.as_bytes())));
            let words = "data.review_id is none of the remembered reviews";
            if known { Ok(()) } else { refused(Reason::UnknownReview, words) }
        }
        Data::ReferralReversed { referred_id } => {
            let known = c.is_some_and(|c| c.referrals.contains(&hash_id(referred_id.as_bytes())));
            let words = "data.referred_id is none of the remembered referrals";
            if known { Ok(()) } else { refused(Reason::UnknownReferral, words) }
        }
        _ => Ok(()),
    }
}

fn refundable(
    rules: &Rules,
    c: Option<&Customer>,
    order_id: &str,
    currency: Currency,
) -> Result<(), Refused> {
    let Some(order) = c.and_then(|c| c.orders.get(&hash_id(order_id.as_bytes()))) else {
        return refused(Reason::UnknownOrder, "data.order_id is none of the remembered orders");
    };
    let own = order.foreign.map_or(rules.rates.base, |(own, _)| own);
    if currency == own {
        return Ok(());
    }
    let (found, own) = (String::from_utf8_lossy(&currency), String::from_utf8_lossy(&own));
    refused(Reason::BadData, format!("data.currency is {found}, the order's is {own}"))
}
