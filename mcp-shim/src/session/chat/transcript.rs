//! What was said and what happened in a chat.

use std::collections::VecDeque;

use serde::Serialize;
use shared::{limits, message::Author};

use crate::session::{
    event::{Entry, Event, Sender},
    reply::Spoken,
};

/// The last entries of one chat.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    lines: VecDeque<Line>,
    written: u64,
}

/// An entry of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Line {
    /// An event, as results have it.
    Happened(Entry),
    /// A message of this side.
    Said(Said),
}

/// A message of this side.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename = "message.sent")]
pub struct Said {
    /// When it was accepted, in RFC 3339.
    pub at: String,
    /// The room in which it was said.
    pub room_id: String,
    /// The same on both sides.
    pub message_id: String,
    /// The name under which it was said.
    pub from: Sender,
    /// Whose words these are.
    pub author: Author,
    /// The text, cleaned.
    pub message: String,
}

impl Transcript {
    pub(super) fn write(&mut self, line: Line) {
        if self.lines.len() == limits::TRANSCRIPT_ENTRIES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
        self.written += 1;
    }

    /// The last messages of both sides, oldest first.
    pub(super) fn history(&self, most: usize) -> Vec<Spoken> {
        let messages = self.lines.iter().rev().filter_map(Line::spoken);
        let mut last: Vec<_> = messages.take(most).collect();
        last.reverse();
        last
    }

    /// The messages of this side, newest first.
    pub(super) fn said(&self) -> impl Iterator<Item = &Said> {
        self.lines.iter().rev().filter_map(|line| match line {
            Line::Said(said) => Some(said),
            Line::Happened(_) => None,
        })
    }

    /// All that is kept, oldest first.
    pub(super) fn lines(&self) -> impl ExactSizeIterator<Item = &Line> {
        self.lines.iter()
    }

    /// How many lines there ever were.
    pub(super) fn written(&self) -> u64 {
        self.written
    }
}

impl Line {
    /// Whether the partner has chosen some of it.
    pub(super) fn has_words(&self) -> bool {
        match self {
            Self::Said(_) => false,
            Self::Happened(entry) => entry.notice().is_some(),
        }
    }

    fn spoken(&self) -> Option<Spoken> {
        match self {
            Self::Said(said) => Some(Spoken {
                from: "you",
                display_name: said.from.display_name.clone(),
                author: said.author,
                room_id: said.room_id.clone(),
                message_id: said.message_id.clone(),
                message: said.message.clone(),
                at: said.at.clone(),
            }),
            Self::Happened(entry) => match &entry.event {
                Event::Message { room_id, message_id, from, author, message, sent_at, .. } => {
                    Some(Spoken {
                        from: "partner",
                        display_name: from.display_name.clone(),
                        author: *author,
                        room_id: room_id.clone(),
                        message_id: message_id.clone(),
                        message: message.clone(),
                        at: sent_at.clone(),
                    })
                }
                Event::Found { .. }
                | Event::Away { .. }
                | Event::Back { .. }
                | Event::Disconnected { .. }
                | Event::Expired { .. } => None,
            },
        }
    }
}
