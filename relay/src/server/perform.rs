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
            Ok(()) => self.mark_dirty(to),
            Err(error) => self.fail(to, &fault(ErrorCode::SlowReader, error.to_string())),
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
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.span.in_scope(|| debug!(code = ?fault.code, "closing a connection"));
        connection.phase = Phase::Closing;
        let message = fault.message.as_ref().into();
        let newest = (fault.code == ErrorCode::VersionMismatch).then_some(version::NEWEST);
        let error = RelayMessage::Error { code: fault.code, message, newest };
        if fault.code == ErrorCode::SlowReader || connection.wire.queue(&error).is_err() {
            connection.wire.queue_last(&error);
        }
        self.mark_dirty(id);
    }

    /// Ends a connection that did not read in time: there is no point in waiting once more.
    pub(super) fn cut_off(&mut self, id: ConnectionId) {
        let most = self.settings.options.limits.outbound_bytes.0;
        let message = format!("what was sent was not read in time, {most} bytes at most");
        self.fail(id, &fault(ErrorCode::SlowReader, message));
        if let Some(connection) = self.connections.get_mut(&id) {
            let was_told = matches!(connection.flush(), Poll::Ready(Ok(())));
            connection.span.in_scope(|| debug!(was_told, "cut off a slow reader"));
        }
        self.lose(id);
    }

    /// The client will send nothing more; what it was sent may still reach it.
    pub(super) fn hang_up(&mut self, id: ConnectionId) {
        self.forget_session(id);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.phase = Phase::Closing;
        if connection.wire.unsent() == 0 {
            self.lose(id);
        }
    }

    /// Ends a connection at once.
    pub(super) fn lose(&mut self, id: ConnectionId) {
        self.forget_session(id);
        self.set_deadline(id, None);
        let Some(connection) = self.connections.remove(&id) else { return };
        if let Some(count) = self.connections_of_user.get_mut(&connection.uid) {
            *count -= 1;
            if *count == 0 {
                self.connections_of_user.remove(&connection.uid);
            }
        }
        if self.connections.is_empty() {
            self.idle_since = Some(Instant::now());
        }
    }

    fn forget_session(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if let Phase::Carrying { .. } = mem::replace(&mut connection.phase, Phase::Closing) {
            self.gone.push(id);
        }
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
