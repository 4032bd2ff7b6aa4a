//! The laws of what is kept by day and by id: each is what a naive list would be.

use std::collections::BTreeMap;

use engine::facts::book::{Book, Id, hash_id};
use engine::facts::instant::{Amount, Day};
use engine::facts::series::{Bought, LONGEST_WINDOW, Peaks, Series};
use proptest::prelude::*;
use proptest::sample::select;

const FIRST: Day = 19_000;

/// Days close together and far apart, in any order.
fn days() -> impl Strategy<Value = Day> {
    const EDGES: [Day; 9] = [
        0,
        1,
        7,
        LONGEST_WINDOW - 1,
        LONGEST_WINDOW,
        LONGEST_WINDOW + 1,
        2 * LONGEST_WINDOW,
        2 * LONGEST_WINDOW + 1,
        4_000,
    ];
    prop_oneof![select(&EDGES[..]), 0..60, 0..4_000].prop_map(|day| FIRST + day)
}

/// Sums far apart, but so that no total of a list goes beyond 128 bits.
fn amounts() -> impl Strategy<Value = Amount> {
    prop_oneof![-1_000..1_000_i128, Just(1 << 100), Just(-(1 << 100)), Just(u64::MAX.into())]
}

type Told = Vec<(Day, [Amount; 2])>;

fn told() -> impl Strategy<Value = Told> {
    prop::collection::vec((days(), [amounts(), amounts()]), 0..40)
}

fn series_of(told: &Told) -> Series<2> {
    let mut series = Series::default();
    told.iter().for_each(|&(day, amounts)| series.add(day, amounts));
    series
}

fn naive(told: &Told, column: usize, first: Day) -> Amount {
    told.iter().filter(|(day, _)| *day >= first).map(|(_, amounts)| amounts[column]).sum()
}

fn newest(told: &Told) -> Day {
    told.iter().map(|&(day, _)| day).max().unwrap_or(FIRST)
}

/// The windows at whose edges something may go wrong, of those that may be asked for: today is the
/// newest day, or a later one.
fn windows(told: impl Iterator<Item = Day>, newest: Day) -> Vec<Day> {
    let oldest = newest - LONGEST_WINDOW + 1;
    let edges = told.flat_map(|day| [day, day + 1]).chain([oldest, newest + 9]);
    edges.filter(|&first| first >= oldest).collect()
}

fn check_windows(series: &Series<2>, told: &Told) {
    for column in 0..2 {
        assert_eq!(series.total(column), naive(told, column, Day::MIN));
        for first in windows(told.iter().map(|&(day, _)| day), newest(told)) {
            assert_eq!(series.within(column, first), naive(told, column, first), "from {first}");
        }
    }
}

proptest! {
    #[test]
    fn a_window_is_the_sum_of_what_lies_in_it(told in told()) {
        check_windows(&series_of(&told), &told);
    }

    #[test]
    fn what_no_window_reaches_is_one_day_at_most(told in told()) {
        let series = series_of(&told);
        let reach = newest(&told) - LONGEST_WINDOW;
        prop_assert!(series.days().is_sorted_by(|one, next| one < next));
        let late = told.iter().rev().take_while(|(day, _)| *day != newest(&told)).count();
        // What came behind the newest day may lie out of reach until the next one comes.
        let out_of_reach = series.days().iter().filter(|&&day| day <= reach).count();
        prop_assert!(out_of_reach <= 1 + late, "{out_of_reach}");
    }

    #[test]
    fn two_series_united_are_one_of_both(one in told(), other in told()) {
        let both = [&one[..], &other[..]].concat();
        let (one, other) = (series_of(&one), series_of(&other));
        check_windows(&one.united(&other), &both);
        check_windows(&one.added_up(&other), &both);
        prop_assert_eq!(one.united(&other), other.united(&one));
    }

    #[test]
    fn a_series_is_what_its_totals_make_of_it(told in told()) {
        let series = series_of(&told);
        let again = Series::from_totals(series.days().to_vec(), series.totals().to_vec());
        prop_assert_eq!(again, series);
    }

    #[test]
    fn days_of_purchases_are_kept_while_an_order_of_them_is_remembered(
        bought in prop::collection::vec((days(), 0..1_000_i128, 0..2_i32), 0..40),
    ) {
        let mut series = Bought::default();
        let mut kept: BTreeMap<Day, u32> = BTreeMap::new();
        for &(day, amount, remembered) in &bought {
            series.change(day, [1, amount, 1], remembered);
            *kept.entry(day).or_default() += remembered.unsigned_abs();
        }
        let expected: Vec<Day> =
            kept.iter().rev().filter(|(_, count)| **count > 0).map(|(day, _)| *day).collect();
        prop_assert_eq!(series.kept_days().collect::<Vec<_>>(), expected);
        prop_assert_eq!(series.kept().len(), series.series().days().len());
        let newest = bought.iter().map(|&(day, ..)| day).max().unwrap_or(FIRST);
        for first in windows(bought.iter().map(|&(day, ..)| day), newest) {
            let sum = bought.iter().filter(|(day, ..)| *day >= first).map(|(_, it, _)| it).sum::<i128>();
            prop_assert_eq!(series.series().within(1, first), sum);
        }
        let again = Bought::from_totals(series.series().clone(), series.kept().to_vec());
        prop_assert_eq!(again, series);
    }

    #[test]
    fn a_peak_is_the_greatest_value_of_its_window(
        one in prop::collection::vec((days(), 1..5_u8), 0..30),
        other in prop::collection::vec((days(), 1..5_u8), 0..30),
    ) {
        let peaks_of = |told: &[(Day, u8)]| {
            let mut peaks = Peaks::default();
            told.iter().for_each(|&(day, value)| peaks.add(day, value));
            peaks
        };
        let both = [&one[..], &other[..]].concat();
        let newest = both.iter().map(|&(day, _)| day).max().unwrap_or(FIRST);
        let (united, together) = (peaks_of(&one).united(&peaks_of(&other)), peaks_of(&both));
        prop_assert_eq!(&united, &together);
        for first in windows(both.iter().map(|&(day, _)| day), newest) {
            let highest = both.iter().filter(|(day, _)| *day >= first).map(|(_, value)| *value).max();
            prop_assert_eq!(together.highest(first), highest.unwrap_or(0));
        }
        let again = Peaks::from_days(together.days().to_vec(), together.peaks().to_vec());
        prop_assert_eq!(again, together);
    }
}

