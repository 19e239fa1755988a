//! Between the wire and the lobby: messages of clients become events, effects become messages.
//! Names, topics, texts and tokens are checked here, on the way in.

mod outgoing;

use std::{borrow::Cow, time::SystemTime};

use shared::{
    id::OwnerId,
    limits::{BLOCK_TAGS, LEAVING_ROOMS, Limits, MESSAGE_BYTES, MESSAGE_LINES, MESSAGE_RAW_BYTES},
    message::{ClientMessage, ErrorCode, Hello, Leave, RelayMessage, Resume},
    text, version,
};

use crate::{
    lobby::{
        Arrival, ConnectionId, DisconnectReason, Event, Leaving, Member, Owner, Refusal, RoomClaim,
        Seeking,
    },
    token::Tokens,
};

pub use outgoing::outgoing;

/// Program and package version, for people.
pub const BUILD: &str = concat!("relay ", env!("CARGO_PKG_VERSION"));

/// Why a connection is closed: the content of the last message that it gets.
#[derive(Debug)]
pub struct Fault {
    /// Which.
    pub code: ErrorCode,
    /// For people.
    pub message: Cow<'static, str>,
}

/// What a message of a client asks for.
#[derive(Debug)]
pub enum Request<'a> {
    /// Something to tell the lobby.
    Tell(Event),
    /// The same, with what [`Effect::Forward`](crate::lobby::Effect::Forward) passes on.
    PassOn(Event, RelayMessage<'a>),
    /// Something that can be answered at once.
    Answer(RelayMessage<'static>),
    /// How the relay is; for this owner.
    Status(Option<OwnerId>),
    /// That the relay ends.
    Stop,
}

/// The version of a connection, by what its client speaks.
pub fn negotiate(hello: &Hello<'_>) -> Result<u32, Fault> {
    let ours = (version::OLDEST, version::NEWEST);
    version::negotiate(ours, (hello.min, hello.max)).ok_or_else(|| {
        let advice = if hello.max < ours.0 {
            "the client is older: restart it (mcp-shim) from the newer installation"
        } else {
            "the relay is older: end it with `relay stop`; clients start the newer one"
        };
        let message = format!(
            "the relay speaks protocol versions {} to {}, the client {} to {}; {advice}",
            ours.0, ours.1, hello.min, hello.max
        );
        fault(ErrorCode::VersionMismatch, message)
    })
}

/// What a connection that carries a session brings along.
pub fn arrival(
    tokens: &Tokens,
    owner: Owner,
    hello: &Hello<'_>,
    now: SystemTime,
) -> Result<Arrival, Fault> {
    if hello.blocks.len() > BLOCK_TAGS {
        return Err(fault(ErrorCode::Malformed, "more block tags than a client keeps"));
    }
    let blocks = hello.blocks.iter().filter_map(|tag| tokens.read_block(tag, owner, now));
    let mut arrival = Arrival {
        owner,
        session: None,
        room: None,
        queue: None,
        leaving: Vec::new(),
        blocks: blocks.collect(),
    };
    let Some(Resume { token, room, queue, leaving }) = &hello.session else {
        return Ok(arrival);
    };
    if leaving.len() > LEAVING_ROOMS {
        return Err(fault(ErrorCode::Malformed, "more rooms to leave than a client keeps"));
    }
    arrival.session = tokens.read_session(token, owner, now);
    let holder = arrival.session.map(|session| Member { session, owner });
    arrival.leaving = leaving.iter().map(|leave| read_leave(tokens, holder, leave, now)).collect();
    let invalid = |message| fault(ErrorCode::Invalid, message);
    if let Some(claim) = room {
        let descriptor = holder
            .and_then(|holder| tokens.read_room(&claim.token, holder, now))
            .filter(|descriptor| descriptor.room == claim.room_id);
        arrival.room = Some(RoomClaim {
            room: claim.room_id,
            descriptor,
            received: claim.received,
            seeking: seeking(&claim.display_name, &claim.topic).map_err(invalid)?,
        });
    }
    if let Some(claim) = queue {
        let ticket = claim
            .ticket
            .as_ref()
            .zip(holder)
            .and_then(|(ticket, holder)| tokens.read_ticket(ticket, holder, now));
        let seeking = seeking(&claim.display_name, &claim.topic).map_err(invalid)?;
        arrival.queue = Some((ticket, seeking));
    }
    Ok(arrival)
}

/// What a message asks for that comes after `hello`; `holder` is the session that the connection
/// carries, if it does.
pub fn request<'a>(
    tokens: &Tokens,
    from: ConnectionId,
    holder: Option<Member>,
    message: ClientMessage<'a>,
    now: SystemTime,
) -> Result<Request<'a>, Fault> {
    let carried = || {
        holder.ok_or_else(|| {
            fault(ErrorCode::OutOfOrder, "this connection carries no session: `hello` named none")
        })
    };
    let request = match message {
        ClientMessage::Hello(_) => {
            return Err(fault(ErrorCode::OutOfOrder, "`hello` was said before"));
        }
        ClientMessage::EnterQueue { display_name, topic, ticket } => {
            let holder = carried()?;
            let ticket = ticket.and_then(|ticket| tokens.read_ticket(&ticket, holder, now));
            match seeking(&display_name, &topic) {
                Ok(seeking) => Request::Tell(Event::EnterQueue(from, ticket, seeking)),
                Err(message) => Request::Answer(invalid(message)),
            }
        }
        ClientMessage::LeaveQueue {} => {
            carried()?;
            Request::Tell(Event::LeaveQueue(from))
        }
        ClientMessage::Next { leave, display_name, topic } => {
            let holder = carried()?;
            match seeking(&display_name, &topic) {
                Ok(seeking) => {
                    let leaving = leave.map(|leave| read_leave(tokens, Some(holder), &leave, now));
                    Request::Tell(Event::Next(from, leaving, seeking))
                }
                Err(message) => Request::Answer(invalid(message)),
            }
        }
        ClientMessage::Leave(leave) => {
            let leaving = read_leave(tokens, Some(carried()?), &leave, now);
            Request::Tell(Event::Leave(from, leaving))
        }
        ClientMessage::Send { room_id, seq, author, text, removed } => {
            carried()?;
            if seq == 0 {
                return Err(fault(ErrorCode::Malformed, "the first `seq` of a room is 1"));
            }
            let (text, removed_here) = cleaned(text)?;
            let sent_at = humantime::format_rfc3339_millis(now).to_string().into();
            let removed = removed.saturating_add(removed_here);
            let message = RelayMessage::Message { room_id, seq, author, text, removed, sent_at };
            Request::PassOn(Event::Message { from, room: room_id, seq }, message)
        }
        ClientMessage::Ack { room_id, received, read } => {
            carried()?;
            let event = Event::Ack { from, room: room_id, received };
            Request::PassOn(event, RelayMessage::Ack { room_id, received, read })
        }
        ClientMessage::Sync { room_id, received } => {
            carried()?;
            let event = Event::Sync { from, room: room_id, received };
            Request::PassOn(event, RelayMessage::Sync { room_id, received })
        }
        ClientMessage::Attention { open, lapsed } => {
            carried()?;
            Request::Tell(Event::Attention { from, open, lapsed })
        }
        ClientMessage::Ping {} => Request::Answer(RelayMessage::Pong {}),
        ClientMessage::Status { owner } => Request::Status(owner),
        ClientMessage::Stop {} => Request::Stop,
    };
    Ok(request)
}

