//! Rows of versions 1 and 2, as the Python core has written them (`app/wire/record.py`).
//!
//! A hot row is the version, a byte for its kind, a byte with a bit for each further row, four
//! bytes for the set of ladders, and MessagePack. Its verdicts lie in columns by the place of their
//! ladder, so it is readable only under the ladders that it was written under: start once with
//! those, then change them. What it does not say is the earliest date of a registration: `registered`
//! is the day of the one that was applied first, and earlier dates stay unknown.

use super::event::{Attribute, Currency};
use super::msgpack::Values;
use super::pack::Unreadable;
use super::record::{Hot, Traces};
use crate::facts::address::{Address, Referrer};
use crate::facts::book::{Book, Id};
use crate::facts::customer::{
    Credit, Customer, Erased, Hold, Moved, Order, Referral, Review, Signup, Verdict,
};
use crate::facts::instant::{Amount, Day};
use crate::facts::money::Factor;
use crate::facts::series::{Bought, Peaks, Series};
use crate::rules::shop::Rules;

/// The versions that are read here.
pub const VERSIONS: std::ops::RangeInclusive<u8> = 1..=2;
const CUSTOMER: u8 = 0;
const MOVED: u8 = 1;

/// The ladders that places belong to.
#[derive(Clone, Debug)]
pub struct Layout {
    number: [u8; 4],
    /// How many rungs each ladder has.
    rungs: Box<[usize]>,
}

impl Layout {
    /// The layout under rules.
    pub fn of(rules: &Rules) -> Self {
        let mut names = String::new();
        for (place, ladder) in rules.ladders.iter().enumerate() {
            names.push_str(if place == 0 { "" } else { "\n" });
            names.push_str(&ladder.id);
            for rung in &ladder.rungs {
                names.push('\t');
                names.push_str(&rung.id);
            }
        }
        let rungs = rules.ladders.iter().map(|ladder| ladder.rungs.len()).collect();
        Self { number: crc32(names.as_bytes()).to_be_bytes(), rungs }
    }

    /// Read a hot row.
    pub fn read_hot(&self, row: &[u8]) -> Result<Hot, Unreadable> {
        let [_, kind, _, a, b, c, d, body @ ..] = row else {
            return Err(Unreadable("it ends too early"));
        };
        if [*a, *b, *c, *d] != self.number {
            return Err(Unreadable(
                "written by an earlier version under other ladders: start once with those",
            ));
        }
        let mut read = Values::of(body);
        let hot = match *kind {
            CUSTOMER => Hot::Customer(Box::new(self.read_customer(&mut read)?)),
            MOVED => Hot::Moved(self.read_moved(&mut read)?),
            _ => return Err(Unreadable("an unknown kind of row")),
        };
        read.end()?;
        Ok(hot)
    }

    fn read_customer(&self, read: &mut Values<'_>) -> Result<Customer, Unreadable> {
        read.fields(23)?;
        let due = Some(read.int()?);
        let (as_of, life) = (read.int()?, read.int()?);
        let mut verdicts = self.read_verdicts(read)?;
        let mut c = Customer {
            due,
            as_of,
            life,
            seen: read_book(read, |_| Ok(()))?,
            orders: read_book(read, read_order)?,
            bought: read_bought(read)?,
            happened: read_series(read)?,
            reviews: read_book(read, read_review)?,
            reviewed: read_series(read)?,
            referrals: read_book(read, read_referral)?,
            brought: read_series(read)?,
            asked: read_series(read)?,
            wanted: read_peaks(read)?,
            sent: read.int()?,
            card: read.option(Values::text)?,
            signup: read.option(read_signup)?,
            attributes: read_attributes(read)?,
            forgotten_until: Some(read.int()?).filter(|&day: &Day| day >= 0),
            ..Customer::default()
        };
        c.registered = c.signup.as_ref().map(|signup| signup.day);
        self.read_holds(read, &mut verdicts)?;
        c.verdicts = verdicts;
        Ok(c)
    }

    /// Four columns, with an entry for each ladder.
    fn read_verdicts(&self, read: &mut Values<'_>) -> Result<Vec<Verdict>, Unreadable> {
        let (rungs, standings) = (read.bytes()?, read.bytes()?);
        let (since, sequences) = (read.all(Values::int)?, read.all(Values::int)?);
        let count = self.rungs.len();
        let lengths = [rungs.len(), standings.len(), since.len(), sequences.len()];
        if lengths.iter().any(|&length| length != count) {
            return Err(NO_FIT);
        }
        let verdicts = (0..count).map(|index| {
            Ok(Verdict {
                rung: self.place(index, rungs[index].into())?,
                standing: self.place(index, standings[index].into())?,
                sequence: sequences[index],
                since: since[index],
                hold: Hold::default(),
            })
        });
        verdicts.collect()
    }

