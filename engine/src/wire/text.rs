//! JSON as it is written: compact, in UTF-8, escaped no more than JSON asks for.

use crate::facts::instant::{Instant, format_instant};
use crate::rules::change::FactValue;
use crate::wire::event::Attribute;

/// Write a text with its quotes.
pub fn push_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    push_inner(text, out);
    out.push(b'"');
}

/// Write a text without its quotes.
pub fn push_inner(text: &str, out: &mut Vec<u8>) {
    let mut written = 0;
    for (place, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[written..place]);
        written = place + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(&text.as_bytes()[written..]);
}

/// Write a whole number.
pub fn push_int(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Write a number that may have a point: the shortest digits that give the same number back.
pub fn push_float(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(b"null"); // JSON has no such number
        return;
    }
    let mut buffer = zmij::Buffer::new();
    out.extend(buffer.format_finite(value).bytes().filter(|&byte| byte != b'+'));
}

/// Write an instant with its quotes.
pub fn push_instant(instant: Instant, out: &mut Vec<u8>) {
    out.push(b'"');
    format_instant(instant, out);
    out.push(b'"');
}

/// Write the value of a fact.
pub fn push_value(value: &FactValue, out: &mut Vec<u8>) {
    match value {
        FactValue::None => out.extend_from_slice(b"null"),
        FactValue::Int(value) => push_int(*value, out),
        FactValue::Other(Attribute::Bool(value)) => {
            out.extend_from_slice(if *value { b"true" } else { b"false" });
        }
        FactValue::Other(Attribute::Int(value)) => push_int(*value, out),
        FactValue::Other(Attribute::Float(value)) => push_float(*value, out),
        FactValue::Other(Attribute::Text(text)) => push_text(text, out),
        FactValue::Other(Attribute::List(texts)) => {
            out.push(b'[');
            for (place, text) in texts.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                push_text(text, out);
            }
            out.push(b']');
        }
    }
}

/// A text with its quotes, for what is written again and again.
pub fn quoted(text: &str) -> Box<[u8]> {
    let mut out = Vec::with_capacity(text.len() + 2);
    push_text(text, &mut out);
    out.into()
}
