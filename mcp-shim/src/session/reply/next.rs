//! The fixed sentences that tell a model what to do now, and how the state chooses one.

use super::{ChatState, ChatView, ErrorCode};

/// How news reaches the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Only in the result of a tool that it calls.
    Asked,
    /// A wait becomes a task, whose end wakes it.
    Wakes,
    /// By itself: it has nothing to wait for.
    Pushed,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Something arrived.
    Tell,
    /// A partner was found.
    Found,
    /// Nothing new in the room.
    Chatting,
    /// Nobody was found yet.
    Waiting,
    /// Nobody else waits.
    Alone,
    /// Nobody waits but other chats of this app.
    OwnOnly,
    /// Several waits in a row brought nothing.
    Nothing,
    /// The partner has just gone.
    Gone,
    /// The partner left at once, and the place of before is kept.
    LeftAtOnce,
    /// There is no partner, and none is looked for.
    Idle,
    /// The chat is over.
    Ended,
    /// There is more than fits into one result.
    More,
    /// A message was accepted.
    Sent,
    /// `chat_status`: no chat, and the relay answers.
    Healthy,
    /// `chat_status`: these are the chats.
    Chats,
    /// `chat_status`: the relay does not answer.
    Unreachable,
    /// The call must name a chat, and there is none.
    NoChat,
    /// Something went wrong.
    Error(ErrorCode),
}

macro_rules! alone {
    ($then:literal) => {
        concat!(
            "Nobody else is waiting. Only programs on this computer can be met, and only those of \
             this account unless the relay serves all accounts: your user can open a second MCP \
             client, or run `mcp-shim demo --join TOPIC` (this topic) in a terminal. ",
            $then
        )
    };
}

macro_rules! own_only {
    ($then:literal) => {
        concat!(
            "Nobody else is waiting. Chats of one app never meet each other: the partner must come \
             from another MCP client, or from `mcp-shim demo --join TOPIC` (this topic) in a \
             terminal. ",
            $then
        )
    };
}

impl Next {
    /// What the state of a chat leaves to be done. `is_tired`: several waits in a row brought
    /// nothing.
    pub(crate) fn of(view: &ChatView, is_tired: bool) -> Self {
        let last = view.events.last().map(|entry| entry.event.name());
        match (view.state, last) {
            (ChatState::Ended, _) => Self::Ended,
            _ if view.more => Self::More,
            _ if is_tired => Self::Nothing,
            (ChatState::Idle, Some("partner.disconnected")) => Self::Gone,
            (ChatState::Idle, _) => Self::Idle,
            (ChatState::Chatting, Some("chatroom.found")) => Self::Found,
            (ChatState::Chatting, Some(_)) => Self::Tell,
            (ChatState::Chatting, None) => Self::Chatting,
            (ChatState::Waiting, _) => match &view.queue {
                Some(queue) if queue.waiting <= 1 && queue.own > 0 => Self::OwnOnly,
                Some(queue) if queue.waiting <= 1 => Self::Alone,
                Some(_) | None => Self::Waiting,
            },
        }
    }

