//! What is known of a customer, and how it is counted: contract sections 2 and 3.

pub mod address;
pub mod book;
pub mod calendar;
pub mod customer;
pub mod instant;
pub mod money;
pub mod series;
pub mod size;
