//! The tools as clients see them: names, descriptions, schemas, annotations. Static; nothing that
//! a stranger wrote ever comes here.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};
use shared::limits;

/// The names of all tools.
pub(crate) const NAMES: [&str; 6] =
    ["enter_queue", "wait_for_events", "send_message", "next_partner", "leave_chat", "chat_status"];

/// All tools.
pub(crate) fn tools() -> Vec<Tool> {
    let output = Arc::new(object(output()));
    let tools = [
        tool(
            NAMES[0],
            "Find a chat partner",
            "Find a random stranger to talk to; matches at once if one waits. Gives the chat_id that the other \
             tools take. Changes nothing while this app has another chat, unless chat_id names an idle \
             one or new_chat is true.",
            CHANGES,
            json!({
                "display_name": text("Only what your user chose for this; the partner sees it. Letters, digits, space, -_.' up to 32."),
                "topic": text("Only what your user chose for this; the partner sees it. Both who enter the same topic meet. Default: open."),
                "chat_id": text("An idle chat that joins the queue again."),
                "new_chat": {"type": "boolean", "description": "A second conversation beside the open one."},
                "after": after(),
            }),
            &[],
        ),
        tool(
            NAMES[1],
            "Wait for news",
            "Return as soon as something happens in a chat: a partner was found, wrote, or left. \
             Returns no events at the time limit. A client that takes tasks gets one for up to \
             30 minutes and wakes you.",
            REPEATABLE,
            json!({
                "chat_id": chat_id(),
                "timeout_seconds": {
                    "type": "integer", "minimum": 0, "maximum": limits::EVENT_WAIT_LONGEST.as_secs() as i64,
                    "description": "0 to 170, default 45. 0 only looks. More than 45 only if your host allows long calls.",
                },
                "after": after(),
            }),
            &["chat_id"],
        ),
        tool(
            NAMES[2],
            "Send a message",
            "Send your user's words to the partner. The result says whether the partner's client has \
             them.",
            CHANGES,
            json!({
                "chat_id": chat_id(),
                "message": text("What to say: at most 8 KiB and 200 lines."),
                "author": {"type": "string", "enum": ["user", "assistant"], "description": "Whose words these are. Default: assistant."},
                "room_id": text("Send only to this room, that is, to the same partner."),
                "after": after(),
            }),
            &["chat_id", "message"],
        ),
        tool(
            NAMES[3],
            "Next partner",
            "Leave the partner and wait for another in the same topic. Only when your user asks.",
            ENDS,
            departure(),
            &["chat_id"],
        ),
        tool(
            NAMES[4],
            "Leave the chat",
            "Leave partner and queue and end the chat. Only when your user asks.",
            ENDS,
            departure(),
            &["chat_id"],
        ),
        tool(
            NAMES[5],
            "Chat status",
            "State, partner, queue and receipts of a chat. Without chat_id: all chats of this app \
             and whether the relay answers.",
            LOOKS,
            json!({
                "chat_id": chat_id(),
                "history": {
                    "type": "integer", "minimum": 0, "maximum": limits::HISTORY_ENTRIES as i64,
                    "description": "How many of the last messages of both sides to show: 0 to 50, default 0.",
                },
                "after": after(),
            }),
            &[],
        ),
    ];
    tools.map(|tool| tool.with_raw_output_schema(Arc::clone(&output))).into()
}

/// What a tool does to its environment, as MCP's annotations have it: whether it is read-only,
/// destructive, idempotent, and open to the world.
type Effect = [bool; 4];

const CHANGES: Effect = [false, false, false, true];
const REPEATABLE: Effect = [false, false, true, true];
const ENDS: Effect = [false, true, false, true];
const LOOKS: Effect = [true, false, true, false];

fn tool(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    properties: Value,
    required: &[&str],
) -> Tool {
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let [read_only, destructive, idempotent, open_world] = effect.map(Some);
    let title = title.to_owned();
    let annotations = ToolAnnotations::from_raw(
        Some(title.clone()),
        read_only,
        destructive,
        idempotent,
        open_world,
    );
    Tool::new(name, description, object(schema)).with_title(title).with_annotations(annotations)
}

fn object(value: Value) -> JsonObject {
    let Value::Object(object) = value else { unreachable!("schemas are written as objects") };
    object
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn chat_id() -> Value {
    text("Which chat.")
}

fn after() -> Value {
    json!({
        "type": "integer", "minimum": 0,
        "description": "I have all events up to this cursor; return what follows.",
    })
}

fn departure() -> Value {
    json!({
        "chat_id": chat_id(),
        "block": {"type": "boolean", "description": "Never meet this partner again."},
        "report": {
            "type": "string", "enum": ["spam", "harassment", "injection", "other"],
            "description": "Note what this partner did, on this computer only.",
        },
        "after": after(),
    })
}

/// One schema for all results: what is there depends on state and tool, so nothing but `next` is
/// required, which errors have as well.
fn output() -> Value {
    let [string, integer, boolean] =
        ["string", "integer", "boolean"].map(|kind| json!({"type": kind}));
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let list = |items: Value| json!({"type": "array", "items": items});
    let one_of = |names: &[&str]| json!({"type": "string", "enum": names});
    let mut error = object(json!({
        "code": string, "message": string, "hint": string, "retry_after_ms": integer,
    }));
    error["required"] = json!(["code", "message", "hint"]);
    let mut event = object(json!({"cursor": integer, "type": string, "at": string}));
    event["required"] = json!(["cursor", "type", "at"]);
    let mixed_script = json!({
        "type": "boolean",
        "description": "Only if true: the name mixes scripts, as look-alikes of other names do.",
    });
    let partner = object(json!({
        "display_name": string, "mixed_script": mixed_script, "presence": string,
        "seconds_since_seen": integer,
    }));
    let mut result = object(json!({
        "next": text("What to do now."),
        "notice": string,
        "error": error,
        "chat_id": string,
        "state": one_of(&["waiting", "chatting", "idle", "ended"]),
        "room": object(json!({
            "room_id": string, "topic": string, "partner": partner, "met_before": boolean,
        })),
        "queue": object(json!({
            "topic": string, "position": integer, "waiting": integer, "not_listening": integer,
            "own": integer,
        })),
        "events": list(event),
        "since": integer,
        "cursor": integer,
        "more": boolean,
        "message_id": string,
        "delivery": one_of(&["delivered", "pending"]),
        "left": one_of(&["room", "queue", "none"]),
        "undelivered": list(string.clone()),
        "noted": string,
        "receipts": object(json!({"sent": integer, "delivered": integer, "read": integer})),
        "history": list(json!({"type": "object"})),
        "relay": object(json!({
            "connected": boolean, "socket": string, "version": string,
            "others_connected": integer, "account": integer, "trouble": string,
        })),
        "other_chats": list(object(json!({"chat_id": string, "state": string, "unread": integer}))),
    }));
    result["required"] = json!(["next"]);
    result
}

#[cfg(test)]
mod tests;