    /// The same in words.
    pub(crate) fn sentence(self, news: News) -> &'static str {
        match (self, news) {
            (Self::Tell, News::Asked | News::Wakes) => {
                "Tell your user what arrived. To answer, call send_message with what your user \
                 wants to say; to hear more, call wait_for_events."
            }
            (Self::Tell, News::Pushed) => {
                "Tell your user what arrived, unless you have already. To answer, call send_message \
                 with what your user wants to say; more arrives by itself."
            }
            (Self::Found, News::Asked | News::Wakes) => {
                "Tell your user that a partner was found. Call send_message with what your user \
                 wants to say, or wait_for_events to let the partner begin."
            }
            (Self::Found, News::Pushed) => {
                "Tell your user that a partner was found, unless you have already. Call \
                 send_message with what your user wants to say, or end your turn: what the partner \
                 writes arrives by itself."
            }
            (Self::Chatting, News::Asked) => {
                "Call wait_for_events to hear the partner, or send_message with what your user \
                 wants to say. News arrives only when you call a tool."
            }
            (Self::Chatting, News::Wakes) => {
                "Call wait_for_events, which wakes you when the partner writes or leaves, or \
                 send_message with what your user wants to say."
            }
            (Self::Chatting, News::Pushed) => {
                "Call send_message with what your user wants to say. What the partner writes \
                 arrives by itself: show it to your user and end your turn."
            }
            (Self::Waiting, News::Asked) => {
                "Nobody was found yet. Call wait_for_events to learn the moment somebody is; news \
                 arrives only when you call a tool."
            }
            (Self::Waiting, News::Wakes) => {
                "Nobody was found yet. Call wait_for_events, which wakes you the moment somebody is."
            }
            (Self::Waiting, News::Pushed) => {
                "Nobody was found yet. Tell your user and end your turn: it arrives by itself when \
                 somebody is."
            }
            (Self::Alone, News::Asked | News::Wakes) => alone!("Then call wait_for_events."),
            (Self::Alone, News::Pushed) => {
                alone!("Then end your turn: it arrives by itself when somebody is found.")
            }
            (Self::OwnOnly, News::Asked | News::Wakes) => own_only!("Then call wait_for_events."),
            (Self::OwnOnly, News::Pushed) => {
                own_only!("Then end your turn: it arrives by itself when somebody is found.")
            }
            (Self::Sent, News::Asked) => {
                "It is sent; do not send it again. Call wait_for_events to hear the answer."
            }
            (Self::Sent, News::Wakes) => {
                "It is sent; do not send it again. Call wait_for_events, which wakes you when the \
                 answer comes."
            }
            (Self::Sent, News::Pushed) => {
                "It is sent; do not send it again. The answer arrives by itself: end your turn."
            }
            (Self::Chats, News::Asked | News::Wakes) => {
                "Use one of these chat ids, for example with wait_for_events."
            }
            (Self::Chats, News::Pushed) => {
                "Use one of these chat ids, for example with chat_status."
            }
            (Self::Nothing, _) => {
                "Nothing has happened for a while. Tell your user so and end your turn; check again \
                 with wait_for_events when your user speaks to you."
            }
            (Self::Gone, _) => {
                "The partner is gone. Tell your user, and ask: next_partner finds somebody else, \
                 leave_chat ends this chat."
            }
            (Self::LeftAtOnce, _) => {
                "The partner left at once, without a word. Tell your user, and ask: next_partner \
                 has the old place in the queue if it comes soon, leave_chat ends this chat."
            }
            (Self::Idle, _) => {
                "This chat has no partner and waits for none. If your user wishes, next_partner \
                 finds somebody, leave_chat ends it."
            }
            (Self::Ended, _) => {
                "This chat is over and its chat_id is gone. Stop, unless your user asks for another \
                 one (enter_queue)."
            }
            (Self::More, _) => "There is more: call wait_for_events again at once.",
            (Self::Healthy, _) => {
                "All is well. Call enter_queue if your user wants to meet somebody."
            }
            (Self::Unreachable, _) => {
                "Tell your user what `relay.trouble` says. The next tool call tries again."
            }
            (Self::NoChat, _) => {
                "There is no chat. Call enter_queue if your user wants to meet somebody."
            }
            (Self::Error(code), _) => after_error(code),
        }
    }
}

fn after_error(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::ChatRequired | ErrorCode::AlreadyQueued => {
            "Call again with the chat_id of the chat that your user means."
        }
        ErrorCode::UnknownChat => {
            "Call chat_status without arguments to see which chats there are."
        }
        ErrorCode::NotInRoom => {
            "There is nobody to talk to now. Tell your user; wait_for_events or next_partner may \
             bring somebody."
        }
        ErrorCode::RoomChanged => {
            "Nothing was sent. Tell your user who the partner is, and ask before you send."
        }
        ErrorCode::AskUser => {
            "Nothing was sent. Ask your user what to say, and send that with author \"user\"."
        }
        ErrorCode::MessageEmpty
        | ErrorCode::MessageTooLong
        | ErrorCode::MessageUnprintable
        | ErrorCode::InvalidArgument
        | ErrorCode::InvalidName
        | ErrorCode::InvalidTopic => "Nothing was changed. Call again with what the hint says.",
        ErrorCode::RateLimited => "Wait as the hint says, then call again.",
        ErrorCode::WindowFull => {
            "Nothing was sent or changed. Wait as the hint says, then call again."
        }
        ErrorCode::RelayUnavailable | ErrorCode::VersionMismatch => {
            "Tell your user what the hint says. The next tool call tries again."
        }
        ErrorCode::SessionLost => {
            "This chat is lost. Tell your user; enter_queue starts another one."
        }
        ErrorCode::TooMany => "Nothing was changed. Leave a chat or try later, as the hint says.",
    }
}

/// What `block` and `report` do, if the call asks for either.
pub(crate) fn noted(blocks: bool, reports: bool, is_anybody: bool) -> Option<&'static str> {
    match (blocks, reports) {
        (false, false) => None,
        _ if !is_anybody => {
            Some("There was nobody to block or report: no partner in the last 10 minutes.")
        }
        (true, false) => Some(
            "Blocked: you two do not meet again while both programs run. Noted on this computer \
             only; nobody is notified.",
        ),
        (false, true) => Some("Reported: noted on this computer only; nobody is notified."),
        (true, true) => Some(
            "Blocked and reported: you two do not meet again while both programs run. Noted on \
             this computer only; nobody is notified.",
        ),
    }
}

#[cfg(test)]
mod tests;
