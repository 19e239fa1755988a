//! One session: who it is, whether it is there, whether it listens, and where it is.

use std::{
    mem,
    time::{Duration, Instant},
};

use shared::{
    id::RoomId,
    limits::{ARRIVAL_RATE, Rate, WINDOW_MESSAGES},
    message::Presence,
    rate::Bucket,
};

use super::{
    config::Config,
    event::{ConnectionId, Opening, Owner, Seeking},
    queue::Availability,
};

#[derive(Debug)]
pub(super) struct Session {
    pub(super) owner: Owner,
    pub(super) robot: bool,
    pub(super) contact: Contact,
    pub(super) state: State,
    message_bucket: Bucket,
    pub(super) next_bucket: Bucket,
    pub(super) enter_bucket: Bucket,
    pub(super) arrivals: Bucket,
    /// It was told that its place is kept: its client does not count the next search.
    pub(super) was_told_of_place: bool,
    pub(super) tickets: Tickets,
    /// Messages that are not charged: what may have piled up while there was no connection.
    pub(super) free_messages: usize,
    pub(super) active_at: Instant,
    pub(super) wait_open: bool,
    listening: bool,
}

/// Which of its tickets are still good.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tickets {
    /// The latest place that it has given up or was matched from. What it was given up to then is
    /// spent.
    pub(super) spent: Option<Opening>,
    /// But for the place that it has, or that only the room of an earlier relay has taken from it.
    kept: Option<Opening>,
}

impl Tickets {
    pub(super) fn are_good(&self, ticket: Opening) -> bool {
        Some(ticket) > self.spent || Some(ticket) == self.kept
    }

    pub(super) fn spend(&mut self, ticket: Opening) {
        self.spent = self.spent.max(Some(ticket));
        self.kept = None;
    }

    pub(super) fn keep(&mut self, ticket: Opening) {
        self.kept = Some(ticket);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contact {
    Connected(ConnectionId),
    /// `away` once it is so to its partner.
    Lost {
        since: Instant,
        away: bool,
    },
}

#[derive(Debug)]
pub(super) enum State {
    Idle,
    Waiting(Waiting),
    Chatting(RoomId),
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) seeking: Seeking,
    /// The queue: the topic's case folding.
    pub(super) queue: String,
    pub(super) ticket: Opening,
    /// How often this place was kept after a match.
    pub(super) kept_times: u32,
    pub(super) since: Instant,
    /// It has waited long enough for the waivers.
    pub(super) patient: bool,
}

impl Session {
    /// A session that is new to this lobby; saying `hello` was its first activity.
    pub(super) fn new(now: Instant, owner: Owner, contact: Contact, config: &Config) -> Self {
        Self {
            owner,
            robot: false,
            contact,
            state: State::Idle,
            message_bucket: Bucket::new(
                config.message_rate.map(|rate| tolerant(rate, WINDOW_MESSAGES)),
            ),
            next_bucket: Bucket::new(config.next_rate.map(|rate| tolerant(rate, 0))),
            enter_bucket: Bucket::new(config.enter_rates.session),
            arrivals: Bucket::new(Some(ARRIVAL_RATE)),
            was_told_of_place: false,
            tickets: Tickets::default(),
            free_messages: 0,
            active_at: now,
            wait_open: false,
            listening: true,
        }
    }

    pub(super) fn connection(&self) -> Option<ConnectionId> {
        let Contact::Connected(connection) = self.contact else { return None };
        Some(connection)
    }

    pub(super) fn room(&self) -> Option<RoomId> {
        let State::Chatting(room) = self.state else { return None };
        Some(room)
    }

    pub(super) fn waiting(&self) -> Option<&Waiting> {
        let State::Waiting(waiting) = &self.state else { return None };
        Some(waiting)
    }

    pub(super) fn waiting_mut(&mut self) -> Option<&mut Waiting> {
        let State::Waiting(waiting) = &mut self.state else { return None };
        Some(waiting)
    }

