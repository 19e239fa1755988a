//! What the relay says of a place in the queue.

use shared::message::{DequeueReason, ErrorCode as WireError, Queued};

use super::{
    chat::{Chat, Place},
    claims,
    event::{Event, Moment, Output},
    reply::{ErrorCode, QueueView, ToolError},
};

impl Chat {
    pub(super) fn queued(&mut self, queued: Queued<'_>) {
        match self.place {
            Place::Seeking | Place::Waiting { .. } if !self.leaving_queue => {
                self.queue_news += 1;
                self.place = Place::Waiting {
                    ticket: claims::token(queued.ticket),
                    queue: QueueView {
                        topic: self.topic.clone(),
                        position: Some(claims::count(queued.position)),
                        waiting: claims::count(queued.waiting),
                        not_listening: claims::count(queued.not_listening),
                        own: claims::count(queued.own),
                    },
                };
            }
            Place::Idle | Place::Seeking | Place::Waiting { .. } | Place::Chatting(_) => {}
        }
    }

    /// A place is not to be had, or not again.
    pub(super) fn refused(
        &mut self,
        code: WireError,
        retry_after_ms: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        match self.place {
            Place::Seeking | Place::Waiting { .. } if self.leaving_queue => {}
            Place::Seeking => {
                self.place = Place::Idle;
                self.idle_since = now.instant;
                let hint = "try again later, or with another topic";
                let error = ToolError::new(refusal(code), code.sentence(), hint);
                let retry_after_ms = retry_after_ms.map(claims::milliseconds);
                self.refused = Some(ToolError { retry_after_ms, ..error });
                self.close_link_if_idle(out);
            }
            // The ticket is presented again to the relay that follows the one about to end.
            Place::Waiting { .. } if code == WireError::GoingAway => {}
            Place::Waiting { .. } => self.expired("relay_lost", now, out),
            Place::Idle | Place::Chatting(_) => {}
        }
    }

    pub(super) fn dequeued(&mut self, reason: DequeueReason, now: Moment, out: &mut Vec<Output>) {
        let reason = match reason {
            DequeueReason::Left => {
                self.leaving_queue = false;
                self.close_link_if_idle(out);
                return;
            }
            DequeueReason::NotListening => "not_listening",
            DequeueReason::RelayLost => "relay_lost",
        };
        if matches!(self.place, Place::Waiting { .. }) && !self.leaving_queue {
            self.expired(reason, now, out);
        }
    }

    fn expired(&mut self, reason: &'static str, now: Moment, out: &mut Vec<Output>) {
        self.place = Place::Idle;
        self.idle_since = now.instant;
        self.tell(Event::Expired { reason }, now, out);
        self.close_link_if_idle(out);
    }
}

fn refusal(code: WireError) -> ErrorCode {
    match code {
        WireError::RateLimited => ErrorCode::RateLimited,
        WireError::TooMany => ErrorCode::TooMany,
        WireError::Invalid => ErrorCode::InvalidTopic,
        WireError::Malformed
        | WireError::TooLong
        | WireError::Unsupported
        | WireError::OutOfOrder
        | WireError::HandshakeTimeout
        | WireError::VersionMismatch
        | WireError::Superseded
        | WireError::SlowReader
        | WireError::GoingAway
        | WireError::Forbidden => ErrorCode::RelayUnavailable,
    }
}
