//! What a record is: an event, or refused, with the first reason that holds and words that help.

use engine::wire::event::{Attribute, Data, Event, Headers, Reason, Refused, ReviewKind, decode};
use serde_json::{Map, Value, json};

const TIME: i64 = 1_772_357_400_000_000; // 2026-03-01T09:30:00Z

/// An event as an object; fields of `envelope` replace those of the usual envelope.
fn event(kind: &str, data: Value, envelope: Value) -> Vec<u8> {
    let mut whole = json!({
        "specversion": "1.0", "id": "o-981:paid", "source": "/shop/orders", "subject": "c-42",
        "time": "2026-03-01T09:30:00Z", "type": kind, "data": data,
    });
    put(&mut whole, envelope);
    whole.to_string().into_bytes()
}

fn put(object: &mut Value, fields: Value) {
    let (Value::Object(object), Value::Object(fields)) = (object, fields) else { panic!() };
    object.extend(fields);
}

fn purchase(fields: Value) -> Vec<u8> {
    event("purchase.completed", bought(fields), json!({}))
}

fn bought(fields: Value) -> Value {
    let mut data =
        json!({"order_id": "o-981", "amount": 125_000_000, "currency": "VND", "units": 3});
    put(&mut data, fields);
    data
}

/// The event, however it is read: it is the same with the key as without.
fn taken(value: &[u8]) -> Event {
    let found = decode(Some(value), Some(b"c-42"), &[], true);
    assert_eq!(found, decode(Some(value), None, &[], false));
    found.unwrap_or_else(|refused| panic!("{refused:?}: {}", String::from_utf8_lossy(value)))
}

fn refused(value: &[u8]) -> Refused {
    let found = decode(Some(value), Some(b"c-42"), &[], true);
    found.expect_err(&String::from_utf8_lossy(value))
}

fn bad_data(kind: &str, data: Value) -> String {
    let found = refused(&event(kind, data.clone(), json!({})));
    assert_eq!(found.reason, Reason::BadData, "{kind} {data}");
    found.message
}

fn not_json(value: impl AsRef<[u8]>) -> String {
    let found = refused(value.as_ref());
    assert_eq!(found.reason, Reason::NotJson);
    found.message
}

fn long(length: usize) -> String {
    "x".repeat(length)
}

#[test]
fn the_event_of_the_contract_is_read() {
    let data = Data::PurchaseCompleted {
        order_id: "o-981".into(),
        amount: 125_000_000,
        currency: *b"VND",
        units: 3,
    };
    let expected = Event {
        source: "/shop/orders".into(),
        id: "o-981:paid".into(),
        subject: "c-42".into(),
        time: TIME,
        data,
    };
    assert_eq!(taken(&purchase(json!({}))), expected);
}

