//! What happened on which day: running totals by calendar day, and the windows over them.
//!
//! A window's sum is the difference of two running totals, found by bisection, whatever its length.

use super::instant::{Amount, Day};

/// Days that a window may look back (contract section 3); what is older counts in totals only.
pub const LONGEST_WINDOW: Day = 1_096;

/// Days in order, and for each column the running total at the end of that day.
///
/// Days that no window can reach are dropped; the newest of them stays, as the total from which
/// the windows subtract. So a total of a dropped day is lost, and a window over it never asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series<const N: usize> {
    days: Vec<Day>,
    sums: Vec<[Amount; N]>,
}

impl<const N: usize> Series<N> {
    /// Take days in rising order and their running totals, as a stored record has them.
    pub fn from_totals(days: Vec<Day>, sums: Vec<[Amount; N]>) -> Self {
        debug_assert_eq!(days.len(), sums.len());
        Self { days, sums }
    }

    /// The days on which something happened, oldest first.
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// The running totals at the end of each day.
    pub fn totals(&self) -> &[[Amount; N]] {
        &self.sums
    }

    /// Add to a day, one amount a column.
    pub fn add(&mut self, day: Day, amounts: [Amount; N]) {
        self.add_without_dropping(day, amounts);
        if self.days.last() == Some(&day) {
            self.drop_out_of_reach(day - LONGEST_WINDOW);
        }
    }

    /// Add to a day, and leave it to the caller to drop days. Tells the day's place, and whether
    /// the day is new.
    fn add_without_dropping(&mut self, day: Day, amounts: [Amount; N]) -> (usize, bool) {
        let place = match self.days.last() {
            Some(&newest) if day > newest => self.days.len(),
            Some(&newest) if day == newest => self.days.len() - 1,
            _ => self.days.partition_point(|&known| known < day),
        };
        let fresh = self.days.get(place) != Some(&day);
        if fresh {
            let before = if place == 0 { [0; N] } else { self.sums[place - 1] };
            self.days.insert(place, day);
            self.sums.insert(place, before);
        }
        for total in &mut self.sums[place..] {
            for (sum, amount) in total.iter_mut().zip(amounts) {
                *sum += amount;
            }
        }
        (place, fresh)
    }

    fn drop_out_of_reach(&mut self, newest: Day) {
        if self.days.len() > 1 && self.days[1] <= newest {
            let unreachable = self.days.partition_point(|&day| day <= newest) - 1;
            self.days.drain(..unreachable);
            self.sums.drain(..unreachable);
        }
    }

    /// The sum of a column over all time.
    pub fn total(&self, column: usize) -> Amount {
        self.sums.last().map_or(0, |sums| sums[column])
    }

    /// The running totals at the end of a day (exact for days that a window can reach).
    fn at(&self, day: Day) -> [Amount; N] {
        match self.days.partition_point(|&known| known <= day) {
            0 => [0; N],
            place => self.sums[place - 1],
        }
    }

    /// The sum of a column over the days from `first` on.
    pub fn within(&self, column: usize, first: Day) -> Amount {
        let (Some(&newest), Some(&oldest)) = (self.days.last(), self.days.first()) else {
            return 0;
        };
        if newest < first {
            return 0;
        }
        let all = self.total(column);
        if oldest >= first {
            return all;
        }
        let before = self.days.partition_point(|&day| day < first) - 1;
        all - self.sums[before][column]
    }

    /// Both added up, day by day, but for the days that no window reaches.
    pub fn united(&self, other: &Self) -> Self {
        let mut both = self.added_up(other);
        if let Some(&newest) = both.days.last() {
            both.drop_out_of_reach(newest - LONGEST_WINDOW);
        }
        both
    }

    /// Both added up, day by day.
    pub fn added_up(&self, other: &Self) -> Self {
        if self.days.is_empty() || other.days.is_empty() {
            return if self.days.is_empty() { other.clone() } else { self.clone() };
        }
        let mut days: Vec<Day> = self.days.iter().chain(&other.days).copied().collect();
        days.sort_unstable();
        days.dedup();
        let sums = days
            .iter()
            .map(|&day| {
                let (own, theirs) = (self.at(day), other.at(day));
                std::array::from_fn(|column| own[column] + theirs[column])
            })
            .collect();
        Self { days, sums }
    }
}

