//! Calls that are not answered yet, and what each waits for.

use std::time::Instant;

use shared::id::RoomId;

use crate::session::{
    chat::{Chat, Verdict},
    contract::Request,
    ids::{CallId, ChatId},
    reply::{Reply, ToolError, errors},
};

/// A tool call about one chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) chat: ChatId,
    /// The client has all events up to this cursor.
    pub(crate) after: Option<u64>,
}

/// A call without an answer.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) call: Call,
    pub(crate) deadline: Instant,
    pub(crate) waits_for: WaitsFor,
}

/// What a call waits for.
#[derive(Debug)]
pub(crate) enum WaitsFor {
    /// An event.
    Event,
    /// The relay's word on a place that was asked for when `news` words had come.
    Place { on_failure: OnFailure, news: u64, reply: Box<Reply> },
    /// The partner's acknowledgement.
    Delivery { room_id: RoomId, seq: u64 },
    /// The relay; then the request is looked at again.
    Relay(Box<Request>),
    /// The partner's acknowledgements, before a departure.
    Acknowledgements { next: bool, verdict: Verdict },
    /// Fresh numbers of the queue.
    Numbers { news: u64, reply: Box<Reply> },
}

/// What happens if the relay gives no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// The chat was made for this call and ends with it.
    EndChat,
    /// The chat is idle again.
    GiveUp,
    /// The chat goes on trying: the room that it had is left already.
    KeepTrying,
}

/// Whether a call can be answered.
pub(crate) enum Readiness {
    Waits,
    Ready,
    Failed(ToolError),
}

impl Pending {
    pub(crate) fn readiness(&self, chat: &Chat, now: Instant) -> Readiness {
        // A message that was accepted may have arrived: it is not refused afterwards.
        if chat.is_superseded() && !matches!(self.waits_for, WaitsFor::Delivery { .. }) {
            return Readiness::Failed(errors::session_lost());
        }
        let is_late = self.deadline <= now;
        let ready_if = |ready| if ready { Readiness::Ready } else { Readiness::Waits };
        let unless_relay_fails = |otherwise| match chat.relay_error(now) {
            Some(error) => Readiness::Failed(error),
            None => otherwise,
        };
        let fails_if_late =
            || if is_late { Readiness::Failed(chat.unavailable()) } else { Readiness::Waits };
        match &self.waits_for {
            WaitsFor::Event if chat.has_something(self.call.after) => Readiness::Ready,
            WaitsFor::Event => unless_relay_fails(ready_if(is_late)),
            WaitsFor::Place { news, .. } => match chat.refusal() {
                Some(error) => Readiness::Failed(error.clone()),
                None if chat.knows_place(*news) => Readiness::Ready,
                None => unless_relay_fails(fails_if_late()),
            },
            WaitsFor::Delivery { room_id, seq } => {
                ready_if(is_late || chat.is_delivered(*room_id, *seq) != Some(false))
            }
            WaitsFor::Relay(_) if chat.down_since().is_none() => Readiness::Ready,
            WaitsFor::Relay(_) => unless_relay_fails(fails_if_late()),
            WaitsFor::Acknowledgements { .. } => ready_if(is_late || !chat.has_unacknowledged()),
            WaitsFor::Numbers { news, .. } => {
                ready_if(is_late || !chat.is_queued() || chat.knows_place(*news))
            }
        }
    }
}
