//! Messages of clients, as events of the lobby. Names, topics, texts and tokens are checked here.

use std::{borrow::Cow, time::SystemTime};

use shared::{
    id::{OwnerId, RoomId},
    limits::{BLOCK_TAGS, LEAVING_ROOMS},
    message::{ClientMessage, ErrorCode, Hello, Leave, RelayMessage, Resume},
    text::{self, NameError},
    version,
};

use super::{Fault, fault, refused};
use crate::{
    lobby::{
        Arrival, ClaimedRoom, ConnectionId, Event, Leaving, Member, Opening, Owner, RoomDescriptor,
        Seeking,
    },
    token::Tokens,
};

/// What a message of a client asks for.
#[derive(Debug)]
pub enum ClientRequest<'a> {
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
///
/// # Errors
/// They have none in common.
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
///
/// # Errors
/// It brings more than a client keeps, or an invalid name.
pub fn arrival(
    tokens: &Tokens,
    owner: Owner,
    hello: &Hello<'_>,
    now: SystemTime,
) -> Result<Arrival, Fault> {
    let mut arrival = Arrival {
        owner,
        session: None,
        room: None,
        queue: None,
        leaving: Vec::new(),
        blocks: read_blocks(tokens, owner, &hello.blocks, now)?,
        robot: hello.robot,
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
    if let Some(claim) = room {
        arrival.room = Some(ClaimedRoom {
            room: claim.room_id,
            descriptor: read_room(tokens, holder, &claim.token, claim.room_id, now),
            received: claim.received,
            seeking: seeking(&claim.display_name, &claim.topic)?,
        });
    }
    if let Some(claim) = queue {
        let seeking = seeking(&claim.display_name, &claim.topic)?;
        let ticket = claim.ticket.as_ref().zip(holder);
        let ticket = ticket.and_then(|(t, holder)| read_ticket(tokens, holder, t, &seeking, now));
        arrival.queue = Some((ticket, seeking));
    }
    Ok(arrival)
}

/// What a message asks for that comes after `hello`; `holder` is the session that the connection
/// carries, if it does.
///
/// # Errors
/// It must not come now, or no client sends it.
pub fn request<'a>(
    tokens: &Tokens,
    from: ConnectionId,
    holder: Option<Member>,
    message: ClientMessage<'a>,
    now: SystemTime,
) -> Result<ClientRequest<'a>, Fault> {
    let carried = holder.ok_or_else(|| {
        fault(ErrorCode::OutOfOrder, "this connection carries no session: `hello` named none")
    });
    Ok(match message {
        ClientMessage::Hello(_) => {
            return Err(fault(ErrorCode::OutOfOrder, "`hello` was said before"));
        }
        ClientMessage::EnterQueue { display_name, topic, ticket, blocks } => {
            let holder = carried?;
            let blocks = read_blocks(tokens, holder.owner, &blocks, now)?;
            match seeking(&display_name, &topic) {
                Ok(seeking) => {
                    let ticket =
                        ticket.and_then(|t| read_ticket(tokens, holder, &t, &seeking, now));
                    ClientRequest::Tell(Event::EnterQueue(from, ticket, seeking, blocks))
                }
                Err(invalid) => ClientRequest::Answer(refused(invalid, None)),
            }
        }
        ClientMessage::LeaveQueue {} => {
            carried?;
            ClientRequest::Tell(Event::LeaveQueue(from))
        }
        ClientMessage::Next { leave, display_name, topic, blocks } => {
            let holder = carried?;
            let blocks = read_blocks(tokens, holder.owner, &blocks, now)?;
            match seeking(&display_name, &topic) {
                Ok(seeking) => {
                    let leaving = leave.map(|leave| read_leave(tokens, Some(holder), &leave, now));
                    ClientRequest::Tell(Event::Next(from, leaving, seeking, blocks))
                }
                Err(invalid) => ClientRequest::Answer(refused(invalid, None)),
            }
        }
        ClientMessage::Leave(leave) => {
            let leaving = read_leave(tokens, Some(carried?), &leave, now);
            ClientRequest::Tell(Event::Leave(from, leaving))
        }
        ClientMessage::Send { room_id, seq, author, text, removed } => {
            carried?;
            if seq == 0 {
                return Err(fault(ErrorCode::Malformed, "the first `seq` of a room is 1"));
            }
            let (text, removed_here) = cleaned(text).ok_or_else(|| {
                fault(ErrorCode::Malformed, "`text` is longer than `welcome` allows")
            })?;
            let sent_at = humantime::format_rfc3339_millis(now).to_string().into();
            let removed = removed.saturating_add(removed_here);
            let message = RelayMessage::Message { room_id, seq, author, text, removed, sent_at };
            ClientRequest::PassOn(Event::Message { from, room: room_id, seq }, message)
        }
        ClientMessage::Ack { room_id, received, read } => {
            carried?;
            let event = Event::Ack { from, room: room_id, received };
            ClientRequest::PassOn(event, RelayMessage::Ack { room_id, received, read })
        }
        ClientMessage::Sync { room_id, received } => {
            carried?;
            let event = Event::Sync { from, room: room_id, received };
            ClientRequest::PassOn(event, RelayMessage::Sync { room_id, received })
        }
        ClientMessage::Attention { open, lapsed } => {
            carried?;
            ClientRequest::Tell(Event::Attention { from, open, lapsed })
        }
        ClientMessage::Ping {} => ClientRequest::Answer(RelayMessage::Pong {}),
        ClientMessage::Status { owner } => ClientRequest::Status(owner),
        ClientMessage::Stop {} => ClientRequest::Stop,
    })
}

