//! Money: amounts in minor units, the rates between currencies, and exact conversion.
//!
//! Contract section 2, *Money*: the newest rate on or before the event's date counts, and the
//! result is rounded half to even. All of it is integers, so that the same amount gives the same
//! result on every machine.

use super::instant::{Amount, Day};
use crate::wire::event::Currency;
use hashbrown::HashMap;

/// What one minor unit is worth: `mantissa * 10^exponent` minor units of the base currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    /// At most 15 digits.
    pub mantissa: i64,
    /// From -33 to 33.
    pub exponent: i8,
}

/// What one minor unit of the base currency is worth.
pub const AT_PAR: Factor = Factor { mantissa: 1, exponent: 0 };

/// `amount` minor units in minor units of the base currency, rounded half to even.
///
/// An amount has at most 16 digits and a mantissa 15, so their product fits. None where the result
/// does not: it is beyond every limit.
pub fn convert(amount: Amount, factor: Factor) -> Option<Amount> {
    let product = amount.checked_mul(factor.mantissa.into())?;
    let Some(power) = 10_i128.checked_pow(factor.exponent.unsigned_abs().into()) else {
        // Beyond 10^38: a dividend of that size does not exist.
        return if factor.exponent > 0 && product != 0 { None } else { Some(0) };
    };
    if factor.exponent >= 0 {
        return product.checked_mul(power);
    }
    let (whole, rest) = (product.div_euclid(power), product.rem_euclid(power));
    let above = match (rest * 2).cmp(&power) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => whole & 1 == 1,
    };
    Some(whole + Amount::from(above))
}

/// The rates of one shop: from any currency that has one to `base`, by day.
#[derive(Clone, Debug)]
pub struct Rates {
    /// The shop's own currency.
    pub base: Currency,
    by_currency: HashMap<Currency, Vec<(Day, Factor)>, foldhash::fast::RandomState>,
}

impl Rates {
    /// Take for each currency its factors, by rising day.
    pub fn new(
        base: Currency,
        factors: impl IntoIterator<Item = (Currency, Vec<(Day, Factor)>)>,
    ) -> Self {
        Self { base, by_currency: factors.into_iter().collect() }
    }

    /// Whether a row says what a currency is worth, on whatever day.
    pub fn knows(&self, currency: Currency) -> bool {
        self.by_currency.contains_key(&currency)
    }

    /// What a currency is worth on a day; None where no rate says (then: `no-rate`).
    pub fn factor(&self, currency: Currency, day: Day) -> Option<Factor> {
        if currency == self.base {
            return Some(AT_PAR);
        }
        let factors = self.by_currency.get(&currency)?;
        let newest = factors.partition_point(|&(known, _)| known <= day);
        newest.checked_sub(1).map(|place| factors[place].1)
    }
}
