//! What a field of `data` may hold: kinds of values, and their limits.
//!
//! The one place that states the limits of contract section 2.

use std::borrow::Cow;

use crate::facts::instant::{Instant, parse_instant};
use crate::wire::event::{Attribute, Currency, ReviewKind};
use crate::wire::json::Json;
use crate::wire::quote;

/// The most characters of a text.
pub const MAX_TEXT: usize = 256;
/// The most characters of `tier`, `channel` and the names of attributes.
pub const MAX_NAME: usize = 64;
/// The most characters of a customer id.
pub const MAX_CUSTOMER_ID: usize = 128;
/// The most attributes of a profile.
pub const MAX_ATTRIBUTES: usize = 64;
/// The most texts in a list.
pub const MAX_LIST: usize = 64;
/// The largest amount, in minor units.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000_000;
/// The most units of an order.
pub const MAX_UNITS: i64 = 1_000_000;

/// A value that is not what its field asks for.
pub(super) struct Mismatch {
    /// Where within the field: empty, or `['name']`.
    pub(super) within: String,
    pub(super) expected: Cow<'static, str>,
    pub(super) found: Cow<'static, str>,
}

pub(super) type Fit<T> = Result<T, Mismatch>;

impl Mismatch {
    fn new(expected: impl Into<Cow<'static, str>>, found: &Json) -> Self {
        Mismatch { within: String::new(), expected: expected.into(), found: describe(found) }
    }
}

/// Say what a JSON value is; of text only its length, as it may be somebody's.
pub(super) fn describe(value: &Json) -> Cow<'static, str> {
    match value {
        Json::Null => "nothing".into(),
        Json::True => "true".into(),
        Json::False => "false".into(),
        Json::Int(number) => number.to_string().into(),
        Json::Long(written) => short(written.to_string()),
        Json::Float(number) if number.is_finite() => short(quote::float(*number)),
        Json::Float(_) => BEYOND.into(),
        Json::Text(text) => describe_text(text).into(),
        Json::List(items) => format!("a list of {}", items.len()).into(),
        Json::Object(_) => "an object".into(),
    }
}

/// Say what a text is: its length.
pub(super) fn describe_text(text: &str) -> String {
    match text.chars().count() {
        0 => "empty text".to_string(),
        characters => format!("text of {characters} characters"),
    }
}

const BEYOND: &str = "a number beyond the limit";

fn short(number: String) -> Cow<'static, str> {
    if number.len() <= 20 { number.into() } else { BEYOND.into() }
}

/// Whether a text has so many characters.
pub(super) fn has(text: &str, least: usize, most: usize) -> bool {
    // No text has more characters than bytes: most need no counting.
    text.len() >= least && (text.len() <= most || text.chars().count() <= most)
}

fn text(value: &Json, least: usize, most: usize) -> Fit<Box<str>> {
    match value {
        Json::Text(text) if has(text, least, most) => Ok((**text).into()),
        _ if least == 0 => Err(Mismatch::new(format!("text of at most {most} characters"), value)),
        _ => Err(Mismatch::new(format!("text of {least} to {most} characters"), value)),
    }
}

pub(super) fn id(value: &Json) -> Fit<Box<str>> {
    text(value, 1, MAX_TEXT)
}

pub(super) fn customer(value: &Json) -> Fit<Box<str>> {
    text(value, 1, MAX_CUSTOMER_ID)
}

pub(super) fn name(value: &Json) -> Fit<Box<str>> {
    text(value, 0, MAX_NAME)
}

pub(super) fn amount(value: &Json) -> Fit<i64> {
    whole(value, 0, MAX_AMOUNT)
}

/// Read a whole number, which may be written 3.0.
pub(super) fn whole(value: &Json, least: i64, most: i64) -> Fit<i64> {
    let number = match *value {
        Json::Int(number) => Some(number),
        // Beyond 64 bits it becomes the largest integer: as far beyond every limit.
        Json::Float(number) if number.fract() == 0.0 => Some(number as i64),
        _ => None,
    };
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| Mismatch {
        found: describe_whole(value),
        ..Mismatch::new(format!("a whole number from {least} to {most}"), value)
    })
}

/// Say what a value is where a whole number is expected: 3.0 is told as 3.
fn describe_whole(value: &Json) -> Cow<'static, str> {
    match *value {
        // -0.0 + 0.0 is 0.0
        Json::Float(number) if number.fract() == 0.0 => short(format!("{:.0}", number + 0.0)),
        _ => describe(value),
    }
}

/// Read a rating, 1 to 5, halves and the like included.
pub(super) fn rating(value: &Json) -> Fit<f64> {
    match *value {
        Json::Int(number @ 1..=5) => Ok(number as f64),
        Json::Float(number) if (1.0..=5.0).contains(&number) => Ok(number),
        _ => Err(Mismatch::new("a number from 1 to 5", value)),
    }
}