/// A message that says why a request was not granted.
#[must_use]
pub fn refused(refusal: Refusal) -> RelayMessage<'static> {
    let (code, message) = match refusal {
        Refusal::QueueFull => {
            (ErrorCode::TooMany, "too many wait in this topic already; try another, or later")
        }
        Refusal::OwnQueueFull => (
            ErrorCode::TooMany,
            "too many chats of this account wait in this topic already; leave one, or try another \
             topic",
        ),
        Refusal::TooManyTopics => (
            ErrorCode::TooMany,
            "people wait in too many topics already; try the topic `open`, or later",
        ),
        Refusal::TooManyOwnTopics => (
            ErrorCode::TooMany,
            "chats of this account wait in too many topics already; leave one, or try the topic \
             `open`",
        ),
        Refusal::Draining => (ErrorCode::GoingAway, "the relay is about to end"),
    };
    RelayMessage::Refused { code, message: message.into(), retry_after_ms: None }
}

/// Why the lobby closes a connection.
#[must_use]
pub fn disconnected(reason: DisconnectReason) -> Fault {
    match reason {
        DisconnectReason::Superseded => {
            fault(ErrorCode::Superseded, "a newer connection carries this session")
        }
        DisconnectReason::RateExceeded => {
            let message =
                "more messages than the rates of `welcome` allow, or `ack` or `sync` without end";
            fault(ErrorCode::RateLimited, message)
        }
        DisconnectReason::TooManySessions { of_account: true } => fault(
            ErrorCode::TooMany,
            "this account has as many chats as one can have; leave one, or wait for those whose \
             program has ended to be forgotten",
        ),
        DisconnectReason::TooManySessions { of_account: false } => {
            fault(ErrorCode::TooMany, "the relay has as many chats as it takes; try again later")
        }
    }
}

