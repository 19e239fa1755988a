//! What was said and what happened in a chat, for reading again. Reading it hands out nothing: the
//! inbox alone knows what the client has.

use std::{collections::VecDeque, time::Instant};

use serde::Serialize;
use shared::{
    id::RoomId,
    limits,
    message::{Author, Presence},
};

use super::{
    Sessions,
    chat::{Chat, Place},
    event::{ChatId, Entry, Event, Sender},
    next,
    reply::{ChatState, QueueView, RoomView, Spoken},
};

/// The last entries of one chat.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    lines: VecDeque<Line>,
    /// How many there ever were.
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
    pub at: String,
    pub room_id: String,
    pub message_id: String,
    pub from: Sender,
    pub author: Author,
    pub message: String,
}

/// A chat, as it is read again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// Its handle.
    pub chat_id: ChatId,
    /// Where it stands.
    pub state: ChatState,
    /// Only beside words of the partner: what they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<&'static str>,
    /// Only while chatting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomView>,
    /// Only while waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueView>,
    /// What was said and what happened, oldest first.
    pub entries: Vec<Line>,
}

/// Stands for what can be read of a chat: if it differs, the chat reads differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    state: ChatState,
    written: u64,
    room: Option<(RoomId, Presence)>,
    queue: Option<(Option<usize>, usize, usize, usize)>,
}

impl Sessions {
    /// What can be read of a chat, if tools can name it.
    #[must_use]
    pub fn reading(&self, id: ChatId, now: Instant) -> Option<Reading> {
        self.living().find(|chat| chat.id == id).map(|chat| chat.reading(now))
    }

    /// Every chat that tools can name, and what stands for its reading.
    pub fn outlines(&self) -> impl Iterator<Item = (ChatId, Outline)> {
        self.living().map(|chat| (chat.id, chat.outline()))
    }
}

impl Chat {
    fn reading(&self, now: Instant) -> Reading {
        let room = self.room().map(|room| room.view(now));
        let has_words = room.is_some() || self.transcript.lines.iter().any(Line::has_words);
        Reading {
            chat_id: self.id,
            state: self.state(),
            notice: has_words.then_some(next::NOTICE),
            room,
            queue: self.queue_view(),
            entries: self.transcript.lines.iter().cloned().collect(),
        }
    }

    fn outline(&self) -> Outline {
        Outline {
            state: self.state(),
            written: self.transcript.written,
            room: self.room().map(|room| (room.room_id, room.presence)),
            queue: match &self.place {
                Place::Idle | Place::Chatting(_) => None,
                Place::Seeking => Some((None, 1, 0, 0)),
                Place::Waiting { queue, .. } => {
                    Some((queue.position, queue.waiting, queue.not_listening, queue.own))
                }
            },
        }
    }
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

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }
}

impl Line {
    /// Whether the partner has chosen some of it.
    fn has_words(&self) -> bool {
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
