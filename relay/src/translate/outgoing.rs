//! What the lobby says, in messages.

use std::time::SystemTime;

use shared::message::{Paired, Queued, RelayMessage};

use super::refused;
use crate::{
    lobby::{Effect, Member},
    token::Tokens,
};

/// The message that tells a connection, which carries this session, of an effect. `None` for those
/// effects that are more than a message: passing something on, a welcome, an end.
#[must_use]
pub fn outgoing(
    tokens: &Tokens,
    holder: Member,
    effect: Effect,
    now: SystemTime,
) -> Option<RelayMessage<'static>> {
    let message = match effect {
        Effect::Forward { .. } | Effect::Welcome { .. } | Effect::Disconnect { .. } => return None,
        Effect::Sync { room, received, .. } => RelayMessage::Sync { room_id: room, received },
        Effect::Queued { topic, position, waiting, not_listening, own, ticket, .. } => {
            let ticket = tokens.ticket(holder, ticket, now).into();
            let topic = topic.into();
            RelayMessage::Queued(Queued { topic, position, waiting, not_listening, own, ticket })
        }
        Effect::Paired { descriptor, seat, topic, display_name, presence, met_before, .. } => {
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
        Effect::Partner { room, presence, unseen, .. } => {
            RelayMessage::Partner { room_id: room, presence, seen_seconds: unseen.as_secs() }
        }
        Effect::Closed { room, reason, .. } => RelayMessage::Closed { room_id: room, reason },
        Effect::Left { room, blocked, .. } => {
            let block_tag = blocked.map(|blocked| tokens.block(holder.owner, blocked, now).into());
            RelayMessage::Left { room_id: room, block_tag }
        }
        Effect::Dequeued { reason, .. } => RelayMessage::Dequeued { reason },
        Effect::Refused { refusal, .. } => refused(refusal),
    };
    Some(message)
}