/// What `welcome` says of the limits.
#[must_use]
pub fn limits(settings: &crate::server::Settings) -> Limits {
    let milliseconds =
        |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Limits {
        message_rate: settings.config.message_rate,
        next_rate: settings.config.next_rate,
        window_messages: settings.window_messages,
        window_bytes: settings.window_bytes,
        message_bytes: settings.message_bytes,
        message_lines: settings.message_lines,
        keep_alive_ms: milliseconds(settings.keep_alive),
        grace_ms: milliseconds(settings.config.grace),
    }
}

/// Short for a [`Fault`].
pub fn fault(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Fault {
    Fault { code, message: message.into() }
}

fn seeking(display_name: &str, topic: &str) -> Result<Seeking, String> {
    let display_name =
        text::display_name(display_name).map_err(|error| format!("display name: {error}"))?;
    let topic = text::topic(topic).map_err(|error| format!("topic: {error}"))?;
    Ok(Seeking { display_name, topic })
}

fn invalid(message: String) -> RelayMessage<'static> {
    RelayMessage::Refused {
        code: ErrorCode::Invalid,
        message: message.into(),
        retry_after_ms: None,
    }
}

fn read_leave(
    tokens: &Tokens,
    holder: Option<Member>,
    leave: &Leave<'_>,
    now: SystemTime,
) -> Leaving {
    let descriptor = holder
        .and_then(|holder| tokens.read_room(&leave.token, holder, now))
        .filter(|descriptor| descriptor.room == leave.room_id);
    Leaving { room: leave.room_id, descriptor, block: leave.block, report: leave.report }
}

/// The sender has refused what is too long before it gave a number; here it is not a message. By
/// what no relay can allow: what an earlier one has allowed is passed on, whatever the options are.
fn cleaned(text: Cow<'_, str>) -> Result<(Cow<'_, str>, u32), Fault> {
    let too_long = || fault(ErrorCode::Malformed, "`text` is longer than `welcome` allows");
    if text.len() > MESSAGE_RAW_BYTES {
        return Err(too_long());
    }
    let (text, removed) = match text {
        Cow::Borrowed(text) => {
            let cleaned = text::clean(text);
            (cleaned.text, cleaned.removed)
        }
        Cow::Owned(text) => {
            let cleaned = text::clean(&text);
            (Cow::Owned(cleaned.text.into_owned()), cleaned.removed)
        }
    };
    if text.len() > MESSAGE_BYTES || text.lines().count() > MESSAGE_LINES {
        return Err(too_long());
    }
    Ok((text, removed))
}

#[cfg(test)]
mod tests;
