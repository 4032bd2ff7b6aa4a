//! Events from files through the rules: one clock, handovers delivered at once (contract 8).

use crate::facts::address::Address;
use crate::facts::customer::{Customer, Record, Slot};
use crate::facts::instant::{Day, Instant};
use crate::rules::due::advance;
use crate::rules::fact::Cutter;
use crate::rules::fold::{Outbox, Verdict, admit, fold_admitted};
use crate::rules::handover::{Handover, Matter};
use crate::rules::ranking::{Number, Ranking};
use crate::rules::receive::receive;
use crate::rules::refusal::examine;
use crate::rules::shop::Rules;
use crate::rules::standing::{Look, Occasion, evaluate};
use crate::wire::event::{Data, Event, Refused};
use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};
use std::collections::VecDeque;
use std::hash::BuildHasher;

/// Where an event stood: the number of its file, and its line, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The caller's number of the file.
    pub file: u32,
    /// The line.
    pub number: u64,
}

/// A line that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Why.
    pub refused: Refused,
    /// Where.
    pub line: Line,
}

/// Customers by id, in the order in which they were first named.
#[derive(Debug, Default)]
struct Slots {
    slots: Vec<Slot>,
    numbers: HashTable<Number>,
    hasher: foldhash::fast::RandomState,
}

impl Slots {
    /// The number of a customer, who is added if nobody named them before.
    fn number_of(&mut self, id: &str) -> Number {
        let hash = |id: &str| self.hasher.hash_one(id);
        let at = |number: Number| &*self.slots[number as usize].id;
        let found =
            self.numbers.entry(hash(id), |&number| at(number) == id, |&number| hash(at(number)));
        match found {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let number = Number::try_from(self.slots.len()).expect("2^32 customers in memory");
                place.insert(number);
                self.slots.push(Slot::new(id));
                number
            }
        }
    }

    fn at(&mut self, number: Number) -> &mut Slot {
        &mut self.slots[number as usize]
    }
}

/// All customers of one shop, in memory. Events come in the order of their times.
#[derive(Debug)]
pub struct Backtest {
    rules: Rules,
    latest: Option<Instant>,
    slots: Slots,
    /// Who has a record at the end, by id.
    by_id: Vec<Number>,
    clock: Option<Instant>,
    today: Option<Day>,
    ranking: Ranking,
    /// Who was named by somebody that keeps no more than the address.
    named: HashMap<Address, Box<str>, foldhash::fast::RandomState>,
    out: Outbox,
    letters: Vec<DeadLetter>,
    repeated: u64,
    dropped: u64,
}

