//! What stays the same from event to event: the ladders and the shop's settings.

use super::fact::{GROUPS, Groups, SeriesName};
use super::ladder::{Ladder, LadderTree};
use crate::facts::calendar::Calendar;
use crate::facts::instant::{Day, Instant};
use crate::facts::money::Rates;

/// A set of ladders, by their place among the rules.
pub type Mask = u64;

/// How many ladders there may be: as many as a [`Mask`] has bits.
pub const MOST_LADDERS: usize = 64;

/// Lengths of windows, shortest first, each with the ladders that ask for it.
pub type Windows = Box<[(Day, Mask)]>;

/// The ladders in order, the shop's settings, and what follows from them.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The ladders, in the order of their ids.
    pub ladders: Box<[Ladder]>,
    /// The shop's days.
    pub calendar: Calendar,
    /// The shop's currencies.
    pub rates: Rates,
    /// Changes before this instant are quiet.
    pub quiet_before: Option<Instant>,
    /// The cuts that ladders name, in order: percent and days.
    pub tops: Box<[(u32, Day)]>,
    /// The ladders that name a cut.
    pub top_ladders: Mask,
    /// All ladders.
    pub all: Mask,
    /// For each dated series the windows that look at it, shortest first, each with the ladders
    /// that ask for it: these are the day boundaries at which somebody may move.
    pub windows: Box<[(SeriesName, Windows)]>,
    attributes: Box<[Box<str>]>,
    by_group: [Mask; GROUPS],
}

impl Rules {
    /// Put the rules together. `attributes` are kept beside those that a ladder names.
    ///
    /// The error says what in the ladders the engine cannot run.
    pub fn new(
        trees: Vec<LadderTree>,
        calendar: Calendar,
        rates: Rates,
        attributes: Vec<Box<str>>,
        quiet_before: Option<Instant>,
    ) -> Result<Rules, String> {
        if trees.len() > MOST_LADDERS {
            return Err(format!("{} ladders; at most {MOST_LADDERS} are run", trees.len()));
        }
        let ladders: Box<[Ladder]> =
            trees.into_iter().map(Ladder::from_tree).collect::<Result<_, String>>()?;
        let mut tops: Vec<_> = ladders.iter().flat_map(Ladder::tops).collect();
        tops.sort_unstable();
        tops.dedup();
        let mask = |wanted: &dyn Fn(&Ladder) -> bool| {
            (0..)
                .zip(&ladders)
                .filter(|(_, ladder)| wanted(ladder))
                .fold(0, |mask, (index, _)| mask | bit(index))
        };
        Ok(Rules {
            top_ladders: mask(&|ladder| ladder.tops().next().is_some()),
            all: mask(&|_| true),
            by_group: std::array::from_fn(|group| mask(&|ladder| ladder.groups >> group & 1 == 1)),
            windows: windows(&ladders),
            attributes: kept_attributes(&ladders, attributes),
            tops: tops.into(),
            ladders,
            calendar,
            rates,
            quiet_before,
        })
    }

    /// The ladders that depend on any of the groups of facts.
    pub fn touched_by(&self, groups: Groups) -> Mask {
        let touched = (0..GROUPS).filter(|group| groups >> group & 1 == 1);
        touched.fold(0, |mask, group| mask | self.by_group[group])
    }

    /// The ladders of a set, each with its place among the rules.
    pub fn chosen(&self, mut mask: Mask) -> impl Iterator<Item = (usize, &Ladder)> {
        std::iter::from_fn(move || {
            let index = mask.trailing_zeros() as usize;
            let ladder = self.ladders.get(index)?;
            mask &= mask - 1;
            Some((index, ladder))
        })
    }

    /// The place of a ladder among the rules.
    pub fn place_of(&self, ladder: &str) -> Option<usize> {
        self.ladders.iter().position(|known| *known.id == *ladder)
    }

    /// Whether an attribute is kept.
    pub fn keeps(&self, attribute: &str) -> bool {
        self.attributes.binary_search_by(|known| (**known).cmp(attribute)).is_ok()
    }

    /// The attributes that are kept, by rising name.
    pub fn attributes(&self) -> &[Box<str>] {
        &self.attributes
    }
}

/// The set of one ladder.
pub fn bit(index: usize) -> Mask {
    1 << index
}

fn kept_attributes(ladders: &[Ladder], mut attributes: Vec<Box<str>>) -> Box<[Box<str>]> {
    use super::fact::Fact;
    let facts = ladders.iter().flat_map(|ladder| &ladder.rungs).flat_map(|rung| &rung.facts);
    attributes.extend(facts.filter_map(|named| match &named.fact {
        Fact::Attribute(name) => Some(name.clone()),
        _ => None,
    }));
    attributes.sort_unstable();
    attributes.dedup();
    attributes.into()
}

fn windows(ladders: &[Ladder]) -> Box<[(SeriesName, Windows)]> {
    let mut found: Vec<(SeriesName, Day, Mask)> = Vec::new();
    for (index, ladder) in ladders.iter().enumerate() {
        for named in ladder.rungs.iter().flat_map(|rung| &rung.facts) {
            if let Some((series, days)) = named.fact.window() {
                found.push((series, days, bit(index)));
            }
        }
    }
    found.sort_unstable();
    let mut windows: Vec<(SeriesName, Vec<(Day, Mask)>)> = Vec::new();
    for (series, days, ladder) in found {
        if windows.last().is_none_or(|(last, _)| *last != series) {
            windows.push((series, Vec::new()));
        }
        if let Some((_, of_series)) = windows.last_mut() {
            match of_series.last_mut() {
                Some((last, mask)) if *last == days => *mask |= ladder,
                _ => of_series.push((days, ladder)),
            }
        }
    }
    windows.into_iter().map(|(series, of_series)| (series, of_series.into())).collect()
}
