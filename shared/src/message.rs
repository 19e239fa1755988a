//! The messages of the wire protocol. Each is one JSON object with one key, its type:
//! `{"ping":{}}`. Fields that a program does not know are ignored.

mod client;
mod relay;
mod vocabulary;

pub use self::{
    client::{ClientMessage, Hello, Leave, QueueClaim, Resume, RoomClaim},
    relay::{Paired, Queued, RelayMessage, Reports, SessionGrant, Status, Welcome},
    vocabulary::{Author, CloseReason, DequeueReason, ErrorCode, Presence, ReportCategory},
};
