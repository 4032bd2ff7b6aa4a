//! How many bytes a customer takes as stored: MessagePack, as the record's layout has it.
//!
//! Worked out, not written: it is asked for before anything is changed.

use super::book::Book;
use super::customer::{Customer, Order, Referral, Review};
use super::instant::Amount;
use super::series::{Bought, Peaks, Series};
use crate::wire::event::Attribute;

/// An integer; one beyond 64 bits is an extension of 16 bytes.
pub fn int(value: Amount) -> usize {
    match value {
        -32..=127 => 1,
        -128..=255 => 2,
        -32_768..=65_535 => 3,
        -2_147_483_648..=4_294_967_295 => 5,
        -9_223_372_036_854_775_808..=18_446_744_073_709_551_615 => 9,
        _ => 18,
    }
}

fn ints<I: Into<Amount>>(values: impl ExactSizeIterator<Item = I>) -> usize {
    array(values.len()) + values.map(|value| int(value.into())).sum::<usize>()
}

/// The head of an array, or of a map.
fn array(len: usize) -> usize {
    match len {
        0..=15 => 1,
        16..=65_535 => 3,
        _ => 5,
    }
}

/// A text with its head.
pub fn text(text: &str) -> usize {
    let head = match text.len() {
        0..=31 => 1,
        32..=255 => 2,
        256..=65_535 => 3,
        _ => 5,
    };
    head + text.len()
}

/// Bytes with their head.
fn bytes(len: usize) -> usize {
    let head = match len {
        0..=255 => 2,
        256..=65_535 => 3,
        _ => 5,
    };
    head + len
}

/// An entry of a book.
pub trait Entry {
    /// The bytes that it takes.
    fn size(&self) -> usize;
}

impl Entry for () {
    fn size(&self) -> usize {
        0
    }
}

impl Entry for Order {
    fn size(&self) -> usize {
        let numbers =
            [self.day.into(), self.amount.into(), self.units.into(), self.refunded.into()];
        let (currency, factor) = match self.foreign {
            Some((_, factor)) => (4, [factor.mantissa.into(), factor.exponent.into()]),
            None => (1, [1, 0]),
        };
        let numbers = numbers.into_iter().chain(factor);
        2 + currency + numbers.map(|number: Amount| int(number)).sum::<usize>()
    }
}

impl Entry for Review {
    fn size(&self) -> usize {
        1 + int(self.day.into()) + ints(self.adds.into_iter())
    }
}

impl Entry for Referral {
    fn size(&self) -> usize {
        let revenue = self.revenue.iter();
        let parts = revenue
            .map(|&(day, amount)| revenue_parts(amount) * (1 + int(day.into())) + parted(amount));
        let count = self.revenue.iter().map(|&(_, amount)| revenue_parts(amount)).sum();
        1 + int(self.day.into()) + array(count) + parts.sum::<usize>()
    }
}

/// What a day brought is kept in numbers of 64 bits: this many of them.
fn revenue_parts(amount: Amount) -> usize {
    const GREATEST: Amount = u64::MAX as Amount;
    usize::try_from((amount - 1).max(0) / GREATEST + 1).unwrap_or(usize::MAX)
}

fn parted(amount: Amount) -> usize {
    const GREATEST: Amount = u64::MAX as Amount;
    let parts = revenue_parts(amount);
    (parts - 1) * 9 + int(amount - (parts as Amount - 1) * GREATEST)
}

/// Texts, as an array of them; nothing where there are none.
pub fn texts(texts: &[Box<str>]) -> usize {
    if texts.is_empty() {
        return 0;
    }
    array(texts.len()) + texts.iter().map(|one| text(one)).sum::<usize>()
}

fn book<E: Entry + Clone>(book: &Book<E>) -> usize {
    let recent = book.recent();
    let ids = recent.len() * size_of::<super::book::Id>();
    let entries: usize = recent.map(|(_, entry)| entry.size()).sum();
    // The recent part, that nothing is skipped, and none in the place of the older part.
    let stored = 1 + bytes(ids) + bytes(entries) + 1 + 1;
    let older = book.older();
    let older_ids = older.len() * size_of::<super::book::Id>();
    stored + older_ids + older.map(|(_, entry)| entry.size()).sum::<usize>()
}

fn series<const N: usize>(series: &Series<N>) -> usize {
    let columns = if series.days().is_empty() { 0 } else { N };
    let sums: usize =
        (0..columns).map(|column| ints(series.totals().iter().map(|sums| sums[column]))).sum();
    1 + ints(series.days().iter().copied()) + array(columns) + sums
}

fn bought(bought: &Bought) -> usize {
    series(bought.series()) + ints(bought.kept().iter().copied())
}

fn peaks(peaks: &Peaks) -> usize {
    1 + ints(peaks.days().iter().copied()) + ints(peaks.peaks().iter().copied())
}

/// The value of an attribute.
pub fn attribute(value: &Attribute) -> usize {
    match value {
        Attribute::Bool(_) => 1,
        Attribute::Int(value) => int((*value).into()),
        Attribute::Float(_) => 9,
        Attribute::Text(value) => text(value),
        Attribute::List(texts) => {
            array(texts.len()) + texts.iter().map(|one| text(one)).sum::<usize>()
        }
    }
}

/// All rows of a customer, without what is counted at the most that it can be: verdicts, and the
/// customer's own referral.
pub fn facts_of(c: &Customer) -> usize {
    // The head of the record, and what is left out: three instants or places that are nothing, two
    // empty bytes, two empty lists, no signup and an empty map.
    const FRAME: usize = 3 + 2 + 2 * 2 + 2 + 1 + 1;
    let attributes = c.attributes.iter().map(|(name, value)| text(name) + attribute(value));
    FRAME
        + int(c.life.into())
        + book(&c.seen)
        + book(&c.orders)
        + bought(&c.bought)
        + series(&c.happened)
        + book(&c.reviews)
        + series(&c.reviewed)
        + book(&c.referrals)
        + series(&c.brought)
        + series(&c.asked)
        + peaks(&c.wanted)
        + int(c.sent.into())
        + c.card.as_deref().map_or(1, text)
        + array(c.attributes.len())
        + attributes.sum::<usize>()
        + int(c.forgotten_until.unwrap_or(-1).into())
}
