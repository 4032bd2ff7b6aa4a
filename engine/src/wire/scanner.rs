//! The grammar of JSON: one pass over a text, a fault at the first place that does not fit.

use std::borrow::Cow;

use crate::wire::json::{Json, Object};

/// What does not fit, and where.
#[derive(Clone, Copy, Debug)]
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
    pub(super) fn whole(mut self) -> Result<Json<'a>, Fault> {
        self.skip_spaces();
        let value = self.value()?;
        self.skip_spaces();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(Fault::At("Extra data", self.at)),
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

    fn value(&mut self) -> Result<Json<'a>, Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json<'a>, Fault> {
        for (word, value) in
            [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))]
        {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        for name in ["NaN", "Infinity"] {
            if self.rest().starts_with(name) {
                return Err(Fault::NoNumber(name));
            }
        }
        Err(Fault::At("Expecting value", self.at))
    }

    /// Read an object; a field's name can only begin with a quote.
    fn object(&mut self) -> Result<Json<'a>, Fault> {
        let mut fields = Vec::new();
        self.at += 1;
        self.skip_spaces();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(Object::default()));
        }
        loop {
            if self.peek() != Some(b'"') {
                let words = "Expecting property name enclosed in double quotes";
                return Err(Fault::At(words, self.at));
            }
            let name = self.string()?;
            self.skip_spaces();
            if self.peek() != Some(b':') {
                return Err(Fault::At("Expecting ':' delimiter", self.at));
            }
            self.at += 1;
            self.skip_spaces();
            fields.push((name, self.value()?));
            if self.ends(b'}')? {
                return Ok(Json::Object(Object::new(fields)));
            }
        }
    }

    fn list(&mut self) -> Result<Json<'a>, Fault> {
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
    fn ends(&mut self, bracket: u8) -> Result<bool, Fault> {
        self.skip_spaces();
        let found = self.peek();
        if found != Some(bracket) && found != Some(b',') {
            return Err(Fault::At("Expecting ',' delimiter", self.at));
        }
        self.at += 1;
        if found == Some(bracket) {
            return Ok(true);
        }
        self.skip_spaces();
        Ok(false)
    }

    /// Read as much of a number as fits: `01` is a 0 with something behind it, `1.` and `1e` a 1.
    fn number(&mut self) -> Result<Json<'a>, Fault> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.skip_digits(),
            _ if self.rest().starts_with("Infinity") => return Err(Fault::NoNumber("-Infinity")),
            _ => return Err(Fault::At("Expecting value", start)),
        }
        let whole = self.at;
        self.skip_fraction();
        self.skip_exponent();
        let written = &self.text[start..self.at];
        if self.at > whole {
            // Rust's grammar of floats has all of JSON's.
            return Ok(Json::Float(written.parse().unwrap_or(f64::NAN)));
        }
        Ok(written.parse().map_or_else(|_| beyond(written), Json::Int))
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

    /// Read a text from its quote on.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let quote = self.at;
        self.at += 1;
        let mut unescaped: Option<String> = None;
        loop {
            let start = self.at;
            let plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..=0x1F);
            self.at += self.rest().bytes().take_while(plain).count();
            let piece = &self.text[start..self.at];
            match self.peek() {
                None => return Err(Fault::At("Unterminated string starting at", quote)),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match unescaped {
                        None => Cow::Borrowed(piece),
                        Some(text) => Cow::Owned(text + piece),
                    });
                }
                Some(b'\\') => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(piece);
                    text.push(self.escape(quote)?);
                }
                Some(_) => return Err(Fault::At("Invalid control character at", self.at)),
            }
        }
    }

    fn escape(&mut self, quote: usize) -> Result<char, Fault> {
        let backslash = self.at;
        self.at += 2;
        let character = match self.text.as_bytes().get(backslash + 1) {
            None => return Err(Fault::At("Unterminated string starting at", quote)),
            Some(b'u') => return self.unicode_escape(backslash + 1),
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0C',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(_) => return Err(Fault::At("Invalid \\escape", backslash)),
        };
        Ok(character)
    }

    fn unicode_escape(&mut self, letter: usize) -> Result<char, Fault> {
        let first = self.four_digits(letter)?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        // A pair, as no halves have come here.
        let letter = self.at + 1;
        self.at += 2;
        let second = self.four_digits(letter)?;
        let joined = 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
        char::from_u32(joined).ok_or(Fault::At("Invalid \\uXXXX escape", letter))
    }

    /// Read the digits after the letter u; a text cannot end with them.
    fn four_digits(&mut self, letter: usize) -> Result<u32, Fault> {
        let fault = Fault::At("Invalid \\uXXXX escape", letter);
        let Some([digits @ .., _]) = self.text.as_bytes().get(letter + 1..letter + 6) else {
            return Err(fault);
        };
        self.at = letter + 5;
        digits.iter().try_fold(0, |sum, &byte| {
            char::from(byte).to_digit(16).map(|digit| sum * 16 + digit).ok_or(fault)
        })
    }
}

fn beyond(written: &str) -> Json<'static> {
    Json::Float(if written.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY })
}
