//! Bytes to values and back.

mod base64;
pub mod change;
pub mod decode;
pub mod event;
mod fields;
pub mod headers;
pub mod json;
pub mod lines;
pub mod msgpack;
pub mod old_record;
pub mod pack;
mod printable;
pub mod quote;
pub mod record;
pub mod rows;
mod scanner;
pub mod text;
pub mod values;
