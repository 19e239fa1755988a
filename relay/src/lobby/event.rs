//! The whole contract of the lobby: events in, effects out.
//!
//! These are not wire types: `crate::translate` stands between. Names, topics and tokens have been
//! checked before they come here, and no message text ever does.

use std::time::Duration;

use shared::{
    id::{OwnerId, RoomId, SessionId},
    message::{CloseReason, DequeueReason, Presence, ReportCategory},
};

/// One socket, numbered by the server in the order of accepting, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Whose session it is: the kernel's word and the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// User id of the connection, by the kernel's word.
    pub uid: u32,
    /// The shim process, by its own word.
    pub id: OwnerId,
}

/// One side of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The session.
    pub session: SessionId,
    /// Its owner.
    pub owner: Owner,
}

/// What a room token vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomDescriptor {
    /// The room.
    pub room: RoomId,
    /// Seat 1 and seat 2.
    pub members: [Member; 2],
    /// When it was opened: of two rooms that claim one session, the later one is right.
    pub opened: Opening,
}

/// A place in the order in which relays gave tickets, or opened rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// Which run of the relay it was.
    pub epoch: u64,
    /// Its number in that run.
    pub number: u64,
}

/// A room to leave, with what to do about the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// The room.
    pub room: RoomId,
    /// Its descriptor, if the token was good and names this session as a member.
    pub descriptor: Option<RoomDescriptor>,
    /// Never meet this partner again.
    pub block: bool,
    /// What to note about this partner.
    pub report: Option<ReportCategory>,
}

/// What a session waits for, and under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeking {
    /// The name that a partner will see.
    pub display_name: String,
    /// The topic as the user wrote it. Topics are the same if their case folding is.
    pub topic: String,
}

/// A room that a session says it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedRoom {
    /// The room.
    pub room: RoomId,
    /// Its descriptor, if the token was good and names this session as a member.
    pub descriptor: Option<RoomDescriptor>,
    /// The highest seq that it has taken.
    pub received: u64,
    /// Its name and topic.
    pub seeking: Seeking,
}

/// What a connection brings with its `hello`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Whose session it is.
    pub owner: Owner,
    /// The session that its token vouches for, if it brought a good one of this owner.
    pub session: Option<SessionId>,
    /// The room it says it is in.
    pub room: Option<ClaimedRoom>,
    /// The place it says it has.
    pub queue: Option<(Option<Opening>, Seeking)>,
    /// Leaves that were not yet answered.
    pub leaving: Vec<Leaving>,
    /// Owners that this owner has blocked, from good block tags.
    pub blocks: Vec<Owner>,
    /// It is no person's, by its own word: it is not to meet another such.
    pub robot: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "a comment on `from` or `room` could only repeat the name")]
pub enum Event {
    /// A connection said `hello` for a session. Its identity binds here and nowhere else.
    Arrived(ConnectionId, Arrival),
    /// It wants a partner, had this place, and has blocked these owners.
    EnterQueue(ConnectionId, Option<Opening>, Seeking, Vec<Owner>),
    /// It wants none any more.
    LeaveQueue(ConnectionId),
    /// It leaves the room, if one is named, and wants another partner; it has blocked these owners.
    Next(ConnectionId, Option<Leaving>, Seeking, Vec<Owner>),
    /// It leaves a room, or blocks or reports the partner of a closed one.
    Leave(ConnectionId, Leaving),
    /// It sends the message with this number; the server still holds the text.
    Message { from: ConnectionId, room: RoomId, seq: u64 },
    /// It acknowledges messages up to this one; the server still holds the frame.
    Ack { from: ConnectionId, room: RoomId, received: u64 },
    /// It asks for the messages after this one again; the server still holds the frame.
    Sync { from: ConnectionId, room: RoomId, received: u64 },
    /// Its client was active just now.
    Attention {
        from: ConnectionId,
        /// Whether something is open through which it would be handed a message at once.
        open: bool,
        /// It was not active: what was open has ended by itself.
        lapsed: bool,
    },
    /// The connection is gone.
    Gone(ConnectionId),
    /// Its tokens are to be made anew, before they are too old.
    Refresh(ConnectionId),
    /// Nobody is paired any more: the relay is about to end.
    Drain,
    /// The machine or this process has slept for so long: nobody could be heard, and no period of
    /// grace has passed.
    Slept(Duration),
    /// [`next_deadline`](super::Lobby::next_deadline) has passed.
    Tick,
}

