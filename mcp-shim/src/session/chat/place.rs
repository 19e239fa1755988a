//! Where a chat is: in no queue and no room, looking for a place, waiting, or in a room. Only this
//! file changes that.

use std::time::Instant;

use shared::{
    id::RoomId,
    limits,
    message::{ClientMessage, CloseReason, DequeueReason, ErrorCode as WireError, Leave, Queued},
};

use super::{Chat, Departed, LastRoom, LinkState, Place, Verdict, room::Room, untrusted};
use crate::session::{
    context::Context,
    event::Event,
    reply::{QueueView, ToolError, errors},
};

/// What calls ask.
impl Chat {
    /// Counts what the relay has said of a place.
    pub(crate) fn queue_news(&self) -> u64 {
        self.queue_news
    }

    /// Whether it is known where it is, by a later word of the relay than these.
    pub(crate) fn knows_place(&self, news: u64) -> bool {
        match self.place {
            Place::Idle | Place::Chatting(_) => true,
            Place::Waiting { .. } => self.queue_news > news,
            Place::Seeking { .. } => false,
        }
    }

    /// Whether the relay has given it a place in a queue.
    pub(crate) fn is_queued(&self) -> bool {
        matches!(self.place, Place::Waiting { .. })
    }

    /// Why it is in no queue.
    pub(crate) fn refusal(&self) -> Option<&ToolError> {
        self.refused.as_ref()
    }

    /// Whether a search takes the place of before and costs nothing.
    pub(crate) fn has_place_kept(&self, now: Instant) -> bool {
        self.place_kept_until.is_some_and(|until| now < until)
    }

    /// Whether there is a partner to block or report.
    pub(crate) fn has_judgeable_partner(&self, now: Instant) -> bool {
        self.room().is_some() || self.last_room(now).is_some()
    }

    /// The room whose partner can still be blocked or reported.
    fn last_room(&self, now: Instant) -> Option<&LastRoom> {
        self.last_room.as_ref().filter(|last| now < last.closed_at + limits::LAST_PARTNER_FOR)
    }
}

/// What calls do.
impl Chat {
    /// Starts to wait for a partner.
    pub(crate) fn seek(&mut self, cx: &mut Context) {
        self.begin_search(cx);
        if self.link == LinkState::Up {
            self.ask_for_place(cx);
        }
    }

    /// Leaves the room, if it is in one, and waits for another partner, in one step.
    pub(crate) fn next(&mut self, verdict: Verdict, cx: &mut Context) {
        let leave = self.depart(verdict, cx.now.instant);
        self.begin_search(cx);
        if self.link == LinkState::Up {
            self.correct_attention(cx);
            self.place = Place::Seeking { is_asked: true };
            let next = ClientMessage::Next {
                leave,
                display_name: self.display_name.clone().into(),
                topic: self.topic.clone().into(),
                blocks: untrusted::presented_blocks(&self.blocks),
            };
            self.transmit(next, cx);
        }
    }

    /// Before a place is asked for: the relay answers with numbers to whatever is told after.
    fn correct_attention(&mut self, cx: &mut Context) {
        if self.attention.is_misread() {
            self.attention.hurry(cx.now.instant);
            self.tell_attention(cx);
        }
    }

    /// Asks for a place in the queue.
    pub(super) fn ask_for_place(&mut self, cx: &mut Context) {
        self.correct_attention(cx);
        let enter_queue = self.enter_queue();
        if let Place::Seeking { is_asked } = &mut self.place {
            *is_asked = true;
        }
        self.transmit(enter_queue, cx);
    }

