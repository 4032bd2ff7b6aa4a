//! Everything kept about one customer: facts, never verdicts, and beside them the place on each
//! ladder.
//!
//! Counters and days are kept whether or not a ladder asks for them, so a new rule needs no replay.

use super::address::Referrer;
use super::book::Book;
use super::instant::{Amount, Day, Instant};
use super::money::Factor;
use super::series::{Bought, Peaks, Series};
use crate::wire::event::{Attribute, Currency};

/// Orders, reviews and referred ids that are remembered, each (contract section 2).
pub const REMEMBERED: usize = 512;
/// Applied events whose ids are remembered (contract section 2).
pub const REMEMBERED_EVENTS: usize = 256;

/// What a book keeps in the order of its days.
pub trait Dated {
    /// The day that counts.
    fn day(&self) -> Day;
}

/// An order: amounts in minor units of its currency, and the rate of its own date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The day of the purchase.
    pub day: Day,
    /// What was paid.
    pub amount: i64,
    /// How many pieces.
    pub units: i64,
    /// What was given back, at most the amount.
    pub refunded: i64,
    /// It no longer counts.
    pub void: bool,
    /// Its currency, where that is not the base, and the rate of its date.
    pub foreign: Option<(Currency, Factor)>,
}

impl Dated for Order {
    fn day(&self) -> Day {
        self.day
    }
}

/// A review: what it adds to each column of [`Customer::reviewed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The day of the post that counts.
    pub day: Day,
    /// Reviews, positives, negatives, testimonials, defences; each 0 or 1.
    pub adds: [i8; 5],
}

impl Dated for Review {
    fn day(&self) -> Day {
        self.day
    }
}

/// A conversion: the day that counts, and revenue by day in base minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    /// The day of the first conversion.
    pub day: Day,
    /// Revenue by rising day.
    pub revenue: Vec<(Day, Amount)>,
}

impl Dated for Referral {
    fn day(&self) -> Day {
        self.day
    }
}

/// What was credited to the referrer: travels with the record through a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The customer id under which the credit began.
    pub customer: Box<str>,
    /// The how-manieth record of that id it was.
    pub life: u32,
    /// Who is credited.
    pub referrer: Referrer,
    /// How many conversions and reversals were sent.
    pub k: u32,
    /// The last of them was a conversion.
    pub converted: bool,
}

/// The first registration: its day, and who brought the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signup {
    /// The day of the registration that was applied first.
    pub day: Day,
    /// Whom it named.
    pub referrer: Option<Referrer>,
    /// What was credited to the referrer.
    pub credit: Option<Credit>,
}

/// What keeps a rung from following the rules: a grace, a placement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    /// The instant at which the grace ends; 0 for none.
    pub grace: Instant,
    /// The place held by hand, counted from 1; 0 for none.
    pub placed: u16,
    /// The instant at which the placement ends; 0 for never.
    pub until: Instant,
}

impl Hold {
    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a placement by hand lasts at an instant.
    pub fn is_placed(&self, instant: Instant) -> bool {
        self.placed != 0 && (self.until == 0 || instant < self.until)
    }
}

/// Where a customer stands on one ladder. Places count from 1, 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The rung that is seen.
    pub rung: u16,
    /// The rung that the rules have brought the customer to.
    pub standing: u16,
    /// How many changes there were.
    pub sequence: u64,
    /// The instant of the last change.
    pub since: Instant,
    /// What keeps the rung from following the rules.
    pub hold: Hold,
}

impl Verdict {
    /// Whether nothing ever happened on the ladder.
    pub fn is_blank(&self) -> bool {
        *self == Self::default()
    }
}

/// What of an id stands for it in a record.
pub type Tag = [u8; 4];

/// A verdict under the ids of its ladder and rungs, for a ladder that the rules may not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVerdict {
    /// The ladder.
    pub ladder: Tag,
    /// The rung that is seen.
    pub rung: Option<Tag>,
    /// The rung that the rules have brought the customer to.
    pub standing: Option<Tag>,
    /// The rung held by hand.
    pub placed: Option<Tag>,
    /// All the rest; its places are of no meaning.
    pub verdict: Verdict,
}

