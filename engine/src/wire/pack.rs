//! Numbers and texts as stored: small numbers take few bytes, and every length is known before
//! what it counts.

/// Bytes that are no row of this program, or of a newer one; and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable(pub &'static str);

const CUT: Unreadable = Unreadable("it ends too early");

/// Writes a row.
#[derive(Debug, Default)]
pub struct Packer(pub Vec<u8>);

impl Packer {
    /// A byte.
    pub fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Bytes whose number the reader knows.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A number from 0 on: seven bits a byte, the lowest first (LEB128).
    pub fn uint(&mut self, value: impl Into<u128>) {
        let mut rest: u128 = value.into();
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    /// A number of things.
    pub fn count(&mut self, value: usize) {
        self.uint(value as u64);
    }

    /// A number that may be below 0: twice its amount, less one where it is (zigzag).
    pub fn int(&mut self, value: impl Into<i128>) {
        let value: i128 = value.into();
        self.uint(((value << 1) ^ (value >> 127)).cast_unsigned());
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }
}

/// Reads a row. Nothing that it is given makes it panic, or ask for more memory than the row has.
#[derive(Clone, Debug)]
pub struct Unpacker<'a>(pub &'a [u8]);

impl<'a> Unpacker<'a> {
    /// A byte.
    pub fn byte(&mut self) -> Result<u8, Unreadable> {
        let (&first, rest) = self.0.split_first().ok_or(CUT)?;
        self.0 = rest;
        Ok(first)
    }

    /// So many bytes.
    pub fn raw(&mut self, len: usize) -> Result<&'a [u8], Unreadable> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(CUT)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// So many bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        self.raw(N)?.try_into().map_err(|_| CUT)
    }

    fn wide(&mut self) -> Result<u128, Unreadable> {
        let mut value = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Unreadable("a number of more than 128 bits"))
    }

    /// A number from 0 on.
    pub fn uint<T: TryFrom<u128>>(&mut self) -> Result<T, Unreadable> {
        T::try_from(self.wide()?).map_err(|_| Unreadable("a number beyond its limit"))
    }

    /// A number of things that follow, each of at least a byte.
    pub fn count(&mut self) -> Result<usize, Unreadable> {
        let count = self.uint()?;
        if count > self.0.len() { Err(CUT) } else { Ok(count) }
    }

    /// A number that may be below 0.
    pub fn int<T: TryFrom<i128>>(&mut self) -> Result<T, Unreadable> {
        let zigzag = self.wide()?;
        let value = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
        T::try_from(value).map_err(|_| Unreadable("a number beyond its limit"))
    }

    /// A text.
    pub fn text(&mut self) -> Result<Box<str>, Unreadable> {
        let len = self.count()?;
        let text = std::str::from_utf8(self.raw(len)?);
        text.map(Box::from).map_err(|_| Unreadable("a text that is not UTF-8"))
    }

    /// Nothing follows.
    pub fn end(&self) -> Result<(), Unreadable> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable("it goes on after its end")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(unsigned: u128, signed: i128, text: String, byte: u8) {
            let mut row = Packer::default();
            row.uint(unsigned);
            row.int(signed);
            row.text(&text);
            row.byte(byte);
            let mut read = Unpacker(&row.0);
            prop_assert_eq!(read.uint::<u128>(), Ok(unsigned));
            prop_assert_eq!(read.int::<i128>(), Ok(signed));
            prop_assert_eq!(read.text(), Ok(text.into()));
            prop_assert_eq!(read.byte(), Ok(byte));
            prop_assert_eq!(read.end(), Ok(()));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Unpacker(&bytes).uint::<u64>();
            let _ = Unpacker(&bytes).int::<i64>();
            let _ = Unpacker(&bytes).text();
        }
    }
}