/// What is done with a book.
#[derive(Clone, Debug)]
enum Deed {
    Add,
    Insert(Day),
    Replace(prop::sample::Index),
    Remove(prop::sample::Index),
    Store,
    Load,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let some = any::<prop::sample::Index>;
    let deed = prop_oneof![
        20 => Just(Deed::Add),
        2 => (0..100).prop_map(Deed::Insert),
        1 => some().prop_map(Deed::Replace),
        1 => some().prop_map(Deed::Remove),
        2 => Just(Deed::Store),
        2 => Just(Deed::Load),
    ];
    prop::collection::vec(deed, 0..300)
}

/// The older part as it lies in the store.
#[derive(Default)]
struct Shelf(Vec<(Id, Day)>);

impl Shelf {
    fn store(&mut self, book: &mut Book<Day>) {
        if !book.has_older() {
            self.0.clear();
        } else if book.older_changed() {
            self.0 = owned(book.older());
        }
        book.older_stored();
    }

    fn load(&self, book: &Book<Day>) -> Book<Day> {
        let mut read = Book::recent_alone(book.skipped(), owned(book.recent()));
        read.set_older(self.0.clone());
        let whole = Book::from_parts(self.0.clone(), book.skipped(), owned(book.recent()));
        assert_eq!(read, whole);
        read
    }
}

fn owned<'a>(entries: impl Iterator<Item = (&'a Id, &'a Day)>) -> Vec<(Id, Day)> {
    entries.map(|(id, entry)| (*id, *entry)).collect()
}

proptest! {
    #[test]
    fn a_book_is_a_list_of_the_newest(deeds in deeds(), limit in select(&[17, 20, 64][..])) {
        let (mut book, mut list) = (Book::default(), Vec::<(Id, Day)>::new());
        let mut shelf = Shelf::default();
        for (number, deed) in (0_i32..).zip(deeds) {
            let id = hash_id(&number.to_be_bytes());
            match deed {
                Deed::Add => {
                    let day = list.last().map_or(100, |&(_, day)| day + 1);
                    list.push((id, day));
                    let forgotten = (list.len() > limit).then(|| list.remove(0).1);
                    prop_assert_eq!(book.add(id, day, limit), forgotten);
                }
                Deed::Insert(day) => {
                    let place = list.partition_point(|&(_, known)| known <= day);
                    list.insert(place, (id, day));
                    let forgotten = (list.len() > limit).then(|| list.remove(0).1);
                    prop_assert_eq!(book.insert(id, day, limit, |&day| day), forgotten);
                }
                Deed::Replace(at) if !list.is_empty() => {
                    let (id, day) = list[at.index(list.len())];
                    book.replace(&id, day);
                }
                Deed::Remove(at) if !list.is_empty() => {
                    let (id, day) = list.remove(at.index(list.len()));
                    prop_assert_eq!(book.remove(&id), Some(day));
                }
                Deed::Store => shelf.store(&mut book),
                Deed::Load => {
                    shelf.store(&mut book);
                    let read = shelf.load(&book);
                    prop_assert_eq!(&read, &book);
                    book = read;
                }
                _ => {}
            }
            prop_assert!(book.recent().len() <= engine::facts::book::RECENT);
            prop_assert_eq!(book.ids(), list.iter().map(|(id, _)| *id).collect::<Vec<_>>());
            prop_assert_eq!(book.entries(), list.iter().map(|(_, day)| *day).collect::<Vec<_>>());
            prop_assert!(list.iter().all(|(id, day)| book.get(id) == Some(day)));
        }
    }

    #[test]
    fn what_is_skipped_of_an_older_part_is_gone(
        older in 0..40_i32, skipped in 0..50_usize, recent in 0..16_i32,
    ) {
        let entry = |number: i32| (hash_id(&number.to_be_bytes()), number);
        let (old, new): (Vec<_>, Vec<_>) =
            ((0..older).map(entry).collect(), (older..older + recent).map(entry).collect());
        let all = [&old[..], &new[..]].concat();
        let book = Book::from_parts(old.clone(), skipped, new.clone());
        let skipped = skipped.min(old.len());
        prop_assert_eq!(owned(book.ids().iter().zip(book.entries())), &all[skipped..]);
        prop_assert_eq!(owned(book.recent()), new);
        prop_assert_eq!(owned(book.older()), &old[skipped..]);
        prop_assert_eq!((book.skipped(), book.older_changed()), (skipped, false));
    }
}
