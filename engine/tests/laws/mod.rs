//! Laws of the readers of bytes, for any bytes. Fuzz targets and ordinary tests hold the same ones.

use engine::wire::event::{Data, Event, Reason, Refused, decode};
use engine::wire::json::{Json, parse};
use serde_json::Value;

/// JSON is what another reader takes for JSON, and means the same; only depth and size differ.
pub fn json(value: &[u8]) {
    let theirs: Result<Value, _> = serde_json::from_slice(value);
    match (parse(value), theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(&ours, &theirs), "{ours:?} is not {theirs}"),
        // It has no numbers beyond a float.
        (Ok(ours), Err(error)) => assert!(has_infinite(&ours), "{ours:?} was taken: {error}"),
        (Err(ours), Ok(_)) => assert_eq!(ours.0, "nested deeper than 64"),
        (Err(ours), Err(_)) => assert!(!ours.0.is_empty()),
    }
}

fn same(ours: &Json, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::True, Value::Bool(truth)) => *truth,
        (Json::False, Value::Bool(truth)) => !truth,
        (Json::Int(ours), Value::Number(theirs)) => {
            theirs.as_i64().map_or_else(|| theirs.as_f64() == Some(0.0), |it| it == *ours)
        }
        (Json::Long(ours), Value::Number(theirs)) => theirs.as_f64() == ours.parse().ok(),
        (Json::Float(ours), Value::Number(theirs)) => theirs.as_f64() == Some(*ours),
        (Json::Text(ours), Value::String(theirs)) => ours == theirs,
        (Json::List(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, it)| same(one, it))
        }
        (Json::Object(ours), Value::Object(theirs)) => {
            ours.fields().len() == theirs.len()
                && ours.fields().iter().all(|(name, one)| same(one, &theirs[&**name]))
        }
        _ => false,
    }
}

fn has_infinite(value: &Json) -> bool {
    match value {
        Json::Float(number) => number.is_infinite(),
        Json::Long(written) => written.parse().is_ok_and(f64::is_infinite),
        Json::List(items) => items.iter().any(has_infinite),
        Json::Object(object) => object.fields().iter().any(|(_, value)| has_infinite(value)),
        _ => false,
    }
}

const TYPES: [&str; 18] = [
    "purchase.completed",
    "purchase.refunded",
    "signup.registered",
    "signup.inquired",
    "signup.card_issued",
    "signup.card_revoked",
    "review.posted",
    "review.removed",
    "referral.sent",
    "referral.converted",
    "referral.reversed",
    "interaction.seen",
    "profile.updated",
    "profile.merged",
    "profile.erased",
    "profile.placed",
    "clock.advanced",
    "purchase.dreamt",
];

/// There is always an answer: an event within its limits, or a reason that needs no record and
/// words for it. The key decides nothing but whether it is the subject.
pub fn event(value: &[u8]) {
    let found = decode(Some(value), None, &[], false);
    check(&found);
    let subject = found.as_ref().map_or("c-42", |event| &event.subject);
    let keyed = decode(Some(value), Some(subject.as_bytes()), &[], true);
    match (&found, &keyed) {
        (Err(Refused { reason: Reason::BadData, .. }), Err(other)) => {
            assert!(matches!(other.reason, Reason::BadData | Reason::KeyMismatch));
        }
        _ => assert_eq!(found, keyed),
    }
    for kind in TYPES {
        let headers: [(&str, Option<&[u8]>); 7] = [
            ("ce_specversion", Some(b"1.0")),
            ("ce_id", Some(b"i")),
            ("ce_source", Some(b"s")),
            ("ce_subject", Some(b"c-42")),
            ("ce_time", Some(b"2026-03-01T09:30:00Z")),
            ("ce_time", value.get(..30)),
            ("ce_type", Some(kind.as_bytes())),
        ];
        check(&decode(Some(value), Some(b"c-42"), &headers, true));
        check(&decode(Some(value), Some(b"c-42"), &[&headers[..5], &headers[6..]].concat(), true));
    }
}

fn check(found: &Result<Event, Refused>) {
    match found {
        Ok(event) => {
            let clock = event.data == Data::ClockAdvanced;
            assert_eq!(clock, event.subject.is_empty());
            assert!(event.subject.chars().count() <= 128);
            assert!(event.id.chars().count() <= 256 && event.source.chars().count() <= 256);
            assert!(!event.id.is_empty() && !event.source.is_empty());
            assert!((0..engine::facts::instant::LATEST).contains(&event.time));
            assert!(TYPES.contains(&event.data.kind()));
        }
        Err(refused) => {
            assert!(refused.reason <= Reason::BadData);
            assert!((1..=800).contains(&refused.message.len()), "{}", refused.message);
            assert!(!refused.message.contains(['\n', '\0', '\u{2028}']), "{}", refused.message);
        }
    }
}
