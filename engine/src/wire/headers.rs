//! The headers of a record: the CloudEvents Kafka binding, binary mode.

use crate::wire::values::MAX_TEXT;

/// The headers of a record: names and contents.
pub type Headers<'a> = &'a [(&'a str, Option<&'a [u8]>)];

/// The attributes that are looked at.
const ATTRIBUTES: [&str; 6] = ["specversion", "type", "id", "source", "time", "subject"];
/// No attribute that may be has more bytes.
const MOST_OF_ONE: usize = 4 * MAX_TEXT;

/// Whether the attributes are in the headers.
pub(super) fn is_binary(headers: Headers) -> bool {
    let mut binary = false;
    for (name, content) in headers {
        if is_content_type(name) {
            if content.is_some_and(is_structured) {
                return false;
            }
        } else {
            let is = |mark: &&str| is_attribute(name, mark);
            binary |= ["specversion", "id", "type"].iter().any(is);
        }
    }
    binary
}

/// An attribute from the headers; of several the last that is not null counts.
pub(super) fn attribute<'a>(headers: Headers<'a>, name: &str) -> Option<&'a [u8]> {
    let named = headers.iter().rev().filter(|(header, _)| is_attribute(header, name));
    named.filter_map(|(_, content)| *content).next()
}

/// Those headers that say what a record is: a few short ones.
///
/// Of an event that was taken: whoever reads it with these alone reads the same.
pub fn essential<'a>(headers: Headers<'a>) -> Vec<(&'a str, Option<&'a [u8]>)> {
    let mut kept: Vec<(&str, Option<&[u8]>)> = Vec::new();
    for &(name, content) in headers {
        let content_type = is_content_type(name);
        let telling = content_type || ATTRIBUTES.iter().any(|it| is_attribute(name, it));
        let Some(content) = content.filter(|_| telling) else { continue };
        let header = (name, Some(&content[..content.len().min(MOST_OF_ONE)]));
        match kept.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            None => kept.push(header),
            Some(known) if !content_type || is_structured(content) => *known = header,
            Some(_) => {}
        }
    }
    kept
}

fn is_content_type(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-type")
}

fn is_attribute(header: &str, name: &str) -> bool {
    // Bytes, as a header may have any characters.
    let header = header.as_bytes();
    header.len() == 3 + name.len()
        && header[..3].eq_ignore_ascii_case(b"ce_")
        && header[3..].eq_ignore_ascii_case(name.as_bytes())
}

fn is_structured(content_type: &[u8]) -> bool {
    let structured = b"application/cloudevents";
    content_type.get(..structured.len()).is_some_and(|found| found.eq_ignore_ascii_case(structured))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_what_a_record_is_is_kept_once_and_short() {
        let long = [b'x'; 2_000];
        let headers: Headers = &[
            ("traceparent", Some(b"1")),
            ("ce_id", Some(b"first")),
            ("Content-Type", Some(b"application/json")),
            ("ce_source", Some(&long)),
            ("CE_ID", Some(b"last")),
            ("ce_id", None),
            ("ce_dataschema", Some(b"s")),
            ("content-type", Some(b"text/plain")),
        ];
        let kept: Headers = &[
            ("CE_ID", Some(b"last")),
            ("Content-Type", Some(b"application/json")),
            ("ce_source", Some(&long[..1_024])),
        ];
        assert_eq!(essential(headers), kept);
        assert_eq!(essential(kept), kept);
    }

    #[test]
    fn of_content_types_one_that_says_structured_is_kept() {
        let headers: Headers = &[
            ("content-type", Some(b"application/json")),
            ("content-type", Some(b"application/cloudevents+json")),
            ("content-type", Some(b"text/plain")),
        ];
        let structured: Headers = &[("content-type", Some(b"application/cloudevents+json"))];
        assert_eq!(essential(headers), structured);
    }

    #[test]
    fn a_name_may_have_any_characters() {
        let headers: Headers = &[("c\u{e9}_id", None), ("ce", None), ("\u{212a}e_type", None)];
        assert!(!is_binary(headers));
        assert_eq!(attribute(headers, "id"), None);
    }
}
