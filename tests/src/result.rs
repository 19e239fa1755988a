//! What every result of a tool must be, checked on each call of each test, and how to read one.

use serde_json::Value;

const EVENT_TYPES: [&str; 6] = [
    "chatroom.found",
    "message.received",
    "partner.away",
    "partner.back",
    "partner.disconnected",
    "queue.expired",
];
const MESSAGES_PER_RESULT: usize = 20;

/// The structured content, which is all that some clients show to their model.
#[must_use]
pub fn structured(result: &Value) -> &Value {
    let structured = &result["structuredContent"];
    assert!(structured.is_object(), "no structured content: {result:#}");
    structured
}

/// The text for people.
#[must_use]
pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {result:#}"))
}

/// Asserts that a result is no error, and returns its structured content.
pub fn ok(result: &Value) -> &Value {
    let structured = structured(result);
    assert!(
        result["isError"] != true && structured.get("error").is_none(),
        "an error: {structured:#}"
    );
    structured
}

/// The code of a result that is an error.
#[must_use]
pub fn error_code(result: &Value) -> &str {
    let structured = structured(result);
    let code = structured["error"]["code"].as_str();
    code.unwrap_or_else(|| panic!("not an error: {structured:#}"))
}

/// The events of a structured content.
#[must_use]
pub fn events(structured: &Value) -> &[Value] {
    structured["events"].as_array().map_or(&[], Vec::as_slice)
}

/// Those of one type.
#[must_use]
pub fn events_of_type<'a>(structured: &'a Value, event_type: &str) -> Vec<&'a Value> {
    assert!(EVENT_TYPES.contains(&event_type), "there are no events of type {event_type}");
    events(structured).iter().filter(|event| event["type"] == event_type).collect()
}

/// The types of the events, in order.
#[must_use]
pub fn event_types(structured: &Value) -> Vec<&str> {
    events(structured).iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// The texts of the messages, in order.
#[must_use]
pub fn messages(structured: &Value) -> Vec<&str> {
    events_of_type(structured, "message.received")
        .into_iter()
        .map(|event| event["message"].as_str().unwrap())
        .collect()
}

/// Asserts that there is one event, of this type, and returns it.
pub fn only_event<'a>(structured: &'a Value, event_type: &str) -> &'a Value {
    assert_eq!(event_types(structured), [event_type], "in {structured:#}");
    &structured["events"][0]
}

/// The ids of the chats that a result lists beside its own.
#[must_use]
pub fn listed_chats(structured: &Value) -> Vec<&str> {
    let chats = structured["other_chats"].as_array().map_or(&[][..], Vec::as_slice);
    chats.iter().map(|chat| chat["chat_id"].as_str().unwrap()).collect()
}

/// Asserts all that must be true of any result, whatever the tool, its arguments and the moment.
pub fn check(result: &Value) {
    let structured = structured(result);
    assert!(!text(result).trim().is_empty(), "nothing for people to read: {result:#}");
    if result["isError"] == true {
        check_error(structured);
    } else {
        assert!(structured.get("error").is_none(), "an error without isError: {structured:#}");
    }
    let next = structured["next"].as_str().unwrap_or_default();
    assert!(!next.is_empty(), "it does not say what to do next: {structured:#}");
    if let Some(state) = structured.get("state") {
        check_state(structured, state.as_str().unwrap());
    }
    check_events(structured);
}

fn check_error(structured: &Value) {
    for field in ["code", "message", "hint"] {
        let value = structured["error"][field].as_str().unwrap_or_default();
        assert!(!value.trim().is_empty(), "an error without {field}: {structured:#}");
    }
}

fn check_state(structured: &Value, state: &str) {
    assert!(["waiting", "chatting", "idle", "ended"].contains(&state), "state {state}");
    assert_eq!(structured.get("room").is_some(), state == "chatting", "{structured:#}");
    assert_eq!(structured.get("queue").is_some(), state == "waiting", "{structured:#}");
}

fn check_events(structured: &Value) {
    let mut last = structured["since"].as_i64().unwrap_or(0);
    for event in events(structured) {
        let cursor = event["cursor"].as_i64().expect("an event has a cursor");
        assert!(cursor > last, "events are not in order: {structured:#}");
        last = cursor;
        let event_type = event["type"].as_str().unwrap();
        assert!(EVENT_TYPES.contains(&event_type), "an event of type {event_type}");
        let at = event["at"].as_str().unwrap_or_default();
        assert!(at.contains('T'), "not a time in RFC 3339: {event:#}");
    }
    if !events(structured).is_empty() {
        assert_eq!(structured["cursor"], last, "the cursor is not that of the last event");
    }
    let messages = events_of_type(structured, "message.received").len();
    assert!(messages <= MESSAGES_PER_RESULT, "{messages} messages in one result");
    if messages > 0 {
        let notice = structured["notice"].as_str().unwrap_or_default();
        assert!(!notice.is_empty(), "a stranger's words without notice: {structured:#}");
    }
}
