//! What is known of a customer, and how it is counted: contract sections 2 and 3.

pub mod instant;
