//! What `mcp-shim` does besides serving.

pub mod demo;
pub mod doctor;
pub mod join;
mod person;
mod screen;
mod wiring;
