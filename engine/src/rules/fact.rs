//! What rules can ask about a customer: contract section 3.

use super::value::Value;
use crate::facts::customer::Customer;
use crate::facts::instant::{Amount, Day};
use crate::facts::series::{PURCHASES, SPEND};
use crate::wire::event::Attribute;

/// A dated series of a customer's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // named as the fields of `Customer`
pub enum SeriesName {
    Bought,
    Asked,
    Reviewed,
    Brought,
    Happened,
    Wanted,
}

impl SeriesName {
    /// The days on which something happened, oldest first.
    pub fn days(self, c: &Customer) -> &[Day] {
        match self {
            SeriesName::Bought => c.bought.series().days(),
            SeriesName::Asked => c.asked.days(),
            SeriesName::Reviewed => c.reviewed.days(),
            SeriesName::Brought => c.brought.days(),
            SeriesName::Happened => c.happened.days(),
            SeriesName::Wanted => c.wanted.days(),
        }
    }
}

/// A fact, as the engine reads it. Days are the length of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // named as the contract's table
pub enum Fact {
    Total(SeriesName, u8),
    Within(SeriesName, u8, Day),
    Need(Day),
    TopSpender(u32, Day),
    Registered,
    Card,
    ReferralsSent,
    AverageOrder,
    GapDays,
    GapSpread,
    Attribute(Box<str>),
}

/// Groups of facts that change together: what an event touched, what a ladder depends on.
pub type Groups = u16;
/// Orders.
pub const BOUGHT: Groups = 1;
/// Inquiries.
pub const ASKED: Groups = 1 << 1;
/// Reviews.
pub const REVIEWED: Groups = 1 << 2;
/// Conversions.
pub const BROUGHT: Groups = 1 << 3;
/// Needs.
pub const WANTED: Groups = 1 << 4;
/// Any event.
pub const HAPPENED: Groups = 1 << 5;
/// Referrals sent.
pub const SENT: Groups = 1 << 6;
/// The card.
pub const CARD: Groups = 1 << 7;
/// Registration.
pub const SIGNED: Groups = 1 << 8;
/// Attributes.
pub const PROFILE: Groups = 1 << 9;
/// How many groups there are.
pub const GROUPS: usize = 10;

/// The (percent, days) that a ladder names, and the spend at the cut.
pub type Cut = ((u32, Day), Amount);

/// The cuts of one day.
pub type Cuts = [Cut];

/// Who knows the top-spender cuts of every day.
pub trait Cutter {
    /// The cuts that hold for a calendar day.
    fn at(&self, day: Day) -> &Cuts;
}

/// Before the first day boundary nobody is a top spender.
pub struct NoCuts;

impl Cutter for NoCuts {
    fn at(&self, _: Day) -> &Cuts {
        &[]
    }
}

/// A customer's facts as of a day.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The record.
    pub customer: &'a Customer,
    /// The calendar day as of which it is looked at.
    pub day: Day,
    /// The cuts of that day.
    pub cuts: &'a Cuts,
}

/// The dated facts: their series and column.
const SUMS: [(&str, SeriesName, u8); 12] = [
    ("purchases", SeriesName::Bought, 0),
    ("spend", SeriesName::Bought, 1),
    ("units", SeriesName::Bought, 2),
    ("inquiries", SeriesName::Asked, 0),
    ("reviews", SeriesName::Reviewed, 0),
    ("positives", SeriesName::Reviewed, 1),
    ("negatives", SeriesName::Reviewed, 2),
    ("testimonials", SeriesName::Reviewed, 3),
    ("defences", SeriesName::Reviewed, 4),
    ("referrals", SeriesName::Brought, 0),
    ("referral_revenue", SeriesName::Brought, 1),
    ("events", SeriesName::Happened, 0),
];

/// Every fact that takes no window and is no attribute, in the order in which people are told.
pub const PLAIN: [&str; 17] = [
    "purchases",
    "spend",
    "units",
    "inquiries",
    "reviews",
    "positives",
    "negatives",
    "testimonials",
    "defences",
    "referrals",
    "referral_revenue",
    "registered",
    "card",
    "referrals_sent",
    "average_order",
    "gap_days",
    "gap_spread",
];

