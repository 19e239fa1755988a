//! One conversation of a client.

use serde_json::{Value, json};

use crate::{Client, Pending, result};

/// A client and one of its chats.
#[derive(Debug)]
pub struct Chat<'c> {
    /// The client.
    pub client: &'c Client,
    /// The handle of the chat.
    pub id: String,
}

/// Enters the queue with a new session.
pub fn enter<'c>(client: &'c Client, arguments: Value) -> (Chat<'c>, Value) {
    let result = client.call("enter_queue", arguments);
    let entered = result::ok(&result).clone();
    let id = entered["chat_id"].as_str().expect("a chat has an id").to_owned();
    (Chat { client, id }, entered)
}

/// Alice and Bob meet on `open`; both have been told.
pub fn meet<'c>(alice: &'c Client, bob: &'c Client) -> (Chat<'c>, Chat<'c>) {
    let (alice, _) = enter(alice, json!({ "display_name": "Alice" }));
    let (bob, entered) = enter(bob, json!({ "display_name": "Bob" }));
    result::only_event(&entered, "chatroom.found");
    result::only_event(&alice.wait(), "chatroom.found");
    (alice, bob)
}

impl Chat<'_> {
    /// Calls a tool for this chat.
    pub fn call(&self, tool: &str, arguments: Value) -> Value {
        self.client.call(tool, self.arguments(arguments))
    }

    /// Begins to wait for events.
    pub fn start_wait(&self) -> Pending {
        self.client.start_call("wait_for_events", self.arguments(json!({ "timeout_seconds": 25 })))
    }

    /// Waits for events.
    pub fn wait(&self) -> Value {
        result::ok(&self.client.finish(&self.start_wait())).clone()
    }

    /// Asks for events without waiting.
    pub fn poll(&self) -> Value {
        self.ok("wait_for_events", json!({ "timeout_seconds": 0 }))
    }

    /// Sends a message and returns the whole result.
    pub fn say(&self, message: &str) -> Value {
        self.ok("send_message", json!({ "message": message }))
    }

    /// Sends a message, which the partner's client has when this returns.
    pub fn deliver(&self, message: &str) {
        assert_eq!(self.say(message)["delivery"], "delivered", "{message}");
    }

    /// `next_partner`.
    pub fn next(&self, arguments: Value) -> Value {
        self.ok("next_partner", arguments)
    }

    /// `leave_chat`.
    pub fn leave(&self) -> Value {
        self.ok("leave_chat", json!({}))
    }

    /// `chat_status`.
    pub fn status(&self) -> Value {
        self.ok("chat_status", json!({}))
    }

    /// The room that it is in.
    pub fn room_id(&self) -> String {
        let status = self.status();
        let room_id = status["room"]["room_id"].as_str();
        room_id.unwrap_or_else(|| panic!("not in a room: {status:#}")).to_owned()
    }

    /// Calls a tool for this chat, which must not be an error.
    pub fn ok(&self, tool: &str, arguments: Value) -> Value {
        result::ok(&self.call(tool, arguments)).clone()
    }

    /// Calls a tool for this chat, which must be this error; returns the structured content.
    pub fn refused(&self, code: &str, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_eq!(result::error_code(&result), code, "{result:#}");
        result::structured(&result).clone()
    }

    fn arguments(&self, mut arguments: Value) -> Value {
        arguments["chat_id"] = self.id.clone().into();
        arguments
    }
}
