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

/// Write a finite float with the fewest digits that give it back, of several the nearest, of two as
/// near the even one; small and large ones with an exponent of two digits at least.
pub fn float(value: f64) -> String {
    let mut buffer = zmij::Buffer::new();
    let (digits, point) = digits_of(buffer.format_finite(value.abs()));
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let count = digits.len() as i32;
    match point {
        17.. | ..=-4 => {
            let (first, others) = digits.split_at(1);
            let dot = if others.is_empty() { "" } else { "." };
            let exponent = point - 1;
            let side = if exponent < 0 { '-' } else { '+' };
            format!("{sign}{first}{dot}{others}e{side}{:02}", exponent.abs())
        }
        ..=0 => format!("{sign}0.{}{digits}", "0".repeat(-point as usize)),
        _ if count <= point => {
            format!("{sign}{digits}{}.0", "0".repeat((point - count) as usize))
        }
        _ => {
            let (whole, fraction) = digits.split_at(point as usize);
            format!("{sign}{whole}.{fraction}")
        }
    }
}

/// The digits of a number as it is written, and how many of them stand before the point.
fn digits_of(written: &str) -> (String, i32) {
    let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let digits = all.trim_start_matches('0');
    let before = whole.len() as i32 - (all.len() - digits.len()) as i32;
    match digits.trim_end_matches('0') {
        "" => ("0".to_string(), 1),
        digits => (digits.to_string(), before + exponent.parse().unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn of_two_shortest_floats_that_are_as_near_the_even_one_is_written() {
        for (value, written) in [
            (4_270_000_000_000_001.0 / 4.0, "1067500000000000.2"),
            (4_270_000_000_000_003.0 / 4.0, "1067500000000000.8"),
            (5e-324, "5e-324"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (2e16, "2e+16"),
            (1e23, "1e+23"),
            (9.5e-5, "9.5e-05"),
            (0.000_123, "0.000123"),
            (-0.0, "-0.0"),
            (-120.0, "-120.0"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(float(value), written);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        for (text, written) in [
            ("", "''"),
            ("é 中🙂", "'é 中🙂'"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("\\\n\r\t", "'\\\\\\n\\r\\t'"),
            ("\0\x1b\x7f\u{a0}", "'\\x00\\x1b\\x7f\\xa0'"),
            ("\u{2028}\u{e000}\u{e0001}", "'\\u2028\\ue000\\U000e0001'"),
        ] {
            assert_eq!(quoted(text), written);
        }
    }

    proptest! {
        #[test]
        fn a_float_that_is_written_is_read_again(value in any::<f64>()) {
            prop_assume!(value.is_finite());
            prop_assert_eq!(float(value).parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
        }
    }
}
