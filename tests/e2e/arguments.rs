//! Wrong arguments: the error says what is wrong and what helps, and costs nothing else.

use serde_json::{Value, json};
use tests::{
    Chat, World, enter, meet,
    result::{error_code, events, messages, ok, only_event, structured, text},
};

/// A tool, its arguments without `chat_id`, the code, and the argument that the error names.
type Case = (&'static str, Value, &'static str, &'static str);

fn wrong_beside_a_chat() -> Vec<Case> {
    let mut cases = vec![
        ("send_message", json!({ "message": 5 }), "invalid_argument", "message"),
        ("send_message", json!({ "message": ["hello"] }), "invalid_argument", "message"),
        ("send_message", json!({ "message": { "text": "hello" } }), "invalid_argument", "message"),
        ("send_message", json!({ "message": "" }), "message_empty", "message"),
        ("send_message", json!({ "message": " \n " }), "message_empty", "message"),
        ("send_message", json!({ "message": "x".repeat(8_193) }), "message_too_long", "message"),
        ("send_message", hello_with("author", "model".into()), "invalid_argument", "author"),
        ("send_message", hello_with("author", "".into()), "invalid_argument", "author"),
        ("send_message", hello_with("author", 1.into()), "invalid_argument", "author"),
        ("send_message", hello_with("room_id", 7.into()), "invalid_argument", "room_id"),
        ("send_message", hello_with("room_id", "nowhere".into()), "room_changed", ""),
        ("send_message", hello_with("room_id", "".into()), "room_changed", ""),
        ("chat_status", json!({ "history": -1 }), "invalid_argument", "history"),
        ("chat_status", json!({ "history": 51 }), "invalid_argument", "history"),
        ("chat_status", json!({ "history": "all" }), "invalid_argument", "history"),
        ("chat_status", json!({ "history": true }), "invalid_argument", "history"),
        ("enter_queue", json!({}), "already_queued", ""),
        ("enter_queue", json!({ "new_chat": "yes" }), "invalid_argument", "new_chat"),
        ("enter_queue", json!({ "display_name": 7 }), "invalid_argument", "display_name"),
        ("enter_queue", json!({ "topic": ["cats"] }), "invalid_argument", "topic"),
    ];
    let long = "x".repeat(100_000);
    cases.extend([
        ("send_message", json!({ "message": false }), "invalid_argument", "message"),
        (
            "send_message",
            json!({ "message": "\n".repeat(201) + "x" }),
            "message_too_long",
            "message",
        ),
        ("send_message", json!({ "message": "é".repeat(4_097) }), "message_too_long", "message"),
        ("send_message", json!({ "message": long }), "message_too_long", "message"),
        ("send_message", json!({ "message": "\u{0}" }), "message_unprintable", "message"),
        (
            "send_message",
            json!({ "message": "\u{200b}\u{e0041}" }),
            "message_unprintable",
            "message",
        ),
        ("send_message", hello_with("author", json!(["user"])), "invalid_argument", "author"),
        ("send_message", hello_with("author", "USER".into()), "invalid_argument", "author"),
        ("send_message", hello_with("room_id", json!({})), "invalid_argument", "room_id"),
        ("send_message", hello_with("room_id", long.as_str().into()), "room_changed", ""),
        ("chat_status", json!({ "history": 50.5 }), "invalid_argument", "history"),
        ("chat_status", json!({ "history": i64::MIN }), "invalid_argument", "history"),
        ("chat_status", json!({ "history": [] }), "invalid_argument", "history"),
        ("enter_queue", json!({ "new_chat": 1 }), "invalid_argument", "new_chat"),
        ("enter_queue", json!({ "new_chat": [true] }), "invalid_argument", "new_chat"),
        ("enter_queue", json!({ "after": -1 }), "invalid_argument", "after"),
        ("enter_queue", json!({ "display_name": {} }), "invalid_argument", "display_name"),
        ("enter_queue", json!({ "display_name": "Zoe", "topic": "tea" }), "already_queued", ""),
    ]);
    for timeout in [json!(u64::MAX), json!(1e300), json!(170.5), json!({}), json!("45")] {
        let arguments = json!({ "timeout_seconds": timeout });
        cases.push(("wait_for_events", arguments, "invalid_argument", "timeout_seconds"));
    }
    for after in [json!(u64::MAX), json!(1e300), json!(-1e300), json!(true), json!([]), json!("")] {
        cases.push(("send_message", hello_with("after", after), "invalid_argument", "after"));
    }
    for timeout in [json!(-1), json!(171), json!("soon"), json!(1.5), json!(true), json!([45])] {
        let arguments = json!({ "timeout_seconds": timeout });
        cases.push(("wait_for_events", arguments, "invalid_argument", "timeout_seconds"));
    }
    for tool in ["wait_for_events", "next_partner", "leave_chat", "chat_status"] {
        for after in [json!(-1), json!("3"), json!(0.5), json!(1_000_000), json!({})] {
            cases.push((tool, json!({ "after": after }), "invalid_argument", "after"));
        }
    }
    for tool in ["next_partner", "leave_chat"] {
        for block in [json!("yes"), json!(1)] {
            cases.push((tool, json!({ "block": block }), "invalid_argument", "block"));
        }
        for report in [json!("rude"), json!(""), json!(true)] {
            cases.push((tool, json!({ "report": report }), "invalid_argument", "report"));
        }
    }
    cases
}

fn hello_with(argument: &str, value: Value) -> Value {
    json!({ "message": "hello", argument: value })
}

#[test]
fn a_wrong_argument_changes_nothing_and_what_was_unread_comes_with_the_error() {
    let world = World::serving(&[("message-rate", "off"), ("next-rate", "off")]);
    let bob = world.shim().args(["--autonomous", "off"]).connect();
    let alice = world.client();
    let (alice, bob) = meet(&alice, &bob);
    let (hers, his, counted) = (standing(&alice), standing(&bob), world.status());
    for (number, (tool, arguments, code, argument)) in wrong_beside_a_chat().into_iter().enumerate()
    {
        let case = format!("{tool} {arguments}");
        let unread = format!("unread {number}");
        bob.deliver(&unread);
        let refused = alice.call(tool, arguments);
        assert_eq!(error_code(&refused), code, "{case}: {refused:#}");
        let error = &structured(&refused)["error"];
        let said = format!("{} {}", error["message"], error["hint"]);
        assert!(said.contains(argument), "{case}: it does not name {argument}: {said}");
        assert!(text(&refused).contains(error["hint"].as_str().unwrap()), "{case}: for people too");
        assert_eq!(messages(structured(&refused)), [unread], "{case}");
        assert_eq!(structured(&refused)["chat_id"], alice.id, "{case}");
        assert_eq!(standing(&alice), hers, "{case}");
    }
    let status = world.status();
    for count in ["sessions", "rooms", "waiting", "topics", "blocks", "reports"] {
        assert_eq!(status[count], counted[count], "{count}");
    }
    assert_eq!(standing(&bob)["room"], his["room"]);
    assert!(events(&bob.poll()).is_empty(), "nothing was sent");
    alice.deliver("still together");
}

/// What a refused call must not change.
fn standing(chat: &Chat<'_>) -> Value {
    let mut status = chat.status();
    let mut room = status["room"].take();
    room["partner"]["seconds_since_seen"] = Value::Null;
    json!({
        "state": status["state"], "room": room, "receipts": status["receipts"],
        "other_chats": status.get("other_chats"),
    })
}

#[test]
fn a_message_has_to_be_there() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    for arguments in [json!({}), json!({ "message": null })] {
        bob.deliver("unread");
        let refused = alice.call("send_message", arguments);
        assert!(["invalid_argument", "message_empty"].contains(&error_code(&refused)));
        assert_eq!(messages(structured(&refused)), ["unread"]);
    }
}

