//! When to look at a session or a room again: one entry each, kept in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use shared::id::{RoomId, SessionId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Session(SessionId),
    Room(RoomId),
    /// From when on anybody is paired.
    Pairing,
}

/// An entry may be earlier than its deadline, never later. So putting a deadline off (each message
/// does) costs nothing: a subject that is looked at too early is entered again.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    in_order: BTreeSet<(Instant, Subject)>,
    by_subject: BTreeMap<Subject, Instant>,
}

impl Deadlines {
    pub(super) fn next(&self) -> Option<Instant> {
        self.in_order.first().map(|&(at, _)| at)
    }

    pub(super) fn of(&self, subject: Subject) -> Option<Instant> {
        self.by_subject.get(&subject).copied()
    }

    pub(super) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.by_subject.keys()
    }

    /// Makes sure that the subject is looked at by then.
    pub(super) fn not_after(&mut self, subject: Subject, at: Instant) {
        if self.of(subject).is_some_and(|entered| entered <= at) {
            return;
        }
        self.forget(subject);
        self.by_subject.insert(subject, at);
        self.in_order.insert((at, subject));
    }

    pub(super) fn forget(&mut self, subject: Subject) {
        if let Some(at) = self.by_subject.remove(&subject) {
            self.in_order.remove(&(at, subject));
        }
    }

    /// Takes out the earliest that has passed.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, Subject)> {
        let &(at, subject) = self.in_order.first().filter(|&&(at, _)| at <= now)?;
        self.forget(subject);
        Some((at, subject))
    }
}
