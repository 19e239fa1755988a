//! The events of one chat: numbered, lent to results, handed out, kept for `after`.

use std::collections::VecDeque;

use shared::limits;

use crate::session::{
    event::{Entry, Event},
    ids::CallId,
};

/// Events that are not messages and were not handed out; more than a client that never reads can
/// cause is a relay gone wrong, and the oldest changes of presence go.
const UNREAD_OTHERS: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    entries: VecDeque<Held>,
    newest: u64,
    handed_out: u64,
    unread_messages: usize,
}

#[derive(Debug)]
struct Held {
    entry: Entry,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unread,
    Lent(CallId),
    HandedOut,
}

/// What of the inbox goes into one result.
#[derive(Debug, PartialEq)]
pub(crate) struct Loan {
    pub(crate) events: Vec<Entry>,
    pub(crate) since: u64,
    pub(crate) cursor: u64,
    pub(crate) more: bool,
}

impl Inbox {
    /// Whether another message can be taken.
    pub(super) fn has_room(&self) -> bool {
        self.unread_messages < limits::UNREAD_MESSAGES
    }

    /// How many events no completed result has handed out.
    pub(super) fn unread(&self) -> usize {
        self.entries.iter().filter(|held| held.state != State::HandedOut).count()
    }

    /// The highest cursor that a completed result has handed out.
    pub(super) fn handed_out(&self) -> u64 {
        self.handed_out
    }

    /// Whether a result made now would have an event in it.
    pub(super) fn has_news(&self, after: Option<u64>) -> bool {
        match after {
            // What nobody has is the newest, but for results that were not written.
            None => self.entries.iter().rev().any(|held| held.state == State::Unread),
            Some(after) => self
                .entries
                .iter()
                .find(|held| held.entry.cursor > after)
                .is_some_and(|held| !matches!(held.state, State::Lent(_))),
        }
    }

    /// Numbers an event and keeps it until it is handed out.
    pub(super) fn push(&mut self, at: String, event: Event) -> Entry {
        self.newest += 1;
        let entry = Entry { cursor: self.newest, at, event };
        match entry.event.text() {
            Some(_) => self.unread_messages += 1,
            None => self.drop_excess_presence(),
        }
        self.entries.push_back(Held { entry: entry.clone(), state: State::Unread });
        entry
    }

    fn drop_excess_presence(&mut self) {
        let is_presence = |held: &Held| {
            held.state == State::Unread
                && matches!(held.entry.event, Event::Away { .. } | Event::Back { .. })
        };
        if self.entries.iter().filter(|held| is_presence(held)).count() >= UNREAD_OTHERS
            && let Some(oldest) = self.entries.iter().position(is_presence)
        {
            self.entries.remove(oldest);
        }
    }

    /// The client has everything up to `after`, whatever became of the results it was in.
    pub(super) fn acknowledge(&mut self, after: u64) {
        for index in 0..self.entries.len() {
            if self.entries[index].entry.cursor <= after {
                self.hand_out(index);
            }
        }
        self.forget_old();
    }

    /// Lends what a result can hold: what nobody has, or with `after` what follows it. Other
    /// results leave it out until [`settle`](Self::settle).
    pub(super) fn lend(&mut self, call: CallId, after: Option<u64>) -> Loan {
        let mut events = Vec::new();
        let mut messages = 0;
        let mut chars = 0;
        let mut more = false;
        for held in &mut self.entries {
            match (after, held.state) {
                (None, State::Lent(_) | State::HandedOut) => continue,
                (Some(after), _) if held.entry.cursor <= after => continue,
                (Some(_), State::Lent(_)) => {
                    more = true;
                    break;
                }
                (None, State::Unread) | (Some(_), State::Unread | State::HandedOut) => {}
            }
            if let Some(text) = held.entry.event.text() {
                messages += 1;
                chars += text.chars().count();
            }
            let full = messages > limits::RESULT_MESSAGES || chars > limits::RESULT_CHARS;
            if full && !events.is_empty() {
                more = true;
                break;
            }
            if held.state == State::Unread {
                held.state = State::Lent(call);
            }
            events.push(held.entry.clone());
        }
        let cursor = events.last().map_or(self.handed_out, |entry| entry.cursor);
        let since = match events.first() {
            Some(first) => first.cursor - 1,
            None => after.unwrap_or(self.handed_out),
        };
        Loan { events, since, cursor, more }
    }

    /// What was lent to this call was written, or comes back. Returns whether something was.
    pub(super) fn settle(&mut self, call: CallId, written: bool) -> bool {
        let mut any = false;
        for index in 0..self.entries.len() {
            if self.entries[index].state == State::Lent(call) {
                any = true;
                if written {
                    self.hand_out(index);
                } else {
                    self.entries[index].state = State::Unread;
                }
            }
        }
        self.forget_old();
        any
    }

    fn hand_out(&mut self, index: usize) {
        let held = &mut self.entries[index];
        if held.state == State::HandedOut {
            return;
        }
        held.state = State::HandedOut;
        self.handed_out = self.handed_out.max(held.entry.cursor);
        self.unread_messages -= usize::from(held.entry.event.text().is_some());
    }

    fn forget_old(&mut self) {
        let is_handed_out = |held: &Held| held.state == State::HandedOut;
        let mut excess = self
            .entries
            .iter()
            .filter(|held| is_handed_out(held))
            .count()
            .saturating_sub(limits::HANDED_OUT_EVENTS);
        self.entries.retain(|held| {
            let forget = excess > 0 && is_handed_out(held);
            excess -= usize::from(forget);
            !forget
        });
    }

    /// Whether this event was handed out by a completed result.
    pub(super) fn was_handed_out(&self, cursor: u64) -> bool {
        cursor <= self.newest
            && self
                .entries
                .iter()
                .find(|held| held.entry.cursor == cursor)
                .is_none_or(|held| held.state == State::HandedOut)
    }

    /// Panics if more is held than may be, or if it is counted wrongly.
    pub(super) fn check(&self) {
        let unread = |held: &&Held| held.state != State::HandedOut;
        let texts = self.entries.iter().filter(unread).filter_map(|held| held.entry.event.text());
        assert_eq!(self.unread_messages, texts.count());
        assert!(self.unread_messages <= limits::UNREAD_MESSAGES);
        let handed_out = self.entries.len() - self.entries.iter().filter(unread).count();
        assert!(handed_out <= limits::HANDED_OUT_EVENTS);
        assert!(self.entries.iter().is_sorted_by(|one, two| one.entry.cursor < two.entry.cursor));
    }
}

#[cfg(test)]
mod tests;
