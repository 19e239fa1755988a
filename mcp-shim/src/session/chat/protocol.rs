//! One chat and its relay: what `hello` claims, and what each message of the relay means.

use std::{borrow::Cow, mem::replace, time::Duration};

use shared::{
    id::RoomId,
    message::{
        Author, ClientMessage, ErrorCode as WireError, Hello, Leave, Paired, Presence, QueueClaim,
        RelayMessage, Resume, RoomClaim, Welcome,
    },
    text, version,
};

use super::{
    Chat, LinkState, Place,
    room::{Order, Room, Seat},
    untrusted,
};
use crate::session::{
    context::Context,
    contract::{Config, Trouble},
    event::{Event, FoundPartner, Sender},
    reply::ErrorCode,
};

impl Chat {
    /// Says `hello`: the first thing on a connection, and nothing else before `welcome`.
    pub(crate) fn connected(&mut self, config: &Config, cx: &mut Context) {
        self.heard = cx.now.instant;
        let LinkState::Connecting { since } = self.link else { return };
        self.link = LinkState::Greeting { since };
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
            leaving: untrusted::presented_leaves(self.leaving.iter().rev().map(|one| &one.leave)),
        });
        let hello = Hello {
            min: version::OLDEST,
            max: version::NEWEST,
            build: Cow::Borrowed(config.build),
            owner: Some(config.owner),
            session,
            blocks: untrusted::presented_blocks(&self.blocks),
            robot: config.robot,
        };
        self.transmit(ClientMessage::Hello(hello), cx);
    }

    /// The place that it has, or that the relay may have given it without an answer that came.
    fn queue_claim(&self) -> Option<QueueClaim<'static>> {
        let ticket = match &self.place {
            Place::Idle | Place::Chatting(_) | Place::Seeking { is_asked: false } => return None,
            Place::Seeking { is_asked: true } => None,
            Place::Waiting { ticket, .. } => ticket.clone().map(Cow::Owned),
        };
        Some(QueueClaim {
            ticket,
            display_name: self.display_name.clone().into(),
            topic: self.topic.clone().into(),
        })
    }

    /// The connection is gone; the link goes on trying, unless there is nothing left to say.
    pub(crate) fn disconnected(&mut self, cx: &mut Context) {
        if self.link != LinkState::Closed {
            self.link =
                LinkState::Connecting { since: self.down_since().unwrap_or(cx.now.instant) };
            self.leaving_queue = false;
            self.close_link_if_idle(cx);
        }
    }

    /// What the relay says. Returns a block tag to keep, if there is one.
    pub(crate) fn relay(&mut self, message: RelayMessage<'_>, cx: &mut Context) -> Option<String> {
        self.heard = cx.now.instant;
        match message {
            RelayMessage::Welcome(welcome) => self.welcome(welcome, cx),
            RelayMessage::Pong {} => self.pong(cx),
            RelayMessage::Queued(queued) => self.queued(queued),
            RelayMessage::Paired(paired) => self.paired(paired, cx),
            RelayMessage::Closed { room_id, reason, place_kept_ms } => {
                if self.is_in(room_id) {
                    self.close_room(reason, cx);
                    self.keep_place(place_kept_ms, cx.now.instant);
                } else if matches!(self.place, Place::Seeking { .. } | Place::Waiting { .. }) {
                    // A room that it knows nothing of may have kept it from its place in the queue.
                    self.ask_for_place(cx);
                }
            }
            RelayMessage::Left { room_id, block_tag } => {
                return self.left(room_id, block_tag, cx);
            }
            RelayMessage::Dequeued { reason } => self.dequeued(reason, cx),
            RelayMessage::Refused { code, retry_after_ms, .. } => {
                self.refused(code, retry_after_ms, cx);
            }
            RelayMessage::Error { code, newest, .. } => self.error(code, newest, cx),
            RelayMessage::Message { room_id, seq, author, text, removed, sent_at } => {
                let room = self.room_with(room_id)?;
                let answer = match room.judge(seq) {
                    Order::Next => {
                        self.message(seq, author, &text, removed, &sent_at, cx);
                        None
                    }
                    Order::Again => Some(room.ack()),
                    Order::Gap => Some(room.sync()),
                    Order::Later => None,
                };
                self.transmit_all(answer, cx);
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
                    self.give(cx);
                }
            }
            RelayMessage::Partner { room_id, presence, seen_seconds } => {
                if self.is_in(room_id) {
                    self.presence(presence, seen_seconds, cx);
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

    fn welcome(&mut self, welcome: Welcome<'_>, cx: &mut Context) {
        let token = welcome.session.and_then(|grant| untrusted::token(grant.token));
        self.token = token.or(self.token.take());
        self.limits = welcome.limits.bounded();
        self.message_bucket.set_rate(self.limits.message_rate, cx.now.instant);
        self.next_bucket.set_rate(self.limits.next_rate, cx.now.instant);
        let LinkState::Greeting { since } = self.link else { return };
        self.link = LinkState::Welcomed { since };
        self.ping(cx);
    }

    /// Everything that `hello` claimed is answered; what has come up since is said now.
    fn pong(&mut self, cx: &mut Context) {
        let LinkState::Welcomed { .. } = self.link else { return };
        self.link = LinkState::Up;
        self.trouble = None;
        self.attention.connected(cx.now.instant);
        let leaves: Vec<_> = self.leaving.iter().map(|one| one.leave.clone()).collect();
        self.transmit_all(leaves.into_iter().map(ClientMessage::Leave), cx);
        match &mut self.place {
            // This also moves a place that was claimed and given up meanwhile.
            Place::Seeking { .. } => {
                self.leaving_queue = false;
                self.ask_for_place(cx);
            }
            Place::Chatting(room) => {
                let messages: Vec<_> = room.resumed(&self.inbox).collect();
                self.transmit_all(messages, cx);
            }
            Place::Idle if self.leaving_queue => {
                self.transmit(ClientMessage::LeaveQueue {}, cx);
            }
            Place::Idle | Place::Waiting { .. } => {}
        }
    }

    fn paired(&mut self, paired: Paired<'_>, cx: &mut Context) {
        let Some(token) = untrusted::token(paired.token) else { return };
        if let Some(room) = self.room_with(paired.room_id) {
            room.token = token;
            return;
        }
        let seat = Seat::from_number(paired.seat);
        let wanted = self.wants(paired.room_id);
        let (true, Some(seat)) = (wanted, seat) else {
            let room_id = paired.room_id;
            let leave = Leave { room_id, token: token.into(), block: false, report: None };
            self.never_enter_again(leave.room_id);
            self.note_departed(leave.clone(), true);
            self.transmit(ClientMessage::Leave(leave), cx);
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
        let mut room = Box::new(Room::new(paired, seat, cx.now.instant));
        room.found = self.tell(found, cx);
        self.enter_room(room);
    }

    /// Returns the block tag, if one was asked for.
    fn left(
        &mut self,
        room_id: RoomId,
        block_tag: Option<Cow<'_, str>>,
        cx: &mut Context,
    ) -> Option<String> {
        // Each leave has its answer: one that blocks may follow one that does not.
        let answered = self.leaving.iter().position(|departed| departed.leave.room_id == room_id);
        let answered = answered.map(|index| self.leaving.remove(index));
        if answered.as_ref().is_some_and(|departed| departed.stale)
            && matches!(self.place, Place::Seeking { .. } | Place::Waiting { .. })
        {
            self.ask_for_place(cx);
        }
        self.close_link_if_idle(cx);
        answered.filter(|departed| departed.leave.block)?;
        block_tag.and_then(untrusted::token)
    }

    /// The next message of the partner, which is taken if there is room for it.
    fn message(
        &mut self,
        seq: u64,
        author: Author,
        text: &str,
        removed: u32,
        sent_at: &str,
        cx: &mut Context,
    ) {
        let Place::Chatting(room) = &mut self.place else { return };
        if !self.inbox.has_room() {
            return room.has_no_room();
        }
        let cleaned = text::received(text);
        let removed = untrusted::removed(removed).saturating_add(cleaned.removed);
        let event = Event::Message {
            room_id: room.room_id.to_string(),
            message_id: room.partner_message_id(seq),
            from: Sender { display_name: room.partner.clone() },
            author,
            message: cleaned.text.into_owned(),
            sent_at: untrusted::sent_at(sent_at, cx.now),
            removed: (removed > 0).then_some(removed),
        };
        let cursor = self.tell(event, cx);
        let Some(room) = self.room_mut() else { return };
        room.took(seq, cursor, cx.now.instant);
        let ack = room.ack();
        self.transmit(ack, cx);
    }

    fn presence(&mut self, presence: Presence, seen_seconds: u64, cx: &mut Context) {
        let Some(room) = self.room_mut() else { return };
        let before = replace(&mut room.presence, presence);
        if let Some(seen) = cx.now.instant.checked_sub(Duration::from_secs(seen_seconds)) {
            room.seen(seen);
        }
        let room_id = room.room_id.to_string();
        let is_away = presence == Presence::Reconnecting;
        match (before == Presence::Reconnecting, is_away) {
            (false, true) => {
                self.tell(Event::Away { room_id }, cx);
            }
            (true, false) => {
                self.tell(Event::Back { room_id }, cx);
            }
            (false, false) | (true, true) => {}
        }
    }

    fn error(&mut self, code: WireError, newest: Option<u32>, cx: &mut Context) {
        if code == WireError::Superseded {
            return self.supersede(cx);
        }
        let detail = code.advice(newest).to_owned();
        let (code, lasting) = if code == WireError::VersionMismatch {
            (ErrorCode::VersionMismatch, true)
        } else if code == WireError::TooMany {
            (ErrorCode::TooMany, true)
        } else {
            (ErrorCode::RelayUnavailable, false)
        };
        self.note_trouble(Trouble { code, detail, lasting });
    }
}
