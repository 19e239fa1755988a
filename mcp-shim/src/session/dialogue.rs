//! One chat and its relay: what `hello` claims, and what each message of the relay means.

use std::{
    borrow::Cow,
    collections::VecDeque,
    mem::{replace, take},
    time::{Duration, Instant},
};

use shared::{
    id::RoomId,
    limits,
    message::{
        Author, ClientMessage, CloseReason, ErrorCode as WireError, Hello, Leave, Paired, Presence,
        QueueClaim, RelayMessage, Resume, RoomClaim, Welcome,
    },
    text, version,
};

use super::{
    chat::{Chat, Link, Place},
    claims,
    event::{Config, Event, FoundPartner, Moment, Output, Sender, Trouble, TroubleKind},
    room::{Order, Room, Seat},
};

impl Chat {
    /// Says `hello`: the first thing on a connection, and nothing else before `welcome`.
    pub(super) fn connected(
        &mut self,
        config: &Config,
        blocks: &VecDeque<String>,
        out: &mut Vec<Output>,
    ) {
        let Link::Connecting { since } = self.link else { return };
        self.link = Link::Greeting { since };
        self.unwritten = 0;
        self.awaits_written = false;
        if let Some(room) = self.room_mut() {
            room.resumes();
        }
        let session = self.token.clone().map(|token| Resume {
            token: token.into(),
            room: self.room().map(|room| RoomClaim {
                room_id: room.room_id,
                token: room.token.clone().into(),
                received: room.received,
                display_name: self.display_name.clone().into(),
                topic: room.topic.clone().into(),
            }),
            queue: self.queue_claim(),
            leaving: claims::presented_leaves(self.leaving.iter().rev().map(|one| &one.leave)),
        });
        let hello = Hello {
            min: version::OLDEST,
            max: version::NEWEST,
            build: Cow::Borrowed(config.build),
            owner: Some(config.owner),
            session,
            blocks: claims::presented_blocks(blocks),
        };
        out.push(Output::Transmit(self.id, ClientMessage::Hello(hello)));
    }

