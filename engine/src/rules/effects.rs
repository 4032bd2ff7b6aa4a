//! What each event does to the facts: contract section 2.
//!
//! What could be refused was refused before ([`super::refusal`]).

use super::fact::{ASKED, BOUGHT, BROUGHT, CARD, Groups, PROFILE, REVIEWED, SENT, SIGNED, WANTED};
use super::ladder::counted;
use super::shop::Rules;
use crate::facts::address::Referrer;
use crate::facts::book::{Book, Id, hash_id};
use crate::facts::customer::{Customer, Dated, Hold, Order, REMEMBERED, Referral, Review, Signup};
use crate::facts::instant::{Amount, Day, Instant};
use crate::facts::money::{AT_PAR, convert};
use crate::facts::series::LONGEST_WINDOW;
use crate::wire::event::{Currency, Data, ReviewKind};

/// Apply what an event says to the facts; gives the groups of facts that it touched.
///
/// `day` is the event's own calendar day.
pub fn take_in(rules: &Rules, c: &mut Customer, data: &Data, day: Day) -> Groups {
    match data {
        Data::PurchaseCompleted { order_id, amount, currency, units } => {
            buy(rules, c, hash_id(order_id.as_bytes()), (*amount, *currency, *units), day)
        }
        Data::PurchaseRefunded { order_id, amount, .. } => {
            refund(c, &hash_id(order_id.as_bytes()), *amount)
        }
        Data::Registered { referred_by } => {
            c.registered = Some(c.registered.map_or(day, |earliest| earliest.min(day)));
            c.signup.get_or_insert_with(|| Signup {
                day,
                referrer: referred_by.clone().map(Referrer::Named),
                credit: None,
            });
            SIGNED
        }
        Data::Inquired => {
            c.asked.add(day, [1]);
            ASKED
        }
        Data::CardIssued { tier } => {
            c.card = Some(tier.clone());
            CARD
        }
        Data::CardRevoked => {
            c.card = None;
            CARD
        }
        Data::ReviewPosted { review_id, rating, kind } => {
            review(c, hash_id(review_id.as_bytes()), *rating, *kind, day)
        }
        Data::ReviewRemoved { review_id } => {
            take_back_review(c, &hash_id(review_id.as_bytes()));
            REVIEWED
        }
        Data::ReferralSent => {
            c.sent += 1;
            SENT
        }
        Data::ReferralConverted { referred_id, amount, currency } => {
            let paid = amount.zip(*currency);
            let revenue = paid.map_or(0, |(amount, currency)| value(rules, amount, currency, day));
            convert_referral(c, hash_id(referred_id.as_bytes()), revenue, day)
        }
        Data::ReferralReversed { referred_id } => {
            if let Some(known) = c.referrals.remove(&hash_id(referred_id.as_bytes())) {
                discount_referral(c, &known);
            }
            BROUGHT
        }
        Data::InteractionSeen { need } => {
            c.wanted.add(day, *need);
            WANTED
        }
        Data::ProfileUpdated { attributes } => {
            for (name, value) in attributes {
                if value.is_none() || rules.keeps(name) {
                    c.set_attribute(name, value.clone());
                }
            }
            PROFILE
        }
        Data::ProfilePlaced { ladder, rung, until } => {
            place(rules, c, ladder, rung.as_deref(), *until);
            0
        }
        Data::ProfileMerged { .. } | Data::ProfileErased | Data::ClockAdvanced => 0,
    }
}

/// An amount in base minor units at the rate of a day. Who has no rate was refused.
fn value(rules: &Rules, amount: i64, currency: Currency, day: Day) -> Amount {
    let factor = rules.rates.factor(currency, day).unwrap_or(AT_PAR);
    convert(amount.into(), factor).unwrap_or(0)
}

fn buy(
    rules: &Rules,
    c: &mut Customer,
    id: Id,
    (amount, currency, units): (i64, Currency, i64),
    day: Day,
) -> Groups {
    let factor = rules.rates.factor(currency, day).unwrap_or(AT_PAR);
    let foreign = (currency != rules.rates.base).then_some((currency, factor));
    let order = Order { day, amount, units, refunded: 0, void: false, foreign };
    c.bought.change(day, [1, worth(&order), units.into()], 1);
    let late = comes_late(c, day);
    if let Some(forgotten) = remember(&mut c.orders, id, order, late)
        && !forgotten.void
    {
        c.bought.change(forgotten.day, [0; 3], -1);
        c.forgotten_until = c.forgotten_until.max(Some(forgotten.day));
    }
    BOUGHT
}

/// Whether something happened on a later day already.
fn comes_late(c: &Customer, day: Day) -> bool {
    c.happened.days().last().is_some_and(|&newest| day < newest)
}

/// Let a book stay in the order of days, whatever order events come in; gives what it forgets.
///
/// So the newest by date are remembered, and those are the same however late each of them came.
fn remember<E: Dated + Clone>(book: &mut Book<E>, id: Id, entry: E, late: bool) -> Option<E> {
    match late {
        true => book.insert(id, entry, REMEMBERED, E::day),
        false => book.add(id, entry, REMEMBERED),
    }
}

/// What is left of an order, in base minor units, at the rate of its own date.
pub fn worth(order: &Order) -> Amount {
    let factor = order.foreign.map_or(AT_PAR, |(_, factor)| factor);
    // An order beyond the limit after conversion was refused, so there always is a result.
    convert((order.amount - order.refunded).into(), factor).unwrap_or(0)
}

