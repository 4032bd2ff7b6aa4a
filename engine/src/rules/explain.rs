//! Why a customer stands where they stand, and what comes next: contract section 10.

use super::change::FactValue;
use super::due::{advance, next_instant};
use super::fact::{Cutter, Fact, PLAIN, View};
use super::ladder::Ladder;
use super::shop::Rules;
use super::standing::{owned, rung_facts};
use crate::facts::customer::{Customer, Verdict};
use crate::facts::instant::{Instant, NEVER};
use crate::wire::text::{push_instant, push_int, push_text, push_value};
use hashbrown::HashMap;

/// Due instants looked at to foresee the next step by time alone.
const LOOKS_AHEAD: usize = 1_000;

/// Tells about customers under one set of rules.
#[derive(Clone, Debug)]
pub struct Explainer {
    facts: Box<[(Box<str>, Fact)]>,
}

/// The next step by time alone on each ladder: when, and the place taken.
type Foreseen = HashMap<usize, (Instant, u16), foldhash::fast::RandomState>;

impl Explainer {
    /// Find out which facts are told: the plain ones, the attributes, and what the rules name.
    pub fn new(rules: &Rules) -> Self {
        let mut facts: Vec<(Box<str>, Fact)> = Vec::new();
        let mut add = |text: &str, fact: Fact| {
            if !facts.iter().any(|(known, _)| **known == *text) {
                facts.push((text.into(), fact));
            }
        };
        for name in PLAIN {
            if let Some(fact) = Fact::named(name, &[]) {
                add(name, fact);
            }
        }
        for name in rules.attributes() {
            add(&format!("profile.{name}"), Fact::Attribute(name.clone()));
        }
        let rungs = rules.ladders.iter().flat_map(|ladder| &ladder.rungs);
        let mut named: Vec<_> = rungs.flat_map(|rung| &rung.facts).collect();
        named.sort_by(|one, two| one.text.cmp(&two.text));
        for fact in named {
            add(&fact.text, fact.fact.clone());
        }
        Self { facts: facts.into() }
    }

    /// Write what `GET /v1/customers/{id}` gives, as of an instant.
    ///
    /// `asked` is the id asked for; where it was absorbed, `id` is its survivor's.
    pub fn push(
        &self,
        rules: &Rules,
        (asked, id): (&str, &str),
        c: &Customer,
        now: Instant,
        cutter: &dyn Cutter,
        out: &mut Vec<u8>,
    ) {
        let instant = now.max(c.as_of);
        let day = rules.calendar.today(instant);
        let view = View { customer: c, day, cuts: cutter.at(day) };
        out.extend_from_slice(br#"{"customer_id":"#);
        push_text(asked, out);
        if asked != id {
            out.extend_from_slice(br#","merged_into":"#);
            push_text(id, out);
        }
        out.extend_from_slice(br#","as_of":"#);
        push_instant(instant, out);
        out.extend_from_slice(br#","facts":{"#);
        for (place, (text, fact)) in self.facts.iter().enumerate() {
            push_key(place, text, out);
            push_value(&owned(fact.read(view)), out);
        }
        out.extend_from_slice(br#"},"ladders":{"#);
        let foreseen = foresee(rules, id, c, instant, cutter);
        for (index, ladder) in rules.ladders.iter().enumerate() {
            push_key(index, &ladder.id, out);
            push_standing(ladder, &c.verdicts[index], view, instant, out);
            out.extend_from_slice(br#","due":"#);
            push_due(ladder, foreseen.get(&index), out);
            out.extend_from_slice(br#","placed":"#);
            push_placed(ladder, &c.verdicts[index], instant, out);
            out.push(b'}');
        }
        out.extend_from_slice(b"}}");
    }
}

fn push_key(place: usize, key: &str, out: &mut Vec<u8>) {
    if place > 0 {
        out.push(b',');
    }
    push_text(key, out);
    out.push(b':');
}

fn push_standing(
    ladder: &Ladder,
    verdict: &Verdict,
    view: View<'_>,
    instant: Instant,
    out: &mut Vec<u8>,
) {
    let place = usize::from(verdict.rung).checked_sub(1);
    out.extend_from_slice(br#"{"rung":"#);
    push_rung(ladder, verdict.rung, out);
    out.extend_from_slice(br#","since":"#);
    match place {
        Some(_) => push_instant(verdict.since, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","sequence":"#);
    push_int(verdict.sequence, out);
    out.extend_from_slice(br#","because":"#);
    match place.filter(|_| !verdict.hold.is_placed(instant)) {
        Some(place) => push_rule(ladder, place, view, b"{", out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","next":"#);
    match ladder.above(verdict.rung) {
        Some(place) => {
            out.extend_from_slice(br#"{"rung":"#);
            push_text(&ladder.rungs[place].id, out);
            push_rule(ladder, place, view, b",", out);
        }
        None => out.extend_from_slice(b"null"),
    }
}

fn push_rung(ladder: &Ladder, place: u16, out: &mut Vec<u8>) {
    match usize::from(place).checked_sub(1) {
        Some(place) => push_text(&ladder.rungs[place].id, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// A rule, and the values of its facts.
fn push_rule(ladder: &Ladder, place: usize, view: View<'_>, begin: &[u8], out: &mut Vec<u8>) {
    let rung = &ladder.rungs[place];
    out.extend_from_slice(begin);
    out.extend_from_slice(br#""rule":"#);
    push_text(&rung.when, out);
    out.extend_from_slice(br#","facts":{"#);
    let values: Box<[FactValue]> = rung_facts(ladder, place, view);
    for (place, (named, value)) in rung.facts.iter().zip(&values).enumerate() {
        push_key(place, &named.text, out);
        push_value(value, out);
    }
    out.extend_from_slice(b"}}");
}

fn push_due(ladder: &Ladder, due: Option<&(Instant, u16)>, out: &mut Vec<u8>) {
    match due {
        Some(&(at, to)) => {
            out.extend_from_slice(br#"{"at":"#);
            push_instant(at, out);
            out.extend_from_slice(br#","to":"#);
            push_rung(ladder, to, out);
            out.push(b'}');
        }
        None => out.extend_from_slice(b"null"),
    }
}

fn push_placed(ladder: &Ladder, verdict: &Verdict, instant: Instant, out: &mut Vec<u8>) {
    let hold = &verdict.hold;
    if !hold.is_placed(instant) {
        out.extend_from_slice(b"null");
        return;
    }
    out.extend_from_slice(br#"{"rung":"#);
    push_rung(ladder, hold.placed, out);
    out.extend_from_slice(br#","until":"#);
    match hold.until {
        0 => out.extend_from_slice(b"null"),
        until => push_instant(until, out),
    }
    out.push(b'}');
}

/// The next step on each ladder if nothing but time passes; cuts stay as they are.
///
/// The clock moves on over a copy of the record.
fn foresee(
    rules: &Rules,
    id: &str,
    c: &Customer,
    mut instant: Instant,
    cutter: &dyn Cutter,
) -> Foreseen {
    let mut steps = Foreseen::default();
    if next_instant(rules, c, instant) == NEVER {
        return steps;
    }
    let mut c = c.clone();
    let mut changes = Vec::new();
    for _ in 0..LOOKS_AHEAD {
        let due = next_instant(rules, &c, instant);
        if due == NEVER {
            break;
        }
        advance(rules, id, &mut c, due, cutter, &mut changes);
        for change in changes.drain(..) {
            steps.entry(change.ladder).or_insert((change.time, change.after));
        }
        instant = due;
    }
    steps
}
