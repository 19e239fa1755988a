//! Rung 6: pushes each event into the model's own conversation, where the client has a channel for
//! that (`claude/channel`, a preview). Never acknowledged: a hint like the others. The capability
//! to ask for permissions over it is never declared: a stranger's words would reach it.

use rmcp::model::CustomNotification;
use serde_json::{Map, Value, json};

use crate::{
    render,
    session::{ChatId, Entry},
};

/// What a server declares, under `experimental` of its capabilities.
pub(crate) const CAPABILITY: &str = "claude/channel";

const METHOD: &str = "notifications/claude/channel";

/// The fields of an event that become attributes: none that a stranger has worded.
const ATTRIBUTES: [&str; 7] = ["type", "cursor", "at", "room_id", "message_id", "author", "reason"];

/// The notification of an event. `None` if it cannot be written.
pub(crate) fn notification(chat_id: ChatId, entry: &Entry) -> Option<CustomNotification> {
    let event = serde_json::to_value(entry).ok()?;
    let mut meta = Map::new();
    meta.insert("chat_id".to_owned(), chat_id.as_str().into());
    for name in ATTRIBUTES {
        let value = match &event[name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => continue,
        };
        meta.insert(name.to_owned(), value.into());
    }
    let params = json!({ "content": render::pushed(entry), "meta": meta });
    Some(CustomNotification::new(METHOD, Some(params)))
}
