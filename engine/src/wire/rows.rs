//! Which rows a customer has in the store: how they are found, read together, and written.

use super::pack::Unreadable;
use super::record::{Hot, RecordCodec, Traces, further_of, pack_older, part, parts_of, read_older};
use crate::facts::address::Address;
use crate::facts::customer::{Customer, Record, Slot};
use crate::rules::due::next_due;
use crate::rules::shop::Rules;

/// The first byte of the key of a hot row.
pub const HOT: u8 = b'c';
/// The first byte of the key of what outlives a record.
pub const TRACES: u8 = b'x';
/// The first bytes of the keys of older parts.
const OLDER: [(u8, u8); 4] =
    [(part::SEEN, b's'), (part::ORDERS, b'o'), (part::REVIEWS, b'r'), (part::REFERRALS, b'f')];

/// A key and its value; None deletes it.
pub type Row = (Vec<u8>, Option<Vec<u8>>);

/// What is stored of a customer: from it the next write knows what has changed, or goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    hot: bool,
    parts: u8,
    traces: Traces,
}

/// The key of a customer's row of a kind.
pub fn key(kind: u8, id: &str) -> Vec<u8> {
    [&[kind], id.as_bytes()].concat()
}

/// The key of what outlives a customer's record.
pub fn traces_key(id: &str) -> Vec<u8> {
    [&[TRACES][..], &Address::of(id).digest].concat()
}

/// Read what is stored under a customer id; `row` gives the value of a key.
pub fn load<V: AsRef<[u8]>>(
    codec: &RecordCodec,
    id: &str,
    row: impl Fn(&[u8]) -> Option<V>,
) -> Result<(Slot, Stored), Unreadable> {
    let (mut slot, mut stored) = (Slot::new(id), Stored::default());
    let mut further = part::TRACES;
    if let Some(hot_row) = row(&key(HOT, id)) {
        let hot_row = hot_row.as_ref();
        (further, stored.hot) = (further_of(hot_row), true);
        slot.record = match codec.read_hot(hot_row)? {
            Hot::Moved(moved) => Record::Moved(moved),
            Hot::Customer(mut c) => {
                stored.parts = load_older(&mut c, further, id, &row)?;
                Record::Customer(c)
            }
        };
    }
    if further & part::TRACES != 0 {
        match row(&traces_key(id)) {
            Some(traces) => stored.traces = Traces::read(traces.as_ref())?,
            None if stored.hot => return Err(MISSING),
            None => {}
        }
        let Traces { erased, aliases, id } = &stored.traces;
        (slot.erased, slot.aliases, slot.named) = (*erased, aliases.clone(), !id.is_empty());
    }
    Ok((slot, stored))
}

const MISSING: Unreadable = Unreadable("a further row of it is missing");

fn load_older<V: AsRef<[u8]>>(
    c: &mut Customer,
    further: u8,
    id: &str,
    row: &impl Fn(&[u8]) -> Option<V>,
) -> Result<u8, Unreadable> {
    let mut parts = 0;
    for (bit, kind) in OLDER.into_iter().filter(|(bit, _)| further & bit != 0) {
        let older = row(&key(kind, id)).ok_or(MISSING)?;
        read_older(c, bit, older.as_ref())?;
        parts |= bit;
    }
    Ok(parts)
}

/// What of a slot is to be written, given what is stored of it; it counts as stored then.
pub fn changed(
    codec: &RecordCodec,
    rules: &Rules,
    slot: &mut Slot,
    stored: &mut Stored,
) -> Vec<Row> {
    let mut rows = Vec::new();
    let id = if slot.is_reachable() { slot.id.clone() } else { Box::default() };
    let traces = Traces { erased: slot.erased, aliases: slot.aliases.clone(), id };
    let traced = traces != Traces::default();
    if traces != stored.traces {
        rows.push((traces_key(&slot.id), traced.then(|| traces.row())));
    }
    let further = if traced { part::TRACES } else { 0 };
    let mut parts = 0;
    let hot_row = match &mut slot.record {
        Record::Customer(c) => {
            next_due(rules, c);
            parts = parts_of(c);
            push_older(&slot.id, c, parts, &mut rows);
            Some(codec.hot_row(c, further))
        }
        Record::Moved(moved) => Some(codec.moved_row(moved, further)),
        Record::Nobody => None,
    };
    let hot = hot_row.is_some();
    if hot || stored.hot {
        rows.push((key(HOT, &slot.id), hot_row));
    }
    let gone = OLDER.into_iter().filter(|(bit, _)| stored.parts & !parts & bit != 0);
    rows.extend(gone.map(|(_, kind)| (key(kind, &slot.id), None)));
    *stored = Stored { hot, parts, traces };
    slot.touched = false;
    rows
}

/// The older parts that are not stored as they are.
fn push_older(id: &str, c: &mut Customer, parts: u8, rows: &mut Vec<Row>) {
    for (bit, kind) in OLDER.into_iter().filter(|(bit, _)| parts & bit != 0) {
        let changed = match bit {
            part::ORDERS => c.orders.older_changed(),
            part::REVIEWS => c.reviews.older_changed(),
            part::REFERRALS => c.referrals.older_changed(),
            _ => c.seen.older_changed(),
        };
        if changed {
            rows.push((key(kind, id), Some(pack_older(c, bit))));
        }
    }
    c.seen.older_stored();
    c.orders.older_stored();
    c.reviews.older_stored();
    c.referrals.older_stored();
}

/// Have all rows of a customer written, as for those that an earlier version wrote.
pub fn store_anew(slot: &mut Slot, stored: &mut Stored) {
    stored.traces = Traces::default();
    if let Record::Customer(c) = &mut slot.record {
        c.seen.store_anew();
        c.orders.store_anew();
        c.reviews.store_anew();
        c.referrals.store_anew();
    }
}
