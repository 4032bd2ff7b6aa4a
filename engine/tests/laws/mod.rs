//! Laws of the readers of bytes, for any bytes. Fuzz targets and ordinary tests hold the same ones.
#![allow(dead_code)] // no test holds all of them

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use engine::facts::customer::Customer;
use engine::handed::{Definitions, Shop};
use engine::rules::shop::Rules;
use engine::wire::event::{Data, Event, Reason, Refused, decode};
use engine::wire::json::{Json, parse};
use engine::wire::record::{Hot, RecordCodec, Traces, pack_older, part, read_older};
use serde_json::Value;

/// Every file of a fuzz target's corpus.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

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

/// The ten built-in ladders, in a shop of đồng.
pub fn built_in() -> Rules {
    rules(include_bytes!("../../fuzz/corpus/definitions/built-in.json"))
}

/// Rules under which a few days decide.
pub fn edgy() -> Rules {
    rules(include_bytes!("../../fuzz/corpus/definitions/edgy.json"))
}

fn rules(definitions: &[u8]) -> Rules {
    let shop = Shop::read(include_bytes!("../../fuzz/corpus/shop/rates.json"), &[]).unwrap();
    shop.rules(Definitions::read(definitions).unwrap()).unwrap()
}

/// What can be read as a row of any version can be written, and is read again as what was written.
pub fn record(row: &[u8]) {
    static CODEC: LazyLock<RecordCodec> = LazyLock::new(|| RecordCodec::new(&built_in()).unwrap());
    let write = |hot: &Hot| match hot {
        Hot::Customer(c) => CODEC.hot_row(c, 0),
        Hot::Moved(moved) => CODEC.moved_row(moved, 0),
    };
    if let Ok(hot) = CODEC.read_hot(row) {
        let written = write(&hot);
        assert_eq!(write(&CODEC.read_hot(&written).unwrap()), written);
    }
    for kind in [part::SEEN, part::ORDERS, part::REVIEWS, part::REFERRALS] {
        let mut c = Customer::default();
        if read_older(&mut c, kind, row).is_ok() {
            let written = pack_older(&c, kind);
            let mut again = Customer::default();
            read_older(&mut again, kind, &written).unwrap();
            assert_eq!(again, c);
        }
    }
    if let Ok(traces) = Traces::read(row) {
        assert_eq!(Traces::read(&traces.row()), Ok(traces));
    }
}

/// Definitions are taken, or there are words for what is wrong.
pub fn definitions(json: &[u8]) {
    let shop = Shop::read(include_bytes!("../../fuzz/corpus/shop/rates.json"), &[]).unwrap();
    let rules = Definitions::read(json).and_then(|definitions| shop.rules(definitions));
    let codec = rules.and_then(|rules| RecordCodec::new(&rules));
    assert!(codec.err().is_none_or(|why| !why.is_empty()));
}

/// A shop's settings are taken, or there are words for what is wrong.
pub fn shop(json: &[u8]) {
    let shop = Shop::read(json, &[]);
    assert!(shop.err().is_none_or(|why| !why.is_empty()));
}
