//! Strict JSON: what RFC 8259 allows, in Unicode, nested 64 deep at most, and nothing else.
//!
//! Where a text is no JSON, the words say where and why, and quote nothing, as what is there may be
//! about a person.

use std::borrow::Cow;

use crate::wire::scanner::Scanner;

/// Containers within containers; contract section 2, *Dead letters*.
pub const MAX_DEPTH: usize = 64;

/// A JSON value; texts are borrowed where they have no escapes.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// null
    Null,
    /// true (no variant has less than a word in it: values would move by bytes)
    True,
    /// false
    False,
    /// A number written without a fraction and an exponent.
    Int(i64),
    /// One beyond 64 bits, as it is written: every limit is far below.
    Long(&'a str),
    /// Any other number; what is too large is infinite.
    Float(f64),
    /// text
    Text(Cow<'a, str>),
    /// a list
    List(Vec<Json<'a>>),
    /// an object
    Object(Object<'a>),
}

/// The fields of an object, each name once, at the place where it came first; of several values
/// the last one counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    /// Take fields as they are written, some perhaps several times.
    pub(super) fn new(fields: Vec<(Cow<'a, str>, Json<'a>)>) -> Self {
        // Comparing all pairs is quickest for few fields and would be slow for thousands.
        let mut few = fields.iter().enumerate();
        let once = fields.len() <= 16
            && few.all(|(place, (name, _))| fields[..place].iter().all(|(known, _)| known != name));
        Object(if once { fields } else { without_repeats(fields) })
    }

    /// The value of a field; null where there is none.
    pub fn get(&self, name: &str) -> &Json<'a> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or(&Json::Null, |(_, value)| value)
    }

    /// The fields in their order.
    pub fn fields(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        &self.0
    }
}

/// The fields each once, where the name came first, with the value that came last.
fn without_repeats<'a>(mut fields: Vec<(Cow<'a, str>, Json<'a>)>) -> Vec<(Cow<'a, str>, Json<'a>)> {
    let mut order: Vec<usize> = (0..fields.len()).collect();
    order.sort_by(|&one, &other| fields[one].0.cmp(&fields[other].0));
    let mut repeated = vec![false; fields.len()];
    // The sort is stable, so of one name the last comes last: its value goes up to the first.
    for pair in order.windows(2).rev() {
        if fields[pair[0]].0 == fields[pair[1]].0 {
            fields[pair[0]].1 = std::mem::replace(&mut fields[pair[1]].1, Json::Null);
            repeated[pair[1]] = true;
        }
    }
    let mut repeated = repeated.into_iter();
    fields.retain(|_| repeated.next() == Some(false));
    fields
}

/// Why bytes are no JSON text, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJson(pub String);

/// Read a JSON text.
///
/// The faults are looked for in this order: bytes that are no UTF-8, nesting, halves of surrogate
/// pairs, then whatever the grammar does not allow. So a text with several faults always gets the
/// same words.
pub fn parse(value: &[u8]) -> Result<Json<'_>, NotJson> {
    let text = std::str::from_utf8(value).map_err(|error| not_utf8(value, &error))?;
    if may_be_too_deep(value) && is_too_deep(value) {
        return Err(NotJson(format!("nested deeper than {MAX_DEPTH}")));
    }
    if has_half_a_pair(value) {
        return Err(NotJson(
            "an escape that is half of a surrogate pair: no Unicode text".to_string(),
        ));
    }
    // No recursion guard is needed below: until its first fault the scanner sees the same brackets
    // as `is_too_deep`, so it is never more than MAX_DEPTH deep.
    Scanner::new(text).whole().map_err(|fault| NotJson(fault.words(text)))
}

fn not_utf8(value: &[u8], error: &std::str::Utf8Error) -> NotJson {
    let start = error.valid_up_to();
    let reason = match error.error_len() {
        None => "unexpected end of data",
        Some(_) if matches!(value[start], 0xC2..=0xF4) => "invalid continuation byte",
        Some(_) => "invalid start byte",
    };
    NotJson(format!("not UTF-8: byte {start} ({reason})"))
}

/// Whether there are enough opening brackets to nest too deep, within texts or not.
fn may_be_too_deep(value: &[u8]) -> bool {
    // Pieces of 255, so that a byte holds the count and many bytes are compared at a time.
    let opening = |piece: &[u8]| -> u8 {
        piece.iter().map(|&byte| u8::from(byte == b'[' || byte == b'{')).sum()
    };
    value.chunks(255).map(|piece| usize::from(opening(piece))).sum::<usize>() > MAX_DEPTH
}

/// Whether brackets outside of texts nest too deep, be the rest JSON or not.
fn is_too_deep(value: &[u8]) -> bool {
    let mut depth = 0_i64;
    let mut in_text = false;
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => {
                bytes.next(); // it may be a quote that does not end the text
            }
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH as i64 {
            return true;
        }
    }
    false
}

/// Whether an escape is half of a surrogate pair without the other half: no Unicode character.
fn has_half_a_pair(value: &[u8]) -> bool {
    let mut rest = value;
    // `contains` looks at many bytes at a time: most values have no escapes at all.
    while rest.contains(&b'\\') {
        let at = rest.iter().take_while(|&&byte| byte != b'\\').count();
        let escape = &rest[at..];
        let length = match surrogate(escape) {
            Some(Half::Low) => return true,
            Some(Half::High) if surrogate(&escape[6..]) != Some(Half::Low) => return true,
            Some(Half::High) => 12,
            None => 2,
        };
        rest = &rest[rest.len().min(at + length)..];
    }
    false
}

#[derive(PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// What half of a surrogate pair an escape at the beginning is: \uD800 to \uDFFF.
fn surrogate(text: &[u8]) -> Option<Half> {
    let [b'\\', b'u', b'd' | b'D', second, third, fourth, ..] = text else { return None };
    if !third.is_ascii_hexdigit() || !fourth.is_ascii_hexdigit() {
        return None;
    }
    match second {
        b'8' | b'9' | b'a' | b'A' | b'b' | b'B' => Some(Half::High),
        b'c'..=b'f' | b'C'..=b'F' => Some(Half::Low),
        _ => None,
    }
}