#[test]
fn every_type_is_read_with_and_without_its_optional_fields() {
    let review = |rating, kind| Data::ReviewPosted { review_id: "r".into(), rating, kind };
    let converted =
        |amount, currency| Data::ReferralConverted { referred_id: "c-7".into(), amount, currency };
    let placed = |rung, until| Data::ProfilePlaced { ladder: "l".into(), rung, until };
    let rung = Some("r".into());
    for (kind, data, expected) in [
        (
            "purchase.refunded",
            json!({"order_id": "o", "amount": 1, "currency": "VND"}),
            Data::PurchaseRefunded { order_id: "o".into(), amount: 1, currency: *b"VND" },
        ),
        ("signup.registered", json!(null), Data::Registered { referred_by: None }),
        (
            "signup.registered",
            json!({"referred_by": "c-7"}),
            Data::Registered { referred_by: Some("c-7".into()) },
        ),
        ("signup.inquired", json!({"channel": "phone"}), Data::Inquired),
        ("signup.inquired", json!({}), Data::Inquired),
        ("signup.card_issued", json!({"tier": "gold"}), Data::CardIssued { tier: "gold".into() }),
        ("signup.card_revoked", json!(null), Data::CardRevoked),
        ("review.posted", json!({"review_id": "r"}), review(None, ReviewKind::Review)),
        (
            "review.posted",
            json!({"review_id": "r", "rating": 4, "kind": "testimonial"}),
            review(Some(4.0), ReviewKind::Testimonial),
        ),
        (
            "review.posted",
            json!({"review_id": "r", "rating": 3.5, "kind": "defence"}),
            review(Some(3.5), ReviewKind::Defence),
        ),
        (
            "review.posted",
            json!({"review_id": "r", "rating": null, "kind": "complaint"}),
            review(None, ReviewKind::Complaint),
        ),
        (
            "review.posted",
            json!({"review_id": "r", "kind": null}),
            review(None, ReviewKind::Review),
        ),
        (
            "review.removed",
            json!({"review_id": "r"}),
            Data::ReviewRemoved { review_id: "r".into() },
        ),
        ("referral.sent", json!(null), Data::ReferralSent),
        ("referral.sent", json!({"referred_id": "c-7"}), Data::ReferralSent),
        ("referral.converted", json!({"referred_id": "c-7"}), converted(None, None)),
        (
            "referral.converted",
            json!({"referred_id": "c-7", "currency": "USD"}),
            converted(None, Some(*b"USD")),
        ),
        (
            "referral.converted",
            json!({"referred_id": "c-7", "amount": 5, "currency": "USD"}),
            converted(Some(5), Some(*b"USD")),
        ),
        (
            "referral.reversed",
            json!({"referred_id": "c-7"}),
            Data::ReferralReversed { referred_id: "c-7".into() },
        ),
        ("interaction.seen", json!({"need": "problem"}), Data::InteractionSeen { need: 1 }),
        ("interaction.seen", json!({"need": "solution"}), Data::InteractionSeen { need: 2 }),
        ("interaction.seen", json!({"need": "brand"}), Data::InteractionSeen { need: 3 }),
        ("interaction.seen", json!({"need": "decision"}), Data::InteractionSeen { need: 4 }),
        ("profile.merged", json!({"into": "c-43"}), Data::ProfileMerged { into: "c-43".into() }),
        ("profile.erased", json!(null), Data::ProfileErased),
        ("profile.placed", json!({"ladder": "l", "rung": "r"}), placed(rung.clone(), None)),
        ("profile.placed", json!({"ladder": "l", "rung": null}), placed(None, None)),
        (
            "profile.placed",
            json!({"ladder": "l", "rung": "r", "until": "2026-03-01T10:30:00.5+01:00"}),
            placed(rung, Some(TIME + 500_000)),
        ),
    ] {
        let found = taken(&event(kind, data, json!({})));
        assert_eq!(found.data.kind(), kind);
        assert_eq!(found.data, expected);
    }
}

#[test]
fn units_are_one_where_nothing_else_is_said() {
    for data in [json!({"units": null}), json!({"units": 1}), json!({"units": 1.0})] {
        let Data::PurchaseCompleted { units, .. } = taken(&purchase(data)).data else { panic!() };
        assert_eq!(units, 1);
    }
}

#[test]
fn a_whole_number_may_be_written_with_a_fraction_or_an_exponent() {
    for amount in ["3", "3.0", "30e-1", "0.3E+1", "3.000000000000000000000000000001"] {
        let text = String::from_utf8(purchase(json!({"amount": 8_888}))).unwrap();
        let Data::PurchaseCompleted { amount, .. } =
            taken(text.replace("8888", amount).as_bytes()).data
        else {
            panic!()
        };
        assert_eq!(amount, 3);
    }
}

#[test]
fn attributes_keep_their_order_and_numbers_that_are_whole_become_integers() {
    let value = br#"{"specversion":"1.0","id":"i","source":"s","type":"profile.updated",
        "subject":"c-42","time":"2026-03-01T09:30:00Z","data":{"attributes":
        {"z":1,"b":2.50,"a":-0.0,"l":["x",""],"t":true,"n":null,"s":"","z":3.0e0,
         "least":-1e15,"most":1000000000000000}}}"#;
    let Data::ProfileUpdated { attributes } = taken(value).data else { panic!() };
    let expected = [
        ("z", Some(Attribute::Int(3))),
        ("b", Some(Attribute::Float(2.5))),
        ("a", Some(Attribute::Int(0))),
        ("l", Some(Attribute::List(["x".into(), "".into()].into()))),
        ("t", Some(Attribute::Bool(true))),
        ("n", None),
        ("s", Some(Attribute::Text("".into()))),
        ("least", Some(Attribute::Int(-1_000_000_000_000_000))),
        ("most", Some(Attribute::Int(1_000_000_000_000_000))),
    ];
    assert_eq!(attributes, expected.map(|(name, value)| (Box::from(name), value)));
}

