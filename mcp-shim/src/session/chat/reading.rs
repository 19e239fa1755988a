//! A chat as it is shown in results, in progress, and as a resource.
//! Reading hands out nothing: the inbox alone knows what the client has.

use std::{collections::BTreeMap, time::Instant};

use serde::Serialize;
use shared::{id::RoomId, message::Presence};

use super::{Chat, LinkState, Place, transcript::Line};
use crate::session::{
    event::NOTICE,
    ids::ChatId,
    reply::{ChatState, QueueView, RoomView},
};

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
pub struct ChatVersion {
    state: ChatState,
    written: u64,
    room: Option<(RoomId, Presence)>,
    queue: Option<(Option<usize>, usize, usize, usize)>,
}

/// The chats that there are, and what stands for the reading of each.
pub type ChatVersions = BTreeMap<ChatId, ChatVersion>;

/// The chat, where there is exactly one.
#[must_use]
pub fn only_chat(versions: &ChatVersions) -> Option<(ChatId, ChatVersion)> {
    let (id, version) = versions.first_key_value().filter(|_| versions.len() == 1)?;
    Some((*id, *version))
}

impl Chat {
    pub(crate) fn reading(&self, now: Instant) -> Reading {
        let room = self.room().map(|room| room.view(now));
        let has_words = room.is_some() || self.transcript.lines().any(Line::has_words);
        Reading {
            chat_id: self.id,
            state: self.state(),
            notice: has_words.then_some(NOTICE),
            room,
            queue: self.queue_view(),
            entries: self.transcript.lines().cloned().collect(),
        }
    }

    pub(crate) fn version(&self) -> ChatVersion {
        ChatVersion {
            state: self.state(),
            written: self.transcript.written(),
            room: self.room().map(|room| (room.room_id, room.presence)),
            queue: self
                .queue_view()
                .map(|queue| (queue.position, queue.waiting, queue.not_listening, queue.own)),
        }
    }

    pub(crate) fn queue_view(&self) -> Option<QueueView> {
        match &self.place {
            _ if self.ended.is_some() => None,
            Place::Idle | Place::Chatting(_) => None,
            Place::Seeking { .. } => Some(QueueView {
                topic: self.topic.clone(),
                position: None,
                waiting: 1,
                not_listening: 0,
                own: 0,
            }),
            Place::Waiting { queue, .. } => Some(queue.clone()),
        }
    }

    /// What the chat waits for, for people.
    pub(crate) fn progress(&self) -> String {
        if self.link != LinkState::Up && self.link != LinkState::Closed {
            return "the relay does not answer; trying to reach it".to_owned();
        }
        let waiting_for = match &self.place {
            Place::Idle => "this chat has no partner",
            Place::Waiting { queue: QueueView { position: Some(position @ 2..), .. }, .. } => {
                return format!("waiting for a partner, {} ahead of you", position - 1);
            }
            Place::Seeking { .. } | Place::Waiting { .. } => "waiting for a partner",
            Place::Chatting(room) => match room.presence {
                Presence::Listening => "waiting for a message; your partner is listening",
                Presence::NotListening => "waiting for a message; your partner is not listening",
                Presence::Reconnecting => "waiting for a message; your partner is reconnecting",
            },
        };
        waiting_for.to_owned()
    }
}
