//! The usual structured event in one typed pass over its bytes, without a tree of values.
//!
//! Whatever is unusual here, right or wrong, gives None and is left to `classify`, which decides and
//! finds the words. So this pass may ask for more than is required, but must never take what
//! `classify` refuses, nor read it otherwise.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::facts::instant::parse_instant;
use crate::wire::classify::MAX_BYTES;
use crate::wire::event::{Attribute, Data, Event, ReviewKind};
use crate::wire::json::{has_half_a_pair, may_be_too_deep};
use crate::wire::values::{
    MAX_AMOUNT, MAX_ATTRIBUTES, MAX_CUSTOMER_ID, MAX_LIST, MAX_NAME, MAX_TEXT, MAX_UNITS,
    currency_of, float_attribute, has, need_of, review_kind_of, short_text, whole_attribute,
};

/// Decode a structured event written in the usual way; None leaves it to `classify`.
pub fn quick(value: &[u8]) -> Option<Event> {
    // serde_json does not look into texts that it skips, and nests deeper.
    if value.len() > MAX_BYTES || may_be_too_deep(value) || has_half_a_pair(value) {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?;
    let envelope: Envelope = serde_json::from_str(text).ok()?;
    envelope.event()
}

/// A text, borrowed unless it has escapes.
struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    fn within(self, least: usize, most: usize) -> Option<Box<str>> {
        has(&self.0, least, most).then(|| self.0.into())
    }

    fn id(self) -> Option<Box<str>> {
        self.within(1, MAX_TEXT)
    }

    fn customer(self) -> Option<Box<str>> {
        self.within(1, MAX_CUSTOMER_ID)
    }
}

#[derive(Default)]
struct Envelope<'a> {
    specversion: Option<Text<'a>>,
    id: Option<Text<'a>>,
    source: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    subject: Option<Text<'a>>,
    time: Option<Text<'a>>,
    data: Option<Fields<'a>>,
}

impl Envelope<'_> {
    fn event(self) -> Option<Event> {
        if self.specversion?.0 != "1.0" {
            return None;
        }
        let subject = self.subject?.customer()?;
        Some(Event {
            source: self.source?.id()?,
            id: self.id?.id()?,
            time: parse_instant(&self.time?.0)?,
            data: self.data.unwrap_or_default().data(&self.kind?.0, &subject)?,
            subject,
        })
    }
}

/// The fields of all types together, as the type may come after them.
#[derive(Default)]
struct Fields<'a> {
    order_id: Option<Text<'a>>,
    amount: Option<i64>,
    currency: Option<Text<'a>>,
    units: Option<i64>,
    referred_by: Option<Text<'a>>,
    channel: Option<Text<'a>>,
    tier: Option<Text<'a>>,
    review_id: Option<Text<'a>>,
    rating: Option<f64>,
    kind: Option<Text<'a>>,
    referred_id: Option<Text<'a>>,
    need: Option<Text<'a>>,
    attributes: Option<Attributes>,
    into: Option<Text<'a>>,
}

impl Fields<'_> {
    /// What an event of this type says; a `profile.placed` and a `clock.advanced` are seldom.
    fn data(self, kind: &str, subject: &str) -> Option<Data> {
        Some(match kind {
            "purchase.completed" => Data::PurchaseCompleted {
                order_id: self.order_id?.id()?,
                amount: self.amount.filter(|amount| (0..=MAX_AMOUNT).contains(amount))?,
                currency: currency_of(&self.currency?.0)?,
                units: Some(self.units.unwrap_or(1)).filter(|it| (1..=MAX_UNITS).contains(it))?,
            },
            "purchase.refunded" => Data::PurchaseRefunded {
                order_id: self.order_id?.id()?,
                amount: self.amount.filter(|amount| (1..=MAX_AMOUNT).contains(amount))?,
                currency: currency_of(&self.currency?.0)?,
            },
            "signup.registered" => {
                Data::Registered { referred_by: fits(self.referred_by, Text::customer)? }
            }
            "signup.inquired" => {
                fits(self.channel, |channel| channel.within(0, MAX_NAME))?;
                Data::Inquired
            }
            "signup.card_issued" => Data::CardIssued { tier: self.tier?.within(0, MAX_NAME)? },
            "signup.card_revoked" => Data::CardRevoked,
            "review.posted" => Data::ReviewPosted {
                review_id: self.review_id?.id()?,
                rating: fits(self.rating, |it| (1.0..=5.0).contains(&it).then_some(it))?,
                kind: fits(self.kind, |it| review_kind_of(&it.0))?.unwrap_or(ReviewKind::Review),
            },
            "review.removed" => Data::ReviewRemoved { review_id: self.review_id?.id()? },
            "referral.sent" => {
                fits(self.referred_id, Text::customer)?;
                Data::ReferralSent
            }
            "referral.converted" => Data::ReferralConverted {
                referred_id: self.referred_id?.customer()?,
                currency: match (&self.currency, self.amount) {
                    (None, Some(_)) => return None,
                    (None, None) => None,
                    (Some(code), _) => Some(currency_of(&code.0)?),
                },
                amount: fits(self.amount, |it| (0..=MAX_AMOUNT).contains(&it).then_some(it))?,
            },
            "referral.reversed" => {
                Data::ReferralReversed { referred_id: self.referred_id?.customer()? }
            }
            "interaction.seen" => Data::InteractionSeen { need: need_of(&self.need?.0)? },
            "profile.updated" => Data::ProfileUpdated { attributes: self.attributes?.0 },
            "profile.merged" => {
                let into = self.into?.customer()?;
                if *into == *subject {
                    return None;
                }
                Data::ProfileMerged { into }
            }
            "profile.erased" => Data::ProfileErased,
            _ => return None,
        })
    }
}

