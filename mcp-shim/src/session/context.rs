//! One input on its way through the sessions: when it came, and what follows from it.

use shared::message::ClientMessage;

use super::{
    contract::{Answer, Output},
    ids::{CallId, ChatId, Moment},
    reply::Reply,
};

/// When an input is handled, and what is to be done because of it.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) now: Moment,
    pub(crate) out: Vec<Output>,
}

impl Context {
    pub(crate) fn new(now: Moment) -> Self {
        Self { now, out: Vec::new() }
    }

    pub(crate) fn transmit(&mut self, chat: ChatId, message: ClientMessage<'static>) {
        self.out.push(Output::Transmit(chat, message));
    }

    pub(crate) fn answer(&mut self, call: CallId, answer: Answer) {
        self.out.push(Output::Answer(call, answer));
    }

    pub(crate) fn reply(&mut self, call: CallId, reply: Reply) {
        self.answer(call, Answer::Result(Box::new(reply)));
    }
}