/// What the server does for one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// `welcome` with this session, which the connection now carries.
    Welcome {
        /// The session.
        session: SessionId,
        /// Whether it is the one that the arrival named.
        resumed: bool,
    },
    /// Tell it something.
    Tell(News),
    /// Pass on what the event carries (message, ack or sync).
    Forward,
    /// `error`, and the connection is closed. The lobby has forgotten it: no `Gone` is expected.
    Disconnect(DisconnectReason),
}

/// What a session is told, each by the message of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "a comment on `room` or `reason` could only repeat the name")]
pub enum News {
    /// It waits.
    Queued {
        /// The topic as this session wrote it.
        topic: String,
        numbers: Numbers,
        ticket: Opening,
    },
    /// It has a partner.
    Paired {
        /// What the room token is to vouch for.
        descriptor: RoomDescriptor,
        /// 1 or 2: which member is told.
        seat: u8,
        /// The topic as this session wrote it.
        topic: String,
        /// The partner's name.
        display_name: String,
        /// The partner's presence.
        presence: Presence,
        /// Whether these owners have met before, as far as is remembered.
        met_before: bool,
    },
    /// Both sides are there again: the lobby itself asks for what the partner has not taken.
    Sync {
        room: RoomId,
        /// Highest seq that the partner has taken.
        received: u64,
    },
    /// Its partner's presence has changed.
    Partner {
        room: RoomId,
        /// The partner's presence now.
        presence: Presence,
        /// For how long the partner's client has not been active.
        unseen: Duration,
    },
    /// Its room is closed, not by itself.
    Closed {
        room: RoomId,
        reason: CloseReason,
        /// For how long it has the place of before, if it has.
        place_kept: Option<Duration>,
    },
    /// It has left; a block tag is for the owner that it has blocked just now.
    Left { room: RoomId, blocked: Option<Owner> },
    /// It waits no longer.
    Dequeued(DequeueReason),
    /// Its request was not granted.
    Refused(Refusal),
}

/// What `queued` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// 1 for the one who waits longest.
    pub position: usize,
    /// Sessions in this queue without those of the same owner, this one included.
    pub waiting: usize,
    /// How many of `waiting` do not listen.
    pub not_listening: usize,
    /// Other sessions of the same owner in this queue.
    pub own: usize,
}

/// Why a request was not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// So many wait in this topic already.
    QueueFull,
    /// So many of this account do.
    OwnQueueFull,
    /// There are so many topics already.
    TooManyTopics,
    /// This account waits in so many topics already.
    TooManyOwnTopics,
    /// The relay is about to end.
    Draining,
    /// It, its owner or its account has entered too often; it may again after this time.
    TooOften(Duration),
}

/// Why the lobby closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectReason {
    /// A newer connection carries the session.
    Superseded,
    /// The client sends more than the rates of `welcome` allow, `ack` or `sync` without end, or
    /// comes back too often.
    RateExceeded,
    /// It would be one session too many: of its account, or of all. It never was in the lobby.
    TooManySessions {
        /// Whether it is the account that has so many.
        of_account: bool,
    },
}

/// Counts for `status`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions that the lobby knows.
    pub sessions: usize,
    /// Sessions that wait.
    pub waiting: usize,
    /// Topics with somebody waiting.
    pub topics: usize,
    /// Open rooms.
    pub rooms: usize,
    /// Messages passed on.
    pub messages: u64,
    /// Blocks in force.
    pub blocks: usize,
    /// Reports noted.
    pub reports: shared::message::Reports,
}