#[test]
fn null_is_as_good_as_absent() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let nothing = json!({
        "display_name": null, "topic": null, "chat_id": null, "new_chat": null, "after": null,
    });
    let (alice, entered) = enter(&alice, nothing);
    assert_eq!(entered["queue"]["topic"], "open");
    let (bob, _) = enter(&bob, json!({}));
    alice.ok("wait_for_events", json!({ "after": null, "timeout_seconds": null }));
    let message = json!({ "message": "hello", "author": null, "room_id": null, "after": null });
    alice.ok("send_message", message);
    let heard = bob.poll();
    assert_eq!(only_event(&heard, "message.received")["author"], "assistant");
    alice.ok("chat_status", json!({ "history": null, "after": null }));
    let departure = json!({ "block": null, "report": null, "after": null });
    assert_eq!(alice.ok("next_partner", departure.clone())["state"], "waiting");
    assert_eq!(alice.ok("leave_chat", departure)["state"], "ended");
}

#[test]
fn a_chat_has_to_be_named_and_known() {
    let world = World::serving(&[]);
    let client = world.client();
    let (chat, _) = enter(&client, json!({}));
    for tool in ["wait_for_events", "send_message", "next_partner", "leave_chat"] {
        let call = |chat_id: Value| {
            let result = client.call(tool, json!({ "chat_id": chat_id, "message": "hello" }));
            error_code(&result).to_owned()
        };
        assert_eq!(call(Value::Null), "chat_required", "{tool}");
        assert_eq!(call(json!("zzzzzzzz")), "unknown_chat", "{tool}");
        assert_eq!(call(json!("z".repeat(100_000))), "unknown_chat", "{tool}");
        assert_eq!(call(json!(12_345_678)), "invalid_argument", "{tool}");
        assert_eq!(call(json!([chat.id])), "invalid_argument", "{tool}");
        let empty = call(json!(""));
        assert!(["chat_required", "unknown_chat", "invalid_argument"].contains(&&*empty), "{tool}");
    }
    for tool in ["chat_status", "enter_queue"] {
        let result = client.call(tool, json!({ "chat_id": "zzzzzzzz" }));
        assert_eq!(error_code(&result), "unknown_chat", "{tool}");
        let result = client.call(tool, json!({ "chat_id": 5 }));
        assert_eq!(error_code(&result), "invalid_argument", "{tool}");
    }
    assert_eq!(chat.status()["state"], "waiting");
    assert_eq!(world.status()["sessions"], 1);
}

