//! What came of a backtest, in numbers: customers by rung, moves, and how long a rung is held.

use crate::backtest::Backtest;
use crate::facts::instant::{Instant, SECOND};
use crate::rules::ladder::{Kind, Ladder};
use crate::wire::text::{push_int, push_text};

/// What is counted of one place of a ladder.
#[derive(Clone, Default)]
struct Counted {
    customers: u64,
    up: u64,
    down: u64,
    moved: u64,
    /// How long those stayed who left, in seconds.
    held: Vec<Instant>,
}

/// Count customers and moves, ladder by ladder in the order of the rules, as JSON.
///
/// Each ladder is an object `{"ladder", "kind", "rungs"}`; its rungs come lowest first, those on none
/// before them, each `{"rung", "customers", "up", "down", "moved", "median_held_seconds"}`. The
/// median of an even number of stays is the lower of the two in the middle.
pub fn summary(backtest: &Backtest) -> Vec<u8> {
    let ladders = &backtest.rules().ladders;
    let mut counted: Vec<Vec<Counted>> =
        ladders.iter().map(|ladder| vec![Counted::default(); ladder.rungs.len() + 1]).collect();
    for change in backtest.changes() {
        let places = &mut counted[change.ladder];
        let arrived = &mut places[usize::from(change.after)];
        match ladders[change.ladder].direction(change.before, change.after) {
            "up" => arrived.up += 1,
            "down" => arrived.down += 1,
            _ => arrived.moved += 1,
        }
        if change.before != 0 {
            let held = (change.time - change.since).div_euclid(SECOND);
            places[usize::from(change.before)].held.push(held);
        }
    }
    for (_, c) in backtest.customers() {
        for (places, verdict) in counted.iter_mut().zip(&c.verdicts) {
            places[usize::from(verdict.rung)].customers += 1;
        }
    }
    let mut out = b"[".to_vec();
    for (index, (ladder, places)) in ladders.iter().zip(counted).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_ladder(ladder, places, &mut out);
    }
    out.push(b']');
    out
}

fn push_ladder(ladder: &Ladder, places: Vec<Counted>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"ladder":"#);
    push_text(&ladder.id, out);
    out.extend_from_slice(br#","kind":"#);
    push_text(if ladder.kind == Kind::Segment { "segment" } else { "ladder" }, out);
    out.extend_from_slice(br#","rungs":["#);
    for (place, counted) in places.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(br#"{"rung":"#);
        match place {
            0 => out.extend_from_slice(b"null"),
            _ => push_text(&ladder.rungs[place - 1].id, out),
        }
        push_counted(counted, out);
    }
    out.extend_from_slice(b"]}");
}

fn push_counted(mut counted: Counted, out: &mut Vec<u8>) {
    let numbers = [
        (&br#","customers":"#[..], counted.customers),
        (br#","up":"#, counted.up),
        (br#","down":"#, counted.down),
        (br#","moved":"#, counted.moved),
    ];
    for (key, number) in numbers {
        out.extend_from_slice(key);
        push_int(number, out);
    }
    out.extend_from_slice(br#","median_held_seconds":"#);
    match counted.held.len().checked_sub(1) {
        Some(last) => push_int(*counted.held.select_nth_unstable(last / 2).1, out),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}