/// Purchases, spend and units by day, with the count of remembered orders that are not void.
///
/// A day with such an order is never dropped: gaps between purchases are told from them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bought {
    series: Series<3>,
    kept: Vec<u32>,
}

/// Columns of [`Bought`].
pub const PURCHASES: usize = 0;
/// See [`PURCHASES`].
pub const SPEND: usize = 1;
/// See [`PURCHASES`].
pub const UNITS: usize = 2;

impl Bought {
    /// Take what a stored record has; `kept` has an entry for each day.
    pub fn from_totals(series: Series<3>, kept: Vec<u32>) -> Self {
        debug_assert_eq!(series.days.len(), kept.len());
        Self { series, kept }
    }

    /// Forget the days that no window reaches and no remembered order lies on, all but one.
    pub fn drop_out_of_reach(&mut self) {
        if let Some(&newest) = self.series.days.last() {
            self.drop_unkept(newest - LONGEST_WINDOW);
        }
    }

    /// Purchases, spend and units.
    pub fn series(&self) -> &Series<3> {
        &self.series
    }

    /// How many remembered orders that count each day has.
    pub fn kept(&self) -> &[u32] {
        &self.kept
    }

    /// The days that have a remembered order that counts, newest first.
    pub fn kept_days(&self) -> impl Iterator<Item = Day> {
        let days = self.series.days.iter().zip(&self.kept).rev();
        days.filter(|&(_, &kept)| kept > 0).map(|(&day, _)| day)
    }

    /// Add to a day, and to its count of remembered orders.
    pub fn change(&mut self, day: Day, amounts: [Amount; 3], kept: i32) {
        let (place, fresh) = self.series.add_without_dropping(day, amounts);
        if fresh {
            self.kept.insert(place, 0);
        }
        self.kept[place] = self.kept[place].saturating_add_signed(kept);
        if fresh {
            let newest = self.series.days[self.series.days.len() - 1];
            self.drop_unkept(newest - LONGEST_WINDOW);
        }
    }

    fn drop_unkept(&mut self, newest_out_of_reach: Day) {
        if self.series.days[0] > newest_out_of_reach {
            return;
        }
        // The newest day out of reach stays: it is what the windows subtract.
        let last = self.series.days.partition_point(|&day| day <= newest_out_of_reach) - 1;
        let kept = std::mem::take(&mut self.kept);
        let stays = |place: usize| place >= last || kept[place] > 0;
        let mut place = 0;
        self.series.days.retain(|_| (stays(place), place += 1).0);
        place = 0;
        self.series.sums.retain(|_| (stays(place), place += 1).0);
        self.kept = (0..kept.len()).filter(|&at| stays(at)).map(|at| kept[at]).collect();
    }
}

/// Days in order, and the greatest value seen on each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peaks {
    days: Vec<Day>,
    peaks: Vec<u8>,
}

impl Peaks {
    /// Take days in rising order and their values, as a stored record has them.
    pub fn from_days(days: Vec<Day>, peaks: Vec<u8>) -> Self {
        debug_assert_eq!(days.len(), peaks.len());
        Self { days, peaks }
    }

    /// The days on which something was seen, oldest first.
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// The greatest value of each day.
    pub fn peaks(&self) -> &[u8] {
        &self.peaks
    }

    /// Take in a value seen on a day.
    pub fn add(&mut self, day: Day, value: u8) {
        let place = self.days.partition_point(|&known| known < day);
        if self.days.get(place) == Some(&day) {
            self.peaks[place] = self.peaks[place].max(value);
            return;
        }
        self.days.insert(place, day);
        self.peaks.insert(place, value);
        let newest = self.days[self.days.len() - 1];
        let out_of_reach = self.days.partition_point(|&known| known <= newest - LONGEST_WINDOW);
        self.days.drain(..out_of_reach);
        self.peaks.drain(..out_of_reach);
    }

    /// The greatest value on the days from `first` on; 0 if there is none.
    pub fn highest(&self, first: Day) -> u8 {
        let place = self.days.partition_point(|&day| day < first);
        self.peaks[place..].iter().copied().max().unwrap_or(0)
    }

    /// The greater value of each day.
    pub fn united(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (&day, &value) in other.days.iter().zip(&other.peaks) {
            both.add(day, value);
        }
        both
    }
}
