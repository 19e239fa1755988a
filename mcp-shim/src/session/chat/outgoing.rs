//! Messages of this side on their way: which partner they are for, what is refused before a message
//! has a number, and what of them the link has.

use std::{
    mem::{replace, take},
    time::{Duration, Instant},
};

use shared::{id::RoomId, message::Author, text};

use super::{
    Chat, LinkState, Place,
    room::Room,
    transcript::{Line, Said},
};
use crate::session::{
    context::Context,
    contract::{Output, SendMessage},
    event::Sender,
    reply::{ToolError, errors},
};

/// What became of a message that is not refused.
pub(crate) enum Accepted {
    /// It has this number and is on its way, or will be.
    Sent { room_id: RoomId, seq: u64 },
    /// Nothing yet: the relay does not answer. It is for the partner in this room, even if there is
    /// another by then.
    NotYet { room_id: RoomId },
}

impl Chat {
    /// Sends a message to the partner that its user means.
    ///
    /// # Errors
    /// Why it is refused. It has no number then, and nothing of it is kept.
    pub(crate) fn send(
        &mut self,
        request: &SendMessage,
        autonomous: Option<u32>,
        cx: &mut Context,
    ) -> Result<Accepted, ToolError> {
        let (is_down, state) = (self.down_since().is_some(), self.state());
        let Place::Chatting(room) = &mut self.place else { return Err(errors::not_in_room(state)) };
        let room_id = room.room_id;
        let is_meant = match &request.room_id {
            Some(named) => *named == room_id.to_string(),
            None => self.inbox.was_handed_out(room.found),
        };
        if !is_meant {
            return Err(errors::room_changed());
        }
        let streak = match request.author {
            Author::User => 0,
            Author::Assistant => self.assistant_streak + 1,
        };
        if autonomous.is_some_and(|most| streak > most) {
            return Err(errors::ask_user(self.assistant_streak));
        }
        let (bytes, lines) = (self.limits.message_bytes, self.limits.message_lines);
        let cleaned = text::message(&request.message, bytes, lines);
        let cleaned = cleaned.map_err(|error| errors::invalid_message(&error))?;
        if is_down {
            return Ok(Accepted::NotYet { room_id });
        }
        if !room.window_holds(cleaned.text.len(), &self.limits) {
            return Err(errors::window_full());
        }
        self.message_bucket.charge(cx.now.instant).map_err(errors::rate_limited)?;

        self.assistant_streak = streak;
        self.empty_waits = 0;
        let message = cleaned.text.into_owned();
        let seq = room.accept(request.author, message.clone(), cleaned.removed);
        self.transcript.write(Line::Said(Said {
            at: cx.now.rfc3339(),
            room_id: room_id.to_string(),
            message_id: room.own_message_id(seq),
            from: Sender { display_name: self.display_name.clone() },
            author: request.author,
            message,
        }));
        self.give(cx);
        if self.room().is_some_and(|room| !room.has_more()) {
            self.attention.has_sent();
        }
        Ok(Accepted::Sent { room_id, seq })
    }

    /// # Errors
    /// How long to wait, if the rate allows no other partner now.
    pub(crate) fn charge_next(&mut self, now: Instant) -> Result<(), Duration> {
        self.next_bucket.charge(now)
    }

    /// Whether the partner's shim has this message. `None` once that cannot be learned any more.
    pub(crate) fn is_delivered(&self, room_id: RoomId, seq: u64) -> Option<bool> {
        self.room().filter(|room| room.room_id == room_id).map(|room| room.has(seq))
    }

    pub(crate) fn has_unacknowledged(&self) -> bool {
        self.room().is_some_and(|room| !room.all_acknowledged())
    }

    /// Messages that the partner may not have.
    pub(crate) fn unacknowledged(&self) -> Vec<String> {
        self.room().map(Room::unacknowledged).unwrap_or_default()
    }

    /// What the sender is told of a message: its id, also after the room is closed.
    pub(crate) fn sent_message_id(&self, room_id: RoomId, seq: u64) -> Option<String> {
        let in_room = self.room().filter(|room| room.room_id == room_id);
        in_room.map(|room| room.own_message_id(seq)).or_else(|| {
            let room_id = room_id.to_string();
            let suffix = format!(".{seq}");
            let mut said = self.transcript.said();
            said.find(|said| said.room_id == room_id && said.message_id.ends_with(&suffix))
                .map(|said| said.message_id.clone())
        })
    }

    /// The link has written all that it was given.
    pub(crate) fn written(&mut self, cx: &mut Context) {
        if take(&mut self.awaits_written) {
            self.unwritten = 0;
            self.give(cx);
        }
    }

    /// Gives the link what it has not been given yet: of what it has not written, as far as is
    /// known, never more than a window. However often a partner asks for everything again, no
    /// more than that piles up.
    pub(super) fn give(&mut self, cx: &mut Context) {
        let (LinkState::Welcomed { .. } | LinkState::Up, Place::Chatting(room)) =
            (self.link, &mut self.place)
        else {
            return;
        };
        let most = self.limits.window_messages.max(1).saturating_sub(self.unwritten);
        let given = room.give(most);
        self.unwritten += given.len();
        let has_more = room.has_more();
        self.transmit_all(given, cx);
        if has_more && !replace(&mut self.awaits_written, true) {
            cx.out.push(Output::TellWritten(self.id));
        }
    }
}
