//! How messages quote what they found: as Python's `repr` does, so that every control code, every
//! blank but the space and whatever else cannot be seen is escaped.

use std::fmt::Write;

use crate::wire::printable::is_printable;

/// The most characters of a text that are quoted.
const QUOTED: usize = 48;

/// Quote a text, shortened when it is long.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        None => quoted(text),
        Some((end, _)) => quoted(&format!("{}...", &text[..end])),
    }
}

/// Quote a text: in single quotes, or in double ones if only single ones are in it.
pub fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character == quote => out.extend(['\\', quote]),
            _ if is_printable(character) => out.push(character),
            _ => escape(character, &mut out),
        }
    }
    out.push(quote);
    out
}

fn escape(character: char, out: &mut String) {
    let code = u32::from(character);
    let written = match code {
        0..=0xFF => write!(out, "\\x{code:02x}"),
        0x100..=0xFFFF => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    debug_assert!(written.is_ok(), "a String takes everything");
}

/// Write a finite float with the fewest digits that give it back; small and large ones with an
/// exponent of two digits at least.
pub fn float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse() {
        Ok(-4..=15) => format!("{value:?}"),
        Ok(small @ ..0) => format!("{digits}e-{:02}", -small),
        Ok(large) => format!("{digits}e+{large:02}"),
        Err(_) => scientific,
    }
}
