//! Bytes to values and back.

pub mod event;