    pub(super) fn presence(&self) -> Presence {
        match self.contact {
            Contact::Lost { away: true, .. } => Presence::Reconnecting,
            Contact::Lost { away: false, .. } | Contact::Connected(_) if self.listening => {
                Presence::Listening
            }
            Contact::Lost { away: false, .. } | Contact::Connected(_) => Presence::NotListening,
        }
    }

    pub(super) fn availability(&self) -> Availability {
        match self.contact {
            Contact::Lost { .. } => Availability::Unreachable,
            Contact::Connected(_) if self.listening => Availability::Listening,
            Contact::Connected(_) => Availability::Quiet,
        }
    }

    pub(super) fn unseen(&self, now: Instant) -> Duration {
        if self.wait_open { Duration::ZERO } else { now.saturating_duration_since(self.active_at) }
    }

    /// Its client was active just now. Tells whether it listens only since then.
    pub(super) fn note_activity(&mut self, now: Instant) -> bool {
        self.active_at = now;
        !mem::replace(&mut self.listening, true)
    }

    /// Whether the rate allows one more message.
    pub(super) fn charge_message(&mut self, now: Instant) -> bool {
        if self.free_messages > 0 {
            self.free_messages -= 1;
            return true;
        }
        self.message_bucket.charge(now).is_ok()
    }

    /// An open wait ends with the connection that it came by.
    pub(super) fn end_wait(&mut self, now: Instant) {
        if mem::take(&mut self.wait_open) {
            self.active_at = now;
        }
    }

    /// Nobody could be heard for so long.
    pub(super) fn sleep(&mut self, now: Instant, duration: Duration) {
        self.active_at = now.min(self.active_at + duration);
        if let Contact::Lost { since, .. } = &mut self.contact {
            *since = now.min(*since + duration);
        }
    }

    /// Lets time pass up to `at`: what has become true of this session by itself.
    pub(super) fn age(&mut self, at: Instant, config: &Config) {
        let is_due = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= at);
        if is_due(self.away_at(config))
            && let Contact::Lost { away, .. } = &mut self.contact
        {
            *away = true;
        }
        if is_due(self.quiet_at(config)) {
            self.listening = false;
        }
        if is_due(self.patient_at(config))
            && let State::Waiting(waiting) = &mut self.state
        {
            waiting.patient = true;
        }
    }

    /// When something about this session changes if it does nothing.
    pub(super) fn deadline(&self, config: &Config) -> Option<Instant> {
        [
            self.away_at(config),
            self.lost_at(config),
            self.quiet_at(config),
            self.patient_at(config),
            self.expires_at(config),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When it loses its room or place and is forgotten.
    pub(super) fn lost_at(&self, config: &Config) -> Option<Instant> {
        let Contact::Lost { since, .. } = self.contact else { return None };
        since.checked_add(config.grace)
    }

    /// When it is dequeued for not listening. Only while it is there to hear of that.
    pub(super) fn expires_at(&self, config: &Config) -> Option<Instant> {
        let (State::Waiting(waiting), Contact::Connected(_), false) =
            (&self.state, self.contact, self.listening)
        else {
            return None;
        };
        let quiet_since = self.active_at.checked_add(config.listening_for)?;
        quiet_since.max(waiting.since).checked_add(config.queue_idle?)
    }

    fn away_at(&self, config: &Config) -> Option<Instant> {
        let Contact::Lost { since, away: false } = self.contact else { return None };
        since.checked_add(config.away_after)
    }

    fn quiet_at(&self, config: &Config) -> Option<Instant> {
        if !self.listening || self.wait_open {
            return None;
        }
        self.active_at.checked_add(config.listening_for)
    }

    fn patient_at(&self, config: &Config) -> Option<Instant> {
        self.waiting()
            .filter(|waiting| !waiting.patient)
            .and_then(|waiting| waiting.since.checked_add(config.match_wait))
    }
}

/// The shim charges the exact rate; frames that jitter has bunched, or all those that can have
/// waited while this relay stood still, must not end its connection.
fn tolerant(rate: Rate, waiting: usize) -> Rate {
    let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
    Rate { burst: rate.burst.saturating_mul(2).saturating_add(waiting), ..rate }
}
