//! A customer's record as bytes: the rows of the store, which are the records of the changelog.
//!
//! | key | value |
//! |---|---|
//! | `c` + id | the hot row: counters, days, recent ids and orders, verdicts; or a forwarding |
//! | `s`, `o`, `r`, `f` + id | older ids of events, orders, reviews, referred customers |
//! | `x` + SHA-256 of the id | what outlives a record: the marker of an erasure, absorbed ids; the id |
//!
//! This is version 3. A hot row is the version, a byte for its kind, a byte with a bit for each
//! further row there is, eight bytes with the next due instant, so that the index of due customers
//! is made without decoding, and what [`super::pack`] writes. Verdicts lie under hashes of the ids of
//! their ladders and rungs, so a ladder may come, go or change and the record stays readable: what
//! the rules do not know is kept as it is. Versions 1 and 2 are read (`super::old_record`).

use super::event::Attribute;
use super::old_record::{self, Layout};
use super::pack::{Packer, Unpacker, Unreadable};
use crate::facts::address::{Address, Referrer};
use crate::facts::book::{Book, Id, hash_id};
use crate::facts::customer::{
    Credit, Customer, Erased, Hold, Moved, Order, REMEMBERED, Referral, Review, Signup,
    StoredVerdict, Tag, Verdict,
};
use crate::facts::instant::{Amount, Day, Instant, NEVER};
use crate::facts::money::Factor;
use crate::facts::series::{Bought, Peaks, Series};
use crate::rules::ladder::counted;
use crate::rules::shop::Rules;

/// What is written.
pub const VERSION: u8 = 3;
const CUSTOMER: u8 = 0;
const MOVED: u8 = 1;

/// Bits of the further rows that a customer has.
pub mod part {
    /// Older ids of events.
    pub const SEEN: u8 = 1;
    /// Older orders.
    pub const ORDERS: u8 = 1 << 1;
    /// Older reviews.
    pub const REVIEWS: u8 = 1 << 2;
    /// Older referred customers.
    pub const REFERRALS: u8 = 1 << 3;
    /// What outlives the record.
    pub const TRACES: u8 = 1 << 5;
}

/// The tag of a ladder's or rung's id.
pub fn tag_of(id: &str) -> Tag {
    let [a, b, c, d, ..] = hash_id(id.as_bytes());
    [a, b, c, d]
}

/// A hot row.
#[derive(Clone, Debug, PartialEq)]
pub enum Hot {
    /// A customer's record, without the older parts of its books.
    Customer(Box<Customer>),
    /// The customer was absorbed.
    Moved(Moved),
}

/// Reads and writes records under one set of rules.
#[derive(Clone, Debug)]
pub struct RecordCodec {
    /// For each ladder its tag and those of its rungs.
    tags: Box<[(Tag, Box<[Tag]>)]>,
    /// The same as rows of earlier versions have them.
    layout: Layout,
}

impl RecordCodec {
    /// Prepare for rules; the error names two ids that cannot be told apart in a record.
    pub fn new(rules: &Rules) -> Result<Self, String> {
        let ladders = rules.ladders.iter().map(|ladder| &*ladder.id);
        told_apart(ladders).map_err(|ids| format!("ladders {ids}: rename one"))?;
        for ladder in &rules.ladders {
            let rungs = ladder.rungs.iter().map(|rung| &*rung.id);
            told_apart(rungs).map_err(|ids| format!("{}: rungs {ids}: rename one", ladder.id))?;
        }
        let tags = rules.ladders.iter().map(|ladder| {
            (tag_of(&ladder.id), ladder.rungs.iter().map(|rung| tag_of(&rung.id)).collect())
        });
        Ok(Self { tags: tags.collect(), layout: Layout::of(rules) })
    }