#[test]
fn names_and_topics_are_refused_with_reasons_and_leave_no_session_behind() {
    let world = World::serving(&[]);
    let client = world.client();
    let long_name = "x".repeat(33);
    let long_topic = "x".repeat(65);
    let forbidden =
        ["", "  ", "<b>", "a/b", "line\nbreak", "\u{202e}txt", "zero\u{200b}width", "☺"];
    for name in forbidden.into_iter().chain([&*long_name]) {
        let refused = client.call("enter_queue", json!({ "display_name": name }));
        assert_eq!(error_code(&refused), "invalid_name", "{name:?}");
    }
    for topic in forbidden.into_iter().chain([&*long_topic]) {
        let refused = client.call("enter_queue", json!({ "topic": topic }));
        assert_eq!(error_code(&refused), "invalid_topic", "{topic:?}");
    }
    let refused = client.call("enter_queue", json!({ "after": 1 }));
    assert_eq!(error_code(&refused), "invalid_argument");
    let result = client.call("chat_status", json!({}));
    assert_eq!(ok(&result).get("other_chats"), None);
    assert_eq!(world.status()["sessions"], 0);

    let fine = json!({ "display_name": "x".repeat(32), "topic": "x".repeat(64) });
    enter(&client, fine);
    let other = world.client();
    enter(&other, json!({ "display_name": "Æsa O'Neil-日本_2. नी", "topic": "ქართული" }));
}

#[test]
fn arguments_may_be_left_out_altogether() {
    let world = World::serving(&[]);
    for client in [world.client(), world.modern_client()] {
        let call = |tool: &str| client.request("tools/call", json!({ "name": tool })).unwrap();
        ok(&call("chat_status"));
        assert_eq!(error_code(&call("leave_chat")), "chat_required");
        ok(&call("enter_queue"));
    }
}
