//! What happens because time has passed.

use std::{
    mem,
    time::{Duration, Instant},
};

use shared::{
    limits::{KEEP_ALIVE_MISSES, TOKEN_REFRESH},
    message::ErrorCode,
};
use tracing::{debug, info};

use super::Server;
use crate::{
    connection::{Connection, Phase},
    lobby::{ConnectionId, Event},
    translate::fault,
};

impl Server {
    pub(super) fn next_deadline(&self) -> Instant {
        let idle_exit = self.idle_since.zip(self.settings.idle_exit());
        let of_connections = self.deadlines.first().map(|(deadline, _)| *deadline);
        let all = [
            self.lobby.next_deadline(),
            of_connections,
            idle_exit.and_then(|(since, after)| since.checked_add(after)),
            self.draining_until,
        ];
        all.into_iter().flatten().fold(self.keep_alive_at, Instant::min)
    }

    pub(super) fn pass_deadlines(&mut self, now: Instant) {
        if self.lobby.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.tell(Event::Tick, None, now);
        }
        while let Some((_, id)) = self.deadlines.first().filter(|(at, _)| *at <= now).copied() {
            self.expire(id);
        }
        if self.keep_alive_at <= now {
            self.keep_alive(now);
        }
        let idle = self.idle_since.map_or(Duration::ZERO, |since| now - since);
        if self.settings.idle_exit().is_some_and(|after| idle >= after) {
            self.drain("nobody is connected");
        }
    }

    /// After a stop of machine or process: what has come meanwhile is read before anything is
    /// found to be missing, and no period of grace has passed.
    pub(super) fn wake_up(&mut self, late: Duration, now: Instant) {
        info!(seconds = late.as_secs(), "slept");
        for connection in self.connections.values() {
            connection.mark_ready();
        }
        self.serve_ready(now);
        let moved = |at: Instant| now.min(at + late);
        let mut deadlines = Vec::new();
        for (id, connection) in &mut self.connections {
            connection.heard = moved(connection.heard);
            deadlines.push((*id, connection.deadline.map(|at| at + late)));
        }
        for (id, deadline) in deadlines {
            self.set_deadline(id, deadline);
        }
        self.tell(Event::Slept(late), None, now);
    }

    /// Something was due from this connection and has not come.
    fn expire(&mut self, id: ConnectionId) {
        self.set_deadline(id, None);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match connection.phase {
            Phase::Greeting => {
                self.fail(id, &fault(ErrorCode::HandshakeTimeout, "`hello` did not come in time"));
            }
            Phase::Visiting | Phase::Carrying { .. } => self.cut_off(id),
            Phase::Closing => self.lose(id),
        }
    }

    fn keep_alive(&mut self, now: Instant) {
        let late = now - self.keep_alive_at;
        self.keep_alive_at = now + self.settings.options.timing.keep_alive.0;
        // A relay that is about to end has taken its socket away itself.
        if self.draining_until.is_none() && !self.acceptor.keep_standing() {
            self.drain("the lock file is no longer ours");
        }
        self.refresh_tokens(now);
        // After a stop or a suspend of this process, not all that came meanwhile was read yet.
        if late >= self.settings.options.timing.keep_alive.0 {
            return;
        }
        let allowed = self.settings.options.timing.keep_alive.0 * KEEP_ALIVE_MISSES;
        // The others have a deadline of their own.
        let is_silent = |connection: &Connection| {
            connection.phase.is_welcome() && now - connection.heard >= allowed
        };
        let all = self.connections.iter();
        let silent = all.filter(|(_, connection)| is_silent(connection)).map(|(id, connection)| {
            connection.span.in_scope(|| debug!("closing a connection that is silent"));
            *id
        });
        for id in silent.collect::<Vec<_>>() {
            self.lose(id);
        }
    }

    /// Long before they are refused for their age.
    fn refresh_tokens(&mut self, now: Instant) {
        let mut old = Vec::new();
        for (id, connection) in &mut self.connections {
            if now.saturating_duration_since(connection.tokens_made) >= TOKEN_REFRESH {
                connection.tokens_made = now;
                old.push(*id);
            }
        }
        for id in old {
            self.tell(Event::Refresh(id), None, now);
        }
    }

    pub(super) fn set_deadline(&mut self, id: ConnectionId, deadline: Option<Instant>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let before = mem::replace(&mut connection.deadline, deadline);
        if before == deadline {
            return;
        }
        if let Some(before) = before {
            self.deadlines.remove(&(before, id));
        }
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, id));
        }
    }
}
