//! New identifiers: a keyed hash of a counter, so that a seed determines them and nobody without
//! it can tell the next from the last.

use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

#[derive(Debug, Clone)]
pub(super) struct Ids {
    seed: [u8; 16],
    counter: u64,
}

impl Ids {
    pub(super) fn new(seed: [u8; 16]) -> Self {
        Self { seed, counter: 0 }
    }

    pub(super) fn next(&mut self) -> [u8; 16] {
        self.counter += 1;
        let mut hasher = SipHasher24::new_with_key(&self.seed);
        hasher.write(&self.counter.to_le_bytes());
        hasher.finish128().as_bytes()
    }
}
