//! Calendar days of the shop's time zone, from tables that are handed in.

use super::instant::{DAY, Day, Instant};

/// An hour, or less, in which clocks show a day that they then go back out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Early {
    /// When it begins.
    pub begin: Instant,
    /// When clocks go back.
    pub end: Instant,
    /// The day that they show; by [`Calendar::today`] it has not begun.
    pub day: Day,
}

/// Where each calendar day begins.
///
/// The date of an instant is what a clock on the wall shows. Where clocks go back over midnight, the
/// date goes back with them, so a date alone does not say which days are over. Of these `today`
/// knows: a day begins with the last midnight before it, from which on no earlier date is seen, and
/// ends where the next one begins. A day that clocks skip altogether has no length: it begins where
/// the next one does.
///
/// The tables are made by the host from its time zone database; days before and after them, and all
/// days of UTC, for which they are empty, are days of 24 hours.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    first: Day,
    starts: Box<[Instant]>,
    early: Box<[Early]>,
}

impl Calendar {
    /// Take the starts of consecutive days, the first of them `first`, in rising order; and when
    /// days are seen early, in rising order, too.
    pub fn new(first: Day, starts: Box<[Instant]>, early: Box<[Early]>) -> Self {
        Self { first, starts, early }
    }

    /// The date of an instant: the day on which what happens then has happened.
    pub fn day_of(&self, instant: Instant) -> Day {
        let place = self.early.partition_point(|early| early.end <= instant);
        match self.early.get(place) {
            Some(early) if early.begin <= instant => early.day,
            _ => self.today(instant),
        }
    }

    /// The latest day that has begun: the one that windows end with.
    pub fn today(&self, instant: Instant) -> Day {
        let mut day = Day::try_from(instant.div_euclid(DAY)).unwrap_or(Day::MAX - 1);
        if self.starts.is_empty() {
            return day;
        }
        while instant < self.start_of(day) {
            day -= 1;
        }
        while instant >= self.start_of(day + 1) {
            day += 1;
        }
        day
    }

    /// The instant at which a calendar day begins.
    pub fn start_of(&self, day: Day) -> Instant {
        let place = usize::try_from(i64::from(day) - i64::from(self.first));
        let start = place.ok().and_then(|place| self.starts.get(place));
        start.copied().unwrap_or(Instant::from(day) * DAY)
    }

    /// The days that begin after the begin of one, up to another; each has a length.
    pub fn begun(&self, after: Day, last: Day) -> impl Iterator<Item = Day> {
        (after + 1..=last).filter(|&day| self.start_of(day) < self.start_of(day + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days 0 to 4 of a zone that clocks leave and enter: day 2 is skipped, day 4 seen early.
    fn odd() -> Calendar {
        let starts = [0, DAY, 2 * DAY, 2 * DAY, 3 * DAY + 100].into();
        Calendar::new(0, starts, [Early { begin: 3 * DAY, end: 3 * DAY + 60, day: 4 }].into())
    }

    #[test]
    fn a_day_that_clocks_skip_is_never_today_and_does_not_begin() {
        assert_eq!([2 * DAY - 1, 2 * DAY].map(|instant| odd().today(instant)), [1, 3]);
        assert_eq!(odd().begun(0, 4).collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn the_date_goes_back_with_the_clocks_and_today_does_not() {
        let at = [3 * DAY - 1, 3 * DAY, 3 * DAY + 59, 3 * DAY + 60, 3 * DAY + 100];
        assert_eq!(at.map(|instant| odd().day_of(instant)), [3, 4, 4, 3, 4]);
        assert_eq!(at.map(|instant| odd().today(instant)), [3, 3, 3, 3, 4]);
    }
}
