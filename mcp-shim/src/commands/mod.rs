//! What `mcp-shim` does besides serving.

mod client;
mod client_config;
pub mod demo;
pub mod doctor;
pub mod join;
mod terminal;
