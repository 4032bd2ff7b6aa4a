//! Instants: microseconds since 1970-01-01T00:00:00Z.

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Instant = i64;
/// Days since 1970-01-01 of the calendar date in the shop's time zone.
pub type Day = i32;
/// Money in minor units, and sums of it: exact, checked, never wrapped.
pub type Amount = i128;
/// Microseconds in a second.
pub const SECOND: Instant = 1_000_000;
/// Microseconds in a day of 24 hours.
pub const DAY: Instant = 86_400 * SECOND;
/// The first instant beyond what events may have: 2200-01-01T00:00:00Z (contract section 2).
pub const LATEST: Instant = 7_258_118_400 * SECOND;
/// Later than every instant.
pub const NEVER: Instant = 1 << 62;
