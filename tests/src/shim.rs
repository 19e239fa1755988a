//! How a client starts its server and greets it.

use std::{ffi::OsStr, process::Command};

use serde_json::{Value, json};

use crate::Client;

const INITIALIZE_VERSION: &str = "2025-11-25";
const MODERN_VERSION: &str = "2026-07-28";

/// Which of the two protocols a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// A session that begins with `initialize`, of this version.
    Initialize(&'static str),
    /// Stateless: each request says everything about the client.
    Modern,
    /// An official SDK does the talking (see [`crate::foreign`]).
    Sdk,
}

/// A client about to start its server.
#[derive(Debug)]
pub struct Shim {
    pub(crate) name: String,
    pub(crate) command: Command,
    pub(crate) era: Era,
    pub(crate) capabilities: Value,
}

impl From<Command> for Shim {
    fn from(command: Command) -> Self {
        Self {
            name: "shim".to_owned(),
            command,
            era: Era::Initialize(INITIALIZE_VERSION),
            capabilities: json!({}),
        }
    }
}

impl Shim {
    /// Speaks the stateless protocol.
    #[must_use]
    pub fn modern(self) -> Self {
        self.era(Era::Modern)
    }

    /// Speaks that protocol.
    #[must_use]
    pub fn era(mut self, era: Era) -> Self {
        self.era = era;
        self
    }

    /// Declares that it understands the notifications of mcp-chat.
    #[must_use]
    pub fn with_events_extension(mut self) -> Self {
        self.capabilities["extensions"]["dev.mcp-chat/events"] = json!({});
        self
    }

    /// Declares that it takes tasks.
    #[must_use]
    pub fn with_tasks(mut self) -> Self {
        self.capabilities["extensions"]["io.modelcontextprotocol/tasks"] = json!({});
        self
    }

    /// Adds command line arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes an environment variable away.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Starts the server and greets it as the protocol wants it.
    #[must_use]
    pub fn connect(self) -> Client {
        let mut client = Client::start(self);
        client.greet();
        client
    }
}

/// What a client says in `initialize`.
pub(crate) fn initialize_params(version: &str, capabilities: &Value) -> Value {
    json!({
        "protocolVersion": version,
        "capabilities": capabilities,
        "clientInfo": client_info(),
    })
}

/// What a stateless client says with each request.
pub(crate) fn modern_meta(capabilities: &Value) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN_VERSION,
        "io.modelcontextprotocol/clientInfo": client_info(),
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    })
}

fn client_info() -> Value {
    json!({ "name": "mcp-chat-tests", "version": "1.0.0" })
}
