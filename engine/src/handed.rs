//! What the host hands over at the start, and how it is read: JSON, and a table of day starts.

use crate::facts::calendar::{Calendar, Early};
use crate::facts::instant::{Day, Instant};
use crate::facts::money::{Factor, Rates};
use crate::rules::ladder::LadderTree;
use crate::rules::shop::Rules;
use crate::wire::event::Currency;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Lists and objects within one another: far more than Python's parser makes of a condition, and far
/// fewer than a stack holds.
const DEEPEST: usize = 1_000;

/// How many lists and objects lie within one another, at the most.
fn depth_of(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The ladders, in the order of their ids.
#[derive(Debug)]
pub struct Definitions(Vec<LadderTree>);

impl Definitions {
    /// Read a JSON list of ladders; the error is for developers, since Python checked them.
    pub fn read(json: &[u8]) -> Result<Self, String> {
        if depth_of(json) > DEEPEST {
            return Err(format!("definitions: nested deeper than {DEEPEST}"));
        }
        let mut json = serde_json::Deserializer::from_slice(json);
        // Its own limit is below what Python's parser lets pass.
        json.disable_recursion_limit();
        Vec::deserialize(&mut json).map(Self).map_err(|why| format!("definitions: {why}"))
    }
}

/// A day, and the mantissa and exponent of the factor from then on.
type Rate = (Day, i64, i8);

#[derive(Debug, Deserialize)]
struct Settings {
    base: String,
    rates: BTreeMap<String, Vec<Rate>>,
    attributes: Vec<Box<str>>,
    quiet_before: Option<Instant>,
    /// The first day of the table of day starts.
    first_day: Day,
    /// When days are seen early: begin, end, day.
    early: Vec<(Instant, Instant, Day)>,
}

/// The shop's settings.
#[derive(Debug)]
pub struct Shop {
    rates: Rates,
    calendar: Calendar,
    attributes: Vec<Box<str>>,
    quiet_before: Option<Instant>,
}

impl Shop {
    /// Read the settings, and the day starts as 64-bit integers in the machine's order of bytes;
    /// none for UTC.
    pub fn read(json: &[u8], starts: &[u8]) -> Result<Self, String> {
        let settings: Settings =
            serde_json::from_slice(json).map_err(|why| format!("shop: {why}"))?;
        let factors = settings.rates.iter().map(|(code, rates)| {
            let factor = |&(day, mantissa, exponent): &Rate| (day, Factor { mantissa, exponent });
            Ok((currency(code)?, rates.iter().map(factor).collect()))
        });
        let factors = factors.collect::<Result<Vec<_>, String>>()?;
        let starts = starts.chunks(size_of::<Instant>()).map(|bytes| {
            let whole = bytes.try_into().map_err(|_| "day starts: not a whole number of them")?;
            Ok(Instant::from_ne_bytes(whole))
        });
        let starts = starts.collect::<Result<Box<[_]>, &str>>()?;
        let early = settings.early.into_iter();
        let early = early.map(|(begin, end, day)| Early { begin, end, day });
        Ok(Self {
            rates: Rates::new(currency(&settings.base)?, factors),
            calendar: Calendar::new(settings.first_day, starts, early.collect()),
            attributes: settings.attributes,
            quiet_before: settings.quiet_before,
        })
    }

    /// Put the rules together.
    pub fn rules(self, definitions: Definitions) -> Result<Rules, String> {
        let Self { rates, calendar, attributes, quiet_before } = self;
        Rules::new(definitions.0, calendar, rates, attributes, quiet_before)
    }
}

fn currency(code: &str) -> Result<Currency, String> {
    code.as_bytes().try_into().map_err(|_| format!("{code} is no currency of three letters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deep_is_refused_before_the_stack_ends() {
        let deep = r#"[{"rungs":[{"tree":"#.to_owned() + &r#"{"not":"#.repeat(100_000);
        let why = Definitions::read(deep.as_bytes()).unwrap_err();
        assert_eq!(why, "definitions: nested deeper than 1000");
        assert_eq!(depth_of(br#"{"a":"[[\\\"[[","b":[{}]}"#), 3);
    }
}
