//! Bytes to values and back.

pub mod classify;
pub mod event;
mod fields;
pub mod json;
mod printable;
pub mod quick;
pub mod quote;
mod scanner;
pub mod values;
