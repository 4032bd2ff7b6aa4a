//! Base64 as RFC 4648 has it: its own alphabet, padded, and nothing else between.

/// The bytes that a text stands for; None when it is no base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let padding = text.bytes().rev().take_while(|&byte| byte == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let digits = &text.as_bytes()[..text.len() - padding];
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in digits.chunks(4) {
        let mut bits = 0;
        for place in 0..4 {
            bits = bits << 6 | four.get(place).map_or(Some(0), |&digit| value(digit))?;
        }
        // Of a piece that padding fills up, a digit less is a byte less.
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rfc_4648_gives_as_examples_is_read() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
            ("e31=", "{}"), // bits that padding leaves over do not matter
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decode("+/+/"), Some(vec![0xFB, 0xFF, 0xBF]));
    }

    #[test]
    fn what_is_no_base64_is_not_read() {
        for text in [
            "!",
            "A",
            "AA",
            "AAA",
            "A===",
            "A=A=",
            "AA=A",
            "AA=",
            "AAA==",
            "AAAA=",
            "AAAA====",
            "=",
            "====",
            "=AAA",
            "AAAA\n",
            "AA A",
            "_-==",
            "\u{20ac}30=",
            "AAAA=AAA",
            "e3=0",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
