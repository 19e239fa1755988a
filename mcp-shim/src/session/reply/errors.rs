//! What went wrong, in words: what happened, what was kept, and what to do now.

use std::{fmt::Display, time::Duration};

use shared::{
    limits,
    message::ErrorCode as WireError,
    text::{MessageError, NameError},
};

use super::{ChatState, ErrorCode, ToolError};
use crate::session::contract::Trouble;

const ALLOWED: &str = "letters, digits, spaces and - _ . ' are allowed";

pub(crate) fn chat_required() -> ToolError {
    ToolError::new(
        ErrorCode::ChatRequired,
        "chat_id is missing",
        "pass the chat_id of the chat that is meant; chat_status without arguments lists them, and \
         enter_queue starts one if there is none",
    )
}

pub(crate) fn unknown_chat() -> ToolError {
    ToolError::new(
        ErrorCode::UnknownChat,
        "there is no chat with this chat_id here",
        "call chat_status without arguments to see the chats of this app",
    )
}

pub(crate) fn already_queued() -> ToolError {
    ToolError::new(
        ErrorCode::AlreadyQueued,
        "this app already has a chat that waits or talks; nothing was changed",
        "go on with that chat_id (wait_for_events), or pass new_chat: true if your user wants \
         a second conversation beside it",
    )
}

pub(crate) fn too_many_chats() -> ToolError {
    ToolError::new(
        ErrorCode::TooMany,
        format!("{} chats are open here, and none is idle", limits::SESSIONS_PER_SHIM),
        "leave one of them with leave_chat first",
    )
}

pub(crate) fn invalid(field: &str, problem: impl Display) -> ToolError {
    ToolError::new(
        ErrorCode::InvalidArgument,
        format!("{field} {problem}"),
        format!("correct {field} or leave it out, then call again"),
    )
}

pub(crate) fn invalid_display_name(error: &NameError) -> ToolError {
    ToolError::new(ErrorCode::InvalidName, format!("display_name: {error}"), ALLOWED)
}

pub(crate) fn invalid_topic(error: &NameError) -> ToolError {
    ToolError::new(ErrorCode::InvalidTopic, format!("topic: {error}"), ALLOWED)
}

pub(crate) fn invalid_message(error: &MessageError) -> ToolError {
    let (code, hint) = match error {
        MessageError::Empty => (ErrorCode::MessageEmpty, "put what your user wants to say there"),
        MessageError::TooLong { .. } => {
            (ErrorCode::MessageTooLong, "nothing was sent; split it into several messages")
        }
        MessageError::Unprintable => {
            (ErrorCode::MessageUnprintable, "nothing was sent; use characters that can be seen")
        }
    };
    ToolError::new(code, error.to_string(), hint)
}

pub(crate) fn not_in_room(state: ChatState) -> ToolError {
    let (message, hint) = match state {
        ChatState::Waiting => (
            "nobody was found yet; the message was not sent",
            "send it once chatroom.found has arrived",
        ),
        ChatState::Idle | ChatState::Chatting | ChatState::Ended => (
            "the partner is gone; the message was not sent",
            "call next_partner if your user wants to meet somebody else",
        ),
    };
    ToolError::new(ErrorCode::NotInRoom, message, hint)
}

pub(crate) fn room_changed() -> ToolError {
    ToolError::new(
        ErrorCode::RoomChanged,
        "the partner is not the one that your user knows of; the message was not sent",
        "see `room`: if your user wants to say it to this partner, send it again with that room_id",
    )
}

pub(crate) fn ask_user(streak: u32) -> ToolError {
    ToolError::new(
        ErrorCode::AskUser,
        format!("{streak} messages in a row were the assistant's own"),
        "ask your user what to say, and send that with author \"user\"",
    )
}

pub(crate) fn window_full() -> ToolError {
    ToolError::new(
        ErrorCode::WindowFull,
        "the partner's client has not taken the messages that were sent before; this one was not \
         sent",
        "wait for the partner with wait_for_events, then send it again",
    )
}

pub(crate) fn rate_limited(wait: Duration) -> ToolError {
    // Rounded up: a call exactly then passes.
    let retry_after_ms = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    ToolError {
        retry_after_ms: Some(retry_after_ms),
        ..ToolError::new(
            ErrorCode::RateLimited,
            "too many in a short time; nothing was sent or changed",
            format!("call again after {retry_after_ms} ms"),
        )
    }
}

/// The relay gives no place in the queue.
pub(crate) fn refused(code: WireError, retry_after_ms: Option<u64>) -> ToolError {
    let reported = match code {
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
    };
    if let (WireError::RateLimited, Some(retry_after_ms)) = (code, retry_after_ms) {
        let message = "too many searches for a partner in a short time; there is no place now";
        let hint = format!("call again after {retry_after_ms} ms");
        let error = ToolError::new(reported, message, hint);
        return ToolError { retry_after_ms: Some(retry_after_ms), ..error };
    }
    let hint = "try again later, or with another topic";
    ToolError { retry_after_ms, ..ToolError::new(reported, code.sentence(), hint) }
}

/// The relay cannot be reached.
pub(crate) fn unavailable(trouble: Option<&Trouble>) -> ToolError {
    let Some(Trouble { code, detail, .. }) = trouble else {
        return ToolError::new(
            ErrorCode::RelayUnavailable,
            "the relay does not answer; unread events are kept",
            "run `mcp-shim doctor` in a terminal to see why",
        );
    };
    let message = if *code == ErrorCode::VersionMismatch {
        "the relay speaks another protocol version; unread events are kept"
    } else if *code == ErrorCode::TooMany {
        "the relay cannot take this chat; unread events are kept"
    } else {
        "the relay cannot be reached; unread events are kept"
    };
    ToolError::new(*code, message, detail.clone())
}

pub(crate) fn session_lost() -> ToolError {
    ToolError::new(
        ErrorCode::SessionLost,
        "another program has taken up this session; this chat is lost",
        "call enter_queue to start another chat",
    )
}
