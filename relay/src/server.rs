//! The one task that owns the lobby and all connections: it reads, tells the lobby, does what the
//! lobby says, and writes. It decides nothing that the lobby decides.

mod deadlines;
mod perform;
mod settings;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    task::Poll,
    time::{Instant, SystemTime},
};

use shared::{
    codec,
    endpoint::{self, Stream},
    limits::{DRAIN, FRAME_BYTES, Limits, SLEPT_AFTER},
    message::{ClientMessage, ErrorCode, Hello},
};
use tokio::time::sleep_until;
use tracing::info;

use crate::{
    connection::{Connection, Phase},
    listener::Acceptor,
    lobby::{ConnectionId, Event, Lobby, Owner},
    ready::ReadySet,
    signals::Signals,
    token::Tokens,
    translate::{self, ClientRequest, Fault, fault},
};

pub use settings::Settings;

/// What one connection can have done in one turn, so that none keeps the others waiting.
const FRAMES_PER_TURN: usize = 256;
const READ_BYTES_PER_TURN: usize = FRAME_BYTES;

/// How the relay came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All was sent, or there was time enough to read it.
    Drained,
    /// A second signal came meanwhile.
    Interrupted,
}

/// The relay at work.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    limits: Limits,
    lobby: Lobby,
    tokens: Tokens,
    acceptor: Acceptor,
    accepted: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    connections_of_user: BTreeMap<u32, usize>,
    ready: ReadySet,
    /// Connections to flush at the end of the turn.
    dirty: Vec<ConnectionId>,
    /// Connections of sessions that the lobby has yet to be told are gone.
    gone: Vec<ConnectionId>,
    /// The deadlines of all connections that have one.
    deadlines: BTreeSet<(Instant, ConnectionId)>,
    scratch: Box<[u8]>,
    started: Instant,
    keep_alive_at: Instant,
    idle_since: Option<Instant>,
    draining_until: Option<Instant>,
}

impl Server {
    /// A relay that nobody has found yet.
    #[must_use]
    pub fn new(settings: Settings, acceptor: Acceptor, tokens: Tokens, seed: [u8; 16]) -> Self {
        let now = Instant::now();
        Self {
            limits: settings.limits(),
            lobby: Lobby::new(settings.config.clone(), seed),
            tokens,
            acceptor,
            accepted: 0,
            connections: BTreeMap::new(),
            connections_of_user: BTreeMap::new(),
            ready: ReadySet::default(),
            dirty: Vec::new(),
            gone: Vec::new(),
            deadlines: BTreeSet::new(),
            scratch: vec![0; FRAME_BYTES].into_boxed_slice(),
            started: now,
            keep_alive_at: now + settings.options.timing.keep_alive.0,
            idle_since: Some(now),
            draining_until: None,
            settings,
        }
    }

    /// Works until told to end, or until nobody was there for long enough.
    ///
    /// Each turn waits for whatever comes first and then does a bounded piece of everything that
    /// is due, in this order: 1. a signal, 2. one new connection, 3. the connections that are
    /// ready, 4. deadlines, 5. one write to each connection that has something to be sent.
    pub async fn run(mut self, mut signals: Signals) -> Ending {
        let mut sleep = Box::pin(sleep_until(self.next_deadline().into()));
        loop {
            let due = self.next_deadline();
            if sleep.deadline() != due.into() {
                sleep.as_mut().reset(due.into());
            }
            let mut accepted = None;
            tokio::select! {
                biased;
                () = signals.next() => {
                    if self.draining_until.is_some() {
                        return Ending::Interrupted;
                    }
                    self.drain("a signal");
                }
                stream = self.acceptor.next(), if self.draining_until.is_none() => {
                    accepted = Some(stream);
                }
                () = self.ready.any() => {}
                () = &mut sleep => {}
            }
            let now = Instant::now();
            let late = now.saturating_duration_since(due);
            if late > SLEPT_AFTER {
                self.wake_up(late, now);
            }
            if let Some(stream) = accepted {
                self.open(stream, now);
            }
            self.serve_ready(now);
            self.pass_deadlines(now);
            self.flush_dirty(now);
            if self.is_drained(now) {
                if self.lobby.counts().sessions == 0 {
                    self.acceptor.forget_key();
                }
                return Ending::Drained;
            }
        }
    }

    fn open(&mut self, stream: Stream, now: Instant) {
        let id = ConnectionId(self.accepted);
        self.accepted += 1;
        let outbound_bytes = self.settings.options.limits.outbound_bytes.0;
        let connection = Connection::new(id, stream, outbound_bytes, self.ready.waker(id), now);
        let of_user = self.connections_of_user.entry(connection.uid).or_default();
        *of_user += 1;
        connection.mark_ready();
        self.connections.insert(id, connection);
        self.idle_since = None;
        let limit = self.settings.config.sessions;
        let limit_of_user = self.settings.config.sessions_per_user;
        if *of_user > limit_of_user {
            let message = format!(
                "this account has {limit_of_user} connections already: leave a chat in another of its \
                 clients, or have the relay started with more --max-connections-per-user"
            );
            self.fail(id, &fault(ErrorCode::TooMany, message));
        } else if self.connections.len() > limit {
            let message = format!(
                "the relay has {limit} connections already: try again when others have left, or \
                 have it started with more --max-connections"
            );
            self.fail(id, &fault(ErrorCode::TooMany, message));
        } else {
            self.set_deadline(id, Some(now + self.settings.options.timing.handshake.0));
        }
    }

