//! `mcp-shim`: the stdio MCP server of mcp-chat. Each MCP client starts one; it holds the chats of
//! that client and connects each to the relay.
//!
//! Reading order: [`session`] decides (pure: no clock, no socket), [`driver`] owns it and does what
//! it says, [`link`] reaches the relay, [`delivery`] the client; [`handler`] and [`tools`] translate
//! MCP ([`resources`] the chats as such), [`render`] writes results for people, and [`serve`] ties them together.
//!
//! Nothing but MCP is ever written to standard output; logs go to standard error.

pub mod cli;
pub mod commands;
mod delivery;
mod driver;
mod handler;
mod instructions;
mod link;
mod prompt;
mod render;
mod schema;
pub mod serve;
pub mod session;
mod tools;

/// Package name and version, told to relays and clients.
pub const BUILD: &str = concat!("mcp-shim ", env!("CARGO_PKG_VERSION"));