    /// Write a customer's hot row; `c.due` has been brought up to date. `further` are the bits of
    /// rows beside those of the books.
    pub fn hot_row(&self, c: &Customer, further: u8) -> Vec<u8> {
        let mut row = Packer(Vec::with_capacity(512));
        row.raw(&[VERSION, CUSTOMER, parts_of(c) | further]);
        row.raw(&c.due.unwrap_or(NEVER).to_be_bytes());
        row.int(c.as_of);
        row.uint(c.life);
        self.pack_verdicts(c, &mut row);
        pack_recent(&c.seen, &mut row, |(), _| {});
        pack_recent(&c.orders, &mut row, pack_order);
        pack_bought(&c.bought, &mut row);
        pack_series(&c.happened, &mut row);
        pack_recent(&c.reviews, &mut row, pack_review);
        pack_series(&c.reviewed, &mut row);
        pack_recent(&c.referrals, &mut row, pack_referral);
        pack_series(&c.brought, &mut row);
        pack_series(&c.asked, &mut row);
        pack_peaks(&c.wanted, &mut row);
        row.uint(c.sent);
        pack_option(c.card.as_deref(), &mut row, |card, row| row.text(card));
        pack_option(c.signup.as_ref(), &mut row, pack_signup);
        pack_option(c.registered, &mut row, |day, row| row.int(day));
        row.count(c.attributes.len());
        for (name, value) in &c.attributes {
            row.text(name);
            pack_attribute(value, &mut row);
        }
        pack_option(c.forgotten_until, &mut row, |day, row| row.int(day));
        row.0
    }

    /// Write the row of an absorbed customer.
    pub fn moved_row(&self, moved: &Moved, further: u8) -> Vec<u8> {
        let mut row = Packer::default();
        row.raw(&[VERSION, MOVED, further]);
        row.raw(&NEVER.to_be_bytes());
        row.text(&moved.into);
        row.uint(moved.life);
        row.byte(moved.sequences.is_empty().into());
        let own = self.tags.iter().zip(&moved.sequences).map(|((tag, _), &number)| (*tag, number));
        let own = own.filter(|&(_, number)| number != 0);
        let all: Vec<(Tag, u64)> = own.chain(moved.others.iter().copied()).collect();
        row.count(all.len());
        for (tag, sequence) in all {
            row.raw(&tag);
            row.uint(sequence);
        }
        row.0
    }

    /// Read a hot row of this version or of an earlier one.
    pub fn read_hot(&self, row: &[u8]) -> Result<Hot, Unreadable> {
        let (version, body) = versioned(row)?;
        if version != VERSION {
            return self.layout.read_hot(row);
        }
        let mut read = Unpacker(body);
        let kind = read.byte()?;
        read.byte()?;
        let due = i64::from_be_bytes(read.array()?);
        let hot = match kind {
            CUSTOMER => {
                let mut c = self.read_customer(&mut read)?;
                c.due = Some(due);
                Hot::Customer(Box::new(c))
            }
            MOVED => Hot::Moved(self.read_moved(&mut read)?),
            _ => return Err(Unreadable("an unknown kind of row")),
        };
        read.end()?;
        Ok(hot)
    }

    fn read_customer(&self, read: &mut Unpacker<'_>) -> Result<Customer, Unreadable> {
        let (as_of, life) = (read.int()?, read.uint()?);
        let (verdicts, others) = self.read_verdicts(read, as_of)?;
        Ok(Customer {
            due: None,
            as_of,
            life,
            verdicts,
            others,
            seen: read_recent(read, |_| Ok(()))?,
            orders: read_recent(read, read_order)?,
            bought: read_bought(read)?,
            happened: read_series(read)?,
            reviews: read_recent(read, read_review)?,
            reviewed: read_series(read)?,
            referrals: read_recent(read, read_referral)?,
            brought: read_series(read)?,
            asked: read_series(read)?,
            wanted: read_peaks(read)?,
            sent: read.uint()?,
            card: read_option(read, Unpacker::text)?,
            signup: read_option(read, read_signup)?,
            registered: read_option(read, Unpacker::int)?,
            attributes: read_attributes(read)?,
            forgotten_until: read_option(read, Unpacker::int)?,
        })
    }

