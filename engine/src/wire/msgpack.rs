//! MessagePack, as rows of versions 1 and 2 have it: read, never written.
//!
//! Nothing that it is given makes the reader panic, go deep, or ask for more memory than the row has.

use super::event::Attribute;
use super::pack::{Unpacker, Unreadable};

const ANOTHER: Unreadable = Unreadable("a value of another kind");
const BEYOND: Unreadable = Unreadable("a number beyond its limit");

/// The extension that holds a number beyond 64 bits: 16 bytes, the highest first, two's complement.
const WIDE: u8 = 1;

/// Reads values one after another.
#[derive(Clone, Debug)]
pub struct Values<'a>(Unpacker<'a>);

impl<'a> Values<'a> {
    /// Begin with bytes.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(Unpacker(bytes))
    }

    /// Nothing follows.
    pub fn end(&self) -> Result<(), Unreadable> {
        self.0.end()
    }

    fn sized(&mut self, bytes: usize) -> Result<u64, Unreadable> {
        Ok(self.0.raw(bytes)?.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// A length in so many bytes, of things of at least a byte each.
    fn length(&mut self, bytes: usize) -> Result<usize, Unreadable> {
        usize::try_from(self.sized(bytes)?).map_err(|_| BEYOND)
    }

    /// A whole number.
    pub fn int<T: TryFrom<i128>>(&mut self) -> Result<T, Unreadable> {
        let head = self.0.byte()?;
        let value: i128 = match head {
            0..=0x7f => head.into(),
            0xe0.. => head.cast_signed().into(),
            0xcc..=0xcf => self.sized(1 << (head - 0xcc))?.into(),
            0xd0..=0xd3 => {
                let unused = 64 - (8 << (head - 0xd0));
                let value = self.sized(1 << (head - 0xd0))?;
                (value.cast_signed() << unused >> unused).into()
            }
            0xd8 if self.0.byte()? == WIDE => i128::from_be_bytes(self.0.array()?),
            _ => return Err(ANOTHER),
        };
        T::try_from(value).map_err(|_| BEYOND)
    }

    /// True or false.
    pub fn truth(&mut self) -> Result<bool, Unreadable> {
        match self.0.byte()? {
            0xc2 => Ok(false),
            0xc3 => Ok(true),
            _ => Err(ANOTHER),
        }
    }

    /// Whether nothing stands here; then it is passed.
    pub fn is_nil(&mut self) -> bool {
        let nil = self.0.0.first() == Some(&0xc0);
        if nil {
            self.0.0 = &self.0.0[1..];
        }
        nil
    }

    /// Bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let head = self.0.byte()?;
        let length = match head {
            0xc4..=0xc6 => self.length(1 << (head - 0xc4))?,
            _ => return Err(ANOTHER),
        };
        self.0.raw(length)
    }

    /// Bytes of which there are so many.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        self.bytes()?.try_into().map_err(|_| Unreadable("bytes of another length"))
    }

    /// A text.
    pub fn text(&mut self) -> Result<Box<str>, Unreadable> {
        let head = self.0.byte()?;
        let length = match head {
            0xa0..=0xbf => usize::from(head & 0x1f),
            0xd9..=0xdb => self.length(1 << (head - 0xd9))?,
            _ => return Err(ANOTHER),
        };
        let text = std::str::from_utf8(self.0.raw(length)?);
        text.map(Box::from).map_err(|_| Unreadable("a text that is not UTF-8"))
    }

    /// Whether a text stands here.
    pub fn is_text(&self) -> bool {
        matches!(self.0.0.first(), Some(0xa0..=0xbf | 0xd9..=0xdb))
    }

    /// How many values of a list follow.
    pub fn list(&mut self) -> Result<usize, Unreadable> {
        self.headed(0x90, 0xdc)
    }

    /// How many pairs of a map follow.
    pub fn map(&mut self) -> Result<usize, Unreadable> {
        self.headed(0x80, 0xde)
    }

    /// A count: in the low half of a head byte, or in two or four bytes behind one.
    fn headed(&mut self, short: u8, long: u8) -> Result<usize, Unreadable> {
        let head = self.0.byte()?;
        let count = match head {
            _ if head & 0xf0 == short => usize::from(head & 0x0f),
            _ if head == long => self.length(2)?,
            _ if head == long + 1 => self.length(4)?,
            _ => return Err(ANOTHER),
        };
        if count > self.0.0.len() { Err(Unreadable("it ends too early")) } else { Ok(count) }
    }

    /// A list of so many fields.
    pub fn fields(&mut self, count: usize) -> Result<(), Unreadable> {
        if self.list()? == count { Ok(()) } else { Err(Unreadable("another number of fields")) }
    }

    /// A list of values that are all of one kind.
    pub fn all<T>(
        &mut self,
        each: impl Fn(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Unreadable> {
        let count = self.list()?;
        (0..count).map(|_| each(self)).collect()
    }

    /// A value, or none.
    pub fn option<T>(
        &mut self,
        value: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        if self.is_nil() { Ok(None) } else { value(self).map(Some) }
    }

    /// The value of an attribute.
    pub fn attribute(&mut self) -> Result<Attribute, Unreadable> {
        Ok(match self.0.0.first() {
            Some(0xc2 | 0xc3) => Attribute::Bool(self.truth()?),
            Some(0xcb) => {
                self.0.byte()?;
                Attribute::Float(f64::from_be_bytes(self.0.array()?))
            }
            Some(0x90..=0x9f | 0xdc | 0xdd) => Attribute::List(self.all(Self::text)?.into()),
            _ if self.is_text() => Attribute::Text(self.text()?),
            _ => Attribute::Int(self.int()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        let whole = |bytes: &[u8]| Values::of(bytes).int::<i128>();
        assert_eq!(whole(&[0x7f]), Ok(127));
        assert_eq!(whole(&[0xe0]), Ok(-32));
        assert_eq!(whole(&[0xff]), Ok(-1));
        assert_eq!(whole(&[0xcc, 0xff]), Ok(255));
        assert_eq!(whole(&[0xcd, 1, 0]), Ok(256));
        assert_eq!(whole(&[0xce, 0xff, 0, 0, 0]), Ok(0xff00_0000));
        assert_eq!(whole(&[&[0xcf][..], &[0xff; 8]].concat()), Ok(u64::MAX.into()));
        assert_eq!(whole(&[0xd0, 0x80]), Ok(-128));
        assert_eq!(whole(&[0xd1, 0xff, 0]), Ok(-256));
        assert_eq!(whole(&[0xd2, 0x80, 0, 0, 0]), Ok(i32::MIN.into()));
        assert_eq!(whole(&[&[0xd3, 0x80][..], &[0; 7]].concat()), Ok(i64::MIN.into()));
        for value in [i128::MIN, i128::MAX, -1, 1 << 64] {
            assert_eq!(whole(&[&[0xd8, 1][..], &value.to_be_bytes()].concat()), Ok(value));
        }
        assert_eq!(whole(&[&[0xd8, 2][..], &[0; 16]].concat()), Err(ANOTHER));
        assert_eq!(Values::of(&[0xcc, 0xff]).int::<i8>(), Err(BEYOND));
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused_before_memory_is_asked_for() {
        assert!(Values::of(b"\xdd\xff\xff\xff\xff").all(Values::int::<u8>).is_err());
        assert!(Values::of(b"\xdf\xff\xff\xff\xff").map().is_err());
        assert!(Values::of(b"\xc6\xff\xff\xff\xffab").bytes().is_err());
        assert!(Values::of(b"\xdb\xff\xff\xff\xffab").text().is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let values = || Values::of(&bytes);
            let _ = (values().int::<i128>(), values().bytes(), values().text(), values().attribute());
            let _ = (values().list(), values().map(), values().truth(), values().is_nil());
        }
    }
}
