//! The laws of stored records: what is written is read back, and nothing that is read panics.

use engine::facts::customer::{Customer, REMEMBERED, Record, Slot};
use engine::facts::instant::{DAY, Instant};
use engine::rules::shop::Rules;
use engine::wire::event::{Data, Event};
use engine::wire::record::{Hot, RecordCodec};
use engine::wire::rows::{HOT, key};
use proptest::prelude::*;

#[path = "town/events.rs"]
mod events;
mod laws;
mod town;

use events::{START, streams};
use town::Town;

#[test]
fn the_laws_of_readers_hold_for_their_corpora() {
    for (target, law) in [
        ("record", laws::record as fn(&[u8])),
        ("old_record", laws::record),
        ("definitions", laws::definitions),
        ("shop", laws::shop),
    ] {
        laws::corpus(target).iter().for_each(|value| law(value));
    }
}

/// Both sets of rules, with a stream that places customers on their rungs.
fn stories() -> impl Strategy<Value = (bool, Vec<Event>)> {
    let (edgy, built_in) = (streams(&laws::edgy()), streams(&laws::built_in()));
    prop_oneof![edgy.prop_map(|events| (true, events)), built_in.prop_map(|events| (false, events))]
}

fn rules(edgy: bool) -> Rules {
    if edgy { laws::edgy() } else { laws::built_in() }
}

proptest! {
    #[test]
    fn a_fold_that_stores_and_loads_in_between_gives_the_same(
        (edgy, events) in stories(),
        pauses in 1..7_usize,
    ) {
        let (mut kept, mut stored) = (Town::new(rules(edgy)), Town::new(rules(edgy)));
        for (number, event) in events.iter().enumerate() {
            kept.tell(event);
            stored.tell(event);
            if number % pauses == 0 {
                stored.store_and_load();
            }
        }
        stored.store_and_load();
        prop_assert_eq!(stored.changes(), kept.changes());
        prop_assert_eq!(stored.records(), kept.records());
    }

    #[test]
    fn a_row_with_a_few_bytes_changed_is_read_or_refused(
        (edgy, events) in stories(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0..3_usize),
            1..30,
        ),
    ) {
        let mut town = Town::new(rules(edgy));
        events.iter().for_each(|event| town.tell(event));
        town.store_and_load();
        let mut rows: Vec<Vec<u8>> = town.rows.into_values().chain(laws::corpus("old_record")).collect();
        for (row, at, byte, length) in changes {
            let row = row.index(rows.len());
            let row = &mut rows[row];
            let at = at.index(row.len());
            let end = row.len().min(at + length);
            row.splice(at..end, [byte]);
            laws::record(row);
        }
    }

    #[test]
    fn any_bytes_behind_a_version_are_read_or_refused(
        version in 0..5_u8,
        row in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        laws::record(&[&[version][..], &row].concat());
        laws::record(&[&[version, 0, 0][..], &row].concat());
    }
}

fn bought(number: usize, amount: i64, time: Instant) -> Event {
    let (order_id, id) = (format!("o{number}").into(), format!("e{number}").into());
    let data = Data::PurchaseCompleted { order_id, amount, currency: *b"VND", units: 1 };
    Event { source: "/shop".into(), id, subject: "c".into(), time, data }
}

fn record_of(town: &Town) -> &Customer {
    town.slots["c"].customer().unwrap()
}

#[test]
fn more_than_is_remembered_is_stored_and_read_back() {
    let mut town = Town::new(laws::edgy());
    for number in 0..REMEMBERED + 100 {
        town.tell(&bought(number, 10, START + number as Instant * DAY));
        if number % 7 == 0 {
            town.store_and_load();
        }
    }
    assert_eq!(record_of(&town).orders.len(), REMEMBERED);
    assert_eq!(record_of(&town).bought.series().total(0), REMEMBERED as i128 + 100);
}

#[test]
fn a_customer_with_three_purchases_takes_under_400_bytes_under_ten_ladders() {
    let mut town = Town::new(laws::built_in());
    assert_eq!(town.rules.ladders.len(), 10);
    for (number, day) in [(0, 0), (1, 20), (2, 45)] {
        town.tell(&bought(number, 1_250_000, START + day * DAY));
    }
    town.store_and_load();
    let size: usize = town.rows.iter().map(|(key, row)| key.len() + row.len()).sum();
    assert!(size < 400, "{size}");
    println!("{size} bytes in {} rows", town.rows.len());
}

#[test]
fn sums_of_128_bits_are_stored_and_read_back() {
    let codec = RecordCodec::new(&laws::edgy()).unwrap();
    let ladders = laws::edgy().ladders.len();
    for sum in [i128::MAX, i128::MIN + 1, 1 << 64, -(1 << 64), i64::MAX.into(), 0] {
        let mut c = Customer::stranger(START, 1, ladders);
        c.due = Some(START);
        c.bought.change(19_000, [1, sum, 1], 1);
        c.bought.change(19_001, [0, 0, 0], 0);
        c.brought.add(19_000, [1, sum]);
        assert_eq!(codec.read_hot(&codec.hot_row(&c, 0)), Ok(Hot::Customer(Box::new(c))));
    }
}

#[test]
fn a_verdict_of_a_ladder_that_is_not_there_is_kept() {
    let (mut few, all) = (Town::new(laws::edgy()), RecordCodec::new(&laws::built_in()).unwrap());
    few.tell(&bought(0, 1_000, START));
    few.store_and_load();
    let row = &few.rows[&key(HOT, "c")];
    let Ok(Hot::Customer(c)) = all.read_hot(row) else { panic!("it is readable") };
    assert!(!c.others.is_empty());
    let again = few.codec.read_hot(&all.hot_row(&c, 0)).unwrap();
    let slot = Slot {
        record: Record::Customer(match again {
            Hot::Customer(c) => c,
            Hot::Moved(_) => panic!("it is a customer's"),
        }),
        ..few.slots["c"].clone()
    };
    assert_eq!(slot, few.slots["c"]);
}
