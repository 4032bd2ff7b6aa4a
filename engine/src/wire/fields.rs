//! The fields of each event's `data`: contract section 2, the table of types.

use crate::facts::instant::Instant;
use crate::wire::event::{Data, ReviewKind};
use crate::wire::json::{Json, Object};
use crate::wire::values::{
    Fit, MAX_AMOUNT, MAX_UNITS, amount, attributes, currency, customer, describe, id, instant,
    name, need, rating, review_kind, whole,
};

/// That `data` cannot be read: which field, what is expected there and what was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit(pub(super) String);

type Read<T> = Result<T, Unfit>;

fn unfit<T>(path: &str, expected: &str, found: &str) -> Read<T> {
    Err(Unfit(format!("{path}: {expected} expected, found {found}")))
}

/// How the `data` of one type is read.
pub(super) type Reader = fn(&Fields) -> Read<Data>;

/// The reader for a type; None when the type is unknown.
pub(super) fn reader(kind: &str) -> Option<Reader> {
    Some(match kind {
        "purchase.completed" => purchase_completed,
        "purchase.refunded" => purchase_refunded,
        "signup.registered" => registered,
        "signup.inquired" => inquired,
        "signup.card_issued" => card_issued,
        "signup.card_revoked" => |_| Ok(Data::CardRevoked),
        "review.posted" => review_posted,
        "review.removed" => review_removed,
        "referral.sent" => referral_sent,
        "referral.converted" => referral_converted,
        "referral.reversed" => referral_reversed,
        "interaction.seen" => interaction_seen,
        "profile.updated" => profile_updated,
        "profile.merged" => profile_merged,
        "profile.erased" => |_| Ok(Data::ProfileErased),
        "profile.placed" => profile_placed,
        _ => return None,
    })
}

/// Read the `data` of an event; null is an object without fields.
pub(super) fn read_data(read: Reader, data: &Json, subject: &str, time: Instant) -> Read<Data> {
    let none = Object::default();
    let object = match data {
        Json::Null => &none,
        Json::Object(object) => object,
        other => return unfit("data", "an object", &describe(other)),
    };
    read(&Fields { object, subject, time })
}

/// The fields of `data`, and what they are compared with.
pub(super) struct Fields<'a> {
    object: &'a Object<'a>,
    subject: &'a str,
    time: Instant,
}

impl<'a> Fields<'a> {
    fn required<T>(&self, name: &str, read: impl Fn(&'a Json<'a>) -> Fit<T>) -> Read<T> {
        read(self.object.get(name)).or_else(|wrong| {
            unfit(&format!("data.{name}{}", wrong.within), &wrong.expected, &wrong.found)
        })
    }

    /// Read a field that may be absent, or null.
    fn optional<T>(&self, name: &str, read: impl Fn(&'a Json<'a>) -> Fit<T>) -> Read<Option<T>> {
        match self.object.get(name) {
            Json::Null => Ok(None),
            _ => self.required(name, read).map(Some),
        }
    }
}

fn purchase_completed(fields: &Fields) -> Read<Data> {
    Ok(Data::PurchaseCompleted {
        order_id: fields.required("order_id", id)?,
        amount: fields.required("amount", amount)?,
        currency: fields.required("currency", currency)?,
        units: fields.optional("units", |value| whole(value, 1, MAX_UNITS))?.unwrap_or(1),
    })
}

fn purchase_refunded(fields: &Fields) -> Read<Data> {
    Ok(Data::PurchaseRefunded {
        order_id: fields.required("order_id", id)?,
        amount: fields.required("amount", |value| whole(value, 1, MAX_AMOUNT))?,
        currency: fields.required("currency", currency)?,
    })
}

fn registered(fields: &Fields) -> Read<Data> {
    Ok(Data::Registered { referred_by: fields.optional("referred_by", customer)? })
}

fn inquired(fields: &Fields) -> Read<Data> {
    fields.optional("channel", name)?;
    Ok(Data::Inquired)
}

fn card_issued(fields: &Fields) -> Read<Data> {
    Ok(Data::CardIssued { tier: fields.required("tier", name)? })
}

fn review_posted(fields: &Fields) -> Read<Data> {
    Ok(Data::ReviewPosted {
        review_id: fields.required("review_id", id)?,
        rating: fields.optional("rating", rating)?,
        kind: fields.optional("kind", review_kind)?.unwrap_or(ReviewKind::Review),
    })
}

fn review_removed(fields: &Fields) -> Read<Data> {
    Ok(Data::ReviewRemoved { review_id: fields.required("review_id", id)? })
}

fn referral_sent(fields: &Fields) -> Read<Data> {
    fields.optional("referred_id", customer)?;
    Ok(Data::ReferralSent)
}

fn referral_converted(fields: &Fields) -> Read<Data> {
    let referred_id = fields.required("referred_id", customer)?;
    let amount = fields.optional("amount", amount)?;
    let currency = fields.optional("currency", currency)?;
    if amount.is_some() && currency.is_none() {
        return unfit("data.currency", "the currency of the amount", "nothing");
    }
    Ok(Data::ReferralConverted { referred_id, amount, currency })
}

fn referral_reversed(fields: &Fields) -> Read<Data> {
    Ok(Data::ReferralReversed { referred_id: fields.required("referred_id", customer)? })
}

fn interaction_seen(fields: &Fields) -> Read<Data> {
    Ok(Data::InteractionSeen { need: fields.required("need", need)? })
}

fn profile_updated(fields: &Fields) -> Read<Data> {
    Ok(Data::ProfileUpdated { attributes: fields.required("attributes", attributes)? })
}

fn profile_merged(fields: &Fields) -> Read<Data> {
    let into = fields.required("into", customer)?;
    if *into == *fields.subject {
        return unfit("data.into", "another customer than the subject", "the subject itself");
    }
    Ok(Data::ProfileMerged { into })
}

fn profile_placed(fields: &Fields) -> Read<Data> {
    let ladder = fields.required("ladder", id)?;
    let rung = fields.optional("rung", id)?;
    let until = fields.optional("until", instant)?;
    if until.is_some_and(|until| until <= fields.time) {
        return unfit("data.until", "a time after that of the event", "one that is not");
    }
    Ok(Data::ProfilePlaced { ladder, rung, until })
}
