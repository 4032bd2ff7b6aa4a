//! What can happen to a customer: contract section 2.

use crate::facts::instant::Instant;

pub use crate::wire::decode::decode;
pub use crate::wire::headers::Headers;

/// Three capital letters.
pub type Currency = [u8; 3];

/// An attribute of a profile.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// true or false
    Bool(bool),
    /// a whole number
    Int(i64),
    /// a number that is not whole
    Float(f64),
    /// text
    Text(Box<str>),
    /// a list of texts
    List(Box<[Box<str>]>),
}

/// What kind of review it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewKind {
    /// an ordinary review
    Review,
    /// what somebody says for the shop
    Testimonial,
    /// a defence of the shop against others
    Defence,
    /// a complaint: always negative
    Complaint,
}

/// What an event says beyond its envelope. Amounts are minor units of their currency.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // the fields are those of the contract's table
pub enum Data {
    PurchaseCompleted {
        order_id: Box<str>,
        amount: i64,
        currency: Currency,
        units: i64,
    },
    PurchaseRefunded {
        order_id: Box<str>,
        amount: i64,
        currency: Currency,
    },
    Registered {
        referred_by: Option<Box<str>>,
    },
    Inquired,
    CardIssued {
        tier: Box<str>,
    },
    CardRevoked,
    ReviewPosted {
        review_id: Box<str>,
        rating: Option<f64>,
        kind: ReviewKind,
    },
    ReviewRemoved {
        review_id: Box<str>,
    },
    ReferralSent,
    ReferralConverted {
        referred_id: Box<str>,
        amount: Option<i64>,
        /// Always there beside an amount; it may stand alone, and then still asks for a rate.
        currency: Option<Currency>,
    },
    ReferralReversed {
        referred_id: Box<str>,
    },
    InteractionSeen {
        need: u8,
    },
    /// In the order of the event; None removes an attribute.
    ProfileUpdated {
        attributes: Vec<(Box<str>, Option<Attribute>)>,
    },
    ProfileMerged {
        into: Box<str>,
    },
    ProfileErased,
    ProfilePlaced {
        ladder: Box<str>,
        rung: Option<Box<str>>,
        until: Option<Instant>,
    },
    ClockAdvanced,
}

impl Data {
    /// The CloudEvents type, as the contract's table names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Data::PurchaseCompleted { .. } => "purchase.completed",
            Data::PurchaseRefunded { .. } => "purchase.refunded",
            Data::Registered { .. } => "signup.registered",
            Data::Inquired => "signup.inquired",
            Data::CardIssued { .. } => "signup.card_issued",
            Data::CardRevoked => "signup.card_revoked",
            Data::ReviewPosted { .. } => "review.posted",
            Data::ReviewRemoved { .. } => "review.removed",
            Data::ReferralSent => "referral.sent",
            Data::ReferralConverted { .. } => "referral.converted",
            Data::ReferralReversed { .. } => "referral.reversed",
            Data::InteractionSeen { .. } => "interaction.seen",
            Data::ProfileUpdated { .. } => "profile.updated",
            Data::ProfileMerged { .. } => "profile.merged",
            Data::ProfileErased => "profile.erased",
            Data::ProfilePlaced { .. } => "profile.placed",
            Data::ClockAdvanced => "clock.advanced",
        }
    }
}

/// One event about one customer, at one instant. The subject of `ClockAdvanced` is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The CloudEvents source.
    pub source: Box<str>,
    /// The CloudEvents id.
    pub id: Box<str>,
    /// The customer id.
    pub subject: Box<str>,
    /// When it happened.
    pub time: Instant,
    /// What it says.
    pub data: Data,
}

/// Why a record can be refused, in the order in which faults are looked for (contract section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // named as in the contract
pub enum Reason {
    TooLarge,
    NotJson,
    NotAnEvent,
    UnknownType,
    KeyMismatch,
    BadData,
    UnknownLadder,
    Future,
    NoRate,
    WrongPartition,
    UnknownOrder,
    UnknownReview,
    UnknownReferral,
    TooMuch,
}

impl Reason {
    /// The reason as the header `loyalty.reason` gives it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::TooLarge => "too-large",
            Reason::NotJson => "not-json",
            Reason::NotAnEvent => "not-an-event",
            Reason::UnknownType => "unknown-type",
            Reason::KeyMismatch => "key-mismatch",
            Reason::BadData => "bad-data",
            Reason::UnknownLadder => "unknown-ladder",
            Reason::Future => "future",
            Reason::NoRate => "no-rate",
            Reason::WrongPartition => "wrong-partition",
            Reason::UnknownOrder => "unknown-order",
            Reason::UnknownReview => "unknown-review",
            Reason::UnknownReferral => "unknown-referral",
            Reason::TooMuch => "too-much",
        }
    }
}

/// Why a record cannot be applied: it goes to the dead letters with these words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The first fault in the order of `Reason`.
    pub reason: Reason,
    /// What, where, and what to do; never what may be about a person.
    pub message: String,
}
