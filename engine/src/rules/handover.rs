//! What one customer's record owes another's: delivered by the caller, exactly once.

use super::change::Trigger;
use crate::facts::address::Address;
use crate::facts::customer::Customer;
use crate::facts::instant::Instant;
use crate::wire::event::Event;
use std::sync::Arc;

/// An event on its way to another customer id.
#[derive(Clone, Debug, PartialEq)]
pub struct Travelling {
    /// The event; its subject is the customer as first named.
    pub event: Event,
    /// How often it came back to that customer and found a forwarding.
    pub returns: u32,
    /// For who delivers it, to note when that was first.
    pub since: Instant,
    /// A credit is sent to an address: then [`Handover::to`] and the event's subject, the referrer
    /// as the referred customer named him, are empty until whoever delivers it has found the id.
    pub address: Option<Address>,
}

/// A merged customer's record (None: nobody knew it) and the ids that forward to it.
///
/// `path` lists the ids that have passed it on. Where it comes back to one of them, merges have
/// crossed: it goes round once more from the smallest of the circle (`lap`), to see that the circle
/// is closed still, and then that one is to survive (`settle`).
#[derive(Clone, Debug, PartialEq)]
pub struct Absorb {
    /// Who was absorbed.
    pub absorbed: Box<str>,
    /// The record.
    pub record: Option<Box<Customer>>,
    /// The ids that were absorbed into it before.
    pub aliases: Vec<Box<str>>,
    /// The merge.
    pub trigger: Arc<Trigger>,
    /// Who passed it on.
    pub path: Vec<Box<str>>,
    /// It goes round a circle to see that it is closed.
    pub lap: bool,
    /// It is to rest where it arrives.
    pub settle: bool,
    /// The survivor had no room: it is on its way to its own id, to be a customer there again.
    pub home: bool,
}

/// What is handed over.
#[derive(Clone, Debug, PartialEq)]
pub enum Matter {
    /// A referral converted or reversed by the referred customer's own record.
    Credit(Travelling),
    /// Somebody was brought by this customer, and keeps no more than the address.
    Named,
    /// An event for an absorbed customer, on its way to the survivor.
    Forward(Travelling),
    /// A merged customer's record.
    Absorb(Absorb),
    /// The survivor was erased at an instant: so is the absorbed id that forwards to it.
    Forget(Instant),
    /// An absorbed customer's record came to rest further on than it was sent: forward there.
    Redirect(Box<str>),
}

/// Something for a customer id.
#[derive(Clone, Debug, PartialEq)]
pub struct Handover {
    /// The customer id (and Kafka key) that it goes to.
    pub to: Box<str>,
    /// The instant of the event behind it.
    pub time: Instant,
    /// What it is.
    pub matter: Matter,
}
