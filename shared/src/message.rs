//! The messages of the wire protocol. Each is one JSON object with one key, its type:
//! `{"ping":{}}`. Fields that a program does not know are ignored.

mod client;
mod relay;
mod vocabulary;

pub use self::{client::*, relay::*, vocabulary::*};