    fn read_holds(
        &self,
        read: &mut Values<'_>,
        verdicts: &mut [Verdict],
    ) -> Result<(), Unreadable> {
        for _ in 0..read.map()? {
            let index: usize = read.int()?;
            read.fields(3)?;
            let (grace, placed, until) = (read.int()?, read.int()?, read.int()?);
            let verdict = verdicts.get_mut(index).ok_or(NO_FIT)?;
            verdict.hold = Hold { grace, placed: self.place(index, placed)?, until };
        }
        Ok(())
    }

    /// A place counted from 1 that the ladder has, or 0.
    fn place(&self, index: usize, place: u16) -> Result<u16, Unreadable> {
        if usize::from(place) <= self.rungs[index] { Ok(place) } else { Err(NO_FIT) }
    }

    fn read_moved(&self, read: &mut Values<'_>) -> Result<Moved, Unreadable> {
        read.fields(3)?;
        let (into, life) = (read.text()?, read.int()?);
        let sequences = read.all(Values::int)?;
        if !sequences.is_empty() && sequences.len() != self.rungs.len() {
            return Err(NO_FIT);
        }
        Ok(Moved { into, life, sequences, others: Vec::new() })
    }
}

const NO_FIT: Unreadable = Unreadable("verdicts do not fit the ladders");
const NO_DAYS: Unreadable = Unreadable("days that do not rise");
const NO_COLUMNS: Unreadable = Unreadable("columns of other lengths");

/// CRC-32 as zlib has it: the polynomial 0x04C11DB7, its bits reversed.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

