//! The one task that owns the lobby and all connections: it reads, tells the lobby, does what the
//! lobby says, and writes. It decides nothing that the lobby decides.

mod accounts;
mod deadlines;
mod perform;
mod settings;
mod turn;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    mem,
    pin::pin,
    task::Poll,
    time::{Instant, SystemTime},
};

use shared::{
    codec,
    endpoint::{self, Peer, Stream},
    limits::{DRAIN, Limits, SLEPT_AFTER},
    message::{ClientMessage, ErrorCode, Hello},
};
use tokio::{
    task::{unconstrained, yield_now},
    time::sleep_until,
};
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

use accounts::{Accounts, Full};
pub use settings::Settings;
use turn::{ACCEPTED, READ_BYTES, WRITTEN_BYTES, Work};

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
    accounts: Accounts,
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
            accounts: Accounts::new(settings.config.sessions, settings.config.sessions_per_user),
            ready: ReadySet::default(),
            dirty: Vec::new(),
            gone: Vec::new(),
            deadlines: BTreeSet::new(),
            scratch: vec![0; READ_BYTES].into_boxed_slice(),
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
    /// is due, in this order: 1. a signal, 2. a few new connections, 3. the accounts with
    /// connections that are ready, each as much as any other, 4. deadlines, 5. one write to each
    /// connection that has something to be sent.
    pub async fn run(self, signals: Signals) -> Ending {
        // Tokio would let one task do only so much at a time, and this one serves everybody: those
        // who come first would use that up. It stops by itself to see who else has come.
        unconstrained(self.take_turns(signals)).await
    }

    async fn take_turns(mut self, mut signals: Signals) -> Ending {
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
            let has_accepted = accepted.is_some();
            self.open_all(accepted, now).await;
            self.serve_ready(now);
            self.pass_deadlines(now);
            self.flush_dirty(now);
            if self.is_drained(now) {
                if self.lobby.counts().sessions == 0 {
                    self.acceptor.forget_key();
                }
                return Ending::Drained;
            }
            if has_accepted || !self.ready.is_empty() {
                yield_now().await;
            }
        }
    }

    /// Takes in the first of those who wait at the door, and a few more if they are there.
    async fn open_all(&mut self, first: Option<Option<Stream>>, now: Instant) {
        let mut next = first;
        for left in (0..ACCEPTED).rev() {
            let Some(stream) = next else { return };
            if let Some(stream) = stream {
                self.open(stream, now);
            }
            next = if left > 0 { self.next_at_the_door().await } else { None };
        }
    }

    /// Who waits at the door, if somebody does.
    async fn next_at_the_door(&mut self) -> Option<Option<Stream>> {
        poll_fn(|cx| {
            let next = pin!(self.acceptor.next()).poll(cx);
            Poll::Ready(match next {
                Poll::Ready(stream) => Some(stream),
                Poll::Pending => None,
            })
        })
        .await
    }

    fn open(&mut self, stream: Stream, now: Instant) {
        let Peer { uid, pid } = stream.peer();
        if let Some(id) = self.accounts.gives_way(uid, pid) {
            self.give_way(id);
        }
        let id = ConnectionId(self.accepted);
        self.accepted += 1;
        let outbound_bytes = self.settings.options.limits.outbound_bytes.0;
        let waker = self.ready.waker(uid, id);
        let connection = Connection::new(id, stream, outbound_bytes, waker, now);
        connection.mark_ready();
        self.accounts.open(uid, pid, id);
        self.connections.insert(id, connection);
        self.idle_since = None;
        self.set_deadline(id, Some(now + self.settings.options.timing.handshake.0));
    }

    fn serve_ready(&mut self, now: Instant) {
        let among_others = self.settings.options.running.multi_user;
        for _ in 0..self.ready.accounts() {
            let Some(uid) = self.ready.next_account() else { return };
            let mut done = Work::NONE;
            while !done.is_all_of_account(among_others)
                && let Some(id) = self.ready.take(uid)
            {
                done += self.serve(id, now);
            }
        }
    }

    /// Does what is due for this connection, up to a limit, and tells how much it was.
    fn serve(&mut self, id: ConnectionId, now: Instant) -> Work {
        let Some(connection) = self.connections.get_mut(&id) else { return Work::NONE };
        let _entered = connection.span.clone().entered();
        // What was written is its account's to pay for; it is heard all the same.
        let written = Work::bytes(mem::take(&mut connection.written));
        // It may have become ready to be written to.
        self.mark_dirty(id);
        let mut done = Work::step(0);
        while self.is_open(id) {
            self.handle_frames(id, &mut done, now);
            let Some(connection) = self.connections.get_mut(&id) else { break };
            if connection.phase == Phase::Closing {
                break;
            }
            if done.is_all_of_connection() {
                connection.mark_ready();
                break;
            }
            match connection.read(&mut self.scratch) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => self.hang_up(id),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => self.lose(id),
            }
        }
        done += written;
        done
    }

    fn handle_frames(&mut self, id: ConnectionId, done: &mut Work, now: Instant) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let mut input = connection.wire.take_input();
        while !done.is_all_of_connection() {
            let before = input.buffered();
            let outcome = match input.next_frame() {
                Ok(Some(frame)) => Some(self.handle_frame(id, frame, now)),
                Ok(None) => None,
                Err(error) => Some(Err(fault(ErrorCode::TooLong, error.to_string()))),
            };
            // Empty lines, too, which are no frames.
            *done += Work::step(before - input.buffered());
            let Some(outcome) = outcome else { break };
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
        if !connection.may_say(&message, now) {
            let message = "more of such messages than a client has use for";
            return Err(fault(ErrorCode::RateLimited, message));
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
        let Some(connection) = self.connections.get(&id) else { return Ok(()) };
        let uid = connection.uid;
        let Some(owner) = hello.owner else {
            if hello.session.is_some() {
                return Err(fault(ErrorCode::Malformed, "`hello` has a session without an owner"));
            }
            self.set_phase(id, Phase::Visiting);
            self.set_deadline(id, None);
            self.queue(id, &self.welcome(version, None));
            return Ok(());
        };
        let owner = Owner { uid, id: owner };
        let arrival = translate::arrival(&self.tokens, owner, hello, SystemTime::now())?;
        self.accounts.carry(uid, id).map_err(Full::fault)?;
        self.set_phase(id, Phase::Carrying { version, owner, session: None });
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
        let outcome = connection.send(WRITTEN_BYTES);
        let waits = connection.wire.unsent() > 0;
        let written = unsent.saturating_sub(connection.wire.unsent());
        connection.written += written;
        let has_read = written > 0;
        match (connection.phase, &outcome) {
            (_, Poll::Ready(Err(_))) => return self.lose(id),
            (Phase::Closing, Poll::Ready(Ok(()))) if !waits => return self.lose(id),
            // Nothing was sent yet, and its deadline is that of `hello`.
            (Phase::Greeting, _) => {}
            (Phase::Visiting | Phase::Carrying { .. }, Poll::Ready(Ok(()))) if !waits => {
                self.set_deadline(id, None);
            }
            (phase, _) => {
                if outcome.is_ready() {
                    connection.mark_ready();
                }
                if connection.deadline.is_none() || (has_read && phase.is_welcome()) {
                    let until = now + self.settings.options.timing.write_deadline.0;
                    self.set_deadline(id, Some(until));
                }
            }
        }
        self.count_outbox(id);
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