    /// Verdicts: the ladder's tag, then whether anything is held, the rungs, since when, how often.
    fn pack_verdicts(&self, c: &Customer, row: &mut Packer) {
        let own = self.tags.iter().zip(&c.verdicts).filter(|(_, verdict)| !verdict.is_blank());
        let own = own.map(|((tag, rungs), verdict)| {
            let rung = |place: u16| usize::from(place).checked_sub(1).map(|place| rungs[place]);
            let placed = rung(verdict.hold.placed);
            let (rung, standing) = (rung(verdict.rung), rung(verdict.standing));
            StoredVerdict { ladder: *tag, rung, standing, placed, verdict: *verdict }
        });
        let all: Vec<StoredVerdict> = own.chain(c.others.iter().cloned()).collect();
        row.count(all.len());
        for stored in &all {
            pack_verdict(stored, c.as_of, row);
        }
    }

    fn read_verdicts(
        &self,
        read: &mut Unpacker<'_>,
        as_of: Instant,
    ) -> Result<(Vec<Verdict>, Vec<StoredVerdict>), Unreadable> {
        let mut verdicts = vec![Verdict::default(); self.tags.len()];
        let mut others = Vec::new();
        for _ in 0..read.count()? {
            let stored = read_verdict(read, as_of)?;
            match self.tags.iter().position(|(tag, _)| *tag == stored.ladder) {
                Some(index) => verdicts[index] = under(&stored, &self.tags[index].1),
                None => others.push(stored),
            }
        }
        Ok((verdicts, others))
    }

    fn read_moved(&self, read: &mut Unpacker<'_>) -> Result<Moved, Unreadable> {
        let (into, life) = (read.text()?, read.uint()?);
        let had_none = read.byte()? != 0;
        let mut sequences = vec![0; if had_none { 0 } else { self.tags.len() }];
        let mut others = Vec::new();
        for _ in 0..read.count()? {
            let (tag, sequence) = (read.array()?, read.uint()?);
            match self.tags.iter().position(|(known, _)| *known == tag) {
                Some(index) if !had_none => sequences[index] = sequence,
                _ => others.push((tag, sequence)),
            }
        }
        Ok(Moved { into, life, sequences, others })
    }
}

/// The version of a row, one of those that are read, and what is behind it.
fn versioned(row: &[u8]) -> Result<(u8, &[u8]), Unreadable> {
    match row {
        [] => Err(Unreadable("it is empty")),
        [version, body @ ..] if *version == VERSION || old_record::VERSIONS.contains(version) => {
            Ok((*version, body))
        }
        _ => Err(Unreadable("written by a newer version of the program")),
    }
}

/// The bits of the further rows that a hot row tells of.
pub fn further_of(hot_row: &[u8]) -> u8 {
    hot_row.get(2).copied().unwrap_or(0)
}

/// How many entries at the begin of an older part are forgotten: not more than it may have.
pub(super) fn skipped(count: usize) -> Result<usize, Unreadable> {
    if count <= REMEMBERED { Ok(count) } else { Err(Unreadable("more skipped than there are")) }
}

/// Whether any two ids have one tag; the error names them.
fn told_apart<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut known: Vec<(Tag, &str)> = ids.map(|id| (tag_of(id), id)).collect();
    known.sort_unstable();
    match known.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(format!("{} and {} cannot be told apart", pair[0].1, pair[1].1)),
        None => Ok(()),
    }
}

/// A verdict under the rungs of its ladder; a rung that is not there any more is none.
fn under(stored: &StoredVerdict, rungs: &[Tag]) -> Verdict {
    let place = |rung: Option<Tag>| {
        rung.and_then(|rung| rungs.iter().position(|known| *known == rung)).map_or(0, counted)
    };
    let hold = Hold { placed: place(stored.placed), ..stored.verdict.hold };
    Verdict { rung: place(stored.rung), standing: place(stored.standing), hold, ..stored.verdict }
}

