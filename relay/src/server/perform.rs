//! Does what the lobby says, and ends connections.

use std::{
    mem, process,
    task::Poll,
    time::{Instant, SystemTime},
};

use shared::{
    id::OwnerId,
    message::{ErrorCode, RelayMessage, SessionGrant, Status, Welcome},
    version,
};
use tracing::debug;

use super::Server;
use crate::{
    connection::{Connection, Phase},
    lobby::{ConnectionId, Effect, Event, Member},
    translate::{self, BUILD, Fault, fault, outgoing},
};

impl Server {
    /// Tells the lobby what happened and does what it says. `passed_on` is what an event carries
    /// that the lobby does not need to see.
    pub(super) fn tell(
        &mut self,
        event: Event,
        passed_on: Option<&RelayMessage<'_>>,
        now: Instant,
    ) {
        for (to, effect) in self.lobby.handle(now, event) {
            self.perform(to, effect, passed_on);
        }
    }

    /// Tells the lobby of connections that ended in this turn, until none ends any more.
    pub(super) fn tell_gone(&mut self, now: Instant) {
        while let Some(id) = self.gone.pop() {
            self.tell(Event::Gone(id), None, now);
        }
    }

    fn perform(&mut self, to: ConnectionId, effect: Effect, passed_on: Option<&RelayMessage<'_>>) {
        match effect {
            Effect::Forward => {
                if let Some(message) = passed_on {
                    self.queue(to, message);
                }
            }
            Effect::Welcome { session, resumed } => {
                let Some(connection) = self.connections.get_mut(&to) else { return };
                let Phase::Carrying { version, owner, session: carried } = &mut connection.phase
                else {
                    return;
                };
                *carried = Some(session);
                let token =
                    self.tokens.session(Member { session, owner: *owner }, SystemTime::now());
                let grant = SessionGrant { session_id: session, token: token.into(), resumed };
                let version = *version;
                self.queue(to, &self.welcome(version, Some(grant)));
            }
            Effect::Disconnect(reason) => self.close(to, &translate::disconnected(reason)),
            Effect::Tell(news) => {
                let holder = self.connections.get(&to).and_then(Connection::holder);
                let Some(holder) = holder else { return };
                self.queue(to, &outgoing(&self.tokens, holder, news, SystemTime::now()));
            }
        }
    }

    /// Sends a message at the end of the turn, unless this connection is about to close.
    pub(super) fn queue(&mut self, to: ConnectionId, message: &RelayMessage<'_>) {
        let Some(connection) = self.connections.get_mut(&to) else { return };
        if connection.phase == Phase::Closing {
            return;
        }
        match connection.wire.queue(message) {
            Ok(()) => {
                let has_grown = connection.wire.outbox_memory() != connection.outbox_memory;
                self.mark_dirty(to);
                if has_grown {
                    self.count_outbox(to);
                }
            }
            Err(error) => self.fail(to, &fault(ErrorCode::SlowReader, error.to_string())),
        }
    }

    /// To be called when an outbox has changed. If those of its account take too much together,
    /// the fullest is given up.
    pub(super) fn count_outbox(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let (uid, after) = (connection.uid, connection.wire.outbox_memory());
        let before = mem::replace(&mut connection.outbox_memory, after);
        if before == after {
            return;
        }
        let all = self.accounts.outbox_changed(uid, before, after);
        // Each time that frees no less than the average: what was queued has paid for the search.
        if after > before && all > self.settings.outbound_bytes_of_user() {
            let memory = |id: &ConnectionId| self.connections.get(id).map(|it| it.outbox_memory);
            if let Some(fullest) = self.accounts.connections(uid).max_by_key(memory) {
                self.give_up_outbox(fullest);
            }
        }
    }

    fn give_up_outbox(&mut self, id: ConnectionId) {
        if !self.is_open(id) {
            return self.lose(id);
        }
        let most = self.settings.outbound_bytes_of_user();
        let message = format!(
            "over {most} bytes wait to be read by the clients of this account, most of them by this \
             one"
        );
        self.fail(id, &fault(ErrorCode::SlowReader, message));
    }