#[test]
fn limits_count_characters_and_what_is_at_the_limit_is_taken() {
    let subject = "ü".repeat(128);
    for value in [
        event("profile.erased", json!(null), json!({"id": long(256), "source": "é".repeat(256)})),
        purchase(json!({"order_id": "🙂".repeat(256)})),
        event("signup.inquired", json!({"channel": "é".repeat(64)}), json!({})),
        event("signup.card_issued", json!({"tier": ""}), json!({})),
        event(
            "profile.updated",
            json!({"attributes": {"é".repeat(64): "🙂".repeat(256)}}),
            json!({}),
        ),
        event(
            "profile.updated",
            json!({"attributes": {"a": vec!["é".repeat(256); 64]}}),
            json!({}),
        ),
        event("purchase.completed", bought(json!({"amount": 1e15, "units": 1e6})), json!({})),
    ] {
        taken(&value);
    }
    let value = event("profile.erased", json!(null), json!({"subject": subject}));
    assert_eq!(
        *decode(Some(&value), Some(subject.as_bytes()), &[], true).unwrap().subject,
        *subject
    );
}

#[test]
fn of_fields_of_one_name_the_last_counts() {
    let value = br#"{"specversion":"0.3","id":5,"id":"i","source":"s","type":"profile.erased",
        "subject":"c-42","time":"2026-03-01T09:30:00Z","specversion":"1.0","data":5,"data":null}"#;
    assert_eq!(taken(value).data, Data::ProfileErased);
    let value = br#"{"specversion":"1.0","id":"i","source":"s","type":"profile.erased",
        "subject":"c-42","time":"2026-03-01T09:30:00Z","time":null}"#;
    assert_eq!(refused(value).message, "time: text expected, found nothing");
}

#[test]
fn a_list_of_the_values_is_no_object() {
    let value = br#"["1.0","i","s","c-42","2026-03-01T09:30:00Z"]"#;
    assert_eq!(refused(value).message, "a JSON object expected, found a list of 5");
    let message = bad_data("purchase.completed", json!(["o", 5, "VND", 1]));
    assert_eq!(message, "data: an object expected, found a list of 4");
}