    fn serve_ready(&mut self, now: Instant) {
        let mut ready = Vec::new();
        self.ready.take(&mut ready);
        for id in ready {
            self.serve(id, now);
        }
    }

    fn serve(&mut self, id: ConnectionId, now: Instant) {
        let mut frames = FRAMES_PER_TURN;
        let mut bytes = READ_BYTES_PER_TURN;
        let Some(connection) = self.connections.get(&id) else { return };
        let _entered = connection.span.clone().entered();
        // It may have become ready to be written to.
        self.mark_dirty(id);
        while self.is_open(id) {
            self.handle_frames(id, &mut frames, now);
            let Some(connection) = self.connections.get_mut(&id) else { return };
            if connection.phase == Phase::Closing {
                return;
            }
            if frames == 0 || bytes == 0 {
                return connection.mark_ready();
            }
            match connection.read(&mut self.scratch) {
                Poll::Pending => return,
                Poll::Ready(Ok(0)) => return self.hang_up(id),
                Poll::Ready(Ok(read)) => bytes = bytes.saturating_sub(read),
                Poll::Ready(Err(_)) => return self.lose(id),
            }
        }
    }

    fn handle_frames(&mut self, id: ConnectionId, frames: &mut usize, now: Instant) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let mut input = connection.wire.take_input();
        while *frames > 0 {
            let outcome = match input.next_frame() {
                Ok(Some(frame)) => self.handle_frame(id, frame, now),
                Ok(None) => break,
                Err(error) => Err(fault(ErrorCode::TooLong, error.to_string())),
            };
            *frames -= 1;
            if let Err(fault) = outcome {
                self.fail(id, &fault);
            }
            if !self.is_open(id) {
                return;
            }
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.wire.put_input(input);
        }
    }

    fn handle_frame(&mut self, id: ConnectionId, frame: &[u8], now: Instant) -> Result<(), Fault> {
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        let message =
            codec::decode_client(frame).map_err(|error| fault(error.code(), error.to_string()))?;
        connection.heard = now;
        let uid = connection.uid;
        if connection.phase == Phase::Greeting {
            let ClientMessage::Hello(hello) = message else {
                return Err(fault(ErrorCode::OutOfOrder, "the first message must be `hello`"));
            };
            return self.greet(id, &hello, now);
        }
        let holder = connection.holder();
        match translate::request(&self.tokens, id, holder, message, SystemTime::now())? {
            ClientRequest::Tell(event) => self.tell(event, None, now),
            ClientRequest::PassOn(event, passed_on) => self.tell(event, Some(&passed_on), now),
            ClientRequest::Answer(message) => self.queue(id, &message),
            ClientRequest::Status(owner) => self.queue(id, &self.status(owner)),
            ClientRequest::Stop if !endpoint::is_in_charge(uid) => {
                let message = "only the account that runs the relay can end it";
                return Err(fault(ErrorCode::Forbidden, message));
            }
            ClientRequest::Stop => {
                self.queue(id, &self.stopping());
                self.drain("`relay stop`");
            }
        }
        Ok(())
    }

    fn greet(&mut self, id: ConnectionId, hello: &Hello<'_>, now: Instant) -> Result<(), Fault> {
        let version = translate::negotiate(hello)?;
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        let Some(owner) = hello.owner else {
            if hello.session.is_some() {
                return Err(fault(ErrorCode::Malformed, "`hello` has a session without an owner"));
            }
            connection.phase = Phase::Visiting;
            self.set_deadline(id, None);
            self.queue(id, &self.welcome(version, None));
            return Ok(());
        };
        let owner = Owner { uid: connection.uid, id: owner };
        let arrival = translate::arrival(&self.tokens, owner, hello, SystemTime::now())?;
        connection.phase = Phase::Carrying { version, owner, session: None };
        self.set_deadline(id, None);
        self.tell(Event::Arrived(id, arrival), None, now);
        Ok(())
    }

    fn is_open(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_some_and(|connection| connection.phase != Phase::Closing)
    }

    fn flush_dirty(&mut self, now: Instant) {
        loop {
            self.tell_gone(now);
            if self.dirty.is_empty() {
                return;
            }
            for id in mem::take(&mut self.dirty) {
                self.flush(id, now);
            }
        }
    }

    fn flush(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.dirty = false;
        let unsent = connection.wire.unsent();
        let outcome = connection.flush();
        let has_read = connection.wire.unsent() < unsent;
        match (connection.phase, outcome) {
            (_, Poll::Ready(Err(_))) | (Phase::Closing, Poll::Ready(Ok(()))) => self.lose(id),
            // Nothing was sent yet, and its deadline is that of `hello`.
            (Phase::Greeting, _) => {}
            (Phase::Visiting | Phase::Carrying { .. }, Poll::Ready(Ok(()))) => {
                self.set_deadline(id, None);
            }
            (phase, Poll::Pending) => {
                if connection.deadline.is_none() || (has_read && phase.is_welcome()) {
                    let until = now + self.settings.options.timing.write_deadline.0;
                    self.set_deadline(id, Some(until));
                }
            }
        }
    }

    fn is_drained(&self, now: Instant) -> bool {
        let all_sent = || self.connections.values().all(|connection| connection.wire.unsent() == 0);
        self.draining_until.is_some_and(|until| until <= now || all_sent())
    }

    fn drain(&mut self, reason: &str) {
        if self.draining_until.is_some() {
            return;
        }
        info!(reason, connections = self.connections.len(), "ending");
        let now = Instant::now();
        self.draining_until = Some(now + DRAIN);
        self.acceptor.unlink();
        self.tell(Event::Drain, None, now);
        self.announce_end();
    }
}
