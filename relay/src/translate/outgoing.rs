//! What the lobby says, in messages.

use std::time::{Duration, SystemTime};

use shared::{
    message::{ErrorCode, Paired, Queued, RelayMessage},
    text::fold_topic,
};

use super::{Fault, fault, refused};
use crate::{
    lobby::{DisconnectReason, Member, News, Numbers, Refusal},
    token::Tokens,
};

/// The message that tells a connection, which carries this session, its news.
#[must_use]
pub fn outgoing(
    tokens: &Tokens,
    holder: Member,
    news: News,
    now: SystemTime,
) -> RelayMessage<'static> {
    match news {
        News::Sync { room, received } => RelayMessage::Sync { room_id: room, received },
        News::Queued { topic, numbers, ticket } => {
            let Numbers { position, waiting, not_listening, own } = numbers;
            let ticket = tokens.ticket(holder, ticket, &fold_topic(&topic), now).into();
            let topic = topic.into();
            RelayMessage::Queued(Queued { topic, position, waiting, not_listening, own, ticket })
        }
        News::Paired { descriptor, seat, topic, display_name, presence, met_before } => {
            RelayMessage::Paired(Paired {
                room_id: descriptor.room,
                seat,
                topic: topic.into(),
                display_name: display_name.into(),
                presence,
                met_before,
                token: tokens.room(&descriptor, now).into(),
            })
        }
        News::Partner { room, presence, unseen } => {
            RelayMessage::Partner { room_id: room, presence, seen_seconds: unseen.as_secs() }
        }
        News::Closed { room, reason, place_kept } => {
            let place_kept_ms = place_kept.map(milliseconds);
            RelayMessage::Closed { room_id: room, reason, place_kept_ms }
        }
        News::Left { room, blocked } => {
            let block_tag = blocked.map(|blocked| tokens.block(holder.owner, blocked, now).into());
            RelayMessage::Left { room_id: room, block_tag }
        }
        News::Dequeued(reason) => RelayMessage::Dequeued { reason },
        News::Refused(refusal) => {
            let retry_after =
                if let Refusal::TooOften(wait) = refusal { Some(milliseconds(wait)) } else { None };
            refused(ungranted(refusal), retry_after)
        }
    }
}

/// Why the lobby does not grant a request.
fn ungranted(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::QueueFull => {
            too_many("too many wait in this topic already; try another, or later")
        }
        Refusal::OwnQueueFull => too_many(
            "too many chats of this account wait in this topic already; leave one, or try another \
             topic",
        ),
        Refusal::TooManyTopics => {
            too_many("people wait in too many topics already; try the topic `open`, or later")
        }
        Refusal::TooManyOwnTopics => too_many(
            "chats of this account wait in too many topics already; leave one, or try the topic \
             `open`",
        ),
        Refusal::Draining => fault(ErrorCode::GoingAway, "the relay is about to end"),
        Refusal::TooOften(_) => fault(
            ErrorCode::RateLimited,
            "this chat, its client or its account has looked for a partner too often; wait a little",
        ),
    }
}

/// Why the lobby closes a connection.
#[must_use]
pub fn disconnected(reason: DisconnectReason) -> Fault {
    match reason {
        DisconnectReason::Superseded => {
            fault(ErrorCode::Superseded, "a newer connection carries this session")
        }
        DisconnectReason::RateExceeded => fault(
            ErrorCode::RateLimited,
            "more than the rates of `welcome` allow, `ack` or `sync` without end, or back too often",
        ),
        DisconnectReason::TooManySessions { of_account: true } => too_many(
            "this account has as many chats as one can have; leave one, or wait for those whose \
             program has ended to be forgotten",
        ),
        DisconnectReason::TooManySessions { of_account: false } => {
            too_many("the relay has as many chats as it takes; try again later")
        }
    }
}

/// Rounded up: it is late enough then.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn too_many(message: &'static str) -> Fault {
    fault(ErrorCode::TooMany, message)
}
