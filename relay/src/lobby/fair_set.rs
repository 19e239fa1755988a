//! What is remembered for many accounts in a place of bounded size.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::RangeInclusive,
};

/// A set that remembers only so many. Over that, the account that has most of them loses its
/// oldest: one account pushes out nothing of an account that has less.
#[derive(Debug)]
pub(super) struct FairSet<T, const CAPACITY: usize> {
    members: BTreeSet<(u32, T)>,
    /// By user id, oldest first; none is empty.
    by_account: BTreeMap<u32, VecDeque<T>>,
    /// How many each account has.
    sizes: BTreeSet<(usize, u32)>,
}

impl<T, const CAPACITY: usize> Default for FairSet<T, CAPACITY> {
    fn default() -> Self {
        Self { members: BTreeSet::new(), by_account: BTreeMap::new(), sizes: BTreeSet::new() }
    }
}

impl<T: Copy + Ord, const CAPACITY: usize> FairSet<T, CAPACITY> {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn contains(&self, account: u32, member: T) -> bool {
        self.members.contains(&(account, member))
    }

    /// The greatest of an account that is in this range.
    pub(super) fn greatest(&self, account: u32, range: RangeInclusive<T>) -> Option<T> {
        let (first, last) = range.into_inner();
        let members = self.members.range((account, first)..=(account, last));
        members.map(|(_, member)| *member).next_back()
    }

    /// Whether it is new.
    pub(super) fn insert(&mut self, account: u32, member: T) -> bool {
        if !self.members.insert((account, member)) {
            return false;
        }
        self.change(account, |members| members.push_back(member));
        if self.members.len() > CAPACITY
            && let Some(&(_, largest)) = self.sizes.last()
            && let Some(oldest) = self.change(largest, VecDeque::pop_front)
        {
            self.members.remove(&(largest, oldest));
        }
        true
    }

    fn change<R>(&mut self, account: u32, change: impl FnOnce(&mut VecDeque<T>) -> R) -> R {
        let members = self.by_account.entry(account).or_default();
        self.sizes.remove(&(members.len(), account));
        let result = change(members);
        if members.is_empty() {
            self.by_account.remove(&account);
        } else {
            self.sizes.insert((members.len(), account));
        }
        result
    }
}