/// The bits of the older parts that a customer has.
pub fn parts_of(c: &Customer) -> u8 {
    let bit = |has: bool, part: u8| if has { part } else { 0 };
    bit(c.seen.has_older(), part::SEEN)
        | bit(c.orders.has_older(), part::ORDERS)
        | bit(c.reviews.has_older(), part::REVIEWS)
        | bit(c.referrals.has_older(), part::REFERRALS)
}

/// What of a verdict there is, as bits of a byte.
mod has {
    pub const RUNG: u8 = 1;
    pub const STANDING: u8 = 1 << 1;
    /// The standing is the rung.
    pub const SAME: u8 = 1 << 2;
    pub const GRACE: u8 = 1 << 3;
    pub const PLACED: u8 = 1 << 4;
    pub const UNTIL: u8 = 1 << 5;
}

/// The ladder's tag, what there is, the rungs, since when (before the record's own clock), how often.
fn pack_verdict(stored: &StoredVerdict, as_of: Instant, row: &mut Packer) {
    let bit = |has: bool, bit: u8| if has { bit } else { 0 };
    let (verdict, hold) = (&stored.verdict, &stored.verdict.hold);
    let same = stored.rung.is_some() && stored.rung == stored.standing;
    row.raw(&stored.ladder);
    row.byte(
        bit(stored.rung.is_some(), has::RUNG)
            | bit(stored.standing.is_some() && !same, has::STANDING)
            | bit(same, has::SAME)
            | bit(hold.grace != 0, has::GRACE)
            | bit(stored.placed.is_some(), has::PLACED)
            | bit(hold.until != 0, has::UNTIL),
    );
    let standing = stored.standing.filter(|_| !same);
    for rung in [stored.rung, standing, stored.placed].into_iter().flatten() {
        row.raw(&rung);
    }
    row.int(as_of - verdict.since);
    row.uint(verdict.sequence);
    for end in [hold.grace, hold.until].into_iter().filter(|&end| end != 0) {
        row.int(end - as_of);
    }
}

fn read_verdict(read: &mut Unpacker<'_>, as_of: Instant) -> Result<StoredVerdict, Unreadable> {
    let (ladder, bits) = (read.array()?, read.byte()?);
    let mut rung = |bit: u8| if bits & bit == 0 { Ok(None) } else { read.array().map(Some) };
    let (seen, standing, placed) = (rung(has::RUNG)?, rung(has::STANDING)?, rung(has::PLACED)?);
    let standing = if bits & has::SAME == 0 { standing } else { seen };
    let mut instant = |sign: i64| -> Result<Instant, Unreadable> {
        let apart: i64 = read.int()?;
        let found = apart.checked_mul(sign).and_then(|apart| as_of.checked_add(apart));
        found.ok_or(Unreadable("an instant beyond all"))
    };
    let since = instant(-1)?;
    let sequence = read.uint()?;
    let mut instant = |bit: u8| -> Result<Instant, Unreadable> {
        if bits & bit == 0 {
            return Ok(0);
        }
        as_of.checked_add(read.int()?).ok_or(Unreadable("an instant beyond all"))
    };
    let hold = Hold { grace: instant(has::GRACE)?, placed: 0, until: instant(has::UNTIL)? };
    let verdict = Verdict { rung: 0, standing: 0, sequence, since, hold };
    Ok(StoredVerdict { ladder, rung: seen, standing, placed, verdict })
}

fn pack_option<T>(value: Option<T>, row: &mut Packer, pack: impl FnOnce(T, &mut Packer)) {
    row.byte(value.is_some().into());
    if let Some(value) = value {
        pack(value, row);
    }
}

fn read_option<'a, T>(
    read: &mut Unpacker<'a>,
    value: impl FnOnce(&mut Unpacker<'a>) -> Result<T, Unreadable>,
) -> Result<Option<T>, Unreadable> {
    if read.byte()? == 0 { Ok(None) } else { value(read).map(Some) }
}

