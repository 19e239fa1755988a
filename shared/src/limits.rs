//! Every limit of the product, named, with its unit. What can be configured is an option of
//! `relay serve`, has its default here and is told to clients in `welcome` ([`Limits`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One frame of the wire protocol, its line feed included.
pub const FRAME_BYTES: usize = 64 * 1024;
/// A message after cleaning, in bytes of UTF-8.
pub const MESSAGE_BYTES: usize = 8 * 1024;
/// A message before cleaning, in bytes of UTF-8.
pub const MESSAGE_RAW_BYTES: usize = 32 * 1024;
/// Lines of a message after cleaning.
pub const MESSAGE_LINES: usize = 200;
/// Marks on one base, in a message or a name.
pub const MARKS_PER_BASE: usize = 8;
/// How far a joiner of a message looks to either side, in characters: it keeps cleaning linear.
pub const JOINER_LOOK_AROUND: usize = 8;
/// A display name, in characters.
pub const DISPLAY_NAME_CHARS: usize = 32;
/// A topic, in characters.
pub const TOPIC_CHARS: usize = 64;

/// Messages of one direction of a room that wait for the partner's acknowledgement.
pub const WINDOW_MESSAGES: usize = 100;
/// The same in bytes of text.
pub const WINDOW_BYTES: usize = 256 * 1024;
/// Unread messages that a shim holds for one session: less than 8 MiB of text.
pub const UNREAD_MESSAGES: usize = 1_000;
/// Handed-out events that stay readable through `after`.
pub const HANDED_OUT_EVENTS: usize = 200;
/// Messages in one tool result.
pub const RESULT_MESSAGES: usize = 20;
/// Characters of message text in one tool result.
pub const RESULT_CHARS: usize = 40_000;
/// Entries of the history that `chat_status` can show.
pub const HISTORY_ENTRIES: usize = 50;
/// Entries of the transcript of a chat: messages of both sides and events.
pub const TRANSCRIPT_ENTRIES: usize = 200;
/// Open `subscriptions/listen` of one client.
pub const LISTENS: usize = 64;
/// Between two notifications that one resource was updated.
pub const UPDATES_EVERY: Duration = Duration::from_millis(250);

/// Sessions of one shim process.
pub const SESSIONS_PER_SHIM: usize = 16;
/// Sessions of one shim process that were left and whose relay does not know it yet; the oldest
/// gives way.
pub const ENDED_SESSIONS: usize = 64;
/// Connections of one user account, and its sessions, connected or lost.
pub const CONNECTIONS_PER_USER: usize = 256;
/// Connections in all, and sessions, connected or lost.
pub const CONNECTIONS: usize = 10_000;
/// Connections of one user account that carry no session, beyond [`CONNECTIONS_PER_USER`]; where
/// they are not enough, the oldest gives way.
pub const VISITORS_PER_USER: usize = 8;
/// The same beyond [`CONNECTIONS`].
pub const VISITORS: usize = 16;
/// Connections that the kernel holds for a relay that has not accepted them yet.
pub const BACKLOG: i32 = 4_096;
/// Sessions that wait in one topic; at a relay for all accounts, one has at most half of them.
pub const WAITING_PER_TOPIC: usize = 5_000;
/// Topics with somebody waiting, besides the default one; at a relay for all accounts, one waits
/// in at most half of them.
pub const TOPICS: usize = 1_000;
/// Closed rooms that the relay remembers, each for the accounts that were in it.
pub const TOMBSTONES: usize = 10_000;
/// Closed rooms that a session remembers.
pub const CLOSED_ROOMS: usize = 64;
/// Reports that the relay remembers.
pub const REPORTS: usize = 1_000;
/// Block tags that a shim keeps and presents, and blocks of one owner that the relay remembers as
/// long as it knows a session of that owner; the oldest gives way.
pub const BLOCK_TAGS: usize = 64;
/// Rooms that a session may present as not yet answered leaves.
pub const LEAVING_ROOMS: usize = 64;
/// A token that a client takes from a relay. The longest that a relay gives is 172.
pub const TOKEN_BYTES: usize = 1024;
/// A package version that another program claims.
pub const VERSION_BYTES: usize = 32;
/// The block tags of one `hello` together, and likewise the room tokens of its leaves: with all else
/// that it says, both fit into a frame.
pub const HELLO_TOKENS_BYTES: usize = 24 * 1024;
/// The largest number that clients are told: many read no larger integer.
pub const LARGEST_NUMBER: u64 = i64::MAX as u64;
/// Recent partners of one owner.
pub const RECENT_PARTNERS: usize = 5;
/// Owners whose recent partners the relay remembers.
pub const RECENT_OWNERS: usize = 10_000;
/// Owners whose entering the relay counts; the one that may enter as before soonest gives way.
pub const ENTERING_OWNERS: usize = 10_000;
/// Sessions that the relay knows no more, of which it remembers that a ticket was spent; over
/// that, the account with most of them loses its oldest.
pub const FORGOTTEN_SESSIONS: usize = 10_000;
/// Places that the relay keeps for who was left at once; the oldest gives way.
pub const KEPT_PLACES: usize = 10_000;

