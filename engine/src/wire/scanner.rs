//! The grammar of JSON: one pass over a text, a fault at the first place that does not fit.

use std::borrow::Cow;

use crate::wire::json::{Json, Object};

/// What does not fit, and where.
#[derive(Debug)]
pub(super) enum Fault {
    /// Words, and the byte that they are about.
    At(&'static str, usize),
    /// A word for a number that JSON does not have.
    NoNumber(&'static str),
}

impl Fault {
    /// The message; places are told in characters.
    pub(super) fn words(&self, text: &str) -> String {
        match *self {
            Fault::At(words, byte) => {
                format!("{words} at character {}", text[..byte].chars().count())
            }
            Fault::NoNumber(name) => format!("{name} is no JSON number"),
        }
    }
}

const NO_ESCAPE: &str = "Invalid \\uXXXX escape";

/// In a box, as it is seldom and values are moved often.
type Read<T> = Result<T, Box<Fault>>;

fn fault<T>(words: &'static str, byte: usize) -> Read<T> {
    Err(Box::new(Fault::At(words, byte)))
}

/// A text and the byte up to which it has been read.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Scanner { text, at: 0 }
    }

    /// Read the whole text as one value.
    pub(super) fn whole(mut self) -> Read<Json<'a>> {
        self.skip_spaces();
        let value = self.value()?;
        self.skip_spaces();
        match self.peek() {
            None => Ok(value),
            Some(_) => fault("Extra data", self.at),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Read<Json<'a>> {
        match self.peek() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Read<Json<'a>> {
        for (word, value) in [("null", Json::Null), ("true", Json::True), ("false", Json::False)] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        for name in ["NaN", "Infinity"] {
            if self.rest().starts_with(name) {
                return Err(Box::new(Fault::NoNumber(name)));
            }
        }
        fault("Expecting value", self.at)
    }

    /// Read an object; a field's name can only begin with a quote.
    fn object(&mut self) -> Read<Json<'a>> {
        let mut fields = Vec::with_capacity(8);
        self.at += 1;
        self.skip_spaces();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(Object::default()));
        }
        loop {
            if self.peek() != Some(b'"') {
                let words = "Expecting property name enclosed in double quotes";
                return fault(words, self.at);
            }
            let name = self.string()?;
            self.skip_spaces();
            if self.peek() != Some(b':') {
                return fault("Expecting ':' delimiter", self.at);
            }
            self.at += 1;
            self.skip_spaces();
            fields.push((name, self.value()?));
            if self.ends(b'}')? {
                return Ok(Json::Object(Object::new(fields)));
            }
        }
    }

    fn list(&mut self) -> Read<Json<'a>> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_spaces();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.ends(b']')? {
                return Ok(Json::List(items));
            }
        }
    }

    /// Read what follows an item: the bracket that ends the container, or a comma.
    fn ends(&mut self, bracket: u8) -> Read<bool> {
        self.skip_spaces();
        let found = self.peek();
        if found != Some(bracket) && found != Some(b',') {
            return fault("Expecting ',' delimiter", self.at);
        }
        self.at += 1;
        if found == Some(bracket) {
            return Ok(true);
        }
        self.skip_spaces();
        Ok(false)
    }

    /// Read as much of a number as fits: `01` is a 0 with something behind it, `1.` and `1e` a 1.
    fn number(&mut self) -> Read<Json<'a>> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.skip_digits(),
            _ if self.rest().starts_with("Infinity") => {
                return Err(Box::new(Fault::NoNumber("-Infinity")));
            }
            _ => return fault("Expecting value", start),
        }
        let whole = self.at;
        self.skip_fraction();
        self.skip_exponent();
        let written = &self.text[start..self.at];
        if self.at > whole {
            // Rust's grammar of floats has all of JSON's.
            return Ok(Json::Float(written.parse().unwrap_or(f64::NAN)));
        }
        Ok(written.parse().map_or(Json::Long(written), Json::Int))
    }

    fn skip_digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn skip_fraction(&mut self) {
        if let [b'.', b'0'..=b'9', ..] = self.rest().as_bytes() {
            self.at += 1;
            self.skip_digits();
        }
    }

    fn skip_exponent(&mut self) {
        if let [b'e' | b'E', b'0'..=b'9', ..] | [b'e' | b'E', b'+' | b'-', b'0'..=b'9', ..] =
            self.rest().as_bytes()
        {
            self.at += 2;
            self.skip_digits();
        }
    }

    /// Read a text from its quote on. (Inline, so that a text without escapes stays in registers.)
    #[inline]
    fn string(&mut self) -> Read<Cow<'a, str>> {
        let quote = self.at;
        self.at += 1;
        let plain = self.plain();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.rest_of_string(quote, plain.to_string()).map(Cow::Owned)
    }

    fn rest_of_string(&mut self, quote: usize, mut text: String) -> Read<String> {
        loop {
            match self.peek() {
                None => return fault("Unterminated string starting at", quote),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape(quote)?),
                Some(_) => return fault("Invalid control character at", self.at),
            }
            text.push_str(self.plain());
        }
    }

    /// Read what stands for itself.
    fn plain(&mut self) -> &'a str {
        let start = self.at;
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
        let bytes = &self.text.as_bytes()[start..];
        self.at += bytes.iter().position(special).unwrap_or(bytes.len());
        &self.text[start..self.at]
    }

    fn escape(&mut self, quote: usize) -> Read<char> {
        let backslash = self.at;
        self.at += 2;
        let character = match self.text.as_bytes().get(backslash + 1) {
            None => return fault("Unterminated string starting at", quote),
            Some(b'u') => return self.unicode_escape(backslash + 1),
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0C',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(_) => return fault("Invalid \\escape", backslash),
        };
        Ok(character)
    }

    fn unicode_escape(&mut self, letter: usize) -> Read<char> {
        let first = self.four_digits(letter)?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        // A pair, as no halves have come here.
        let letter = self.at + 1;
        self.at += 2;
        let second = self.four_digits(letter)?;
        let joined = 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
        char::from_u32(joined).map_or_else(|| fault(NO_ESCAPE, letter), Ok)
    }

    /// Read the digits after the letter u; a text cannot end with them.
    fn four_digits(&mut self, letter: usize) -> Read<u32> {
        let Some([digits @ .., _]) = self.text.as_bytes().get(letter + 1..letter + 6) else {
            return fault(NO_ESCAPE, letter);
        };
        self.at = letter + 5;
        let digit = |&byte: &u8| char::from(byte).to_digit(16);
        let number = digits.iter().try_fold(0, |sum, byte| digit(byte).map(|one| sum * 16 + one));
        number.map_or_else(|| fault(NO_ESCAPE, letter), Ok)
    }
}
