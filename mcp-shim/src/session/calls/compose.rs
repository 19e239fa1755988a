//! The answer to a call: what of a chat goes into it.

use super::pending::Call;
use crate::session::{
    Sessions,
    context::Context,
    ids::ChatId,
    reply::{
        ChatState, ChatView, ErrorCode, OtherChat, Reply, ToolError,
        next::{News, Next},
    },
};

/// Waits in a row that brought nothing, after which the model is told to end its turn.
pub(super) const EMPTY_WAITS: u32 = 3;

impl Sessions {
    /// Answers a call about a chat: with where it stands and what was not handed out.
    pub(super) fn answer(&mut self, call: Call, reply: Reply, cx: &mut Context) {
        let reply = self.compose(call, reply, cx);
        cx.reply(call.id, reply);
    }

    /// What is said of a chat, with events that are lent to this call.
    pub(super) fn compose(&mut self, call: Call, reply: Reply, cx: &Context) -> Reply {
        let is_lost =
            reply.error.as_ref().is_some_and(|error| error.code == ErrorCode::SessionLost);
        let chat = self.chat(call.chat);
        let loan = chat.lend(call.id, call.after);
        // A client that is told that it is over would not ask for what other results hold.
        let is_over = is_lost && chat.unread() == loan.events.len();
        let keeps_place = chat.has_place_kept(cx.now.instant);
        let is_tired = chat.empty_waits() >= EMPTY_WAITS && loan.events.is_empty();
        let view = ChatView {
            chat_id: call.chat,
            state: if is_over { ChatState::Ended } else { chat.state() },
            room: chat.room().map(|room| room.view(cx.now.instant)),
            queue: chat.queue_view(),
            events: loan.events,
            since: loan.since,
            cursor: loan.cursor,
            more: loan.more,
        };
        if is_over {
            self.farewells.insert(call.id, call.chat);
        }
        if !view.events.is_empty() {
            self.lent.insert(call.id, call.chat);
        }
        let next = match &reply.error {
            Some(error) => Next::Error(error.code),
            None if reply.delivery.is_some() && view.events.is_empty() => Next::Sent,
            None if keeps_place && !view.more && !is_tired => Next::LeftAtOnce,
            None => Next::of(&view, is_tired),
        };
        Reply {
            next: next.sentence(self.news()),
            chat: Some(view),
            other_chats: self.other_chats(Some(call.chat)),
            ..reply
        }
        .with_notice()
    }

    /// An error that is about no chat.
    pub(super) fn error_reply(&self, error: ToolError) -> Reply {
        let nothing_to_name =
            error.code == ErrorCode::ChatRequired && self.living().next().is_none();
        let next = if nothing_to_name { Next::NoChat } else { Next::Error(error.code) };
        Reply {
            next: next.sentence(self.news()),
            error: Some(error),
            other_chats: self.other_chats(None),
            ..Reply::default()
        }
    }

    pub(super) fn other_chats(&self, except: Option<ChatId>) -> Vec<OtherChat> {
        self.living()
            .filter(|chat| Some(chat.id()) != except)
            .map(|chat| OtherChat {
                chat_id: chat.id(),
                state: chat.state(),
                unread: chat.unread(),
            })
            .collect()
    }

    /// How news reaches the model of this client.
    pub(super) fn news(&self) -> News {
        if self.news_reaches_model {
            News::Pushed
        } else if self.client_takes_tasks {
            News::Wakes
        } else {
            News::Asked
        }
    }
}