/// Unsent bytes to one connection, after which it counts as one that does not read.
pub const OUTBOUND_BYTES: usize = 1024 * 1024;
/// The least that an option can make of it: a whole window of nothing but what JSON escapes still
/// goes through.
pub const OUTBOUND_BYTES_LEAST: usize = 2 * WINDOW_BYTES + 2 * FRAME_BYTES;
/// The most that an option can make of it.
pub const OUTBOUND_BYTES_MOST: usize = 64 * 1024 * 1024;
/// Memory for the unsent bytes to all connections of one user account, or as much as one alone may
/// have if that is more; the fullest is given up first.
pub const OUTBOUND_BYTES_PER_USER: usize = 32 * 1024 * 1024;
/// How long one connection may leave unsent bytes unread.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// From accepting a connection to its `hello`, and from `hello` to `welcome`.
pub const HANDSHAKE: Duration = Duration::from_secs(2);
/// Keep-alive intervals without a frame, after which a connection is down.
pub const KEEP_ALIVE_MISSES: u32 = 2;
/// A deadline that is looked at later than this was slept over: the machine or the process was
/// stopped.
pub const SLEPT_AFTER: Duration = Duration::from_secs(5);
/// How long a draining relay goes on to flush.
pub const DRAIN: Duration = Duration::from_secs(5);
/// Length of a path that a Unix domain socket can have, without its terminating zero byte.
pub const SOCKET_PATH_BYTES: usize = 103;

/// Between two signs of life of a connection, unless told otherwise.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a member of a room may be gone before its partner is told, unless told otherwise.
pub const AWAY_AFTER: Duration = Duration::from_secs(5);
/// How long a room stays open without a message, unless told otherwise.
pub const ROOM_IDLE: Duration = Duration::from_secs(30 * 60);
/// How long a session that does not listen may wait, unless told otherwise.
pub const QUEUE_IDLE: Duration = Duration::from_secs(30 * 60);
/// How long two sessions wait before they are paired although one does not listen or they met
/// lately, unless told otherwise.
pub const MATCH_WAIT: Duration = Duration::from_secs(10);
/// How long a relay that replaces another pairs nobody, unless told otherwise.
pub const PAIRING_DELAY: Duration = Duration::from_secs(2);
/// How long a member of a room may be gone, unless told otherwise.
pub const GRACE: Duration = Duration::from_secs(60);
/// How long after a call a client counts as listening, unless told otherwise.
pub const LISTENING_FOR: Duration = Duration::from_secs(120);
/// How long after a wait has ended the relay is told that none is open: a client that waits in a
/// loop has begun the next one by then.
pub const ATTENTION_LINGER: Duration = Duration::from_secs(1);
/// Who is left this soon after a match, and without a word, keeps the place.
pub const LEFT_AT_ONCE: Duration = Duration::from_secs(10);
/// How long that place is kept, unless told otherwise.
pub const PLACE_KEPT: Duration = Duration::from_secs(60);
/// The longest that a relay can have a client count on that.
pub const PLACE_KEPT_LONGEST: Duration = Duration::from_secs(60 * 60);
/// How often one place is kept.
pub const PLACE_KEPT_TIMES: u32 = 2;
/// Between two words to a member of a room on whether its partner listens.
pub const PRESENCE_EVERY: Duration = Duration::from_secs(1);
/// How long a recent partner is avoided.
pub const RECENT_PARTNER_FOR: Duration = Duration::from_secs(10 * 60);
/// How long the last partner can still be blocked or reported.
pub const LAST_PARTNER_FOR: Duration = Duration::from_secs(10 * 60);
/// How long `send_message` waits for the partner's acknowledgement.
pub const DELIVERY_WAIT: Duration = Duration::from_secs(1);
/// How long a leave waits for outstanding acknowledgements.
pub const LEAVE_WAIT: Duration = Duration::from_millis(500);
/// How long a tool call waits for a relay that does not answer.
pub const RELAY_WAIT: Duration = Duration::from_secs(5);
/// The wait of `wait_for_events`, unless told otherwise.
pub const EVENT_WAIT: Duration = Duration::from_secs(45);
/// The longest wait of `wait_for_events`.
pub const EVENT_WAIT_LONGEST: Duration = Duration::from_secs(170);
/// Tasks that a shim keeps; the one that finished first gives way.
pub const TASKS: usize = 64;
/// How long a task waits for an event.
pub const TASK_LIFE: Duration = Duration::from_secs(30 * 60);
/// How often a client is asked to look at a task.
pub const TASK_POLL: Duration = Duration::from_secs(1);
/// How long after a client looked at a task it counts as listening.
pub const TASK_LISTENING: Duration = Duration::from_secs(30);
/// Between two progress notifications.
pub const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// A token older than this is refused.
pub const TOKEN_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Live connections get fresh tokens this often.
pub const TOKEN_REFRESH: Duration = Duration::from_secs(60 * 60);
/// A relay that a shim started ends after this long without a connection.
pub const IDLE_EXIT: Duration = Duration::from_secs(10 * 60);
/// Shortest and longest pause between two attempts to reach the relay.
pub const RECONNECT: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Messages of the assistant without one of the user, after which the shim asks for the user.
pub const AUTONOMOUS_MESSAGES: u32 = 20;

