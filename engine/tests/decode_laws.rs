//! The laws of the readers of bytes, on what chance writes and on what fuzzing has found.

use engine::wire::event::decode;
use proptest::prelude::*;
use serde_json::{Value, json};

mod laws;

#[test]
fn the_laws_of_json_hold_for_its_corpus() {
    laws::corpus("json").iter().for_each(|value| laws::json(value));
}

#[test]
fn the_laws_of_events_hold_for_their_corpus() {
    laws::corpus("event").iter().for_each(|value| laws::event(value));
}

/// JSON values of all kinds, some of which are what fields of events ask for.
fn values() -> impl Strategy<Value = Value> {
    let numbers = prop_oneof![
        any::<i64>().prop_map(Value::from),
        (0..=1_000_000_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (1.0..5.0).prop_map(Value::from),
    ];
    const WORDS: [&str; 8] =
        ["VND", "review", "complaint", "brand", "c-42", "2199-12-31T23:59:59.5Z", "", "it's"];
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        numbers,
        prop::sample::select(&WORDS[..]).prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        ".{0,9}".prop_map(Value::from),
    ];
    plain.prop_recursive(4, 40, 8, |inner| {
        let fields = prop::collection::hash_map("\\PC{0,9}", inner.clone(), 0..8);
        prop_oneof![
            prop::collection::vec(inner, 0..8).prop_map(Value::from),
            fields.prop_map(|it| Value::from(it.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

const KINDS: [&str; 8] = [
    "purchase.completed",
    "signup.registered",
    "review.posted",
    "referral.converted",
    "interaction.seen",
    "profile.updated",
    "profile.placed",
    "clock.advanced",
];
const FIELDS: [&str; 12] = [
    "order_id",
    "amount",
    "currency",
    "units",
    "rating",
    "kind",
    "referred_id",
    "need",
    "attributes",
    "rung",
    "until",
    "extra",
];

/// Events, of which one or two fields may be anything.
fn events() -> impl Strategy<Value = Value> {
    let usual = |kind: &str| {
        json!({
            "specversion": "1.0", "id": "i", "source": "s", "subject": "c-42", "type": kind,
            "time": "2026-03-01T09:30:00Z",
            "data": {
                "order_id": "o", "amount": 5, "currency": "VND", "review_id": "r", "need": "brand",
                "referred_id": "c-7", "attributes": {"a": 1.5}, "ladder": "l", "into": "c-7",
            },
        })
    };
    let spoilt = prop::option::of((prop::sample::select(&FIELDS[..]), values()));
    let attributes = ["id", "source", "type", "subject", "time", "specversion", "data", "extra"];
    let odd = prop::option::weighted(0.2, (prop::sample::select(attributes.to_vec()), values()));
    (prop::sample::select(&KINDS[..]), spoilt, odd).prop_map(move |(kind, spoilt, odd)| {
        let mut event = usual(kind);
        if let Some((field, value)) = spoilt {
            event["data"][field] = value;
        }
        if let Some((attribute, value)) = odd {
            event[attribute] = value;
        }
        event
    })
}

proptest! {
    #[test]
    fn the_laws_hold_for_any_bytes(value in prop::collection::vec(any::<u8>(), 0..200)) {
        laws::json(&value);
        laws::event(&value);
    }

    #[test]
    fn the_laws_hold_for_whatever_is_nearly_json(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::sample::select(&[
                    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude42", "00e9", "e",
                    "E", "-", "+", ".", "0", "1", "null", "true", "false", "NaN", "-Infinity", " ",
                    "\n", "\t", "\"a\":", "\u{1f}", "\u{e9}", "\u{1f642}", "1e400",
                    "18446744073709551616", "9223372036854775807",
                ][..]).prop_map(String::from),
                "\"[a-z\\\\u0-9]{0,9}\"",
                "-?[0-9]{1,45}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
            ],
            0..30,
        ),
    ) {
        laws::json(pieces.concat().as_bytes());
    }

    #[test]
    fn the_laws_hold_for_whatever_json_can_write(value in values()) {
        let written = value.to_string();
        laws::json(written.as_bytes());
        laws::event(written.as_bytes());
    }

    #[test]
    fn the_laws_hold_for_events_of_which_something_is_odd(event in events()) {
        laws::event(event.to_string().as_bytes());
    }

    #[test]
    fn the_laws_hold_for_events_with_a_few_bytes_changed(
        event in events(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_usize), 1..4),
    ) {
        let mut value = event.to_string().into_bytes();
        for (at, byte, length) in changes {
            let at = at.index(value.len());
            let end = value.len().min(at + length);
            value.splice(at..end, [byte]);
        }
        laws::json(&value);
        laws::event(&value);
    }

    #[test]
    fn no_key_and_no_headers_make_it_panic(
        event in events(),
        key in prop::option::of(prop::collection::vec(any::<u8>(), 0..5)),
        headers in prop::collection::vec(
            (
                prop_oneof![
                    prop::sample::select(&[
                        "ce_id", "CE_TYPE", "ce_specversion", "ce_source", "ce_time", "ce_subject",
                        "content-type",
                    ][..]).prop_map(String::from),
                    ".{0,9}",
                ],
                prop::option::of(prop_oneof![
                    prop::sample::select(&[
                        "1.0", "profile.erased", "2026-03-01T09:30:00Z", "application/cloudevents",
                    ][..]).prop_map(|it| it.as_bytes().to_vec()),
                    prop::collection::vec(any::<u8>(), 0..9),
                ]),
            ),
            0..9,
        ),
        null in any::<bool>(),
    ) {
        let value = event.to_string();
        let value = if null { None } else { Some(value.as_bytes()) };
        let headers: Vec<_> = headers.iter().map(|(name, it)| (name.as_str(), it.as_deref())).collect();
        let _ = decode(value, key.as_deref(), &headers, true);
    }

    #[test]
    fn binary_mode_gives_the_same_event_as_structured(event in events()) {
        let text = |name: &str| event[name].as_str().unwrap_or_default().as_bytes().to_vec();
        let names = ["specversion", "id", "source", "type", "subject", "time"];
        let contents = names.map(|name| (format!("ce_{name}"), text(name)));
        prop_assume!(names.iter().all(|name| event[name].is_string()));
        let headers: Vec<_> =
            contents.iter().map(|(name, it)| (name.as_str(), Some(it.as_slice()))).collect();
        let structured = decode(Some(event.to_string().as_bytes()), Some(b"c-42"), &[], true);
        let binary = decode(Some(event["data"].to_string().as_bytes()), Some(b"c-42"), &headers, true);
        prop_assert_eq!(binary, structured);
    }
}
