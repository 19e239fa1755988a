//! Between the wire and the lobby: messages of clients become events, effects become messages.
//! Names, topics, texts and tokens are checked here, on the way in.

use std::{borrow::Cow, time::SystemTime};

use shared::{
    id::OwnerId,
    limits::{
        BLOCK_TAGS, LEAVING_ROOMS, Limits, MESSAGE_BYTES, MESSAGE_LINES, MESSAGE_RAW_BYTES,
        WINDOW_BYTES, WINDOW_MESSAGES,
    },
    message::{ClientMessage, ErrorCode, Hello, Leave, RelayMessage, Resume},
    text, version,
};

use crate::{
    lobby::{
        Arrival, ConnectionId, DisconnectReason, Event, Leaving, Member, Owner, Refusal, Seeking,
    },
    token::Tokens,
};

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
    arrival.room = room.as_ref().map(|claim| {
        let descriptor = holder
            .and_then(|holder| tokens.read_room(&claim.token, holder, now))
            .filter(|descriptor| descriptor.room == claim.room_id);
        (claim.room_id, descriptor, claim.received)
    });
    if let Some(claim) = queue {
        let ticket = claim
            .ticket
            .as_ref()
            .zip(holder)
            .and_then(|(ticket, holder)| tokens.read_ticket(ticket, holder, now));
        let seeking = seeking(&claim.display_name, &claim.topic)
            .map_err(|message| fault(ErrorCode::Invalid, message))?;
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
        ClientMessage::EnterQueue { display_name, topic } => {
            carried()?;
            match seeking(&display_name, &topic) {
                Ok(seeking) => Request::Tell(Event::EnterQueue(from, seeking)),
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
        ClientMessage::Attention { open } => {
            carried()?;
            Request::Tell(Event::Attention { from, open })
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
        Refusal::QueueFull => (ErrorCode::TooMany, "too many wait in this topic already"),
        Refusal::TooManyTopics => (ErrorCode::TooMany, "there are too many topics already"),
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
            fault(ErrorCode::RateLimited, "more messages than the rates of `welcome` allow")
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
        window_messages: WINDOW_MESSAGES,
        window_bytes: WINDOW_BYTES,
        message_bytes: MESSAGE_BYTES,
        message_lines: MESSAGE_LINES,
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

/// The sender has refused what is too long before it gave a number; here it is not a message.
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
mod tests {
    use shared::{
        id::{RoomId, SessionId},
        message::{Author, QueueClaim, RoomClaim},
    };

    use super::*;
    use crate::lobby::{RoomDescriptor, Ticket};

    const TICKET: Ticket = Ticket { epoch: 1, number: 2 };

    fn member(number: u8) -> Member {
        let owner = Owner { uid: 1000, id: OwnerId::from_bytes([number; 16]) };
        Member { session: SessionId::from_bytes([number + 100; 16]), owner }
    }

    fn tokens() -> Tokens {
        Tokens::new(&[7; 32])
    }

    fn descriptor() -> RoomDescriptor {
        let room = RoomId::from_bytes([9; 16]);
        RoomDescriptor { room, members: [member(1), member(2)] }
    }

    /// A client that is both in a room and in a queue, with good tokens of this member.
    fn resume(holder: Member, room_id: RoomId, now: SystemTime) -> Resume<'static> {
        let room_token: Cow<'_, str> = tokens().room(&descriptor(), now).into();
        let ticket = tokens().ticket(holder, TICKET, now);
        let (display_name, topic) = ("Ann".into(), "open".into());
        Resume {
            token: tokens().session(holder, now).into(),
            room: Some(RoomClaim { room_id, token: room_token.clone(), received: 3 }),
            queue: Some(QueueClaim { ticket: Some(ticket.into()), display_name, topic }),
            leaving: vec![Leave { room_id, token: room_token, block: true, report: None }],
        }
    }

    fn arrive(owner: Owner, session: Resume<'static>, now: SystemTime) -> Result<Arrival, Fault> {
        let (id, build) = (Some(owner.id), "test".into());
        let hello =
            Hello { min: 1, max: 1, build, owner: id, session: Some(session), blocks: Vec::new() };
        arrival(&tokens(), owner, &hello, now)
    }

    #[test]
    fn what_good_tokens_vouch_for_arrives() {
        let now = SystemTime::now();
        let (holder, room) = (member(1), descriptor().room);
        let arrival = arrive(holder.owner, resume(holder, room, now), now).unwrap();
        assert_eq!(arrival.session, Some(holder.session));
        assert_eq!(arrival.room, Some((room, Some(descriptor()), 3)));
        let (ticket, seeking) = arrival.queue.unwrap();
        assert_eq!((ticket, seeking.topic.as_str()), (Some(TICKET), "open"));
        assert_eq!(arrival.leaving[0].descriptor, Some(descriptor()));
    }

    #[test]
    fn a_token_of_somebody_or_something_else_vouches_for_nothing() {
        let now = SystemTime::now();
        let (holder, room) = (member(1), descriptor().room);
        let other_uid = Owner { uid: 1001, ..holder.owner };
        let stolen = arrive(other_uid, resume(holder, room, now), now).unwrap();
        assert_eq!((stolen.session, stolen.room), (None, Some((room, None, 3))));
        assert_eq!(stolen.queue.unwrap().0, None);
        assert_eq!(stolen.leaving[0].descriptor, None);

        let no_member = member(3);
        let arrival = arrive(no_member.owner, resume(no_member, room, now), now).unwrap();
        assert_eq!(arrival.session, Some(no_member.session));
        assert_eq!(arrival.room, Some((room, None, 3)));

        let other_room = RoomId::from_bytes([10; 16]);
        let arrival = arrive(holder.owner, resume(holder, other_room, now), now).unwrap();
        assert_eq!(arrival.room, Some((other_room, None, 3)));
        assert_eq!(arrival.leaving[0].descriptor, None);
    }

    #[test]
    fn nobody_brings_more_than_a_client_keeps() {
        let now = SystemTime::now();
        let (holder, room) = (member(1), descriptor().room);
        let mut much = resume(holder, room, now);
        much.leaving = vec![much.leaving[0].clone(); LEAVING_ROOMS + 1];
        assert_eq!(arrive(holder.owner, much, now).unwrap_err().code, ErrorCode::Malformed);
    }

    #[test]
    fn a_text_is_cleaned_whether_or_not_it_was_escaped() {
        for text in [Cow::Borrowed("a\u{1b}b\r\nc"), Cow::Owned("a\u{1b}b\r\nc".to_owned())] {
            let (room_id, author) = (descriptor().room, Author::User);
            let send = ClientMessage::Send { room_id, seq: 1, author, text, removed: u32::MAX };
            let now = SystemTime::UNIX_EPOCH;
            let asked = request(&tokens(), ConnectionId(1), Some(member(1)), send, now).unwrap();
            let Request::PassOn(_, message) = asked else { panic!("{asked:?}") };
            let expected = RelayMessage::Message {
                room_id,
                seq: 1,
                author,
                text: "ab\nc".into(),
                removed: u32::MAX,
                sent_at: "1970-01-01T00:00:00.000Z".into(),
            };
            assert_eq!(message, expected);
        }
    }
}
