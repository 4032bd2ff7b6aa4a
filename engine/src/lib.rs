//! The engine: what the rules mean, from bytes to bytes.
//!
//! A customer's record is a value, an event is a value, and the rules are a pure function of both.
//! Nothing here knows of clocks, threads, files or sockets; what it needs is handed in.

pub mod facts;
pub mod rules;
pub mod wire;

/// glibc's malloc takes a third of a fold's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