/// Everything kept about one customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Customer {
    /// The next instant to look at the record by time alone; None when that is to be found anew.
    pub due: Option<Instant>,
    /// The record's own clock (contract section 5).
    pub as_of: Instant,
    /// The how-manieth record of this customer id it is, from 1.
    pub life: u32,
    /// One for each ladder, in the order of the rules.
    pub verdicts: Vec<Verdict>,
    /// Those of ladders that the rules do not know.
    pub others: Vec<StoredVerdict>,
    /// The ids of the last applied events (source and id together).
    pub seen: Book<()>,
    /// The last orders.
    pub orders: Book<Order>,
    /// Purchases, spend and units by day.
    pub bought: Bought,
    /// Events by day.
    pub happened: Series<1>,
    /// The last reviews.
    pub reviews: Book<Review>,
    /// Reviews, positives, negatives, testimonials and defences by day.
    pub reviewed: Series<5>,
    /// The last referred customers who converted.
    pub referrals: Book<Referral>,
    /// Conversions and their revenue by day.
    pub brought: Series<2>,
    /// Inquiries by day.
    pub asked: Series<1>,
    /// The highest need by day.
    pub wanted: Peaks,
    /// Referrals sent.
    pub sent: u64,
    /// The tier of the card.
    pub card: Option<Box<str>>,
    /// The first registration.
    pub signup: Option<Signup>,
    /// The earliest date of the registrations applied to the record; with a record of version 1,
    /// of the first that was applied.
    pub registered: Option<Day>,
    /// The profile, by rising name.
    pub attributes: Vec<(Box<str>, Attribute)>,
    /// The newest day of an order that counts but is not remembered.
    pub forgotten_until: Option<Day>,
}

impl Customer {
    /// The record of somebody of whom nothing is known yet, on none of `ladders` ladders.
    pub fn stranger(as_of: Instant, life: u32, ladders: usize) -> Self {
        Self { as_of, life, verdicts: vec![Verdict::default(); ladders], ..Self::default() }
    }

    /// The newest day of an order that counts, remembered or not.
    pub fn counted_until(&self) -> Option<Day> {
        self.bought.kept_days().next().max(self.forgotten_until)
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        let place = self.attributes.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(&self.attributes[place].1)
    }

    /// Set an attribute, or remove it with None.
    pub fn set_attribute(&mut self, name: &str, value: Option<Attribute>) {
        let found = self.attributes.binary_search_by(|(known, _)| (**known).cmp(name));
        match (found, value) {
            (Ok(place), Some(value)) => self.attributes[place].1 = value,
            (Err(place), Some(value)) => self.attributes.insert(place, (name.into(), value)),
            (Ok(place), None) => drop(self.attributes.remove(place)),
            (Err(_), None) => {}
        }
    }
}

/// In the place of an absorbed customer's record: where its events go now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The customer id that survives.
    pub into: Box<str>,
    /// The how-manieth record of this id was absorbed.
    pub life: u32,
    /// How many changes there were on each ladder, in the order of the rules; none at all where
    /// there was no record.
    pub sequences: Vec<u64>,
    /// The same of ladders that the rules do not know.
    pub others: Vec<(Tag, u64)>,
}

/// What stays of an erased customer: when, and how many records the id has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The instant of the erasure.
    pub instant: Instant,
    /// How many records the id has had.
    pub lives: u32,
}

/// What lies under a customer id: nothing, a record, or a forwarding.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Record {
    /// Nobody is known under this id.
    #[default]
    Nobody,
    /// A customer's record.
    Customer(Box<Customer>),
    /// The customer was absorbed.
    Moved(Moved),
}

/// All that is stored under one customer id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slot {
    /// The customer id.
    pub id: Box<str>,
    /// The record, if there is one.
    pub record: Record,
    /// The marker of an erasure.
    pub erased: Option<Erased>,
    /// The ids that were absorbed into this one.
    pub aliases: Vec<Box<str>>,
    /// Somebody keeps the address of this customer, and may owe him a credit.
    pub named: bool,
    /// Something here is not stored yet.
    pub touched: bool,
}

impl Slot {
    /// An id under which nothing is stored.
    pub fn new(id: &str) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// The how-manieth record of this id a new one would be.
    pub fn next_life(&self) -> u32 {
        self.erased.map_or(0, |erased| erased.lives) + 1
    }

    /// The customer's record, if there is one.
    pub fn customer(&self) -> Option<&Customer> {
        match &self.record {
            Record::Customer(customer) => Some(customer),
            _ => None,
        }
    }

    /// Whether an id is this customer's own or was absorbed into it.
    pub fn is_one_with(&self, customer: &str) -> bool {
        *self.id == *customer || self.aliases.iter().any(|alias| **alias == *customer)
    }

    /// Whether the id is to be found under its SHA-256, by whom keeps only the address.
    ///
    /// Who came back after an erasure is: whoever named the customer before it still may owe one.
    pub fn is_reachable(&self) -> bool {
        self.named || (self.erased.is_some() && self.record != Record::Nobody)
    }
}