impl Fact {
    /// Find a fact by its name in the contract, without its arguments; None if there is none.
    pub fn named(name: &str, args: &[i64]) -> Option<Fact> {
        if let Some(attribute) = name.strip_prefix("profile.") {
            return Some(Fact::Attribute(attribute.into()));
        }
        let days = |place: usize| args.get(place).and_then(|&days| Day::try_from(days).ok());
        let plain = match name {
            "registered" => Fact::Registered,
            "card" => Fact::Card,
            "referrals_sent" => Fact::ReferralsSent,
            "average_order" => Fact::AverageOrder,
            "gap_days" => Fact::GapDays,
            "gap_spread" => Fact::GapSpread,
            "need_in" => return days(0).map(Fact::Need),
            "top_spender" => {
                let percent = u32::try_from(*args.first()?).ok()?;
                return days(1).map(|days| Fact::TopSpender(percent, days));
            }
            _ => {
                let sum = name.strip_suffix("_in").unwrap_or(name);
                let &(_, series, column) = SUMS.iter().find(|(known, ..)| *known == sum)?;
                return match name.ends_with("_in") {
                    true => days(0).map(|days| Fact::Within(series, column, days)),
                    false => Some(Fact::Total(series, column)),
                };
            }
        };
        Some(plain)
    }

    /// The group of facts in which it changes.
    pub fn group(&self) -> Groups {
        match self {
            Fact::Total(series, _) | Fact::Within(series, ..) => match series {
                SeriesName::Bought => BOUGHT,
                SeriesName::Asked => ASKED,
                SeriesName::Reviewed => REVIEWED,
                SeriesName::Brought => BROUGHT,
                SeriesName::Happened => HAPPENED,
                SeriesName::Wanted => WANTED,
            },
            Fact::Need(_) => WANTED,
            Fact::TopSpender(..) | Fact::AverageOrder | Fact::GapDays | Fact::GapSpread => BOUGHT,
            Fact::Registered => SIGNED,
            Fact::Card => CARD,
            Fact::ReferralsSent => SENT,
            Fact::Attribute(_) => PROFILE,
        }
    }

    /// The series and the length of the window that it looks at.
    pub fn window(&self) -> Option<(SeriesName, Day)> {
        match *self {
            Fact::Within(series, _, days) => Some((series, days)),
            Fact::Need(days) => Some((SeriesName::Wanted, days)),
            Fact::TopSpender(_, days) => Some((SeriesName::Bought, days)),
            _ => None,
        }
    }

    /// Read its value.
    pub fn read<'a>(&self, view: View<'a>) -> Value<'a> {
        let c = view.customer;
        match self {
            Fact::Total(series, column) => Value::Int(total(c, *series, (*column).into())),
            Fact::Within(series, column, days) => {
                Value::Int(within(c, *series, (*column).into(), view.day - days + 1))
            }
            Fact::Need(days) => Value::Int(c.wanted.highest(view.day - days + 1).into()),
            Fact::TopSpender(percent, days) => Value::Bool(is_top_spender(view, *percent, *days)),
            Fact::Registered => Value::Bool(c.signup.is_some()),
            Fact::Card => c.card.as_deref().map_or(Value::None, Value::Text),
            Fact::ReferralsSent => Value::Int(c.sent.into()),
            Fact::AverageOrder => {
                let bought = c.bought.series();
                let purchases = bought.total(PURCHASES);
                match purchases {
                    0 => Value::None,
                    _ => Value::Int(bought.total(SPEND).div_euclid(purchases)),
                }
            }
            Fact::GapDays => gaps(c).map_or(Value::None, |gaps| Value::Float(gaps.mean())),
            Fact::GapSpread => gaps(c).map_or(Value::None, |gaps| Value::Float(gaps.spread())),
            Fact::Attribute(name) => c.attribute(name).map_or(Value::None, attribute_value),
        }
    }
}

fn attribute_value(attribute: &Attribute) -> Value<'_> {
    match attribute {
        Attribute::Bool(value) => Value::Bool(*value),
        Attribute::Int(value) => Value::Int((*value).into()),
        Attribute::Float(value) => Value::Float(*value),
        Attribute::Text(text) => Value::Text(text),
        Attribute::List(texts) => Value::Texts(texts),
    }
}