fn pack_recent<E: Clone>(book: &Book<E>, row: &mut Packer, entry: impl Fn(&E, &mut Packer)) {
    row.count(book.skipped());
    row.count(book.recent().len());
    for (id, recent) in book.recent() {
        row.raw(id);
        entry(recent, row);
    }
}

fn read_recent<E: Clone>(
    read: &mut Unpacker<'_>,
    entry: impl Fn(&mut Unpacker<'_>) -> Result<E, Unreadable>,
) -> Result<Book<E>, Unreadable> {
    let skipped = skipped(read.uint()?)?;
    let recent = read_entries(read, entry)?;
    Ok(Book::recent_alone(skipped, recent))
}

fn read_entries<E>(
    read: &mut Unpacker<'_>,
    entry: impl Fn(&mut Unpacker<'_>) -> Result<E, Unreadable>,
) -> Result<Vec<(Id, E)>, Unreadable> {
    (0..read.count()?).map(|_| Ok((read.array()?, entry(read)?))).collect()
}

/// Write the older part of a book.
fn older_row<E: Clone>(book: &Book<E>, entry: impl Fn(&E, &mut Packer)) -> Vec<u8> {
    let mut row = Packer(vec![VERSION]);
    row.count(book.older().len());
    for (id, older) in book.older() {
        row.raw(id);
        entry(older, &mut row);
    }
    row.0
}

/// Write the older part of a customer's book; the part is one of [`part`].
pub fn pack_older(c: &Customer, part: u8) -> Vec<u8> {
    match part {
        part::ORDERS => older_row(&c.orders, pack_order),
        part::REVIEWS => older_row(&c.reviews, pack_review),
        part::REFERRALS => older_row(&c.referrals, pack_referral),
        _ => older_row(&c.seen, |(), _| {}),
    }
}

/// Put the older part of a book into a customer's record.
pub fn read_older(c: &mut Customer, part: u8, row: &[u8]) -> Result<(), Unreadable> {
    let (version, body) = versioned(row)?;
    if version != VERSION {
        return old_record::read_older(c, part, body);
    }
    let mut read = Unpacker(body);
    match part {
        part::ORDERS => c.orders.set_older(read_entries(&mut read, read_order)?),
        part::REVIEWS => c.reviews.set_older(read_entries(&mut read, read_review)?),
        part::REFERRALS => c.referrals.set_older(read_entries(&mut read, read_referral)?),
        _ => c.seen.set_older(read_entries(&mut read, |_| Ok(()))?),
    }
    read.end()
}

fn pack_order(order: &Order, row: &mut Packer) {
    row.int(order.day);
    row.byte(u8::from(order.void) | u8::from(order.foreign.is_some()) << 1);
    row.int(order.amount);
    row.int(order.units);
    row.int(order.refunded);
    if let Some((currency, factor)) = order.foreign {
        row.raw(&currency);
        row.int(factor.mantissa);
        row.int(factor.exponent);
    }
}

fn read_order(read: &mut Unpacker<'_>) -> Result<Order, Unreadable> {
    let (day, bits) = (read.int()?, read.byte()?);
    let (amount, units, refunded) = (read.int()?, read.int()?, read.int()?);
    let foreign = match bits & 2 {
        0 => None,
        _ => {
            let currency = read.array()?;
            Some((currency, Factor { mantissa: read.int()?, exponent: read.int()? }))
        }
    };
    Ok(Order { day, amount, units, refunded, void: bits & 1 != 0, foreign })
}

fn pack_review(review: &Review, row: &mut Packer) {
    row.int(review.day);
    row.byte(review.adds.iter().fold(0, |bits, &adds| bits << 1 | u8::from(adds != 0)));
}

fn read_review(read: &mut Unpacker<'_>) -> Result<Review, Unreadable> {
    let (day, bits) = (read.int()?, read.byte()?);
    Ok(Review { day, adds: std::array::from_fn(|place| i8::from(bits >> (4 - place) & 1 != 0)) })
}

fn pack_referral(referral: &Referral, row: &mut Packer) {
    row.int(referral.day);
    row.count(referral.revenue.len());
    for &(day, amount) in &referral.revenue {
        row.int(day);
        row.int(amount);
    }
}

fn read_referral(read: &mut Unpacker<'_>) -> Result<Referral, Unreadable> {
    let day = read.int()?;
    let revenue: Result<Vec<(Day, Amount)>, Unreadable> =
        (0..read.count()?).map(|_| Ok((read.int()?, read.int()?))).collect();
    Ok(Referral { day, revenue: revenue? })
}

/// Days in rising order: the first, then how far each is behind the one before.
fn pack_days(days: &[Day], row: &mut Packer) {
    row.count(days.len());
    let mut before = 0;
    for &day in days {
        row.int(i64::from(day) - before);
        before = day.into();
    }
}

fn read_days(read: &mut Unpacker<'_>) -> Result<Vec<Day>, Unreadable> {
    let mut days: Vec<Day> = Vec::new();
    for place in 0..read.count()? {
        let before = days.last().map_or(0, |&day| i64::from(day));
        let day = before.checked_add(read.int()?).and_then(|day| Day::try_from(day).ok());
        let day = day.filter(|&day| place == 0 || i64::from(day) > before);
        days.push(day.ok_or(Unreadable("days that do not rise"))?);
    }
    Ok(days)
}

/// Days, and what each adds to the running total of each column.
fn pack_series<const N: usize>(series: &Series<N>, row: &mut Packer) {
    pack_days(series.days(), row);
    let mut before = [0; N];
    for totals in series.totals() {
        for (total, before) in totals.iter().zip(before) {
            row.int(total.wrapping_sub(before));
        }
        before = *totals;
    }
}

fn read_series<const N: usize>(read: &mut Unpacker<'_>) -> Result<Series<N>, Unreadable> {
    let days = read_days(read)?;
    let mut totals = Vec::with_capacity(days.len());
    let mut total = [0_i128; N];
    for _ in &days {
        for sum in &mut total {
            *sum = sum.wrapping_add(read.int()?);
        }
        totals.push(total);
    }
    Ok(Series::from_totals(days, totals))
}

fn pack_bought(bought: &Bought, row: &mut Packer) {
    pack_series(bought.series(), row);
    for &kept in bought.kept() {
        row.uint(kept);
    }
}

fn read_bought(read: &mut Unpacker<'_>) -> Result<Bought, Unreadable> {
    let series: Series<3> = read_series(read)?;
    let kept: Result<Vec<u32>, Unreadable> = series.days().iter().map(|_| read.uint()).collect();
    Ok(Bought::from_totals(series, kept?))
}

fn pack_peaks(peaks: &Peaks, row: &mut Packer) {
    pack_days(peaks.days(), row);
    row.raw(peaks.peaks());
}

fn read_peaks(read: &mut Unpacker<'_>) -> Result<Peaks, Unreadable> {
    let days = read_days(read)?;
    let peaks = read.raw(days.len())?.to_vec();
    Ok(Peaks::from_days(days, peaks))
}

fn pack_referrer(referrer: &Referrer, row: &mut Packer) {
    match referrer {
        Referrer::Known(address) => {
            row.byte(0);
            row.raw(&address.digest);
            row.uint(address.spread);
        }
        Referrer::Named(name) => {
            row.byte(1);
            row.text(name);
        }
    }
}

fn read_referrer(read: &mut Unpacker<'_>) -> Result<Referrer, Unreadable> {
    if read.byte()? == 0 {
        return Ok(Referrer::Known(Address { digest: read.array()?, spread: read.uint()? }));
    }
    read.text().map(Referrer::Named)
}

fn pack_signup(signup: &Signup, row: &mut Packer) {
    row.int(signup.day);
    pack_option(signup.referrer.as_ref(), row, pack_referrer);
    pack_option(signup.credit.as_ref(), row, |credit, row| {
        row.text(&credit.customer);
        row.uint(credit.life);
        pack_referrer(&credit.referrer, row);
        row.uint(credit.k);
        row.byte(credit.converted.into());
    });
}

fn read_signup(read: &mut Unpacker<'_>) -> Result<Signup, Unreadable> {
    let day = read.int()?;
    let referrer = read_option(read, read_referrer)?;
    let credit = read_option(read, |read| {
        Ok(Credit {
            customer: read.text()?,
            life: read.uint()?,
            referrer: read_referrer(read)?,
            k: read.uint()?,
            converted: read.byte()? != 0,
        })
    })?;
    Ok(Signup { day, referrer, credit })
}

fn pack_attribute(value: &Attribute, row: &mut Packer) {
    match value {
        Attribute::Bool(value) => row.byte(u8::from(*value)),
        Attribute::Int(value) => {
            row.byte(2);
            row.int(*value);
        }
        Attribute::Float(value) => {
            row.byte(3);
            row.raw(&value.to_be_bytes());
        }
        Attribute::Text(text) => {
            row.byte(4);
            row.text(text);
        }
        Attribute::List(texts) => {
            row.byte(5);
            row.count(texts.len());
            texts.iter().for_each(|text| row.text(text));
        }
    }
}

fn read_attribute(read: &mut Unpacker<'_>) -> Result<Attribute, Unreadable> {
    Ok(match read.byte()? {
        0 => Attribute::Bool(false),
        1 => Attribute::Bool(true),
        2 => Attribute::Int(read.int()?),
        3 => Attribute::Float(f64::from_be_bytes(read.array()?)),
        4 => Attribute::Text(read.text()?),
        5 => {
            let texts: Result<Box<[Box<str>]>, Unreadable> =
                (0..read.count()?).map(|_| read.text()).collect();
            Attribute::List(texts?)
        }
        _ => return Err(Unreadable("an unknown kind of attribute")),
    })
}

fn read_attributes(read: &mut Unpacker<'_>) -> Result<Vec<(Box<str>, Attribute)>, Unreadable> {
    let mut attributes: Vec<(Box<str>, Attribute)> = Vec::new();
    for _ in 0..read.count()? {
        let (name, value) = (read.text()?, read_attribute(read)?);
        if attributes.last().is_some_and(|(last, _)| *last >= name) {
            return Err(Unreadable("attributes that do not rise"));
        }
        attributes.push((name, value));
    }
    Ok(attributes)
}

/// What outlives a record, and the id where it is to be found by its SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// The marker of an erasure.
    pub erased: Option<Erased>,
    /// Ids that were absorbed.
    pub aliases: Vec<Box<str>>,
    /// The id; empty while nobody may ask for it.
    pub id: Box<str>,
}

impl Traces {
    /// Write the row.
    pub fn row(&self) -> Vec<u8> {
        let mut row = Packer(vec![VERSION]);
        pack_option(self.erased, &mut row, |erased, row| {
            row.int(erased.instant);
            row.uint(erased.lives);
        });
        row.count(self.aliases.len());
        self.aliases.iter().for_each(|alias| row.text(alias));
        row.text(&self.id);
        row.0
    }

    /// Read a row of this version or of an earlier one.
    pub fn read(row: &[u8]) -> Result<Self, Unreadable> {
        let (version, body) = versioned(row)?;
        if version != VERSION {
            return old_record::read_traces(version, body);
        }
        let mut read = Unpacker(body);
        let erased = read_option(&mut read, |read| {
            Ok(Erased { instant: read.int()?, lives: read.uint()? })
        })?;
        let aliases: Result<Vec<Box<str>>, Unreadable> =
            (0..read.count()?).map(|_| read.text()).collect();
        let traces = Self { erased, aliases: aliases?, id: read.text()? };
        read.end()?;
        Ok(traces)
    }
}