    /// The request for a place, with the ticket of the one that it has.
    fn enter_queue(&self) -> ClientMessage<'static> {
        let ticket = match &self.place {
            Place::Waiting { ticket, .. } => ticket.clone().map(Into::into),
            Place::Idle | Place::Seeking { .. } | Place::Chatting(_) => None,
        };
        ClientMessage::EnterQueue {
            display_name: self.display_name.clone().into(),
            topic: self.topic.clone().into(),
            ticket,
            blocks: untrusted::presented_blocks(&self.blocks),
        }
    }

    fn begin_search(&mut self, cx: &mut Context) {
        self.place = Place::Seeking { is_asked: false };
        self.refused = None;
        self.place_kept_until = None;
        self.empty_waits = 0;
        self.open_link(cx);
    }

    /// Blocks or reports the last partner without leaving anything.
    pub(crate) fn judge_last(&mut self, verdict: Verdict, cx: &mut Context) {
        let Some(leave) = self.depart(verdict, cx.now.instant) else { return };
        self.open_link(cx);
        if self.link == LinkState::Up {
            self.transmit(ClientMessage::Leave(leave), cx);
        }
    }

    /// Leaves room or queue for good.
    pub(crate) fn end(&mut self, verdict: Verdict, cx: &mut Context) {
        self.judge_last(verdict, cx);
        self.leave_queue(cx);
        self.ended = Some(cx.now.instant);
        self.place_kept_until = None;
        self.close_link_if_idle(cx);
    }

    /// Gives up a place that could not be had.
    pub(crate) fn give_up(&mut self, cx: &mut Context) {
        self.leave_queue(cx);
        self.close_link_if_idle(cx);
    }
}

/// What the relay does.
impl Chat {
    /// Whether a pairing is of a search that still goes on.
    pub(super) fn wants(&self, room_id: RoomId) -> bool {
        let seeks = matches!(self.place, Place::Seeking { .. } | Place::Waiting { .. });
        seeks && !self.leaving_queue && !self.closed.contains(&room_id)
    }

    pub(super) fn enter_room(&mut self, room: Box<Room>) {
        self.place = Place::Chatting(room);
    }

    /// Its partner has left at once: the place of before is kept.
    pub(super) fn keep_place(&mut self, kept_ms: Option<u64>, now: Instant) {
        self.place_kept_until = kept_ms.map(|kept_ms| now + untrusted::place_kept(kept_ms));
    }

    /// Another connection carries its session from now on.
    pub(super) fn supersede(&mut self, cx: &mut Context) {
        self.superseded = true;
        self.place_kept_until = None;
        self.close_room(CloseReason::RelayLost, cx);
        self.place = Place::Idle;
        self.leaving.clear();
        self.close_link(cx);
    }

    pub(super) fn queued(&mut self, queued: Queued<'_>) {
        match self.place {
            Place::Seeking { .. } | Place::Waiting { .. } if !self.leaving_queue => {
                self.queue_news += 1;
                self.place = Place::Waiting {
                    ticket: untrusted::token(queued.ticket),
                    queue: QueueView {
                        topic: self.topic.clone(),
                        position: Some(untrusted::count(queued.position)),
                        waiting: untrusted::count(queued.waiting),
                        not_listening: untrusted::count(queued.not_listening),
                        own: untrusted::count(queued.own),
                    },
                };
            }
            Place::Idle | Place::Seeking { .. } | Place::Waiting { .. } | Place::Chatting(_) => {}
        }
    }

    /// The relay gives no place, or not again.
    pub(super) fn refused(
        &mut self,
        code: WireError,
        retry_after_ms: Option<u64>,
        cx: &mut Context,
    ) {
        match self.place {
            Place::Seeking { .. } | Place::Waiting { .. } if self.leaving_queue => {}
            Place::Seeking { .. } => {
                self.place = Place::Idle;
                self.idle_since = cx.now.instant;
                let retry_after_ms = retry_after_ms.map(untrusted::milliseconds);
                self.refused = Some(errors::refused(code, retry_after_ms));
                self.close_link_if_idle(cx);
            }
            // The ticket is presented again to the relay that follows the one about to end.
            Place::Waiting { .. } if code == WireError::GoingAway => {}
            Place::Waiting { .. } => self.expired("relay_lost", cx),
            Place::Idle | Place::Chatting(_) => {}
        }
    }