/// Read a text that means something.
fn meaning<T>(value: &Json, of: fn(&str) -> Option<T>, expected: &'static str) -> Fit<T> {
    let found = if let Json::Text(text) = value { of(text) } else { None };
    found.ok_or_else(|| Mismatch::new(expected, value))
}

pub(super) fn currency(value: &Json) -> Fit<Currency> {
    meaning(value, currency_of, "a currency of three capital letters")
}

pub(super) fn review_kind(value: &Json) -> Fit<ReviewKind> {
    meaning(value, review_kind_of, "one of review, testimonial, defence, complaint")
}

pub(super) fn need(value: &Json) -> Fit<u8> {
    meaning(value, need_of, "one of problem, solution, brand, decision")
}

pub(super) fn instant(value: &Json) -> Fit<Instant> {
    meaning(value, parse_instant, "an RFC 3339 time with an offset, years 1970 to 2199,")
}

/// The ISO 4217 code that a text is; whether it has a rate is the rules' question.
fn currency_of(text: &str) -> Option<Currency> {
    let code: Currency = text.as_bytes().try_into().ok()?;
    code.iter().all(u8::is_ascii_uppercase).then_some(code)
}

/// The kind of review that a text names.
fn review_kind_of(text: &str) -> Option<ReviewKind> {
    match text {
        "review" => Some(ReviewKind::Review),
        "testimonial" => Some(ReviewKind::Testimonial),
        "defence" => Some(ReviewKind::Defence),
        "complaint" => Some(ReviewKind::Complaint),
        _ => None,
    }
}

/// What a customer looks for, as 1 to 4.
fn need_of(text: &str) -> Option<u8> {
    match text {
        "problem" => Some(1),
        "solution" => Some(2),
        "brand" => Some(3),
        "decision" => Some(4),
        _ => None,
    }
}

type Attributes = Vec<(Box<str>, Option<Attribute>)>;

pub(super) fn attributes(value: &Json) -> Fit<Attributes> {
    let expected = || format!("an object of at most {MAX_ATTRIBUTES} attributes");
    match value {
        Json::Object(object) if object.fields().len() <= MAX_ATTRIBUTES => {
            object.fields().iter().map(|(name, value)| attribute(name, value)).collect()
        }
        Json::Object(object) => Err(Mismatch {
            found: format!("an object of {}", object.fields().len()).into(),
            ..Mismatch::new(expected(), value)
        }),
        _ => Err(Mismatch::new(expected(), value)),
    }
}

fn attribute(name: &str, value: &Json) -> Fit<(Box<str>, Option<Attribute>)> {
    if !has(name, 0, MAX_NAME) {
        return Err(Mismatch {
            within: String::new(),
            expected: format!("names of at most {MAX_NAME} characters").into(),
            found: describe_text(name).into(),
        });
    }
    let read = match value {
        Json::Null => return Ok((name.into(), None)),
        Json::True => Some(Attribute::Bool(true)),
        Json::False => Some(Attribute::Bool(false)),
        Json::Int(number) => whole_attribute(*number),
        Json::Float(number) => float_attribute(*number),
        Json::Text(text) => short_text(text).map(Attribute::Text),
        Json::List(items) => texts(items).map(Attribute::List),
        Json::Long(_) | Json::Object(_) => None,
    };
    let expected = || {
        format!(
            "text of at most {MAX_TEXT} characters, a number within 10^15, true, false, null or a \
             list of at most {MAX_LIST} such texts"
        )
    };
    match read {
        Some(_) => Ok((name.into(), read)),
        None => Err(Mismatch {
            within: format!("[{}]", quote::quoted(name)),
            ..Mismatch::new(expected(), value)
        }),
    }
}

/// A whole number within the limits.
fn whole_attribute(number: i64) -> Option<Attribute> {
    (-MAX_AMOUNT..=MAX_AMOUNT).contains(&number).then_some(Attribute::Int(number))
}

/// A number within the limits; one that is whole becomes an integer.
fn float_attribute(number: f64) -> Option<Attribute> {
    if number.fract() == 0.0 {
        whole_attribute(number as i64) // beyond 64 bits it becomes the largest
    } else {
        (number.abs() <= MAX_AMOUNT as f64).then_some(Attribute::Float(number))
    }
}

/// A text within the limits.
fn short_text(text: &str) -> Option<Box<str>> {
    has(text, 0, MAX_TEXT).then(|| text.into())
}

fn texts(items: &[Json]) -> Option<Box<[Box<str>]>> {
    let text = |item: &Json| if let Json::Text(text) = item { short_text(text) } else { None };
    if items.len() > MAX_LIST { None } else { items.iter().map(text).collect() }
}
