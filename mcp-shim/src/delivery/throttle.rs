//! How often something may be told: the first change at once, then once an interval at most, and
//! the last change always. Pure: the time is an argument.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What has changed, of several things that are told apart by their keys.
#[derive(Debug)]
pub(crate) struct Throttle<K> {
    interval: Duration,
    /// What was told less than an interval ago.
    told: BTreeMap<K, Instant>,
    /// What has changed since it was told, and when it may be told again.
    due: BTreeMap<K, Instant>,
}

impl<K: Ord + Copy> Throttle<K> {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, told: BTreeMap::new(), due: BTreeMap::new() }
    }

    /// It has changed.
    pub(crate) fn changed(&mut self, key: K, now: Instant) {
        let told = self.told.get(&key);
        let due = told.map_or(now, |told| now.max(*told + self.interval));
        self.due.entry(key).or_insert(due);
    }

    /// Takes what is to be told now.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<K> {
        let due: Vec<K> =
            self.due.iter().filter(|(_, at)| **at <= now).map(|(key, _)| *key).collect();
        self.told.retain(|_, told| *told + self.interval > now);
        for key in &due {
            self.due.remove(key);
            self.told.insert(*key, now);
        }
        due
    }

    /// When something is to be told, if anything is.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.due.values().copied().min()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "some time has to be the first")]
mod tests;
