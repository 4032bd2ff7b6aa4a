//! What the rules mean: contract sections 4 to 6.
