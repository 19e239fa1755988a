#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod codec;
pub mod connection;
pub mod core_dump;
pub mod endpoint;
pub mod id;
pub mod limits;
pub mod message;
pub mod rate;
pub mod text;
pub mod version;
