//! Stage changes to bytes: contract section 7, to the letter and in its order.

use super::text::{push_inner, push_instant, push_int, push_text, push_value, quoted};
use crate::facts::instant::SECOND;
use crate::rules::change::{Change, FactValue};
use crate::rules::credit::life_ending;
use crate::rules::ladder::{Ladder, Rung};
use crate::rules::shop::Rules;

/// Bytes of a stage change: half of what a broker takes by default.
const LARGEST: usize = 512 * 1024;
/// Bytes of a fact in a change that would be larger; of it those that are longer are left out.
const LONGEST_FACT: usize = 1_024;

/// Writes the stage changes of one set of rules.
#[derive(Clone, Debug)]
pub struct ChangeWriter {
    ladders: Box<[LadderText]>,
}

/// What of a ladder stands in its changes, as JSON.
#[derive(Clone, Debug)]
struct LadderText {
    id: Box<[u8]>,
    rungs: Box<[RungText]>,
}

#[derive(Clone, Debug)]
struct RungText {
    id: Box<[u8]>,
    when: Box<[u8]>,
    suggest: Box<[u8]>,
    /// The keys of the facts, each with its colon.
    facts: Box<[Box<[u8]>]>,
}

impl RungText {
    fn new(rung: &Rung) -> Self {
        let key = |text: &str| [&*quoted(text), b":"].concat().into();
        Self {
            id: quoted(&rung.id),
            when: quoted(&rung.when),
            suggest: rung.suggest.as_deref().map_or((*b"null").into(), quoted),
            facts: rung.facts.iter().map(|named| key(&named.text)).collect(),
        }
    }

    /// The facts of the rung's rule with their values, as an object; without those that are longer
    /// than `longest` bytes.
    fn push_facts(&self, values: &[FactValue], longest: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut is_first = true;
        for (key, value) in self.facts.iter().zip(values) {
            let begin = out.len();
            if !is_first {
                out.push(b',');
            }
            out.extend_from_slice(key);
            let value_begin = out.len();
            push_value(value, out);
            if out.len() - value_begin > longest {
                out.truncate(begin);
            } else {
                is_first = false;
            }
        }
        out.push(b'}');
    }
}

impl LadderText {
    fn new(ladder: &Ladder) -> Self {
        Self { id: quoted(&ladder.id), rungs: ladder.rungs.iter().map(RungText::new).collect() }
    }

    /// The id of the rung at a place counted from 1, or null.
    fn push_rung(&self, place: u16, out: &mut Vec<u8>) {
        match place.checked_sub(1) {
            Some(place) => out.extend_from_slice(&self.rungs[usize::from(place)].id),
            None => out.extend_from_slice(b"null"),
        }
    }
}

impl ChangeWriter {
    /// Prepare what always stands in the changes of these rules.
    pub fn new(rules: &Rules) -> Self {
        Self { ladders: rules.ladders.iter().map(LadderText::new).collect() }
    }

    /// Write a change as a structured CloudEvent.
    ///
    /// Attributes may be lists of long texts, and a rule may name many of them: where a change would
    /// be larger than [`LARGEST`], it goes without its longest facts.
    pub fn push(&self, rules: &Rules, change: &Change, out: &mut Vec<u8>) {
        let begin = out.len();
        self.push_with(rules, change, usize::MAX, out);
        if out.len() - begin > LARGEST {
            out.truncate(begin);
            self.push_with(rules, change, LONGEST_FACT, out);
        }
    }

    fn push_with(&self, rules: &Rules, change: &Change, longest: usize, out: &mut Vec<u8>) {
        let (ladder, text) = (&rules.ladders[change.ladder], &self.ladders[change.ladder]);
        out.extend_from_slice(br#"{"specversion":"1.0","id":""#);
        out.extend_from_slice(&text.id[1..text.id.len() - 1]);
        out.push(b'/');
        push_inner(&change.customer, out);
        out.push(b'/');
        push_int(change.sequence, out);
        out.extend_from_slice(life_ending(change.life).as_bytes());
        out.extend_from_slice(
            br#"","source":"/loyalty-ladder","type":"loyalty.stage.changed","subject":"#,
        );
        push_text(&change.customer, out);
        out.extend_from_slice(br#","time":"#);
        push_instant(change.time, out);
        out.extend_from_slice(br#","datacontenttype":"application/json","data":{"ladder":"#);
        out.extend_from_slice(&text.id);
        out.extend_from_slice(br#","version":"#);
        push_int(ladder.version, out);
        out.extend_from_slice(br#","sequence":"#);
        push_int(change.sequence, out);
        push_path(ladder, text, change, out);
        push_cause(change, out);
        push_why(text, change, longest, out);
        push_since(change, out);
        push_outlook(ladder, text, change, longest, out);
    }
}

fn push_path(ladder: &Ladder, text: &LadderText, change: &Change, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","from":"#);
    text.push_rung(change.before, out);
    out.extend_from_slice(br#","to":"#);
    text.push_rung(change.after, out);
    out.extend_from_slice(br#","direction":""#);
    out.extend_from_slice(ladder.direction(change.before, change.after).as_bytes());
    out.extend_from_slice(br#"","passed":["#);
    for (place, rung) in ladder.passed(change.before, change.after).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&text.rungs[rung].id);
    }
    out.push(b']');
}

fn push_cause(change: &Change, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","cause":""#);
    out.extend_from_slice(change.cause.word().as_bytes());
    out.extend_from_slice(br#"","trigger":"#);
    match &change.trigger {
        None => out.extend_from_slice(b"null"),
        Some(trigger) => {
            out.extend_from_slice(br#"{"source":"#);
            push_text(&trigger.source, out);
            out.extend_from_slice(br#","id":"#);
            push_text(&trigger.id, out);
            out.extend_from_slice(br#","type":"#);
            push_text(&trigger.kind, out);
            out.push(b'}');
        }
    }
}

fn push_why(text: &LadderText, change: &Change, longest: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","because":"#);
    match &change.because {
        None => out.extend_from_slice(b"null"),
        Some((place, values)) => {
            out.extend_from_slice(br#"{"rule":"#);
            out.extend_from_slice(&text.rungs[*place].when);
            out.extend_from_slice(br#","facts":"#);
            text.rungs[*place].push_facts(values, longest, out);
            out.push(b'}');
        }
    }
}

fn push_since(change: &Change, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","since":"#);
    if change.before == 0 {
        out.extend_from_slice(br#"null,"held_seconds":null"#);
    } else {
        push_instant(change.since, out);
        out.extend_from_slice(br#","held_seconds":"#);
        push_int((change.time - change.since).div_euclid(SECOND), out);
    }
}

fn push_outlook(
    ladder: &Ladder,
    text: &LadderText,
    change: &Change,
    longest: usize,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(br#","next":"#);
    match ladder.above(change.after).zip(change.next.as_deref()) {
        None => out.extend_from_slice(b"null"),
        Some((place, values)) => {
            let rung = &text.rungs[place];
            out.extend_from_slice(br#"{"rung":"#);
            out.extend_from_slice(&rung.id);
            out.extend_from_slice(br#","rule":"#);
            out.extend_from_slice(&rung.when);
            out.extend_from_slice(br#","facts":"#);
            rung.push_facts(values, longest, out);
            out.push(b'}');
        }
    }
    out.extend_from_slice(br#","suggest":"#);
    match change.after.checked_sub(1) {
        Some(place) => out.extend_from_slice(&text.rungs[usize::from(place)].suggest),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","quiet":"#);
    out.extend_from_slice(if change.quiet { b"true}}" } else { b"false}}" });
}