/// Messages of one session, unless told otherwise: 5 at once, then 2 a second.
pub const MESSAGE_RATE: Rate = Rate::new(5, Duration::from_millis(500));
/// `next` of one session, unless told otherwise: 3 at once, then 6 a minute.
pub const NEXT_RATE: Rate = Rate::new(3, Duration::from_secs(10));

/// Entering of one session, unless told otherwise: 10 at once, then 30 a minute. Somebody who is
/// left again and again, each time with a word, looks for the next partner as often as that.
pub const ENTER_RATE: Rate = Rate::new(10, Duration::from_secs(2));
/// Entering of all sessions of one client, unless told otherwise: 32 at once, then 60 a minute.
pub const ENTER_RATE_PER_CLIENT: Rate = Rate::new(32, Duration::from_secs(1));
/// Entering of all clients of one account at a relay for all accounts, unless told otherwise: as
/// many at once as it can have sessions, then 120 a minute.
pub const ENTER_RATE_PER_USER: Rate =
    Rate::new(CONNECTIONS_PER_USER as u32, Duration::from_millis(500));
/// Arrivals of one session that the relay knows: each makes its partner send a window again.
pub const ARRIVAL_RATE: Rate = Rate::new(32, Duration::from_millis(500));
/// What a client says on one connection besides `hello`, messages and acknowledgements:
/// enough for a model that calls tools in a loop and a keep-alive of [`KEEP_ALIVE_SHORTEST`].
pub const CONTROL_RATE: Rate = Rate::new(2_000, Duration::from_millis(5));

/// No rate is slower than one in so long.
pub const RATE_INTERVAL: Duration = Duration::from_secs(60);
/// No rate has more at once.
pub const RATE_BURST: u32 = 100_000;
/// The shortest time between two pings: less would keep everybody busy with nothing else.
pub const KEEP_ALIVE_SHORTEST: Duration = Duration::from_millis(10);
/// The longest time between two pings that a relay can have a client wait: a dead relay is noticed
/// some time.
pub const KEEP_ALIVE_LONGEST: Duration = Duration::from_secs(5 * 60);
/// The longest grace that a relay can have a client give it: what was left is forgotten some time.
pub const GRACE_LONGEST: Duration = Duration::from_secs(60 * 60);

/// A token bucket: `burst` at once, then one each `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// How many can come at once.
    pub burst: u32,
    /// Milliseconds until one more is allowed, rounded up.
    pub interval_ms: u64,
    /// The same in nanoseconds, if it is no whole number of milliseconds, else 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interval_ns: u64,
}

