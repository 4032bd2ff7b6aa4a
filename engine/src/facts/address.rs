//! How somebody is reached of whom no more than hashes is kept.
//!
//! Who was brought by another keeps only this of that other, whose id is then in that one's own
//! slot alone, and gone with it when it is erased.

use sha2::{Digest, Sha256};

/// Where a customer is found who is known by hashes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The SHA-256 of the customer id.
    pub digest: [u8; 32],
    /// Modulo the partitions it is the customer's partition.
    pub spread: u32,
}

impl Address {
    /// The address of a customer id.
    pub fn of(customer: &str) -> Self {
        let spread = murmur2(customer.as_bytes()) & 0x7fff_ffff;
        Self { digest: Sha256::digest(customer.as_bytes()).into(), spread }
    }
}

/// Hash a key as Kafka's default partitioner does.
fn murmur2(key: &[u8]) -> u32 {
    const MULTIPLIER: u32 = 0x5bd1_e995;
    // A key is an id of 512 bytes at most, so its length fits.
    let mut hashed = 0x9747_b28c ^ key.len() as u32;
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let word = word.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        let word = word.wrapping_mul(MULTIPLIER);
        let word = (word ^ word >> 24).wrapping_mul(MULTIPLIER);
        hashed = hashed.wrapping_mul(MULTIPLIER) ^ word;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hashed ^= rest.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        hashed = hashed.wrapping_mul(MULTIPLIER);
    }
    hashed = (hashed ^ hashed >> 13).wrapping_mul(MULTIPLIER);
    hashed ^ hashed >> 15
}

/// Whom a customer named as the one who brought them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Referrer {
    /// No more than where to find him.
    Known(Address),
    /// His id, until he was told that somebody names him.
    Named(Box<str>),
}

impl Referrer {
    /// Whether he has one of these ids.
    pub fn is_among<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> bool {
        let mut ids = ids.into_iter();
        match self {
            Referrer::Known(address) => ids.any(|id| Address::of(id) == *address),
            Referrer::Named(name) => ids.any(|id| *id == **name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_what_kafka_makes_of_a_key() {
        // From the tests of the Java client, `UtilsTest.testMurmur2`.
        let known = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
        ];
        for (key, hashed) in known {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hashed, "{key}");
        }
    }
}
