//! `next_partner` and `leave_chat`: both wait for acknowledgements first.

use shared::limits;

use super::{
    Failure,
    pending::{Call, OnFailure, WaitsFor},
};
use crate::session::{
    Sessions,
    chat::Verdict,
    context::Context,
    contract::Departure,
    ids::CallId,
    reply::{ChatState, Left, Reply, errors, next},
};

impl Sessions {
    pub(super) fn departure(
        &mut self,
        id: CallId,
        departure: Departure,
        next: bool,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let Departure { chat_id, block, report, after } = departure;
        let call = self.attended(id, chat_id, after, cx)?;
        let now = cx.now.instant;
        let chat = self.chat(call.chat);
        let costs = chat.state() != ChatState::Waiting && !chat.has_place_kept(now);
        if next && costs {
            chat.charge_next(now).map_err(|wait| call.failed(errors::rate_limited(wait)))?;
        }
        let verdict = Verdict { block, report };
        self.hold(call, now + limits::LEAVE_WAIT, WaitsFor::Acknowledgements { next, verdict });
        Ok(())
    }

    /// Everything is acknowledged, or it has taken too long.
    pub(super) fn depart(&mut self, call: Call, next: bool, verdict: Verdict, cx: &mut Context) {
        let chat = self.chat(call.chat);
        let left = match chat.state() {
            ChatState::Chatting => Left::Room,
            ChatState::Waiting => Left::Queue,
            ChatState::Idle | ChatState::Ended => Left::None,
        };
        let mut reply = Reply {
            noted: next::noted(
                verdict.block,
                verdict.report.is_some(),
                chat.has_judgeable_partner(cx.now.instant),
            ),
            ..Reply::default()
        };
        let undelivered = chat.unacknowledged();
        if !next {
            reply.left = Some(left);
            reply.undelivered = Some(undelivered);
            chat.end(verdict, cx);
            self.answer(call, reply, cx);
            return;
        }
        reply.undelivered = Some(undelivered).filter(|messages| !messages.is_empty());
        if left == Left::Queue {
            chat.judge_last(verdict, cx);
            self.answer(call, reply, cx);
            return;
        }
        chat.next(verdict, cx);
        let news = chat.queue_news();
        let on_failure = match left {
            Left::Room => OnFailure::KeepTrying,
            Left::Queue | Left::None => OnFailure::GiveUp,
        };
        let deadline = cx.now.instant + limits::RELAY_WAIT;
        let reply = Box::new(reply);
        self.hold(call, deadline, WaitsFor::Place { on_failure, news, reply });
    }
}