impl Rate {
    /// `burst` at once, then one each `interval`.
    #[must_use]
    pub const fn new(burst: u32, interval: Duration) -> Self {
        let is_whole = interval.subsec_nanos().is_multiple_of(1_000_000);
        let interval_ns = if is_whole { 0 } else { interval.as_nanos() as u64 };
        Self { burst, interval_ms: interval.as_nanos().div_ceil(1_000_000) as u64, interval_ns }
    }

    /// How long until one more is allowed.
    #[must_use]
    pub const fn interval(self) -> Duration {
        match self.interval_ns {
            0 => Duration::from_millis(self.interval_ms),
            nanoseconds => Duration::from_nanos(nanoseconds),
        }
    }
}

/// Whether a field goes without saying.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a relay tells a client of its limits, in `welcome`. Lengths of time are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Messages of one session; `None` if unlimited.
    pub message_rate: Option<Rate>,
    /// `next` of one session; `None` if unlimited.
    pub next_rate: Option<Rate>,
    /// Searches for a partner.
    #[serde(default, skip_serializing_if = "is_default")]
    pub enter_rates: EnterRates,
    /// [`WINDOW_MESSAGES`] of that relay.
    pub window_messages: usize,
    /// [`WINDOW_BYTES`] of that relay.
    pub window_bytes: usize,
    /// [`MESSAGE_BYTES`] of that relay.
    pub message_bytes: usize,
    /// [`MESSAGE_LINES`] of that relay.
    pub message_lines: usize,
    /// Between two pings of a client that has nothing else to say.
    pub keep_alive_ms: u64,
    /// How long a member of a room may be gone before the room closes.
    pub grace_ms: u64,
}

/// How often somebody may look for a partner; `None` if that is unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnterRates {
    /// One session.
    #[serde(skip_serializing_if = "is_default")]
    pub session: Option<Rate>,
    /// All sessions of one client.
    #[serde(skip_serializing_if = "is_default")]
    pub client: Option<Rate>,
    /// All clients of one account.
    #[serde(skip_serializing_if = "is_default")]
    pub user: Option<Rate>,
}

impl Limits {
    /// These limits, as far as a client can let a relay decide: it may be another account's.
    #[must_use]
    pub fn bounded(self) -> Self {
        let bounded =
            |rate: Rate| Rate::new(rate.burst.min(RATE_BURST), rate.interval().min(RATE_INTERVAL));
        let milliseconds = |duration: Duration| duration.as_millis() as u64;
        let keep_alive = milliseconds(KEEP_ALIVE_SHORTEST)..=milliseconds(KEEP_ALIVE_LONGEST);
        Self {
            message_rate: self.message_rate.map(bounded),
            next_rate: self.next_rate.map(bounded),
            enter_rates: EnterRates {
                session: self.enter_rates.session.map(bounded),
                client: self.enter_rates.client.map(bounded),
                user: self.enter_rates.user.map(bounded),
            },
            window_messages: self.window_messages.min(WINDOW_MESSAGES),
            window_bytes: self.window_bytes.min(WINDOW_BYTES),
            message_bytes: self.message_bytes.min(MESSAGE_BYTES),
            message_lines: self.message_lines.min(MESSAGE_LINES),
            keep_alive_ms: self.keep_alive_ms.clamp(*keep_alive.start(), *keep_alive.end()),
            grace_ms: self.grace_ms.min(milliseconds(GRACE_LONGEST)),
        }
    }
}

impl Default for Limits {
    /// The limits of a relay that was told nothing else.
    fn default() -> Self {
        Self {
            message_rate: Some(MESSAGE_RATE),
            next_rate: Some(NEXT_RATE),
            enter_rates: EnterRates {
                session: Some(ENTER_RATE),
                client: Some(ENTER_RATE_PER_CLIENT),
                user: None,
            },
            window_messages: WINDOW_MESSAGES,
            window_bytes: WINDOW_BYTES,
            message_bytes: MESSAGE_BYTES,
            message_lines: MESSAGE_LINES,
            keep_alive_ms: KEEP_ALIVE.as_millis() as u64,
            grace_ms: GRACE.as_millis() as u64,
        }
    }
}