fn refund(c: &mut Customer, id: &Id, amount: i64) -> Groups {
    let Some(order) = c.orders.get(id).filter(|order| !order.void).cloned() else { return 0 };
    let refunded = order.refunded.saturating_add(amount).min(order.amount);
    let left = Order { refunded, void: refunded == order.amount, ..order.clone() };
    if left.void {
        discount_order(c, &order);
    } else {
        c.bought.change(order.day, [0, worth(&left) - worth(&order), 0], 0);
    }
    c.orders.replace(id, left);
    BOUGHT
}

/// Take a remembered order out of the facts, as if it had never been (a void one is).
pub fn discount_order(c: &mut Customer, order: &Order) {
    if !order.void {
        c.bought.change(order.day, [-1, -worth(order), -Amount::from(order.units)], -1);
    }
}

fn review(c: &mut Customer, id: Id, rating: Option<f64>, kind: ReviewKind, day: Day) -> Groups {
    take_back_review(c, &id);
    let (positive, negative) = feeling(rating, kind);
    let adds = [
        1,
        positive.into(),
        negative.into(),
        (kind == ReviewKind::Testimonial).into(),
        (kind == ReviewKind::Defence).into(),
    ];
    c.reviewed.add(day, adds.map(Amount::from));
    let late = comes_late(c, day);
    remember(&mut c.reviews, id, Review { day, adds }, late);
    REVIEWED
}

/// Whether a review is positive, and whether it is negative.
fn feeling(rating: Option<f64>, kind: ReviewKind) -> (bool, bool) {
    match (kind, rating) {
        (ReviewKind::Complaint, _) => (false, true),
        (_, Some(rating)) => (rating >= 4.0, rating <= 2.0),
        (ReviewKind::Testimonial | ReviewKind::Defence, None) => (true, false),
        (ReviewKind::Review, None) => (false, false),
    }
}

fn take_back_review(c: &mut Customer, id: &Id) {
    if let Some(review) = c.reviews.remove(id) {
        discount_review(c, &review);
    }
}

/// Take a remembered review out of the facts.
pub fn discount_review(c: &mut Customer, review: &Review) {
    c.reviewed.add(review.day, review.adds.map(|amount| -Amount::from(amount)));
}

fn convert_referral(c: &mut Customer, id: Id, revenue: Amount, day: Day) -> Groups {
    match c.referrals.get(&id).cloned() {
        None => {
            let by_day = if revenue == 0 { vec![] } else { vec![(day, revenue)] };
            let late = comes_late(c, day);
            remember(&mut c.referrals, id, Referral { day, revenue: by_day }, late);
            c.brought.add(day, [1, revenue]);
        }
        Some(known) if revenue != 0 => {
            let newest = c.brought.days().last().copied().unwrap_or(day);
            let revenue_by_day = with_revenue(known.revenue, day, revenue, newest);
            c.referrals.replace(&id, Referral { day: known.day, revenue: revenue_by_day });
            c.brought.add(day, [0, revenue]);
        }
        Some(_) => {}
    }
    BROUGHT
}

/// Revenue by day, where all days that no window reaches any more are one.
fn by_day(mut revenue: Vec<(Day, Amount)>, newest: Day) -> Vec<(Day, Amount)> {
    let out_of_reach = newest - LONGEST_WINDOW;
    let old = revenue.partition_point(|&(day, _)| day <= out_of_reach);
    if old > 0 {
        let together = revenue.drain(..old).map(|(_, amount)| amount).sum();
        revenue.insert(0, (out_of_reach, together));
    }
    revenue
}

/// Add revenue on a day; `newest` is the newest day on which anybody brought anything.
fn with_revenue(
    mut revenue: Vec<(Day, Amount)>,
    day: Day,
    amount: Amount,
    newest: Day,
) -> Vec<(Day, Amount)> {
    match revenue.binary_search_by_key(&day, |&(known, _)| known) {
        Ok(place) => revenue[place].1 += amount,
        Err(place) => revenue.insert(place, (day, amount)),
    }
    by_day(revenue, newest.max(day))
}

/// Let the days that no window reaches any more take one place; tells whether any did.
pub fn fold_old_days(c: &mut Customer) -> bool {
    let Some(&newest) = c.brought.days().last() else { return false };
    let foldable = |referral: &Referral| {
        referral.revenue.get(1).is_some_and(|&(day, _)| day <= newest - LONGEST_WINDOW)
    };
    let known = c.referrals.ids().iter().zip(c.referrals.entries());
    let folded: Vec<(Id, Referral)> = known
        .filter(|(_, referral)| foldable(referral))
        .map(|(&id, known)| {
            (id, Referral { day: known.day, revenue: by_day(known.revenue.clone(), newest) })
        })
        .collect();
    let any = !folded.is_empty();
    for (id, referral) in folded {
        c.referrals.replace(&id, referral);
    }
    any
}

/// Take a remembered conversion and its revenue out of the facts.
pub fn discount_referral(c: &mut Customer, referral: &Referral) {
    c.brought.add(referral.day, [-1, 0]);
    for &(day, revenue) in &referral.revenue {
        c.brought.add(day, [0, -revenue]);
    }
}

fn place(
    rules: &Rules,
    c: &mut Customer,
    ladder: &str,
    rung: Option<&str>,
    until: Option<Instant>,
) {
    let Some(index) = rules.place_of(ladder) else { return };
    let rungs = &rules.ladders[index].rungs;
    let placed = rung.and_then(|rung| rungs.iter().position(|known| *known.id == *rung));
    let hold = &mut c.verdicts[index].hold;
    *hold = match placed.map(counted) {
        Some(placed) => Hold { grace: hold.grace, placed, until: until.unwrap_or(0) },
        None => Hold { grace: hold.grace, ..Hold::default() },
    };
}
