//! Bytes to values and back.

mod base64;
pub mod change;
pub mod decode;
pub mod event;
mod fields;
pub mod headers;
pub mod json;
pub mod lines;
mod printable;
pub mod quote;
mod scanner;
pub mod text;
pub mod values;