    fn queue_claim(&self) -> Option<QueueClaim<'static>> {
        let ticket = match &self.place {
            Place::Idle | Place::Chatting(_) => return None,
            Place::Seeking => None,
            Place::Waiting { ticket, .. } => ticket.clone().map(Cow::Owned),
        };
        Some(QueueClaim {
            ticket,
            display_name: self.display_name.clone().into(),
            topic: self.topic.clone().into(),
        })
    }

    /// The connection is gone; the link goes on trying, unless there is nothing left to say.
    pub(super) fn disconnected(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.link != Link::Closed {
            self.link = Link::Connecting { since: self.down_since().unwrap_or(now) };
            self.leaving_queue = false;
            self.close_link_if_idle(out);
        }
    }

    /// What the relay says. Returns a block tag to keep, if there is one.
    pub(super) fn relay(
        &mut self,
        message: RelayMessage<'_>,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Option<String> {
        match message {
            RelayMessage::Welcome(welcome) => self.welcome(welcome, now.instant, out),
            RelayMessage::Pong {} => self.pong(now.instant, out),
            RelayMessage::Queued(queued) => self.queued(queued),
            RelayMessage::Paired(paired) => self.paired(paired, now, out),
            RelayMessage::Closed { room_id, reason } => {
                if self.is_in(room_id) {
                    self.close_room(reason, now, out);
                } else if matches!(self.place, Place::Seeking | Place::Waiting { .. }) {
                    // A room that it knows nothing of may have kept it from its place in the queue.
                    out.push(Output::Transmit(self.id, self.enter_queue()));
                }
            }
            RelayMessage::Left { room_id, block_tag } => {
                return self.left(room_id, block_tag, out);
            }
            RelayMessage::Dequeued { reason } => self.dequeued(reason, now, out),
            RelayMessage::Refused { code, retry_after_ms, .. } => {
                self.refused(code, retry_after_ms, now, out);
            }
            RelayMessage::Error { code, newest, .. } => self.error(code, newest, now, out),
            RelayMessage::Message { room_id, seq, author, text, removed, sent_at } => {
                let (id, Some(room)) = (self.id, self.room_with(room_id)) else { return None };
                match room.judge(seq) {
                    Order::Next => {
                        self.message(seq, author, &text, removed, &sent_at, now, out);
                    }
                    Order::Again => out.push(Output::Transmit(id, room.ack())),
                    Order::Gap => out.push(Output::Transmit(id, room.sync())),
                    Order::Later => {}
                }
            }
            RelayMessage::Ack { room_id, received, read } => {
                if let Some(room) = self.room_with(room_id) {
                    room.acknowledged(received, read);
                }
            }
            RelayMessage::Sync { room_id, received } => {
                if let Some(room) = self.room_with(room_id) {
                    room.acknowledged(received, 0);
                    room.begin_anew();
                    self.give(out);
                }
            }
            RelayMessage::Partner { room_id, presence, seen_seconds } => {
                if self.is_in(room_id) {
                    self.presence(presence, seen_seconds, now, out);
                }
            }
            RelayMessage::GoingAway {}
            | RelayMessage::Status(_)
            | RelayMessage::Stopping { .. } => {}
        }
        None
    }

    fn is_in(&self, room_id: RoomId) -> bool {
        self.room().is_some_and(|room| room.room_id == room_id)
    }

    fn room_with(&mut self, room_id: RoomId) -> Option<&mut Room> {
        self.room_mut().filter(|room| room.room_id == room_id)
    }

    fn welcome(&mut self, welcome: Welcome<'_>, now: Instant, out: &mut Vec<Output>) {
        let token = welcome.session.and_then(|grant| claims::token(grant.token));
        self.token = token.or(self.token.take());
        self.limits = welcome.limits.bounded();
        self.message_bucket.set_rate(self.limits.message_rate, now);
        self.next_bucket.set_rate(self.limits.next_rate, now);
        let Link::Greeting { since } = self.link else { return };
        self.link = Link::Welcomed { since };
        out.push(Output::Transmit(self.id, ClientMessage::Ping {}));
    }

    /// Everything that `hello` claimed is answered; what has come up since is said now.
    fn pong(&mut self, now: Instant, out: &mut Vec<Output>) {
        let Link::Welcomed { .. } = self.link else { return };
        self.link = Link::Up;
        self.trouble = None;
        for departed in &self.leaving {
            out.push(Output::Transmit(self.id, ClientMessage::Leave(departed.leave.clone())));
        }
        match &mut self.place {
            // This also moves a place that was claimed and given up meanwhile.
            Place::Seeking => {
                self.leaving_queue = false;
                out.push(Output::Transmit(self.id, self.enter_queue()));
            }
            Place::Chatting(room) => {
                let messages = room.resumed(&self.inbox);
                out.extend(messages.map(|message| Output::Transmit(self.id, message)));
            }
            Place::Idle if self.leaving_queue => {
                out.push(Output::Transmit(self.id, ClientMessage::LeaveQueue {}));
            }
            Place::Idle | Place::Waiting { .. } => {}
        }
        if self.attentive || self.last_call.is_some_and(|at| now < at + limits::LISTENING_FOR) {
            self.tell_attention(out);
        } else {
            // The relay may know no better than that it has just come.
            self.tell_inattention(out);
        }
    }

    fn paired(&mut self, paired: Paired<'_>, now: Moment, out: &mut Vec<Output>) {
        let Some(token) = claims::token(paired.token) else { return };
        if let Some(room) = self.room_with(paired.room_id) {
            room.token = token;
            return;
        }
        let seeking = matches!(self.place, Place::Seeking | Place::Waiting { .. });
        let seat = Seat::from_number(paired.seat);
        let wanted = seeking && !self.leaving_queue && !self.closed.contains(&paired.room_id);
        let (true, Some(seat)) = (wanted, seat) else {
            let room_id = paired.room_id;
            let leave = Leave { room_id, token: token.into(), block: false, report: None };
            self.never_enter_again(leave.room_id);
            self.note_departed(leave.clone(), true);
            out.push(Output::Transmit(self.id, ClientMessage::Leave(leave)));
            return;
        };
        let Paired { room_id, presence, met_before, .. } = paired;
        // A relay lets no other names through, and pairs in no other queue.
        let display_name = text::display_name(&paired.display_name);
        let display_name = display_name.unwrap_or_else(|_| text::DEFAULT_DISPLAY_NAME.to_owned());
        let topic = self.topic.clone();
        let found = Event::Found {
            room_id: room_id.to_string(),
            topic: topic.clone(),
            partner: FoundPartner {
                display_name: display_name.clone(),
                mixed_script: text::is_mixed_script(&display_name),
                presence,
            },
            met_before,
        };
        let paired = Paired {
            topic: topic.into(),
            display_name: display_name.into(),
            token: token.into(),
            ..paired
        };
        let mut room = Box::new(Room::new(paired, seat, now.instant));
        room.found = self.tell(found, now, out);
        self.place = Place::Chatting(room);
    }

    /// Returns the block tag, if one was asked for.
    fn left(
        &mut self,
        room_id: RoomId,
        block_tag: Option<Cow<'_, str>>,
        out: &mut Vec<Output>,
    ) -> Option<String> {
        // Each leave has its answer: one that blocks may follow one that does not.
        let answered = self.leaving.iter().position(|departed| departed.leave.room_id == room_id);
        let answered = answered.map(|index| self.leaving.remove(index));
        if answered.as_ref().is_some_and(|departed| departed.stale)
            && matches!(self.place, Place::Seeking | Place::Waiting { .. })
        {
            out.push(Output::Transmit(self.id, self.enter_queue()));
        }
        self.close_link_if_idle(out);
        answered.filter(|departed| departed.leave.block)?;
        block_tag.and_then(claims::token)
    }

    /// The next message of the partner, which is taken if there is room for it.
    #[expect(clippy::too_many_arguments, reason = "they are the message's own")]
    fn message(
        &mut self,
        seq: u64,
        author: Author,
        text: &str,
        removed: u32,
        sent_at: &str,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let id = self.id;
        let Place::Chatting(room) = &mut self.place else { return };
        let cleaned = text::received(text);
        if !self.inbox.has_room(cleaned.text.len()) {
            return room.has_no_room();
        }
        let removed = claims::removed(removed).saturating_add(cleaned.removed);
        let event = Event::Message {
            room_id: room.room_id.to_string(),
            message_id: room.partner_message_id(seq),
            from: Sender { display_name: room.partner.clone() },
            author,
            message: cleaned.text.into_owned(),
            sent_at: claims::sent_at(sent_at, now),
            removed: (removed > 0).then_some(removed),
        };
        let cursor = self.tell(event, now, out);
        let Some(room) = self.room_mut() else { return };
        room.took(seq, cursor, now.instant);
        out.push(Output::Transmit(id, room.ack()));
    }

    /// The link has written all that it was given.
    pub(super) fn written(&mut self, out: &mut Vec<Output>) {
        if take(&mut self.awaits_written) {
            self.unwritten = 0;
            self.give(out);
        }
    }

    /// Gives the link what it has not been given yet: of what it has not written, as far as is
    /// known, never more than a window. However often a partner asks for everything again, no
    /// more than that piles up.
    pub(super) fn give(&mut self, out: &mut Vec<Output>) {
        let (Link::Welcomed { .. } | Link::Up, Place::Chatting(room)) =
            (self.link, &mut self.place)
        else {
            return;
        };
        let most = self.limits.window_messages.max(1).saturating_sub(self.unwritten);
        let given = room.give(most);
        self.unwritten += given.len();
        out.extend(given.into_iter().map(|send| Output::Transmit(self.id, send)));
        if room.has_more() && !replace(&mut self.awaits_written, true) {
            out.push(Output::TellWritten(self.id));
        }
    }

    fn presence(
        &mut self,
        presence: Presence,
        seen_seconds: u64,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let Some(room) = self.room_mut() else { return };
        let before = replace(&mut room.presence, presence);
        if let Some(seen) = now.instant.checked_sub(Duration::from_secs(seen_seconds)) {
            room.seen(seen);
        }
        let room_id = room.room_id.to_string();
        let is_away = presence == Presence::Reconnecting;
        match (before == Presence::Reconnecting, is_away) {
            (false, true) => {
                self.tell(Event::Away { room_id }, now, out);
            }
            (true, false) => {
                self.tell(Event::Back { room_id }, now, out);
            }
            (false, false) | (true, true) => {}
        }
    }

    fn error(&mut self, code: WireError, newest: Option<u32>, now: Moment, out: &mut Vec<Output>) {
        let kind = match code {
            WireError::Superseded => {
                self.superseded = true;
                self.close_room(CloseReason::RelayLost, now, out);
                self.place = Place::Idle;
                self.leaving.clear();
                self.close_link(out);
                return;
            }
            WireError::VersionMismatch => TroubleKind::VersionMismatch,
            WireError::TooMany => TroubleKind::TooMany,
            WireError::Malformed
            | WireError::TooLong
            | WireError::Unsupported
            | WireError::OutOfOrder
            | WireError::HandshakeTimeout
            | WireError::RateLimited
            | WireError::Invalid
            | WireError::SlowReader
            | WireError::GoingAway
            | WireError::Forbidden => TroubleKind::Unavailable,
        };
        let lasting = matches!(code, WireError::VersionMismatch | WireError::TooMany);
        self.trouble = Some(Trouble { kind, detail: code.advice(newest).to_owned(), lasting });
    }
}
