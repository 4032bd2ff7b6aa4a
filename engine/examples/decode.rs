//! Decodes records that come as lines of JSON on stdin, and prints what became of each: for a
//! comparison with another reader of events.
//!
//! A line is `{"value": hex or null, "key": hex or null, "headers": [[name, hex or null], ...],
//! "keyed": true or false}`. What is printed is the event, `type` and all, with floats as the hex
//! of their bits so that nothing is rounded, or `{"reason", "message"}`.

use std::io::{self, BufRead, Write};

use engine::wire::event::{Attribute, Currency, Data, Event, ReviewKind, decode};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    value: Option<String>,
    key: Option<String>,
    headers: Vec<(String, Option<String>)>,
    keyed: bool,
}

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let case: Case = serde_json::from_str(&line?)?;
        writeln!(out, "{}", outcome(&case))?;
    }
    out.flush()
}

fn outcome(case: &Case) -> Value {
    let bytes = |hex: &Option<String>| hex.as_deref().map(unhex);
    let (value, key) = (bytes(&case.value), bytes(&case.key));
    let contents: Vec<_> = case.headers.iter().map(|(name, it)| (name, bytes(it))).collect();
    let headers: Vec<_> =
        contents.iter().map(|(name, it)| (name.as_str(), it.as_deref())).collect();
    match decode(value.as_deref(), key.as_deref(), &headers, case.keyed) {
        Ok(event) => written(&event),
        Err(refused) => json!({ "reason": refused.reason.name(), "message": refused.message }),
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hex digit") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn written(event: &Event) -> Value {
    let mut all = json!({
        "source": event.source, "id": event.id, "subject": event.subject, "time": event.time,
        "type": event.data.kind(),
    });
    all["data"] = data(&event.data);
    all
}

fn data(data: &Data) -> Value {
    let code = |code: &Currency| String::from_utf8_lossy(code).into_owned();
    match data {
        Data::PurchaseCompleted { order_id, amount, currency, units } => {
            json!({ "order_id": order_id, "amount": amount, "currency": code(currency), "units": units })
        }
        Data::PurchaseRefunded { order_id, amount, currency } => {
            json!({ "order_id": order_id, "amount": amount, "currency": code(currency) })
        }
        Data::Registered { referred_by } => json!({ "referred_by": referred_by }),
        Data::CardIssued { tier } => json!({ "tier": tier }),
        Data::ReviewPosted { review_id, rating, kind } => {
            json!({ "review_id": review_id, "rating": rating.map(bits), "kind": review(*kind) })
        }
        Data::ReviewRemoved { review_id } => json!({ "review_id": review_id }),
        Data::ReferralConverted { referred_id, amount, currency } => {
            let currency = currency.as_ref().map(code);
            json!({ "referred_id": referred_id, "amount": amount, "currency": currency })
        }
        Data::ReferralReversed { referred_id } => json!({ "referred_id": referred_id }),
        Data::InteractionSeen { need } => json!({ "need": need }),
        Data::ProfileUpdated { attributes } => {
            let one = |(name, value): &(Box<str>, Option<Attribute>)| {
                json!([name, value.as_ref().map(attribute)])
            };
            json!({ "attributes": attributes.iter().map(one).collect::<Vec<_>>() })
        }
        Data::ProfileMerged { into } => json!({ "into": into }),
        Data::ProfilePlaced { ladder, rung, until } => {
            json!({ "ladder": ladder, "rung": rung, "until": until })
        }
        Data::Inquired
        | Data::CardRevoked
        | Data::ReferralSent
        | Data::ProfileErased
        | Data::ClockAdvanced => json!({}),
    }
}

fn bits(number: f64) -> String {
    format!("{:016x}", number.to_bits())
}

fn review(kind: ReviewKind) -> &'static str {
    match kind {
        ReviewKind::Review => "review",
        ReviewKind::Testimonial => "testimonial",
        ReviewKind::Defence => "defence",
        ReviewKind::Complaint => "complaint",
    }
}

fn attribute(value: &Attribute) -> Value {
    match value {
        Attribute::Bool(truth) => json!(truth),
        Attribute::Int(number) => json!(number),
        Attribute::Float(number) => json!({ "float": bits(*number) }),
        Attribute::Text(text) => json!(text),
        Attribute::List(texts) => json!(texts),
    }
}
