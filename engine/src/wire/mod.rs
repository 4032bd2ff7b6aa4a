//! Bytes to values and back.

pub mod change;
pub mod classify;
pub mod event;
mod fields;
pub mod json;
pub mod lines;
mod printable;
pub mod quick;
pub mod quote;
mod scanner;
pub mod text;
pub mod values;
