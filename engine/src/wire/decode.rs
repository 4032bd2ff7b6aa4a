//! What a record from an input topic is: an event, or refused, and then why.
//!
//! The faults are looked for in the order of contract section 2, *Dead letters*. No message quotes
//! what may be about a person: ids, texts and values of attributes are described by kind and length.

use std::borrow::Cow;

use crate::facts::instant::{Instant, parse_instant};
use crate::wire::base64;
use crate::wire::event::{Data, Event, Reason, Refused};
use crate::wire::fields::{Reader, read_data, reader};
use crate::wire::headers::{Headers, attribute, is_binary};
use crate::wire::json::{self, Json};
use crate::wire::quote::shortened;
use crate::wire::values::{MAX_CUSTOMER_ID, MAX_TEXT, describe, describe_text, has};

/// The longest value of a record that is looked at.
pub const MAX_BYTES: usize = 64 * 1024;

const CLOCK_ADVANCED: &str = "clock.advanced";

/// Decode a record, or say why it is refused. Whatever the bytes, there is an answer.
///
/// `keyed` false: the key is not compared with the subject (files of events have none).
pub fn decode(
    value: Option<&[u8]>,
    key: Option<&[u8]>,
    headers: Headers,
    keyed: bool,
) -> Result<Event, Refused> {
    let binary = is_binary(headers);
    let parsed = match value {
        None | Some([]) if binary => Json::Null, // an event without data
        None => {
            let message = "the value is null; a structured CloudEvent expected";
            return Err(refused(Reason::NotJson, message));
        }
        Some(value) if value.len() > MAX_BYTES => {
            let message = format!("{} bytes; at most {MAX_BYTES} are taken", value.len());
            return Err(refused(Reason::TooLarge, message));
        }
        Some(value) => json::parse(value).map_err(|error| refused(Reason::NotJson, error.0))?,
    };
    let key = if keyed { Key::Of(key) } else { Key::Any };
    if binary {
        let said = Said { data: &parsed, encoded: &Json::Null };
        return judge(&|name| in_headers(headers, name), said, key);
    }
    match &parsed {
        Json::Object(object) => {
            let said = Said { data: object.get("data"), encoded: object.get("data_base64") };
            judge(&|name| Found::of(object.get(name)), said, key)
        }
        other => {
            let message = format!("a JSON object expected, found {}", describe(other));
            Err(refused(Reason::NotAnEvent, message))
        }
    }
}

fn refused(reason: Reason, message: impl Into<String>) -> Refused {
    Refused { reason, message: message.into() }
}

/// What the key must be.
enum Key<'a> {
    /// It is not looked at: files of events have none.
    Any,
    /// This is the key, and must be the subject.
    Of(Option<&'a [u8]>),
}

/// What is found for an attribute: text, or something else in words.
enum Found<'a> {
    Text(&'a str),
    Other(Cow<'static, str>),
}

impl<'a> Found<'a> {
    fn of(value: &'a Json) -> Self {
        match value {
            Json::Text(text) if !text.is_empty() => Found::Text(text),
            other => Found::Other(describe(other)),
        }
    }
}

/// An attribute from the headers, where null is the same as absent.
fn in_headers<'a>(headers: Headers<'a>, name: &str) -> Found<'a> {
    match attribute(headers, name).map(std::str::from_utf8) {
        None => Found::Other("nothing".into()),
        Some(Err(_)) => Found::Other("bytes that are not UTF-8".into()),
        Some(Ok("")) => Found::Other("empty text".into()),
        Some(Ok(text)) => Found::Text(text),
    }
}

type Attributes<'f, 'a> = &'f dyn Fn(&str) -> Found<'a>;

/// The attributes, looked at in the order in which faults are told.
struct Envelope<'a> {
    kind: &'a str,
    id: &'a str,
    source: &'a str,
    time: Instant,
    /// Empty for what concerns no customer.
    subject: &'a str,
}