impl Backtest {
    /// Begin with nobody. `latest` is the latest time that an event may have.
    pub fn new(rules: Rules, latest: Option<Instant>) -> Self {
        Self {
            ranking: Ranking::new(&rules.tops),
            rules,
            latest,
            slots: Slots::default(),
            by_id: Vec::new(),
            clock: None,
            today: None,
            named: HashMap::default(),
            out: Outbox::default(),
            letters: Vec::new(),
            repeated: 0,
            dropped: 0,
        }
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The greatest event time so far, or what the clock was moved on to.
    pub fn clock(&self) -> Option<Instant> {
        self.clock
    }

    /// What was refused so far.
    pub fn letters(&self) -> &[DeadLetter] {
        &self.letters
    }

    /// How many events were applied before.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// How many events concerned nobody any more.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Every stage change so far: as they were found, and after [`Backtest::finish`] by time, then
    /// customer, ladder and sequence.
    pub fn changes(&self) -> &[crate::rules::change::Change] {
        &self.out.changes
    }

    fn sort_changes(&mut self) {
        let ladders = &self.rules.ladders;
        self.out.changes.sort_by(|one, two| {
            (one.time, &one.customer, &ladders[one.ladder].id, one.sequence).cmp(&(
                two.time,
                &two.customer,
                &ladders[two.ladder].id,
                two.sequence,
            ))
        });
    }

    /// Who spends most, and the cuts of each day.
    pub fn cutter(&self) -> &dyn Cutter {
        &self.ranking
    }

    /// Everybody who has a record, by id; nobody before [`Backtest::finish`].
    pub fn customers(&self) -> impl ExactSizeIterator<Item = (&str, &Customer)> {
        self.by_id.iter().map(|&number| {
            let slot = &self.slots.slots[number as usize];
            (&*slot.id, slot.customer().expect("who has a record at the end"))
        })
    }

    /// Apply one event, and all that follows from it.
    pub fn apply(&mut self, event: &Event, line: Line) {
        if let Err(refused) = examine(&self.rules, event, self.latest) {
            self.letters.push(DeadLetter { refused, line });
            return;
        }
        if event.data == Data::ClockAdvanced {
            self.advance_clock(event.time);
            return;
        }
        let mut number = self.slots.number_of(&event.subject);
        let mut admitted = admit(&self.rules, self.slots.at(number), event);
        while let (Ok(_), Record::Moved(moved)) = (&admitted, &self.slots.at(number).record) {
            let into = moved.into.clone();
            number = self.slots.number_of(&into);
            admitted = admit(&self.rules, self.slots.at(number), event);
        }
        match admitted {
            Ok(id) => {
                self.advance_clock(event.time);
                let slot = self.slots.at(number);
                fold_admitted(&self.rules, slot, event, id, &self.ranking, &mut self.out);
                self.note(number, event.time);
                self.deliver(line);
            }
            Err(Verdict::Refused(refused)) => self.letters.push(DeadLetter { refused, line }),
            Err(Verdict::Repeated) => self.repeated += 1,
            Err(Verdict::Applied { .. }) => self.advance_clock(event.time),
            Err(_) => self.dropped += 1,
        }
    }

    /// Move the clock on, taking the top-spender cuts at each day boundary on the way.
    pub fn advance_clock(&mut self, instant: Instant) {
        if self.clock.is_some_and(|clock| instant <= clock) {
            return;
        }
        self.clock = Some(instant);
        let day = self.rules.calendar.today(instant);
        if let Some(today) = self.today.filter(|_| !self.rules.tops.is_empty()) {
            let begun: Vec<Day> = self.rules.calendar.begun(today, day).collect();
            for day in begun {
                self.turn(day);
            }
        }
        self.today = Some(day);
    }

    /// Evaluate everything due by the clock, moved on to `until`, and put what came of it in order.
    pub fn finish(&mut self, until: Option<Instant>) {
        if let Some(until) = until {
            self.advance_clock(until);
        }
        let clock = self.clock.unwrap_or(0);
        for (number, slot) in (0..).zip(&mut self.slots.slots) {
            if let Record::Customer(c) = &mut slot.record {
                advance(&self.rules, &slot.id, c, clock, &self.ranking, &mut self.out.changes);
                self.by_id.push(number);
            }
        }
        self.sort_changes();
        let slots = &self.slots.slots;
        self.by_id.sort_unstable_by_key(|&number| &slots[number as usize].id);
    }

    /// Take the cuts of a day, and look again at whoever they may move.
    fn turn(&mut self, day: Day) {
        let slots = &self.slots.slots;
        let read = |number: Number| slots[number as usize].customer();
        let flipped = self.ranking.turn(day, read);
        let instant = self.rules.calendar.start_of(day);
        for number in flipped {
            let Slot { id, record: Record::Customer(c), .. } = self.slots.at(number) else {
                continue;
            };
            let (rules, changes) = (&self.rules, &mut self.out.changes);
            advance(rules, id, c, instant, &self.ranking, changes);
            let (cuts, occasion) = (self.ranking.at(day), &Occasion::CLOCK);
            let look = Look { rules, id, instant, day, cuts, occasion };
            if instant >= c.as_of && evaluate(look, c, rules.top_ladders, changes) {
                (c.as_of, c.due) = (instant, None);
            }
        }
    }

    /// Deliver handovers until none is left; what one causes comes before those behind it.
    fn deliver(&mut self, line: Line) {
        let mut waiting: VecDeque<Handover> = self.out.handovers.drain(..).collect();
        while let Some(handover) = waiting.pop_front() {
            let Some(handover) = self.found(handover) else { continue };
            let number = self.slots.number_of(&handover.to);
            let (time, unites) = (handover.time, matches!(handover.matter, Matter::Absorb(_)));
            let slot = self.slots.at(number);
            let verdict = receive(&self.rules, slot, handover, &self.ranking, &mut self.out);
            if let Verdict::Refused(refused) = verdict {
                self.letters.push(DeadLetter { refused, line });
            }
            if unites {
                self.note_all(number, time);
            } else {
                self.note(number, time);
            }
            for caused in self.out.handovers.drain(..).rev() {
                waiting.push_front(caused);
            }
        }
    }

    /// Put the id where there is but an address; None where nobody is known to have it.
    fn found(&mut self, mut handover: Handover) -> Option<Handover> {
        match &mut handover.matter {
            Matter::Named => {
                self.named.insert(Address::of(&handover.to), handover.to.clone());
            }
            Matter::Credit(credit) => {
                if let Some(address) = credit.address.take() {
                    let referrer = self.named.get(&address)?;
                    (credit.event.subject, handover.to) = (referrer.clone(), referrer.clone());
                }
            }
            _ => {}
        }
        Some(handover)
    }

    /// Let the ranking know that a customer's spend may have changed on the day of an instant.
    fn note(&mut self, number: Number, instant: Instant) {
        let (Some(today), false) = (self.today, self.rules.tops.is_empty()) else { return };
        match &self.slots.slots[number as usize].record {
            Record::Customer(c) => {
                self.ranking.note(number, c, today, &[self.rules.calendar.day_of(instant)]);
            }
            _ => self.ranking.forget(number),
        }
    }

    /// The same, where it may have changed on any day.
    fn note_all(&mut self, number: Number, instant: Instant) {
        let (Some(today), false) = (self.today, self.rules.tops.is_empty()) else { return };
        match &self.slots.slots[number as usize].record {
            Record::Customer(c) => {
                self.ranking.note(number, c, today, c.bought.series().days());
            }
            _ => self.note(number, instant),
        }
    }
}
