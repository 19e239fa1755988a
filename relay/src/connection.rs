//! One socket: how far its client has come, what it reads and is sent, until when it has time.

use std::{
    io,
    task::{Context, Poll, Waker},
    time::Instant,
};

use shared::{
    connection::Connection as Wire, endpoint::Stream, id::SessionId, limits::CONTROL_RATE,
    message::ClientMessage, rate::Bucket,
};
use tracing::{Span, debug_span};

use crate::lobby::{ConnectionId, Member, Owner};

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Accepted; its `hello` is due.
    Greeting,
    /// Said `hello` without an owner: it may ask how the relay is, or for its end.
    Visiting,
    /// Carries a session.
    Carrying {
        /// The protocol version in use.
        version: u32,
        /// Whose session it is.
        owner: Owner,
        /// Which, once the lobby has welcomed it.
        session: Option<SessionId>,
    },
    /// Its last message is on its way; it is heard no more.
    Closing,
}

impl Phase {
    /// Whether the client was welcomed and is still heard.
    #[must_use]
    pub fn is_welcome(self) -> bool {
        match self {
            Self::Visiting | Self::Carrying { .. } => true,
            Self::Greeting | Self::Closing => false,
        }
    }
}

/// One socket.
#[derive(Debug)]
pub struct Connection {
    /// What was read of it and waits to be sent to it.
    pub wire: Wire<Stream>,
    waker: Waker,
    /// What its log lines have in common.
    pub span: Span,
    /// User id, by the kernel's word.
    pub uid: u32,
    /// How far its client has come.
    pub phase: Phase,
    /// How much its client may say that no other rate limits.
    control: Bucket,
    /// What was written to it since its last turn, in bytes.
    pub written: usize,
    /// The memory of its outbox, as far as it was counted.
    pub outbox_memory: usize,
    /// When it last sent a whole frame.
    pub heard: Instant,
    /// When its tokens were made.
    pub tokens_made: Instant,
    /// What is due by then is told by the phase: `hello`, or that it reads what it was sent.
    pub deadline: Option<Instant>,
    /// Whether it is in the server's list of connections to flush.
    pub dirty: bool,
}

impl Connection {
    /// A connection that was accepted just now and whose tasks are told by this waker.
    #[must_use]
    pub fn new(
        id: ConnectionId,
        stream: Stream,
        outbound_bytes: usize,
        waker: Waker,
        now: Instant,
    ) -> Self {
        let uid = stream.peer().uid;
        Self {
            span: debug_span!("connection", id = id.0, uid),
            uid,
            wire: Wire::with_outbound(stream, outbound_bytes),
            waker,
            phase: Phase::Greeting,
            control: Bucket::new(Some(CONTROL_RATE)),
            written: 0,
            outbox_memory: 0,
            heard: now,
            tokens_made: now,
            deadline: None,
            dirty: false,
        }
    }

    /// The session that it carries, as the holder of tokens.
    #[must_use]
    pub fn holder(&self) -> Option<Member> {
        let Phase::Carrying { owner, session, .. } = self.phase else { return None };
        session.map(|session| Member { session, owner })
    }

    /// Whether its client may say this now: what the lobby limits by itself, or as much of
    /// everything else as [`CONTROL_RATE`] allows.
    pub fn may_say(&mut self, message: &ClientMessage<'_>, now: Instant) -> bool {
        use ClientMessage::{
            Ack, Attention, EnterQueue, Hello, Leave, LeaveQueue, Next, Ping, Send, Status, Stop,
            Sync,
        };
        match message {
            Hello(_) | Send { .. } | Ack { .. } | Sync { .. } => true,
            Ping {}
            | Attention { .. }
            | EnterQueue { .. }
            | LeaveQueue {}
            | Next { .. }
            | Leave(_)
            | Status { .. }
            | Stop {} => self.control.charge(now).is_ok(),
        }
    }

    /// Has the server look at this connection again.
    pub fn mark_ready(&self) {
        self.waker.wake_by_ref();
    }

    /// Reads once. When there is nothing to read, it marks itself ready as soon as there is.
    pub fn read(&mut self, scratch: &mut [u8]) -> Poll<io::Result<usize>> {
        self.wire.poll_read(&mut Context::from_waker(&self.waker), scratch)
    }

    /// Sends about so many bytes of what waits. What cannot be sent now marks it ready as soon as
    /// it can.
    pub fn send(&mut self, bytes: usize) -> Poll<io::Result<()>> {
        self.wire.poll_send(&mut Context::from_waker(&self.waker), bytes)
    }
}
