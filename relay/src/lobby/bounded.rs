//! A set that remembers only so many and drops the oldest.

use std::collections::{BTreeSet, VecDeque};

#[derive(Debug)]
pub(super) struct BoundedSet<T> {
    capacity: usize,
    members: BTreeSet<T>,
    by_age: VecDeque<T>,
}

impl<T: Copy + Ord> BoundedSet<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, members: BTreeSet::new(), by_age: VecDeque::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn contains(&self, member: &T) -> bool {
        self.members.contains(member)
    }

    /// Whether it is new.
    pub(super) fn insert(&mut self, member: T) -> bool {
        if !self.members.insert(member) {
            return false;
        }
        self.by_age.push_back(member);
        if self.by_age.len() > self.capacity
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.members.remove(&oldest);
        }
        true
    }
}
