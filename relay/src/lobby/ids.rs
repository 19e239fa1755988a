//! New identifiers: a seed determines them, and nobody without it can tell the next from the last.

use shared::id::keyed;

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
        keyed(&self.seed, 0, self.counter).to_le_bytes()
    }
}
