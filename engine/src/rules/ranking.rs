//! Who spends most: the cuts of `top_spender(p, n)`, taken at each day boundary (contract 3).
//!
//! Of the m customers with spend in the last n days, ranked, the cut is the spend of the one at rank
//! ceil(p * m / 100). It holds for the day.

use super::fact::{Cut, Cuts, Cutter};
use crate::facts::customer::Customer;
use crate::facts::instant::{Amount, Day};
use crate::facts::series::SPEND;
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// A customer, by a number that the caller gives.
pub type Number = u32;

const BLOCK: usize = 512;

/// Ranked spends, smallest first, in blocks short enough for cheap insertion.
///
/// No block is empty but the only one.
#[derive(Debug, Default)]
struct Order {
    blocks: Vec<Vec<(Amount, Number)>>,
    len: usize,
}

impl Order {
    /// The block in which an entry lies, or belongs.
    fn block_of(&self, entry: (Amount, Number)) -> usize {
        let before = |block: &Vec<_>| block.last().is_some_and(|last| *last < entry);
        self.blocks.partition_point(before).min(self.blocks.len().saturating_sub(1))
    }

    fn add(&mut self, entry: (Amount, Number)) {
        if self.blocks.is_empty() {
            self.blocks.push(Vec::new());
        }
        let at = self.block_of(entry);
        let block = &mut self.blocks[at];
        let place = block.partition_point(|known| *known < entry);
        block.insert(place, entry);
        self.len += 1;
        if block.len() > 2 * BLOCK {
            let upper = block.split_off(BLOCK);
            self.blocks.insert(at + 1, upper);
        }
    }

    fn remove(&mut self, entry: (Amount, Number)) {
        let at = self.block_of(entry);
        let Some(block) = self.blocks.get_mut(at) else { return };
        if let Ok(place) = block.binary_search(&entry) {
            block.remove(place);
            self.len -= 1;
            if block.is_empty() {
                self.blocks.remove(at);
            }
        }
    }

    /// The spend at a rank, 1 the greatest.
    fn at_rank(&self, mut rank: usize) -> Option<Amount> {
        for block in self.blocks.iter().rev() {
            if rank <= block.len() {
                return Some(block[block.len() - rank].0);
            }
            rank -= block.len();
        }
        None
    }

    /// The numbers of those whose spend is at least `low` and below `high`.
    fn between(&self, low: Amount, high: Amount) -> impl Iterator<Item = Number> {
        let first = self.block_of((low, 0));
        let entries = self.blocks.iter().skip(first).flatten();
        let from_low = entries.skip_while(move |(spend, _)| *spend < low);
        from_low.take_while(move |(spend, _)| *spend < high).map(|&(_, number)| number)
    }
}

/// The spend of everybody in one window.
#[derive(Debug, Default)]
struct Window {
    days: Day,
    spends: HashMap<Number, Amount, foldhash::fast::RandomState>,
    order: Order,
}

impl Window {
    fn set(&mut self, number: Number, spend: Amount) {
        let before = if spend == 0 {
            self.spends.remove(&number)
        } else {
            self.spends.insert(number, spend)
        };
        if before == Some(spend) {
            return;
        }
        if let Some(before) = before {
            self.order.remove((before, number));
        }
        if spend != 0 {
            self.order.add((spend, number));
        }
    }

    /// The spend in the window that ends with a day.
    fn spend(&self, c: &Customer, day: Day) -> Amount {
        c.bought.series().within(SPEND, day - self.days + 1)
    }
}

/// The spend of customers in each window, and the cuts of each day.
///
/// Somebody counts once [`Ranking::note`] has been called for them; [`Ranking::turn`] is called at
/// each day boundary.
#[derive(Debug, Default)]
pub struct Ranking {
    tops: Box<[(u32, Day)]>,
    windows: Vec<Window>,
    drops: HashMap<Day, BTreeSet<Number>, foldhash::fast::RandomState>,
    cuts: BTreeMap<Day, Vec<Cut>>,
}

impl Cutter for Ranking {
    /// The cuts that hold for a day; none before the first boundary.
    fn at(&self, day: Day) -> &Cuts {
        // After the newest boundary its cuts hold on, until the next is taken.
        let newest = self.cuts.last_key_value().map_or(day, |(&newest, _)| newest.min(day));
        self.cuts.get(&newest).map_or(&[], Vec::as_slice)
    }
}

impl Ranking {
    /// `tops` are the (percent, days) that the ladders name.
    pub fn new(tops: &[(u32, Day)]) -> Self {
        let mut lengths: Vec<Day> = tops.iter().map(|&(_, days)| days).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let window = |days| Window { days, ..Window::default() };
        Self {
            tops: tops.into(),
            windows: lengths.into_iter().map(window).collect(),
            ..Self::default()
        }
    }

    /// Take in a customer's spend as of `today`, after it changed on some `days`.
    pub fn note(&mut self, number: Number, c: &Customer, today: Day, days: &[Day]) {
        for window in &mut self.windows {
            window.set(number, window.spend(c, today));
            for drop in days.iter().map(|day| day + window.days).filter(|&drop| drop > today) {
                self.drops.entry(drop).or_default().insert(number);
            }
        }
    }

    /// Count a customer no longer (absorbed or erased).
    pub fn forget(&mut self, number: Number) {
        for window in &mut self.windows {
            window.set(number, 0);
        }
    }

    /// Take the cuts at the boundary at which `day` begins; gives whose standing may flip.
    pub fn turn<'a>(
        &mut self,
        day: Day,
        read: impl Fn(Number) -> Option<&'a Customer>,
    ) -> BTreeSet<Number> {
        // With a day that has no length, what drops on it drops with the next one.
        let over = self.drops.extract_if(|&drop, _| drop <= day);
        let dropped: BTreeSet<Number> = over.flat_map(|(_, numbers)| numbers).collect();
        for number in dropped {
            let customer = read(number);
            for window in &mut self.windows {
                window.set(number, customer.map_or(0, |c| window.spend(c, day)));
            }
        }
        let before = self.at(day).to_vec();
        let cuts: Vec<_> =
            self.tops.iter().filter_map(|&top| Some((top, self.cut(top)?))).collect();
        let mut flipped = BTreeSet::new();
        for top in &self.tops {
            let cut = |cuts: &[Cut]| {
                cuts.iter().find(|(known, _)| known == top).map_or(Amount::MAX, |&(_, cut)| cut)
            };
            let (one, two) = (cut(&before), cut(&cuts));
            if let Some(window) = self.window(top.1) {
                flipped.extend(window.order.between(one.min(two), one.max(two)));
            }
        }
        self.cuts.insert(day, cuts);
        flipped
    }

    fn window(&self, days: Day) -> Option<&Window> {
        self.windows.iter().find(|window| window.days == days)
    }

    fn cut(&self, (percent, days): (u32, Day)) -> Option<Amount> {
        let order = &self.window(days)?.order;
        order.at_rank((percent as usize * order.len).div_ceil(100))
    }
}
