//! How the lobby behaves: the options of `relay serve`, as far as they concern it.

use std::time::{Duration, Instant};

use shared::limits::{self, EnterRates, Rate};

/// How the lobby behaves. `None` where nothing limits.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which run of the relay this is; part of each ticket.
    pub epoch: u64,
    /// Messages of one session.
    pub message_rate: Option<Rate>,
    /// `next` of one session.
    pub next_rate: Option<Rate>,
    /// Searches for a partner, each of which takes a new place; an owner is a client.
    pub enter_rates: EnterRates,
    /// Accounts are strangers to each other: those that met lately are given each other again as
    /// reluctantly as their owners are.
    pub accounts_meet: bool,
    /// For so long who is left at once and without a word has the old place in the queue.
    pub place_kept: Option<Duration>,
    /// A member that is gone for so long is `reconnecting` to its partner.
    pub away_after: Duration,
    /// A room whose member is gone for so long is closed; so long a place is kept.
    pub grace: Duration,
    /// A room without a message for so long is closed.
    pub room_idle: Option<Duration>,
    /// A waiting session that has not listened for so long is dequeued.
    pub queue_idle: Option<Duration>,
    /// So long after its last activity a session counts as listening.
    pub listening_for: Duration,
    /// After so long the two waivers apply.
    pub match_wait: Duration,
    /// Nobody is paired before this: those who talked under an earlier relay come back first.
    pub pairing_from: Option<Instant>,
    /// Sessions in all, connected or lost.
    pub sessions: usize,
    /// Sessions of one account.
    pub sessions_per_user: usize,
    /// Sessions that wait in one topic.
    pub waiting_per_topic: usize,
    /// Sessions of one account that wait in one topic.
    pub waiting_per_user: usize,
    /// Topics with somebody waiting, besides the default one.
    pub topics: usize,
    /// Topics in which one account waits, besides the default one.
    pub topics_per_user: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            epoch: 1,
            message_rate: Some(limits::MESSAGE_RATE),
            next_rate: Some(limits::NEXT_RATE),
            enter_rates: EnterRates {
                session: Some(limits::ENTER_RATE),
                client: Some(limits::ENTER_RATE_PER_CLIENT),
                user: None,
            },
            accounts_meet: false,
            place_kept: Some(limits::PLACE_KEPT),
            away_after: limits::AWAY_AFTER,
            grace: limits::GRACE,
            room_idle: Some(limits::ROOM_IDLE),
            queue_idle: Some(limits::QUEUE_IDLE),
            listening_for: limits::LISTENING_FOR,
            match_wait: limits::MATCH_WAIT,
            pairing_from: None,
            sessions: limits::CONNECTIONS,
            sessions_per_user: limits::CONNECTIONS_PER_USER,
            waiting_per_topic: limits::WAITING_PER_TOPIC,
            waiting_per_user: limits::WAITING_PER_TOPIC,
            topics: limits::TOPICS,
            topics_per_user: limits::TOPICS,
        }
    }
}
