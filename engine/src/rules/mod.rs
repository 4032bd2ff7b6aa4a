//! What the rules mean: contract sections 2 to 6.

pub mod change;
pub mod condition;
pub mod credit;
pub mod due;
pub mod effects;
pub mod explain;
pub mod fact;
pub mod fold;
pub mod handover;
pub mod ladder;
pub mod people;
pub mod ranking;
pub mod receive;
pub mod refusal;
pub mod room;
pub mod shop;
pub mod standing;
pub mod value;