/// The recent part of a book, and how much of the older part is skipped.
fn read_book<E: Clone>(
    read: &mut Values<'_>,
    entry: impl Fn(&mut Values<'_>) -> Result<E, Unreadable>,
) -> Result<Book<E>, Unreadable> {
    read.fields(4)?;
    let recent = read_entries(read, entry)?;
    let skipped = super::record::skipped(read.int()?)?;
    if !read.is_nil() {
        return Err(Unreadable("an older part where the recent one should be"));
    }
    Ok(Book::recent_alone(skipped, recent))
}

/// Ids behind one another, and what lies under them behind one another.
fn read_entries<E>(
    read: &mut Values<'_>,
    entry: impl Fn(&mut Values<'_>) -> Result<E, Unreadable>,
) -> Result<Vec<(Id, E)>, Unreadable> {
    let (ids, mut entries) = (read.bytes()?, Values::of(read.bytes()?));
    let (ids, []) = ids.as_chunks() else {
        return Err(Unreadable("ids of another length"));
    };
    let found: Result<Vec<_>, _> = ids.iter().map(|id| Ok((*id, entry(&mut entries)?))).collect();
    entries.end()?;
    found
}

/// Put the older part of a book into a customer's record; the part is one of [`super::record::part`].
pub fn read_older(c: &mut Customer, part: u8, body: &[u8]) -> Result<(), Unreadable> {
    use super::record::part;
    let mut read = Values::of(body);
    read.fields(2)?;
    match part {
        part::ORDERS => c.orders.set_older(read_entries(&mut read, read_order)?),
        part::REVIEWS => c.reviews.set_older(read_entries(&mut read, read_review)?),
        part::REFERRALS => c.referrals.set_older(read_entries(&mut read, read_referral)?),
        _ => c.seen.set_older(read_entries(&mut read, |_| Ok(()))?),
    }
    read.end()
}

fn read_order(read: &mut Values<'_>) -> Result<Order, Unreadable> {
    read.fields(8)?;
    let (day, amount, units, refunded) = (read.int()?, read.int()?, read.int()?, read.int()?);
    let (void, currency) = (read.truth()?, read.text()?);
    let factor = Factor { mantissa: read.int()?, exponent: read.int()? };
    let foreign = match currency.as_bytes() {
        [] => None,
        code => {
            let code: Currency = code.try_into().map_err(|_| Unreadable("no currency"))?;
            Some((code, factor))
        }
    };
    Ok(Order { day, amount, units, refunded, void, foreign })
}

fn read_review(read: &mut Values<'_>) -> Result<Review, Unreadable> {
    read.fields(2)?;
    let day = read.int()?;
    let adds: Vec<i8> = read.all(Values::int)?;
    let adds: [i8; 5] = adds.try_into().map_err(|_| NO_COLUMNS)?;
    if adds.iter().all(|adds| (0..=1).contains(adds)) {
        Ok(Review { day, adds })
    } else {
        Err(Unreadable("a review that counts more than once"))
    }
}

/// What a day brought beyond 64 bits is several entries of that day.
fn read_referral(read: &mut Values<'_>) -> Result<Referral, Unreadable> {
    read.fields(2)?;
    let day = read.int()?;
    let mut revenue: Vec<(Day, Amount)> = Vec::new();
    for _ in 0..read.list()? {
        read.fields(2)?;
        let (day, amount): (Day, Amount) = (read.int()?, read.int()?);
        match revenue.last_mut() {
            Some((last, sum)) if *last == day => {
                *sum = sum.checked_add(amount).ok_or(Unreadable("a sum beyond all"))?;
            }
            Some((last, _)) if *last > day => return Err(NO_DAYS),
            _ => revenue.push((day, amount)),
        }
    }
    Ok(Referral { day, revenue })
}

fn read_days(read: &mut Values<'_>) -> Result<Vec<Day>, Unreadable> {
    let days: Vec<Day> = read.all(Values::int)?;
    if days.is_sorted_by(|one, next| one < next) { Ok(days) } else { Err(NO_DAYS) }
}

/// Days, and for each column its running totals: none at all where there is no day.
fn read_totals<const N: usize>(read: &mut Values<'_>) -> Result<Series<N>, Unreadable> {
    let days = read_days(read)?;
    let columns: Vec<Vec<Amount>> = read.all(|read| read.all(Values::int))?;
    if days.is_empty() && columns.iter().all(Vec::is_empty) {
        return Ok(Series::default());
    }
    if columns.len() != N || columns.iter().any(|column| column.len() != days.len()) {
        return Err(NO_COLUMNS);
    }
    let total = |place: usize| std::array::from_fn(|column| columns[column][place]);
    let totals = (0..days.len()).map(total).collect();
    Ok(Series::from_totals(days, totals))
}

fn read_series<const N: usize>(read: &mut Values<'_>) -> Result<Series<N>, Unreadable> {
    read.fields(2)?;
    read_totals(read)
}

fn read_bought(read: &mut Values<'_>) -> Result<Bought, Unreadable> {
    read.fields(3)?;
    let series = read_totals(read)?;
    let kept: Vec<u32> = read.all(Values::int)?;
    if kept.len() != series.days().len() {
        return Err(NO_COLUMNS);
    }
    Ok(Bought::from_totals(series, kept))
}

fn read_peaks(read: &mut Values<'_>) -> Result<Peaks, Unreadable> {
    read.fields(2)?;
    let (days, peaks) = (read_days(read)?, read.all(Values::int)?);
    if peaks.len() == days.len() { Ok(Peaks::from_days(days, peaks)) } else { Err(NO_COLUMNS) }
}

/// By address, or by id: so it is until the referrer was told, and in version 1 for ever.
fn read_referrer(read: &mut Values<'_>) -> Result<Referrer, Unreadable> {
    if read.is_text() {
        return read.text().map(Referrer::Named);
    }
    read.fields(2)?;
    Ok(Referrer::Known(Address { digest: read.array()?, spread: read.int()? }))
}

fn read_signup(read: &mut Values<'_>) -> Result<Signup, Unreadable> {
    read.fields(3)?;
    let (day, referrer) = (read.int()?, read.option(read_referrer)?);
    Ok(Signup { day, referrer, credit: read.option(read_credit)? })
}

fn read_credit(read: &mut Values<'_>) -> Result<Credit, Unreadable> {
    read.fields(5)?;
    Ok(Credit {
        customer: read.text()?,
        life: read.int()?,
        referrer: read_referrer(read)?,
        k: read.int()?,
        converted: read.truth()?,
    })
}

/// They lie in the order in which they came, and are kept by rising name.
fn read_attributes(read: &mut Values<'_>) -> Result<Vec<(Box<str>, Attribute)>, Unreadable> {
    let count = read.map()?;
    let found: Result<Vec<_>, _> =
        (0..count).map(|_| Ok((read.text()?, read.attribute()?))).collect();
    let mut attributes = found?;
    attributes.sort_by(|(one, _), (other, _)| one.cmp(other));
    if attributes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Unreadable("an attribute twice"));
    }
    Ok(attributes)
}

/// Read what outlives a record; version 1 has no id.
pub fn read_traces(version: u8, body: &[u8]) -> Result<Traces, Unreadable> {
    let mut read = Values::of(body);
    read.fields(if version == 1 { 2 } else { 3 })?;
    let erased = read.option(|read| {
        read.fields(2)?;
        Ok(Erased { instant: read.int()?, lives: read.int()? })
    })?;
    let aliases = read.all(Values::text)?;
    let id = if version == 1 { Box::default() } else { read.text()? };
    read.end()?;
    Ok(Traces { erased, aliases, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_has_the_number_that_zlib_gives_it() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn what_a_day_brought_in_several_numbers_is_their_sum() {
        let most = [&[0xcf][..], &[0xff; 8]].concat();
        let row = [b"\x92\x07\x93\x92\x07", &most[..], b"\x92\x07\x05\x92\x08\x01"].concat();
        let revenue = vec![(7, i128::from(u64::MAX) + 5), (8, 1)];
        assert_eq!(read_referral(&mut Values::of(&row)), Ok(Referral { day: 7, revenue }));
        let falling = b"\x92\x07\x92\x92\x08\x01\x92\x07\x01";
        assert_eq!(read_referral(&mut Values::of(falling)), Err(NO_DAYS));
    }
}
