//! Everything that a relay can say, and numbers and words as only a false one would.

use std::borrow::Cow;

use proptest::prelude::*;
use shared::{
    limits::{EnterRates, Rate},
    message::{Reports, Status},
};

use super::*;

pub(super) fn number() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..6_u64, 2 => 90..110_u64, 1 => Just(u64::MAX), 1 => Just(u64::MAX - 1), 1 => any::<u64>()]
}

fn size() -> impl Strategy<Value = usize> {
    number().prop_map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

fn room_id() -> impl Strategy<Value = RoomId> {
    (1..5_u8).prop_map(room)
}

pub(super) fn words() -> impl Strategy<Value = Cow<'static, str>> {
    prop_oneof![
        4 => Just("hi".into()),
        1 => Just("".into()),
        1 => Just("\u{202e}\u{1b}]0;\u{0}".into()),
        1 => Just("x".repeat(60_000).into()),
        1 => Just("\u{fb2c}".repeat(20_000).into()),
        1 => ".{0,20}".prop_map(Cow::Owned),
    ]
}

fn one_of<T: Copy + std::fmt::Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = T> {
    (0..values.len()).prop_map(|index| values[index])
}

fn presence() -> impl Strategy<Value = Presence> {
    one_of(&[Presence::Listening, Presence::NotListening, Presence::Reconnecting])
}

fn code() -> impl Strategy<Value = WireError> {
    one_of(&[
        WireError::Malformed,
        WireError::VersionMismatch,
        WireError::Superseded,
        WireError::RateLimited,
        WireError::TooMany,
        WireError::Invalid,
        WireError::GoingAway,
    ])
}

fn rate() -> impl Strategy<Value = Option<Rate>> {
    let burst = prop_oneof![0..10_u32, Just(u32::MAX)];
    let interval = (number(), prop_oneof![Just(0), any::<u64>()]);
    let rate = (burst, interval).prop_map(|(burst, (interval_ms, interval_ns))| Rate {
        burst,
        interval_ms,
        interval_ns,
    });
    prop::option::of(rate)
}

fn limits() -> impl Strategy<Value = Limits> {
    let sizes = [(); 4].map(|()| size());
    (rate(), rate(), sizes, number(), number()).prop_map(
        |(message_rate, next_rate, sizes, keep_alive_ms, grace_ms)| Limits {
            message_rate,
            next_rate,
            enter_rates: EnterRates::default(),
            window_messages: sizes[0],
            window_bytes: sizes[1],
            message_bytes: sizes[2],
            message_lines: sizes[3],
            keep_alive_ms,
            // Of none at all the end is noticed at once, which is one tick more.
            grace_ms: grace_ms.max(1),
        },
    )
}

fn welcome() -> impl Strategy<Value = RelayMessage<'static>> {
    let limits = prop_oneof![2 => Just(Limits::default()), 1 => limits()];
    (limits, prop::option::of(any::<bool>()), any::<u32>()).prop_map(
        |(limits, resumed, version)| {
            RelayMessage::Welcome(Welcome {
                version,
                epoch: 1,
                build: "".into(),
                limits: Box::new(limits),
                session: resumed.map(|resumed| SessionGrant {
                    session_id: SessionId::from_bytes([3; 16]),
                    token: "session".into(),
                    resumed,
                }),
            })
        },
    )
}

fn paired_somehow() -> impl Strategy<Value = RelayMessage<'static>> {
    (room_id(), any::<u8>(), words(), words(), presence(), any::<bool>()).prop_map(
        |(room_id, seat, topic, display_name, presence, met_before)| {
            RelayMessage::Paired(Paired {
                room_id,
                seat,
                topic,
                display_name,
                presence,
                met_before,
                token: "room".into(),
            })
        },
    )
}

fn status() -> RelayMessage<'static> {
    let most = usize::MAX;
    RelayMessage::Status(Status {
        pid: u32::MAX,
        version: "".into(),
        protocol: u32::MAX,
        uptime_seconds: u64::MAX,
        connections: most,
        sessions: most,
        others_connected: most,
        waiting: most,
        topics: most,
        rooms: most,
        messages: u64::MAX,
        blocks: most,
        reports: Reports::default(),
    })
}

pub(super) fn relay_message() -> impl Strategy<Value = RelayMessage<'static>> {
    let queued = (words(), [(); 4].map(|()| size())).prop_map(|(topic, numbers)| {
        let [position, waiting, not_listening, own] = numbers;
        let ticket = "ticket".into();
        RelayMessage::Queued(Queued { topic, position, waiting, not_listening, own, ticket })
    });
    let message =
        (room_id(), number(), words(), any::<u32>()).prop_map(|(room_id, seq, text, removed)| {
            let (author, sent_at) = (Author::Assistant, "when".into());
            RelayMessage::Message { room_id, seq, author, text, removed, sent_at }
        });
    let reason = one_of(&[
        CloseReason::Left,
        CloseReason::Timeout,
        CloseReason::Idle,
        CloseReason::RelayLost,
    ]);
    let dequeued =
        one_of(&[DequeueReason::Left, DequeueReason::NotListening, DequeueReason::RelayLost]);
    let tag = prop::option::of(number().prop_map(|number| number.to_string().into()));
    prop_oneof![
        4 => welcome(),
        8 => Just(RelayMessage::Pong {}),
        4 => queued,
        8 => paired_somehow(),
        16 => message,
        8 => (room_id(), number(), number())
            .prop_map(|(room_id, received, read)| RelayMessage::Ack { room_id, received, read }),
        8 => (room_id(), number())
            .prop_map(|(room_id, received)| RelayMessage::Sync { room_id, received }),
        4 => (room_id(), presence(), number()).prop_map(|(room_id, presence, seen_seconds)| {
            RelayMessage::Partner { room_id, presence, seen_seconds }
        }),
        2 => (room_id(), reason)
            .prop_map(|(room_id, reason)| RelayMessage::Closed { room_id, reason, place_kept_ms: None }),
        3 => (room_id(), tag)
            .prop_map(|(room_id, block_tag)| RelayMessage::Left { room_id, block_tag }),
        2 => dequeued.prop_map(|reason| RelayMessage::Dequeued { reason }),
        2 => (code(), words(), prop::option::of(number())).prop_map(
            |(code, message, retry_after_ms)| RelayMessage::Refused {
                code,
                message,
                retry_after_ms,
            }
        ),
        1 => (code(), words(), any::<Option<u32>>()).prop_map(|(code, message, newest)| RelayMessage::Error { code, message, newest }),
        1 => Just(RelayMessage::GoingAway {}),
        1 => Just(status()),
        1 => Just(RelayMessage::Stopping { pid: 1, rooms: usize::MAX, waiting: 0 }),
    ]
}