    /// How far a client has come. One that is to carry a session was admitted before.
    pub(super) fn set_phase(&mut self, id: ConnectionId, phase: Phase) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.phase = phase;
        if !matches!(phase, Phase::Carrying { .. }) {
            self.accounts.put_down(connection.uid, id);
        }
    }

    pub(super) fn mark_dirty(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.wire.unsent() > 0 && !mem::replace(&mut connection.dirty, true) {
            self.dirty.push(id);
        }
    }

    /// Closes a connection that the lobby may know: it is told.
    pub(super) fn fail(&mut self, id: ConnectionId, fault: &Fault) {
        self.forget_session(id);
        self.close(id, fault);
    }

    /// Closes a connection once it was sent why.
    fn close(&mut self, id: ConnectionId, fault: &Fault) {
        self.set_deadline(id, None);
        self.set_phase(id, Phase::Closing);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.span.in_scope(|| debug!(code = ?fault.code, "closing a connection"));
        let message = fault.message.as_ref().into();
        let newest = (fault.code == ErrorCode::VersionMismatch).then_some(version::NEWEST);
        let error = RelayMessage::Error { code: fault.code, message, newest };
        if fault.code == ErrorCode::SlowReader || connection.wire.queue(&error).is_err() {
            connection.wire.queue_last(&error);
        }
        self.mark_dirty(id);
        self.count_outbox(id);
    }

    /// Ends a connection that carries no session, for another one has come.
    pub(super) fn give_way(&mut self, id: ConnectionId) {
        if self.is_open(id) {
            let message = "there are too many connections, and of those without a chat this was \
                           the oldest";
            self.fail(id, &fault(ErrorCode::TooMany, message));
            self.try_to_tell(id);
        }
        self.lose(id);
    }

    /// One attempt to send the last words.
    fn try_to_tell(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let was_told = matches!(connection.send(usize::MAX), Poll::Ready(Ok(())));
        connection.span.in_scope(|| debug!(was_told, "closed at once"));
    }

    /// Ends a connection that did not read in time: there is no point in waiting once more.
    pub(super) fn cut_off(&mut self, id: ConnectionId) {
        let most = self.settings.options.limits.outbound_bytes.0;
        let message = format!("what was sent was not read in time, {most} bytes at most");
        self.fail(id, &fault(ErrorCode::SlowReader, message));
        self.try_to_tell(id);
        self.lose(id);
    }

    /// The client will send nothing more; what it was sent may still reach it.
    pub(super) fn hang_up(&mut self, id: ConnectionId) {
        self.forget_session(id);
        self.set_phase(id, Phase::Closing);
        let Some(connection) = self.connections.get(&id) else { return };
        if connection.wire.unsent() == 0 {
            self.lose(id);
        }
    }

    /// Ends a connection at once.
    pub(super) fn lose(&mut self, id: ConnectionId) {
        self.forget_session(id);
        self.set_deadline(id, None);
        let Some(connection) = self.connections.remove(&id) else { return };
        self.accounts.outbox_changed(connection.uid, connection.outbox_memory, 0);
        self.accounts.close(connection.uid, id);
        if self.connections.is_empty() {
            self.idle_since = Some(Instant::now());
        }
    }

    fn forget_session(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(&id) else { return };
        if let Phase::Carrying { .. } = connection.phase {
            self.gone.push(id);
        }
        self.set_phase(id, Phase::Closing);
    }

    pub(super) fn announce_end(&mut self) {
        // Before its `welcome` a client takes the end of the stream for "nobody is there".
        let all = self.connections.iter().filter(|(_, connection)| connection.phase.is_welcome());
        let told = all.map(|(id, _)| *id);
        for id in told.collect::<Vec<_>>() {
            self.queue(id, &RelayMessage::GoingAway {});
        }
    }

    pub(super) fn welcome<'a>(
        &self,
        version: u32,
        session: Option<SessionGrant<'a>>,
    ) -> RelayMessage<'a> {
        RelayMessage::Welcome(Welcome {
            version,
            epoch: self.settings.config.epoch,
            build: BUILD.into(),
            limits: Box::new(self.limits.clone()),
            session,
        })
    }

    pub(super) fn status(&self, owner: Option<OwnerId>) -> RelayMessage<'static> {
        let counts = self.lobby.counts();
        RelayMessage::Status(Status {
            pid: process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            protocol: version::NEWEST,
            uptime_seconds: self.started.elapsed().as_secs(),
            connections: self.connections.len(),
            sessions: counts.sessions,
            others_connected: self.lobby.others_connected(owner.as_ref()),
            waiting: counts.waiting,
            topics: counts.topics,
            rooms: counts.rooms,
            messages: counts.messages,
            blocks: counts.blocks,
            reports: counts.reports,
        })
    }

    pub(super) fn stopping(&self) -> RelayMessage<'static> {
        let counts = self.lobby.counts();
        RelayMessage::Stopping { pid: process::id(), rooms: counts.rooms, waiting: counts.waiting }
    }
}