fn total(c: &Customer, series: SeriesName, column: usize) -> Amount {
    match series {
        SeriesName::Bought => c.bought.series().total(column),
        SeriesName::Asked => c.asked.total(column),
        SeriesName::Reviewed => c.reviewed.total(column),
        SeriesName::Brought => c.brought.total(column),
        SeriesName::Happened => c.happened.total(column),
        SeriesName::Wanted => 0,
    }
}

fn within(c: &Customer, series: SeriesName, column: usize, first: Day) -> Amount {
    match series {
        SeriesName::Bought => c.bought.series().within(column, first),
        SeriesName::Asked => c.asked.within(column, first),
        SeriesName::Reviewed => c.reviewed.within(column, first),
        SeriesName::Brought => c.brought.within(column, first),
        SeriesName::Happened => c.happened.within(column, first),
        SeriesName::Wanted => c.wanted.highest(first).into(),
    }
}

fn is_top_spender(view: View<'_>, percent: u32, days: Day) -> bool {
    let Some((_, cut)) = view.cuts.iter().find(|(top, _)| *top == (percent, days)) else {
        return false;
    };
    let spend = view.customer.bought.series().within(SPEND, view.day - days + 1);
    spend > 0 && spend >= *cut
}

/// Purchase dates that gaps are told from, and the fewest that tell any.
const GAP_DATES: usize = 12;
const FEWEST_GAP_DATES: usize = 3;

/// The days between the customer's last purchase dates.
struct Gaps {
    count: u64,
    sum: u64,
    squares: u64,
}

fn gaps(c: &Customer) -> Option<Gaps> {
    let mut dates = c.bought.kept_days().take(GAP_DATES);
    let (mut later, mut found) = (dates.next()?, 1);
    let mut gaps = Gaps { count: 0, sum: 0, squares: 0 };
    for earlier in dates {
        let gap = u64::from(later.abs_diff(earlier));
        gaps =
            Gaps { count: gaps.count + 1, sum: gaps.sum + gap, squares: gaps.squares + gap * gap };
        (later, found) = (earlier, found + 1);
    }
    (found >= FEWEST_GAP_DATES).then_some(gaps)
}

impl Gaps {
    fn mean(&self) -> f64 {
        self.sum as f64 / self.count as f64
    }

    /// The population standard deviation of the gaps divided by their mean.
    ///
    /// The deviation is sqrt(n * sum(g^2) - sum(g)^2) / n, with 64 binary digits behind the point,
    /// so that it is the float next to the true value.
    fn spread(&self) -> f64 {
        let spread = self.count * self.squares - self.sum * self.sum;
        let digits = root_with_64_digits(spread) / u128::from(self.count);
        let deviation = digits as f64 / (1_u128 << 64) as f64;
        deviation / self.mean()
    }
}

/// The square root of a whole number, times 2^64 and rounded down.
///
/// Longhand: each step brings down two binary digits of the number (zeros behind its point) and
/// finds one of the root. The rest stays below twice the root, so all of it fits.
fn root_with_64_digits(number: u64) -> u128 {
    if number == 0 {
        return 0;
    }
    let (mut root, mut rest) = (u128::from(number.isqrt()), 0_u128);
    rest += u128::from(number) - root * root;
    for _ in 0..64 {
        rest <<= 2;
        let trial = (root << 2) | 1;
        root <<= 1;
        if rest >= trial {
            rest -= trial;
            root |= 1;
        }
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_has_64_exact_digits() {
        for number in [1_u64, 2, 3, 4, 99, 1_000_003, u64::MAX >> 24] {
            let root = root_with_64_digits(number);
            // Compared without its last 40 digits, so that the squares fit.
            let short = root >> 40;
            assert!(short * short <= u128::from(number) << 48, "{number}");
            assert!((short + 1) * (short + 1) > u128::from(number) << 48, "{number}");
        }
    }

    #[test]
    fn every_plain_fact_has_a_name_that_is_found() {
        assert!(PLAIN.iter().all(|name| Fact::named(name, &[]).is_some()));
    }
}