    pub(super) fn dequeued(&mut self, reason: DequeueReason, cx: &mut Context) {
        let reason = match reason {
            DequeueReason::Left => {
                self.leaving_queue = false;
                self.close_link_if_idle(cx);
                return;
            }
            DequeueReason::NotListening => "not_listening",
            DequeueReason::RelayLost => "relay_lost",
        };
        if matches!(self.place, Place::Waiting { .. }) && !self.leaving_queue {
            self.expired(reason, cx);
        }
    }

    fn expired(&mut self, reason: &'static str, cx: &mut Context) {
        self.place = Place::Idle;
        self.idle_since = cx.now.instant;
        self.tell(Event::Expired { reason }, cx);
        self.close_link_if_idle(cx);
    }
}

/// What both come to.
impl Chat {
    /// Gives up its place in the queue, if it has or seeks one. A relay without a connection to
    /// this chat forgets the place by itself.
    fn leave_queue(&mut self, cx: &mut Context) {
        if !matches!(self.place, Place::Seeking { .. } | Place::Waiting { .. }) {
            return;
        }
        self.place = Place::Idle;
        match self.link {
            LinkState::Closed | LinkState::Connecting { .. } => {}
            // What `hello` may have claimed is given up once that is answered.
            LinkState::Greeting { .. } | LinkState::Welcomed { .. } => {
                self.leaving_queue = self.token.is_some();
            }
            LinkState::Up => {
                self.leaving_queue = true;
                self.transmit(ClientMessage::LeaveQueue {}, cx);
            }
        }
    }

    /// Forgets the room, and notes what to tell the relay until it answers.
    fn depart(&mut self, verdict: Verdict, now: Instant) -> Option<Leave<'static>> {
        let (room_id, token) = match self.forget_room(now) {
            Some(room) => (room.room_id, room.token),
            None => {
                let last = self.last_room(now).filter(|_| !verdict.is_empty())?;
                (last.room_id, last.token.clone())
            }
        };
        let leave =
            Leave { room_id, token: token.into(), block: verdict.block, report: verdict.report };
        self.note_departed(leave.clone(), false);
        Some(leave)
    }

    pub(super) fn note_departed(&mut self, leave: Leave<'static>, stale: bool) {
        if self.leaving.len() == limits::LEAVING_ROOMS {
            self.leaving.remove(0);
        }
        self.leaving.push(Departed { leave, stale });
    }

    /// It has a partner no more, if it had one.
    fn forget_room(&mut self, now: Instant) -> Option<Box<Room>> {
        match std::mem::replace(&mut self.place, Place::Idle) {
            Place::Chatting(room) => {
                let (room_id, token) = (room.room_id, room.token.clone());
                self.never_enter_again(room_id);
                self.last_room = Some(LastRoom { room_id, token, closed_at: now });
                self.idle_since = now;
                Some(room)
            }
            place @ (Place::Idle | Place::Seeking { .. } | Place::Waiting { .. }) => {
                self.place = place;
                None
            }
        }
    }

    pub(super) fn never_enter_again(&mut self, room_id: RoomId) {
        if self.closed.contains(&room_id) {
            return;
        }
        self.closed.push_back(room_id);
        if self.closed.len() > self.closed_rooms {
            self.closed.pop_front();
        }
    }

    /// The room is closed, not by this side.
    pub(super) fn close_room(&mut self, reason: CloseReason, cx: &mut Context) {
        let Some(room) = self.forget_room(cx.now.instant) else { return };
        let (room_id, undelivered) = (room.room_id.to_string(), room.unacknowledged());
        self.tell(Event::Disconnected { room_id, reason, undelivered }, cx);
        self.close_link_if_idle(cx);
    }
}
