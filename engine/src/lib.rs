//! The engine: what the rules mean, from bytes to bytes.
//!
//! A customer's record is a value, an event is a value, and the rules are a pure function of both.
//! Nothing here knows of clocks, threads, files or sockets; what it needs is handed in.

pub mod backtest;
pub mod facts;
pub mod handed;
pub mod rules;
pub mod summary;
pub mod wire;

#[cfg(feature = "python")]
mod python;

/// glibc's malloc takes a third of a fold's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
