//! Messages of this side on their way: which partner they are for, what limits them, and what of
//! them the link has.

use std::{
    mem::{replace, take},
    time::{Duration, Instant},
};

use shared::{id::RoomId, limits::Limits, message::Author};

use super::{
    Chat, LinkState, Place,
    room::Room,
    transcript::{Line, Said},
};
use crate::session::{
    context::Context,
    contract::Output,
    event::Sender,
    reply::{ToolError, errors},
};

impl Chat {
    /// The room that a message is for: the one that it names, or the one that its client knows of.
    pub(crate) fn guarded_room(&self, named: Option<&str>) -> Result<RoomId, ToolError> {
        let Some(room) = self.room() else { return Err(errors::not_in_room(self.state())) };
        let is_meant = match named {
            Some(named) => named == room.room_id.to_string(),
            None => self.inbox.was_handed_out(room.found),
        };
        if is_meant { Ok(room.room_id) } else { Err(errors::room_changed()) }
    }

    /// Messages of the assistant since the last one of the user.
    pub(crate) fn assistant_streak(&self) -> u32 {
        self.assistant_streak
    }

    /// What the relay allows.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn window_holds(&self, bytes: usize) -> bool {
        self.room().is_some_and(|room| room.window_holds(bytes, &self.limits))
    }

    /// # Errors
    /// How long to wait, if the rate allows no message now.
    pub(crate) fn charge_message(&mut self, now: Instant) -> Result<(), Duration> {
        self.message_bucket.charge(now)
    }

    /// # Errors
    /// How long to wait, if the rate allows no other partner now.
    pub(crate) fn charge_next(&mut self, now: Instant) -> Result<(), Duration> {
        self.next_bucket.charge(now)
    }

    /// Takes a message for the partner. Returns its number, if there is a partner.
    pub(crate) fn accept(
        &mut self,
        author: Author,
        text: String,
        removed: u32,
        cx: &mut Context,
    ) -> Option<u64> {
        let Place::Chatting(room) = &mut self.place else { return None };
        let seq = room.accept(author, text.clone(), removed);
        self.assistant_streak = match author {
            Author::User => 0,
            Author::Assistant => self.assistant_streak + 1,
        };
        self.empty_waits = 0;
        self.transcript.write(Line::Said(Said {
            at: cx.now.rfc3339(),
            room_id: room.room_id.to_string(),
            message_id: room.own_message_id(seq),
            from: Sender { display_name: self.display_name.clone() },
            author,
            message: text,
        }));
        self.give(cx);
        Some(seq)
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