impl<'a> Envelope<'a> {
    fn read(attributes: Attributes<'_, 'a>) -> Result<Self, String> {
        let required = |name: &str| match attributes(name) {
            Found::Text(text) => Ok(text),
            Found::Other(found) => Err(format!("{name}: text expected, found {found}")),
        };
        let specversion = required("specversion")?;
        if specversion != "1.0" {
            return Err(format!("specversion: 1.0 expected, found {}", shortened(specversion)));
        }
        let (kind, id, source) = (required("type")?, required("id")?, required("source")?);
        let time = required("time")?;
        let Some(time) = parse_instant(time) else {
            let expected = "time: an RFC 3339 time with an offset, years 1970 to 2199, expected";
            return Err(format!("{expected}, found {}", shortened(time)));
        };
        let subject = if kind == CLOCK_ADVANCED { "" } else { required("subject")? };
        if !has(subject, 0, MAX_CUSTOMER_ID) {
            return Err(wrong_length("subject", subject, MAX_CUSTOMER_ID));
        }
        Ok(Envelope { kind, id, source, time, subject })
    }
}

fn wrong_length(name: &str, found: &str, most: usize) -> String {
    let found = describe_text(found);
    format!("{name}: text of 1 to {most} characters expected, found {found}")
}

/// What an event says beside its envelope: `data`, or its JSON in base64.
#[derive(Clone, Copy)]
struct Said<'a> {
    data: &'a Json<'a>,
    encoded: &'a Json<'a>,
}

impl Said<'_> {
    fn read(self, read: Reader, envelope: &Envelope) -> Result<Data, String> {
        let read = |data: &Json| {
            read_data(read, data, envelope.subject, envelope.time).map_err(|error| error.0)
        };
        let decoded = match self.encoded {
            Json::Null => return read(self.data),
            Json::Text(text) => base64::decode(text),
            _ => None,
        };
        let unfit = |found| format!("data_base64: the base64 of JSON expected, found {found}");
        let decoded = decoded.ok_or_else(|| unfit(describe(self.encoded)))?;
        match json::parse(&decoded) {
            Ok(data) => read(&data),
            Err(error) => Err(unfit(format!("what is none: {}", error.0).into())),
        }
    }
}

fn judge(attributes: Attributes, said: Said, key: Key) -> Result<Event, Refused> {
    let not_an_event = |message| refused(Reason::NotAnEvent, message);
    let envelope = Envelope::read(attributes).map_err(not_an_event)?;
    if *said.data != Json::Null && *said.encoded != Json::Null {
        let message = "data, data_base64: one of them expected, found both";
        return Err(not_an_event(message.to_string()));
    }
    if envelope.kind == CLOCK_ADVANCED {
        return event(&envelope, || Ok(Data::ClockAdvanced));
    }
    let Some(read) = reader(envelope.kind) else {
        let message = format!("type: {} is no type of event known here", shortened(envelope.kind));
        return Err(refused(Reason::UnknownType, message));
    };
    if let Key::Of(key) = key {
        check_key(key, envelope.subject)?;
    }
    event(&envelope, || said.read(read, &envelope))
}

fn check_key(key: Option<&[u8]>, subject: &str) -> Result<(), Refused> {
    let found = match key {
        Some(key) if key == subject.as_bytes() => return Ok(()),
        Some(key) => format!("another key, of {} bytes", key.len()),
        None => "no key".to_string(),
    };
    let message = format!("the Kafka key must be the UTF-8 bytes of the subject, found {found}");
    Err(refused(Reason::KeyMismatch, message))
}

fn event(envelope: &Envelope, data: impl Fn() -> Result<Data, String>) -> Result<Event, Refused> {
    let bad = |message| refused(Reason::BadData, message);
    for (name, text) in [("id", envelope.id), ("source", envelope.source)] {
        if !has(text, 1, MAX_TEXT) {
            return Err(bad(wrong_length(name, text, MAX_TEXT)));
        }
    }
    Ok(Event {
        source: envelope.source.into(),
        id: envelope.id.into(),
        subject: envelope.subject.into(),
        time: envelope.time,
        data: data().map_err(bad)?,
    })
}
