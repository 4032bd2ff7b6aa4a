//! Customers of a shop, whose records lie in memory or in stored rows between two events.

use std::collections::{BTreeMap, HashMap, VecDeque};

use engine::facts::address::Address;
use engine::facts::customer::{Customer, Record, Slot};
use engine::rules::change::Change;
use engine::rules::fact::NoCuts;
use engine::rules::fold::{Outbox, fold};
use engine::rules::handover::{Handover, Matter};
use engine::rules::receive::receive;
use engine::rules::refusal::examine;
use engine::rules::shop::Rules;
use engine::wire::event::{Data, Event};
use engine::wire::record::RecordCodec;
use engine::wire::rows::{Stored, changed, load};

pub struct Town {
    pub rules: Rules,
    pub codec: RecordCodec,
    pub slots: BTreeMap<Box<str>, Slot>,
    pub rows: BTreeMap<Vec<u8>, Vec<u8>>,
    stored: BTreeMap<Box<str>, Stored>,
    named: HashMap<Address, Box<str>>,
    out: Outbox,
}

impl Town {
    pub fn new(rules: Rules) -> Self {
        let codec = RecordCodec::new(&rules).unwrap();
        let (slots, rows, stored) = Default::default();
        Self { rules, codec, slots, rows, stored, named: HashMap::new(), out: Outbox::default() }
    }

    pub fn changes(&self) -> &[Change] {
        &self.out.changes
    }

    pub fn tell(&mut self, event: &Event) {
        if examine(&self.rules, event, None).is_err() || event.data == Data::ClockAdvanced {
            return;
        }
        let slot = slot_of(&mut self.slots, &event.subject);
        fold(&self.rules, slot, event, &NoCuts, &mut self.out);
        let mut waiting: VecDeque<Handover> = self.out.handovers.drain(..).collect();
        while let Some(handover) = waiting.pop_front() {
            let Some(handover) = self.found(handover) else { continue };
            let slot = slot_of(&mut self.slots, &handover.to);
            receive(&self.rules, slot, handover, &NoCuts, &mut self.out);
            self.out.handovers.drain(..).rev().for_each(|caused| waiting.push_front(caused));
        }
    }

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

    /// Write what changed of everybody, and read it back: the same, but for who was named, which
    /// an erasure and a return make of a customer.
    pub fn store_and_load(&mut self) {
        for (id, slot) in &mut self.slots {
            let stored = self.stored.entry(id.clone()).or_default();
            for (key, row) in changed(&self.codec, &self.rules, slot, stored) {
                match row {
                    Some(row) => self.rows.insert(key, row),
                    None => self.rows.remove(&key),
                };
            }
            let (mut read, found) = load(&self.codec, id, |key| self.rows.get(key)).unwrap();
            assert_eq!(found, *stored);
            assert_eq!(read.is_reachable(), slot.is_reachable());
            let named = std::mem::replace(&mut read.named, slot.named);
            assert_eq!(read, *slot);
            *slot = Slot { named, ..read };
        }
    }

    /// Everybody's records, but for what is noted of how they are stored and when to look again.
    pub fn records(&self) -> BTreeMap<Box<str>, Record> {
        let mut records = BTreeMap::new();
        for (id, slot) in &self.slots {
            let mut record = slot.record.clone();
            if let Record::Customer(c) = &mut record {
                forget_storage(c);
            }
            records.insert(id.clone(), record);
        }
        records
    }
}

fn forget_storage(c: &mut Customer) {
    c.due = None;
    c.seen.store_anew();
    c.orders.store_anew();
    c.reviews.store_anew();
    c.referrals.store_anew();
}

fn slot_of<'a>(slots: &'a mut BTreeMap<Box<str>, Slot>, id: &str) -> &'a mut Slot {
    slots.entry(id.into()).or_insert_with(|| Slot::new(id))
}
