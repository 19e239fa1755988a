//! `next_partner` and `leave_chat`: both wait for acknowledgements first.

use shared::limits;

use super::{
    Sessions,
    answers::rate_limited,
    calls::Failure,
    chat::Verdict,
    event::{CallId, ChatId, Departure, Moment, Output},
    pending::{OnFailure, WaitsFor},
    reply::{ChatState, Left, Reply},
    room::Room,
};

impl Sessions {
    pub(super) fn departure(
        &mut self,
        call: CallId,
        departure: Departure,
        next: bool,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let Departure { chat_id, block, report, after } = departure;
        let id = self.attended(chat_id, after, now, out)?;
        let verdict = Verdict { block, report };
        let chat = self.chat(id);
        let rejoins = next && chat.state() != ChatState::Waiting;
        if rejoins {
            chat.next_bucket
                .charge(now.instant)
                .map_err(|wait| (rate_limited(wait), Some(id), after))?;
        }
        let deadline = now.instant + limits::LEAVE_WAIT;
        let waits_for = WaitsFor::Acknowledgements { next, verdict };
        self.hold(call, id, after, deadline, waits_for);
        Ok(())
    }

    /// Everything is acknowledged, or it has taken too long.
    #[expect(clippy::too_many_arguments, reason = "they are the tool's own")]
    pub(super) fn depart(
        &mut self,
        call: CallId,
        id: ChatId,
        next: bool,
        verdict: Verdict,
        after: Option<u64>,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let chat = self.chat(id);
        let mut reply = Reply::new("");
        reply.noted = chat.noted(verdict, now.instant);
        let left = match chat.state() {
            ChatState::Chatting => Left::Room,
            ChatState::Waiting => Left::Queue,
            ChatState::Idle | ChatState::Ended => Left::None,
        };
        let undelivered = chat.room().map(Room::unacknowledged);
        if next {
            reply.undelivered = undelivered.filter(|messages| !messages.is_empty());
            if left == Left::Queue {
                chat.judge_last(verdict, now.instant, out);
                self.answer(call, id, after, reply, now, out);
                return;
            }
            chat.next(verdict, now, out);
            let news = chat.queue_news;
            let reply = Box::new(reply);
            let on_failure = match left {
                Left::Room => OnFailure::KeepTrying,
                Left::Queue | Left::None => OnFailure::GiveUp,
            };
            let deadline = now.instant + limits::RELAY_WAIT;
            self.hold(call, id, after, deadline, WaitsFor::Place { on_failure, news, reply });
        } else {
            reply.left = Some(left);
            reply.undelivered = Some(undelivered.unwrap_or_default());
            chat.end(verdict, now, out);
            self.answer(call, id, after, reply, now, out);
        }
    }
}