/// An optional field: absent, or within its limits; None when it is beyond them.
fn fits<T, U>(field: Option<T>, limits: impl Fn(T) -> Option<U>) -> Option<Option<U>> {
    match field {
        None => Some(None),
        Some(value) => limits(value).map(Some),
    }
}

/// The attributes of a profile, within their limits and each name once.
struct Attributes(Vec<(Box<str>, Option<Attribute>)>);

/// Something that is read from an object field by field. (What serde derives would take a list of
/// the values, too.)
trait FromObject<'de>: Default {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: FromObject<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut object = T::default();
        while let Some(name) = map.next_key::<Text>()? {
            object.field(&name.0, &mut map)?;
        }
        Ok(object)
    }
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// Read a field that may be null and must not have come before. (Null may: the last one counts.)
fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(A::Error::custom("a field twice"));
    }
    *slot = map.next_value()?;
    Ok(())
}

impl<'de> FromObject<'de> for Envelope<'de> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "specversion" => once(&mut self.specversion, map),
            "id" => once(&mut self.id, map),
            "source" => once(&mut self.source, map),
            "type" => once(&mut self.kind, map),
            "subject" => once(&mut self.subject, map),
            "time" => once(&mut self.time, map),
            "data" => once(&mut self.data, map),
            "data_base64" => Err(A::Error::custom("data in another form")),
            _ => map.next_value::<IgnoredAny>().map(|_| ()),
        }
    }
}

impl<'de> FromObject<'de> for Fields<'de> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "order_id" => once(&mut self.order_id, map),
            "amount" => once(&mut self.amount, map),
            "currency" => once(&mut self.currency, map),
            "units" => once(&mut self.units, map),
            "referred_by" => once(&mut self.referred_by, map),
            "channel" => once(&mut self.channel, map),
            "tier" => once(&mut self.tier, map),
            "review_id" => once(&mut self.review_id, map),
            "rating" => once(&mut self.rating, map),
            "kind" => once(&mut self.kind, map),
            "referred_id" => once(&mut self.referred_id, map),
            "need" => once(&mut self.need, map),
            "attributes" => once(&mut self.attributes, map),
            "into" => once(&mut self.into, map),
            _ => map.next_value::<IgnoredAny>().map(|_| ()),
        }
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_string())))
            }
        }

        from.deserialize_str(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AttributesVisitor;

        impl<'de> Visitor<'de> for AttributesVisitor {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("attributes, each once")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
                let mut all: Vec<(Box<str>, Option<Attribute>)> = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    let known = all.iter().any(|(before, _)| **before == *name);
                    if known || all.len() == MAX_ATTRIBUTES || !has(&name, 0, MAX_NAME) {
                        return Err(beyond());
                    }
                    all.push((name.into(), value));
                }
                Ok(Attributes(all))
            }
        }

        from.deserialize_map(AttributesVisitor)
    }
}

fn beyond<E: Error>() -> E {
    E::custom("beyond the limits")
}

/// Takes an attribute within its limits.
struct AttributeVisitor;

impl<'de> Visitor<'de> for AttributeVisitor {
    type Value = Attribute;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an attribute within its limits")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Attribute, E> {
        Ok(Attribute::Bool(truth))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Attribute, E> {
        whole_attribute(number).ok_or_else(beyond)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Attribute, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Attribute, E> {
        float_attribute(number).ok_or_else(beyond)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Attribute, E> {
        let text = short_text(text).ok_or_else(beyond)?;
        Ok(Attribute::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Attribute, A::Error> {
        let mut texts = Vec::new();
        while let Some(Text(text)) = items.next_element()? {
            match short_text(&text) {
                Some(text) if texts.len() < MAX_LIST => texts.push(text),
                _ => return Err(beyond()),
            }
        }
        Ok(Attribute::List(texts.into()))
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AttributeVisitor)
    }
}