#[test]
fn what_is_no_json_is_told_with_its_place_in_characters() {
    for (value, message) in [
        ("", "Expecting value at character 0"),
        ("  ", "Expecting value at character 2"),
        ("\u{feff}{}", "Expecting value at character 0"),
        ("\u{a0}", "Expecting value at character 0"),
        ("{} x", "Extra data at character 3"),
        ("01", "Extra data at character 1"),
        ("1.", "Extra data at character 1"),
        ("1.e5", "Extra data at character 1"),
        ("1e+", "Extra data at character 1"),
        ("-", "Expecting value at character 0"),
        ("[-]", "Expecting value at character 1"),
        ("[1,]", "Expecting value at character 3"),
        ("[", "Expecting value at character 1"),
        ("[1", "Expecting ',' delimiter at character 2"),
        ("[1 2]", "Expecting ',' delimiter at character 3"),
        ("[nul]", "Expecting value at character 1"),
        ("{", "Expecting property name enclosed in double quotes at character 1"),
        ("{\"a\":1,}", "Expecting property name enclosed in double quotes at character 7"),
        ("{'a':1}", "Expecting property name enclosed in double quotes at character 1"),
        ("{\"a\" 1}", "Expecting ':' delimiter at character 5"),
        ("{\"a\":}", "Expecting value at character 5"),
        ("{\"é🙂\":1 \"b\":2}", "Expecting ',' delimiter at character 8"),
        ("\"abc", "Unterminated string starting at at character 0"),
        ("[\"é\", \"abc\\", "Unterminated string starting at at character 6"),
        ("\"a\nb\"", "Invalid control character at at character 2"),
        ("\"é\\x\"", "Invalid \\escape at character 2"),
        ("\"\\é\"", "Invalid \\escape at character 1"),
        ("\"\\u00g0\"", "Invalid \\uXXXX escape at character 2"),
        ("\"\\u00é0\"", "Invalid \\uXXXX escape at character 2"),
        ("\"\\u00", "Invalid \\uXXXX escape at character 2"),
        ("\"\\u00e9", "Invalid \\uXXXX escape at character 2"),
        ("\"\\ud83d\\ude42", "Invalid \\uXXXX escape at character 8"),
        ("\"\\ud83d\"", "an escape that is half of a surrogate pair: no Unicode text"),
        ("\"\\ud83d\\u0041\"", "an escape that is half of a surrogate pair: no Unicode text"),
        ("\"\\ude42\\ud83d\"", "an escape that is half of a surrogate pair: no Unicode text"),
        ("x\\udc00", "an escape that is half of a surrogate pair: no Unicode text"),
        ("NaN", "NaN is no JSON number"),
        ("[Infinity]", "Infinity is no JSON number"),
        ("[-Infinity]", "-Infinity is no JSON number"),
        ("-Infinit", "Expecting value at character 0"),
    ] {
        assert_eq!(not_json(value), message, "{value}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_told_with_their_place() {
    for (value, message) in [
        (&b"\"\x80\""[..], "not UTF-8: byte 1 (invalid start byte)"),
        (b"\"\xc1\xbf\"", "not UTF-8: byte 1 (invalid start byte)"),
        (b"\"\xf5\x80\x80\x80\"", "not UTF-8: byte 1 (invalid start byte)"),
        (b"\"\xc3\"", "not UTF-8: byte 1 (invalid continuation byte)"),
        (b"\"\xe0\x80\x80\"", "not UTF-8: byte 1 (invalid continuation byte)"),
        (b"\"\xed\xa0\x80\"", "not UTF-8: byte 1 (invalid continuation byte)"),
        (b"\"\xf4\x90\x80\x80\"", "not UTF-8: byte 1 (invalid continuation byte)"),
        (b"\xe0\x80", "not UTF-8: byte 0 (invalid continuation byte)"),
        (b"\"\xf0\x9f\x99", "not UTF-8: byte 1 (unexpected end of data)"),
    ] {
        assert_eq!(not_json(value), message, "{value:?}");
    }
    let mut value = purchase(json!({"extra": "marker"}));
    let at = value.windows(6).position(|found| found == b"marker").unwrap();
    value[at] = 0xFF;
    assert_eq!(not_json(value), format!("not UTF-8: byte {at} (invalid start byte)"));
}

#[test]
fn half_of_a_surrogate_pair_is_refused_in_fields_that_nobody_reads() {
    let text = String::from_utf8(purchase(json!({"extra": "marker"}))).unwrap();
    let half = "an escape that is half of a surrogate pair: no Unicode text";
    assert_eq!(not_json(text.replace("marker", "\\ud83d")), half);
    taken(text.replace("marker", "\\ud83d\\ude42 \\\\ud83d").as_bytes());
}

#[test]
fn nesting_of_64_is_taken_and_65_is_not_even_where_something_else_is_wrong() {
    let text = String::from_utf8(purchase(json!({"extra": "marker"}))).unwrap();
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    taken(text.replace("\"marker\"", &nested(62)).as_bytes());
    taken(text.replace("marker", &"[{\\\"".repeat(100)).as_bytes());
    for value in [
        text.replace("\"marker\"", &nested(63)),
        "[".repeat(65),
        "x".to_string() + &"[".repeat(65),
        "[".repeat(40_000),
    ] {
        assert_eq!(not_json(value), "nested deeper than 64");
    }
    assert_eq!(not_json("]".to_string() + &"[".repeat(65)), "Expecting value at character 0");
}

#[test]
fn a_value_beyond_64_kib_is_too_large_whatever_is_in_it() {
    let mut value = purchase(json!({}));
    value.resize(64 * 1024, b' ');
    taken(&value);
    value.push(0xFF);
    let found = refused(&value);
    assert_eq!(found.reason, Reason::TooLarge);
    assert_eq!(found.message, "65537 bytes; at most 65536 are taken");
}

#[test]
fn a_required_attribute_that_is_missing_or_wrong_is_named() {
    let time = "time: an RFC 3339 time with an offset, years 1970 to 2199, expected, found";
    for (fields, message) in [
        (json!({"specversion": null}), "specversion: text expected, found nothing".to_string()),
        (json!({"specversion": "0.3"}), "specversion: 1.0 expected, found '0.3'".to_string()),
        (json!({"type": {}}), "type: text expected, found an object".to_string()),
        (json!({"id": 7}), "id: text expected, found 7".to_string()),
        (json!({"id": 7.25}), "id: text expected, found 7.25".to_string()),
        (json!({"source": ""}), "source: text expected, found empty text".to_string()),
        (json!({"time": true}), "time: text expected, found true".to_string()),
        (json!({"time": "yesterday"}), format!("{time} 'yesterday'")),
        (json!({"time": "it's\n\u{a0}é"}), format!("{time} \"it's\\n\\xa0é\"")),
        (json!({"time": "'\"\\"}), format!("{time} '\\'\"\\\\'")),
        (json!({"time": "é".repeat(48)}), format!("{time} '{}'", "é".repeat(48))),
        (json!({"time": "é".repeat(49)}), format!("{time} '{}...'", "é".repeat(48))),
        (json!({"subject": [1, 2]}), "subject: text expected, found a list of 2".to_string()),
        (
            json!({"subject": long(129)}),
            "subject: text of 1 to 128 characters expected, found text of 129 characters".into(),
        ),
    ] {
        let found = refused(&event("purchase.completed", bought(json!({})), fields));
        assert_eq!((found.reason, found.message), (Reason::NotAnEvent, message));
    }
    assert_eq!(refused(b" 5").message, "a JSON object expected, found 5");
    assert_eq!(refused(b"null").message, "a JSON object expected, found nothing");
}

#[test]
fn numbers_are_told_as_they_are_unless_they_are_long() {
    for (written, told) in [
        ("-0", "0"),
        ("-0.0", "-0.0"),
        ("1E2", "100.0"),
        ("1e15", "1000000000000000.0"),
        ("1e16", "1e+16"),
        ("123456789012340000.0", "1.2345678901234e+17"),
        ("1.2345678901234567e17", "a number beyond the limit"),
        ("1e300", "1e+300"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("1.5e-7", "1.5e-07"),
        ("5e-324", "5e-324"),
        ("1e-400", "0.0"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("-1.2345678901234567e-300", "a number beyond the limit"),
        ("1e400", "a number beyond the limit"),
        ("99999999999999999999", "99999999999999999999"),
        ("-9999999999999999999", "-9999999999999999999"),
        ("-99999999999999999999", "a number beyond the limit"),
        (&"1".repeat(39), "a number beyond the limit"),
        (&"1".repeat(5_000), "a number beyond the limit"),
    ] {
        let found = refused(written.as_bytes()).message;
        assert_eq!(found, format!("a JSON object expected, found {told}"), "{written}");
    }
}

#[test]
fn data_beyond_its_limits_is_bad_data_and_the_field_is_named() {
    let attribute = "text of at most 256 characters, a number within 10^15, true, false, null or \
                     a list of at most 64 such texts expected, found";
    let whole = "a whole number from 0 to 1000000000000000 expected, found";
    let many: Map<String, Value> = (0..65).map(|n| (n.to_string(), json!(n))).collect();
    for (kind, data, message) in [
        ("purchase.completed", json!(null), "data.order_id: text of 1 to 256 characters expected, found nothing".into()),
        ("purchase.completed", json!("text"), "data: an object expected, found text of 4 characters".into()),
        ("signup.card_revoked", json!(5), "data: an object expected, found 5".into()),
        ("purchase.completed", bought(json!({"order_id": ""})), "data.order_id: text of 1 to 256 characters expected, found empty text".into()),
        ("purchase.completed", bought(json!({"order_id": "é".repeat(257)})), "data.order_id: text of 1 to 256 characters expected, found text of 257 characters".into()),
        ("purchase.completed", bought(json!({"amount": -1})), format!("data.amount: {whole} -1")),
        ("purchase.completed", bought(json!({"amount": true})), format!("data.amount: {whole} true")),
        ("purchase.completed", bought(json!({"amount": "5"})), format!("data.amount: {whole} text of 1 characters")),
        ("purchase.completed", bought(json!({"amount": 0.5})), format!("data.amount: {whole} 0.5")),
        ("purchase.completed", bought(json!({"amount": -3.0})), format!("data.amount: {whole} -3")),
        ("purchase.completed", bought(json!({"amount": 1e16})), format!("data.amount: {whole} 10000000000000000")),
        ("purchase.completed", bought(json!({"amount": 1e19})), format!("data.amount: {whole} 10000000000000000000")),
        ("purchase.completed", bought(json!({"amount": 1e20})), format!("data.amount: {whole} a number beyond the limit")),
        ("purchase.completed", bought(json!({"amount": 1e300})), format!("data.amount: {whole} a number beyond the limit")),
        ("purchase.completed", bought(json!({"units": 0})), "data.units: a whole number from 1 to 1000000 expected, found 0".into()),
        ("purchase.completed", bought(json!({"units": false})), "data.units: a whole number from 1 to 1000000 expected, found false".into()),
        ("purchase.completed", bought(json!({"currency": "VND\n"})), "data.currency: a currency of three capital letters expected, found text of 4 characters".into()),
        ("purchase.completed", bought(json!({"currency": "ÄÖÜ"})), "data.currency: a currency of three capital letters expected, found text of 3 characters".into()),
        ("purchase.completed", bought(json!({"currency": "ÄU"})), "data.currency: a currency of three capital letters expected, found text of 2 characters".into()),
        ("purchase.refunded", bought(json!({"amount": 0})), "data.amount: a whole number from 1 to 1000000000000000 expected, found 0".into()),
        ("signup.registered", json!({"referred_by": long(129)}), "data.referred_by: text of 1 to 128 characters expected, found text of 129 characters".into()),
        ("signup.inquired", json!({"channel": long(65)}), "data.channel: text of at most 64 characters expected, found text of 65 characters".into()),
        ("signup.card_issued", json!({}), "data.tier: text of at most 64 characters expected, found nothing".into()),
        ("review.posted", json!({"review_id": "r", "rating": 0.5}), "data.rating: a number from 1 to 5 expected, found 0.5".into()),
        ("review.posted", json!({"review_id": "r", "rating": 6.0}), "data.rating: a number from 1 to 5 expected, found 6.0".into()),
        ("review.posted", json!({"review_id": "r", "rating": 1e17}), "data.rating: a number from 1 to 5 expected, found 1e+17".into()),
        ("review.posted", json!({"review_id": "r", "rating": true}), "data.rating: a number from 1 to 5 expected, found true".into()),
        ("review.posted", json!({"review_id": "r", "kind": "rant"}), "data.kind: one of review, testimonial, defence, complaint expected, found text of 4 characters".into()),
        ("referral.sent", json!({"referred_id": 5}), "data.referred_id: text of 1 to 128 characters expected, found 5".into()),
        ("referral.converted", json!({"referred_id": "c", "amount": 5}), "data.currency: the currency of the amount expected, found nothing".into()),
        ("referral.converted", json!({"referred_id": "c", "amount": -5, "currency": "USD"}), format!("data.amount: {whole} -5")),
        ("referral.converted", json!({"referred_id": "c", "currency": "usd"}), "data.currency: a currency of three capital letters expected, found text of 3 characters".into()),
        ("interaction.seen", json!({"need": 1}), "data.need: one of problem, solution, brand, decision expected, found 1".into()),
        ("profile.updated", json!({"attributes": []}), "data.attributes: an object of at most 64 attributes expected, found a list of 0".into()),
        ("profile.updated", json!({"attributes": many}), "data.attributes: an object of at most 64 attributes expected, found an object of 65".into()),
        ("profile.updated", json!({"attributes": {long(65): 1}}), "data.attributes: names of at most 64 characters expected, found text of 65 characters".into()),
        ("profile.updated", json!({"attributes": {"a": {}}}), format!("data.attributes['a']: {attribute} an object")),
        ("profile.updated", json!({"attributes": {"it's": [1]}}), format!("data.attributes[\"it's\"]: {attribute} a list of 1")),
        ("profile.updated", json!({"attributes": {"a": vec!["x"; 65]}}), format!("data.attributes['a']: {attribute} a list of 65")),
        ("profile.updated", json!({"attributes": {"a": 1_000_000_000_000_001_i64}}), format!("data.attributes['a']: {attribute} 1000000000000001")),
        ("profile.updated", json!({"attributes": {"a": -1e20}}), format!("data.attributes['a']: {attribute} -1e+20")),
        ("profile.updated", json!({"attributes": {"a": 1_000_000_000_000_000.1}}), format!("data.attributes['a']: {attribute} 1000000000000000.1")),
        ("profile.merged", json!({"into": "c-42"}), "data.into: another customer than the subject expected, found the subject itself".into()),
        ("profile.placed", json!({"rung": "r"}), "data.ladder: text of 1 to 256 characters expected, found nothing".into()),
        ("profile.placed", json!({"ladder": "l", "until": "soon"}), "data.until: an RFC 3339 time with an offset, years 1970 to 2199, expected, found text of 4 characters".into()),
        ("profile.placed", json!({"ladder": "l", "until": "2026-03-01T09:30:00Z"}), "data.until: a time after that of the event expected, found one that is not".into()),
    ] {
        let message: String = message;
        assert_eq!(bad_data(kind, data), message, "{kind}");
    }
}

/// An event with `data_base64`, and perhaps data.
fn encoded(kind: &str, encoded: impl Into<Value>, data: Value) -> Vec<u8> {
    event(kind, data, json!({"data_base64": encoded.into()}))
}

#[test]
fn data_in_base64_is_the_same_as_data() {
    let expected = taken(&event("signup.registered", json!({"referred_by": "c-7"}), json!({})));
    let text = "eyJyZWZlcnJlZF9ieSI6ImMtNyJ9";
    let value = encoded("signup.registered", text, json!(null));
    assert_eq!(taken(&value), expected);
    let written = String::from_utf8(value).unwrap();
    assert_eq!(taken(written.replace("data_base64", "data\\u005fbase64").as_bytes()), expected);
    assert_eq!(
        taken(&encoded("profile.erased", "bnVsbA==", json!(null))).data,
        Data::ProfileErased
    );
    let plain = encoded("signup.registered", json!(null), json!({"referred_by": "c-7"}));
    assert_eq!(taken(&plain), expected);
}

#[test]
fn what_is_no_base64_of_the_json_of_data_is_bad_data() {
    let unfit = "data_base64: the base64 of JSON expected, found";
    let fields = "data.review_id: text of 1 to 256 characters expected, found nothing";
    for (written, message) in [
        (json!("e30="), fields.to_string()),
        (json!("NQ=="), "data: an object expected, found 5".to_string()),
        (json!("e30"), format!("{unfit} text of 3 characters")),
        (json!("e30g="), format!("{unfit} text of 5 characters")),
        (json!("\u{20ac}30="), format!("{unfit} text of 4 characters")),
        (json!(5), format!("{unfit} 5")),
        (json!(["e30="]), format!("{unfit} a list of 1")),
        (json!(""), format!("{unfit} what is none: Expecting value at character 0")),
        (json!("/w=="), format!("{unfit} what is none: not UTF-8: byte 0 (invalid start byte)")),
        (json!("W1s="), format!("{unfit} what is none: Expecting value at character 2")),
        (json!("TmFO"), format!("{unfit} what is none: NaN is no JSON number")),
        (json!("W1tb".repeat(22)), format!("{unfit} what is none: nested deeper than 64")),
    ] {
        let found = refused(&encoded("review.removed", written, json!(null)));
        assert_eq!((found.reason, found.message), (Reason::BadData, message));
    }
}

#[test]
fn data_twice_is_not_an_event_before_its_type_and_what_is_in_it_are_looked_at() {
    for kind in ["profile.erased", "clock.advanced", "purchase.dreamt"] {
        let found = refused(&encoded(kind, "!", json!(false)));
        let message = "data, data_base64: one of them expected, found both".to_string();
        assert_eq!((found.reason, found.message), (Reason::NotAnEvent, message));
    }
    assert_eq!(refused(&encoded("a.b", "!", json!(null))).reason, Reason::UnknownType);
    let found = decode(Some(&encoded("profile.erased", "!", json!(null))), None, &[], true);
    assert_eq!(found.unwrap_err().reason, Reason::KeyMismatch);
    let clock = decode(Some(&encoded("clock.advanced", "!", json!(null))), None, &[], true);
    assert_eq!(clock.unwrap().data, Data::ClockAdvanced);
}

#[test]
fn in_binary_mode_an_attribute_named_data_base64_is_none_of_ours() {
    let mut headers = binary("profile.erased");
    headers.extend([("ce_data_base64", Some(&b"!"[..])), ("ce_data", Some(b"5"))]);
    assert!(decode(Some(b"{}"), Some(b"c-42"), &headers, true).is_ok());
}

#[test]
fn an_id_or_source_beyond_256_characters_is_bad_data() {
    for name in ["id", "source"] {
        let found = refused(&event("profile.erased", json!(null), json!({name: long(257)})));
        let expected =
            format!("{name}: text of 1 to 256 characters expected, found text of 257 characters");
        assert_eq!((found.reason, found.message), (Reason::BadData, expected));
    }
}

#[test]
fn an_unknown_type_is_named_shortened_and_types_not_built_yet_are_unknown() {
    for (kind, quoted) in [
        ("purchase.adjusted".to_string(), "'purchase.adjusted'".to_string()),
        ("p".repeat(5_000), format!("'{}...'", "p".repeat(48))),
    ] {
        let found = refused(&event(&kind, bought(json!({})), json!({})));
        let expected = format!("type: {quoted} is no type of event known here");
        assert_eq!((found.reason, found.message), (Reason::UnknownType, expected));
    }
}

#[test]
fn the_key_must_be_the_subject_where_there_are_keys() {
    for (key, found) in [
        (None, "no key"),
        (Some(&b""[..]), "another key, of 0 bytes"),
        (Some(b"c-43"), "another key, of 4 bytes"),
        (Some(b"\xff"), "another key, of 1 bytes"),
    ] {
        let value = purchase(json!({}));
        let message = "the Kafka key must be the UTF-8 bytes of the subject, found";
        let refused = decode(Some(&value), key, &[], true).unwrap_err();
        assert_eq!(refused.message, format!("{message} {found}"));
        assert_eq!(refused.reason, Reason::KeyMismatch);
        assert!(decode(Some(&value), key, &[], false).is_ok());
    }
}

#[test]
fn the_subject_key_and_data_of_a_clock_event_do_not_matter() {
    for fields in [
        json!({"subject": null, "data": {"a": 1}}),
        json!({"subject": 5, "data": 5}),
        json!({"subject": "c-42", "data": []}),
        json!({"subject": long(999)}),
    ] {
        let value = event("clock.advanced", json!(null), fields);
        let found = decode(Some(&value), Some(b"other"), &[], true).unwrap();
        assert_eq!((&*found.subject, found.data), ("", Data::ClockAdvanced));
    }
}

#[test]
fn of_several_faults_the_first_of_the_contract_is_the_reason() {
    let faults = [
        (Reason::NotAnEvent, json!({"time": "yesterday"})),
        (Reason::UnknownType, json!({"type": "purchase.made"})),
        (Reason::KeyMismatch, json!({"subject": "c-43"})),
        (Reason::BadData, json!({"id": long(257)})),
        (Reason::BadData, json!({"data": {"amount": -5}})),
    ];
    for first in 0..faults.len() {
        let mut fields = json!({});
        for (_, fault) in &faults[first..] {
            put(&mut fields, fault.clone());
        }
        let found = refused(&event("purchase.completed", bought(json!({})), fields));
        assert_eq!(found.reason, faults[first].0);
    }
}

#[test]
fn a_null_value_is_no_structured_event() {
    let found = decode(None, Some(b"c-42"), &[], true).unwrap_err();
    assert_eq!(found.reason, Reason::NotJson);
    assert_eq!(found.message, "the value is null; a structured CloudEvent expected");
}

fn binary(kind: &'static str) -> Vec<(&'static str, Option<&'static [u8]>)> {
    vec![
        ("ce_specversion", Some(b"1.0")),
        ("CE_ID", Some(b"o-981:paid")),
        ("ce_source", Some(b"/shop/orders")),
        ("ce_subject", Some(b"c-42")),
        ("ce_time", Some(b"2026-03-01T09:30:00Z")),
        ("Ce_Type", Some(kind.as_bytes())),
        ("content-type", Some(b"application/json")),
        ("traceparent", Some(b"\xff")),
    ]
}

#[test]
fn binary_mode_gives_the_same_event() {
    let data = bought(json!({})).to_string();
    let found = decode(Some(data.as_bytes()), Some(b"c-42"), &binary("purchase.completed"), true);
    assert_eq!(found, Ok(taken(&purchase(json!({})))));
}

#[test]
fn in_binary_mode_a_null_or_empty_value_is_an_event_without_data() {
    for value in [None, Some(&b""[..]), Some(b"null")] {
        let found = decode(value, Some(b"c-42"), &binary("profile.erased"), true);
        assert_eq!(found.unwrap().data, Data::ProfileErased);
        let found = decode(value, Some(b"c-42"), &binary("purchase.completed"), true);
        assert_eq!(found.unwrap_err().reason, Reason::BadData);
    }
}

#[test]
fn a_cloudevents_content_type_means_structured_whatever_else_is_there() {
    let mut headers = binary("profile.erased");
    headers.push(("Content-Type", Some(b"application/CloudEvents+json; charset=UTF-8")));
    let value = purchase(json!({}));
    assert_eq!(decode(Some(&value), Some(b"c-42"), &headers, true), Ok(taken(&value)));
    let plain: Headers = &[("content-type", Some(b"text/plain")), ("ce_source", Some(b"s"))];
    assert_eq!(decode(Some(&value), Some(b"c-42"), plain, true), Ok(taken(&value)));
    let marked: Headers = &[("content-type", None), ("ce_id", None)];
    let found = decode(Some(&value), Some(b"c-42"), marked, true).unwrap_err();
    assert_eq!(found.message, "specversion: text expected, found nothing");
}

#[test]
fn of_headers_of_one_name_the_last_counts_unless_it_is_null() {
    for (more, expected) in [
        (None, "event"),
        (Some(&b"\xff"[..]), "source: text expected, found bytes that are not UTF-8"),
        (Some(b""), "source: text expected, found empty text"),
    ] {
        let mut headers = binary("profile.erased");
        headers.push(("ce_SOURCE", more));
        let found = decode(Some(b"{}"), Some(b"c-42"), &headers, true);
        let said = found.map_or_else(|refused| refused.message, |_| "event".to_string());
        assert_eq!(said, expected);
    }
}

#[test]
fn what_is_said_of_a_fault_quotes_no_personal_text() {
    let secret = "nguyen.van.a@example.com";
    for value in [
        purchase(json!({"currency": secret})),
        purchase(json!({"amount": secret})),
        event("profile.merged", json!({"into": secret}), json!({"subject": secret})),
        event("profile.updated", json!({"attributes": {"mail": [secret, 5]}}), json!({})),
        event("interaction.seen", json!({"need": secret}), json!({})),
        event("profile.erased", json!(null), json!({"subject": secret.repeat(9)})),
    ] {
        let refused = decode(Some(&value), None, &[], false).unwrap_err();
        assert!(!refused.message.contains("nguyen"), "{}", refused.message);
    }
}