fn seeking(display_name: &str, topic: &str) -> Result<Seeking, Fault> {
    let invalid = |what, error: NameError| fault(ErrorCode::Invalid, format!("{what}: {error}"));
    Ok(Seeking {
        display_name: text::display_name(display_name).map_err(|e| invalid("display name", e))?,
        topic: text::topic(topic).map_err(|e| invalid("topic", e))?,
    })
}

/// A ticket is for its topic alone.
fn read_ticket(
    tokens: &Tokens,
    holder: Member,
    ticket: &str,
    seeking: &Seeking,
    now: SystemTime,
) -> Option<Opening> {
    tokens.read_ticket(ticket, holder, &text::fold_topic(&seeking.topic), now)
}

fn read_blocks(
    tokens: &Tokens,
    owner: Owner,
    tags: &[Cow<'_, str>],
    now: SystemTime,
) -> Result<Vec<Owner>, Fault> {
    if tags.len() > BLOCK_TAGS {
        return Err(fault(ErrorCode::Malformed, "more block tags than a client keeps"));
    }
    Ok(tags.iter().filter_map(|tag| tokens.read_block(tag, owner, now)).collect())
}

fn read_leave(
    tokens: &Tokens,
    holder: Option<Member>,
    leave: &Leave<'_>,
    now: SystemTime,
) -> Leaving {
    let descriptor = read_room(tokens, holder, &leave.token, leave.room_id, now);
    Leaving { room: leave.room_id, descriptor, block: leave.block, report: leave.report }
}

fn read_room(
    tokens: &Tokens,
    holder: Option<Member>,
    token: &str,
    room: RoomId,
    now: SystemTime,
) -> Option<RoomDescriptor> {
    let descriptor = tokens.read_room(token, holder?, now)?;
    (descriptor.room == room).then_some(descriptor)
}

/// By what no relay can allow: what an earlier one has allowed is passed on, whatever the options are.
fn cleaned(text: Cow<'_, str>) -> Option<(Cow<'_, str>, u32)> {
    match text {
        Cow::Borrowed(text) => text::fitting(text).map(|fitting| (fitting.text, fitting.removed)),
        Cow::Owned(text) => {
            let fitting = text::fitting(&text)?;
            Some((Cow::Owned(fitting.text.into_owned()), fitting.removed))
        }
    }
}

#[cfg(test)]
mod tests;
