//! Clients that nobody here wrote: the official SDKs of Python and TypeScript, and fastmcp.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{
    Chat, Client, PATIENCE, Signal, World, enter, eventually,
    foreign::{Mode, fastmcp, python, typescript},
    let_pass, meet,
    proxy::Proxy,
    result::{error_code, events, messages, ok, only_event},
};

#[test]
fn both_with_initialize() {
    have_a_conversation((python, Mode::Legacy), (typescript, Mode::Legacy));
}

#[test]
fn python_with_initialize_and_typescript_stateless() {
    have_a_conversation((python, Mode::Legacy), (typescript, Mode::Auto));
}

#[test]
fn python_stateless_and_typescript_with_initialize() {
    have_a_conversation((python, Mode::Auto), (typescript, Mode::Legacy));
}

#[test]
fn both_stateless() {
    have_a_conversation((python, Mode::Auto), (typescript, Mode::Auto));
}

#[test]
fn fastmcp_with_initialize_and_typescript_stateless() {
    have_a_conversation((fastmcp, Mode::Legacy), (typescript, Mode::Auto));
}

#[test]
fn python_with_initialize_and_fastmcp_stateless() {
    have_a_conversation((python, Mode::Legacy), (fastmcp, Mode::Auto));
}

type Foreign = (fn(&World, Mode, &[&str]) -> Client, Mode);

fn have_a_conversation((alice, alice_mode): Foreign, (bob, bob_mode): Foreign) {
    let world = World::empty(&[]);
    let alice = alice(&world, alice_mode, &[]);
    let bob = bob(&world, bob_mode, &[]);
    for (client, mode) in [(&alice, alice_mode), (&bob, bob_mode)] {
        assert_eq!(client.server()["protocolVersion"], mode.version());
        assert_eq!(client.server()["serverInfo"]["name"], "mcp-chat");
        let tools = client.request("tools/list", json!({})).unwrap();
        assert_eq!(tools["tools"].as_array().unwrap().len(), 6);
        let prompts = client.request("prompts/list", json!({})).unwrap();
        assert_eq!(prompts["prompts"][0]["name"], "chat");
        client.request("prompts/get", json!({ "name": "chat" })).unwrap();
    }

    let (alice, _) = enter(&alice, json!({ "display_name": "Alice" }));
    let (bob, entered) = enter(&bob, json!({ "display_name": "Bob" }));
    let found = only_event(&entered, "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "Alice");
    let notified = alice.client.expect_notification("chatroom.found");
    assert_eq!(notified["room_id"], found["room_id"]);
    assert_eq!(notified["partner"]["display_name"], "Bob");
    let told = alice.wait();
    assert_eq!(only_event(&told, "chatroom.found")["room_id"], found["room_id"]);

    exchange(&alice, &bob, "Grüße von hier 🐍");
    exchange(&bob, &alice, "and from there <T>");

    cancel_a_wait(&alice, &bob);
    cancel_a_wait(&bob, &alice);

    let left = alice.next(json!({}));
    assert_eq!(left["state"], "waiting");
    assert_eq!(bob.client.expect_notification("partner.disconnected")["reason"], "left");
    only_event(&bob.wait(), "partner.disconnected");
    bob.leave();
    for client in [alice.client, bob.client] {
        client.close_stdin();
        assert!(client.wait_exit(PATIENCE).success(), "{}", client.stderr());
    }
}

fn exchange(speaker: &Chat<'_>, listener: &Chat<'_>, text: &str) {
    let wait = listener.start_wait();
    speaker.deliver(text);
    assert_eq!(messages(ok(&listener.client.finish(&wait))), [text]);
    assert_eq!(listener.client.expect_notification("message.received")["message"], text);
}

fn cancel_a_wait(listener: &Chat<'_>, speaker: &Chat<'_>) {
    let wait = listener.start_wait();
    // What is asked later is answered later: now the wait is known, and then its cancellation.
    listener.client.call("chat_status", json!({}));
    listener.client.cancel(&wait);
    listener.client.call("chat_status", json!({}));
    speaker.deliver("to whoever asks");
    assert_eq!(messages(&listener.poll()), ["to whoever asks"]);
    listener.client.expect_notification("message.received");
}

#[test]
fn resources_are_read_and_followed_with_both_in_both_eras() {
    let world = World::serving(&[]);
    for mode in [Mode::Legacy, Mode::Auto] {
        for client in [python(&world, mode, &[]), typescript(&world, mode, &[])] {
            read_and_follow(&world, &client, mode);
        }
    }
}

fn read_and_follow(world: &World, client: &Client, mode: Mode) {
    let templates = client.request("resources/templates/list", json!({})).unwrap();
    assert_eq!(templates["resourceTemplates"][0]["uriTemplate"], "chat://{chat_id}");
    let bob = world.client();
    let (chat, bob) = meet(client, &bob);
    let listed = client.request("resources/list", json!({})).unwrap();
    let current = json!({ "uri": listed["resources"][0]["uri"] });
    let _following = client.start_request("follow", current.clone());
    let honored = client.expect_notification("following");
    if mode == Mode::Auto {
        assert_eq!(honored["resourceSubscriptions"], json!([current["uri"]]));
    }
    bob.deliver("hello");
    let updated = client.expect_notification("notifications/resources/updated");
    assert_eq!(updated["uri"], current["uri"]);
    let read = client.request("resources/read", current).unwrap();
    let reading: Value =
        serde_json::from_str(read["contents"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(reading["entries"][1]["message"], "hello");
    let unknown = client.request("resources/read", json!({ "uri": "chat://zzzzzzzz" }));
    // TypeScript shows the code of 2026-07-28 in both eras.
    let code = unknown.unwrap_err()["code"].as_i64();
    assert!(code == Some(-32_602) || mode == Mode::Legacy && code == Some(-32_002), "{code:?}");
    chat.leave();
    bob.leave();
}

/// The TypeScript client gets every error that a tool can answer with, in both eras, and finds
/// nothing wrong with its structured content.
#[test]
fn every_error_passes_through_typescript_with_initialize() {
    provoke_every_error(Mode::Legacy);
}

#[test]
fn every_error_passes_through_typescript_stateless() {
    provoke_every_error(Mode::Auto);
}

fn provoke_every_error(mode: Mode) {
    let mut seen = BTreeSet::new();
    provoke_refusals(mode, &mut seen);
    provoke_limits(mode, &mut seen);
    provoke_loss_of_the_session(mode, &mut seen);
    provoke_relays_that_are_no_use(mode, &mut seen);
    let every = [
        "already_queued",
        "ask_user",
        "chat_required",
        "invalid_argument",
        "invalid_name",
        "invalid_topic",
        "message_empty",
        "message_too_long",
        "message_unprintable",
        "not_in_room",
        "rate_limited",
        "relay_unavailable",
        "room_changed",
        "session_lost",
        "too_many",
        "unknown_chat",
        "version_mismatch",
        "window_full",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), every);
}

type Seen = BTreeSet<String>;

fn refused(client: &Client, seen: &mut Seen, code: &str, tool: &str, arguments: Value) -> Value {
    let result = client.call(tool, arguments);
    assert_eq!(error_code(&result), code, "{result:#}");
    seen.insert(code.to_owned());
    result
}

fn provoke_refusals(mode: Mode, seen: &mut Seen) {
    let world = World::serving(&[]);
    let client = typescript(&world, mode, &["--autonomous", "1"]);
    let mut refused = |code, tool, arguments| refused(&client, seen, code, tool, arguments);
    refused("invalid_name", "enter_queue", json!({ "display_name": "<b>" }));
    refused("invalid_topic", "enter_queue", json!({ "topic": "" }));
    refused("chat_required", "wait_for_events", json!({}));
    refused("unknown_chat", "wait_for_events", json!({ "chat_id": "zzzzzzzz" }));

    let (chat, _) = enter(&client, json!({}));
    let with_chat = |arguments: Value| {
        let mut arguments = arguments;
        arguments["chat_id"] = json!(chat.id);
        arguments
    };
    refused("already_queued", "enter_queue", json!({}));
    refused("invalid_argument", "wait_for_events", with_chat(json!({ "after": "x" })));
    refused("not_in_room", "send_message", with_chat(json!({ "message": "hello" })));

    let partner = world.client();
    let (partner, _) = enter(&partner, json!({}));
    // Asked without a chat, it hands out nothing.
    eventually("the client's server knows of the partner", || {
        let told = client.call("chat_status", json!({}));
        (told["structuredContent"]["other_chats"][0]["state"] == "chatting").then_some(())
    });
    let told = refused("room_changed", "send_message", with_chat(json!({ "message": "hello" })));
    assert_eq!(events(&told["structuredContent"])[0]["type"], "chatroom.found");
    partner.deliver("a message beside an error");
    let told = refused("message_empty", "send_message", with_chat(json!({ "message": "" })));
    assert_eq!(messages(&told["structuredContent"]), ["a message beside an error"]);
    let long = "x".repeat(8_193);
    refused("message_too_long", "send_message", with_chat(json!({ "message": long })));
    refused("message_unprintable", "send_message", with_chat(json!({ "message": "\u{7}" })));
    chat.deliver("one");
    refused("ask_user", "send_message", with_chat(json!({ "message": "two" })));
}

fn provoke_limits(mode: Mode, seen: &mut Seen) {
    let world = World::serving(&[("message-rate", "1/1")]);
    let (client, partner) = (typescript(&world, mode, &[]), world.client());
    let (chat, _) = meet(&client, &partner);
    // At once, so that no busy machine lets the second one become allowed meanwhile.
    let hello = json!({ "chat_id": chat.id, "message": "one" });
    let both = [(); 2].map(|()| client.start_call("send_message", hello.clone()));
    let [sent, told] = both.map(|pending| client.finish(&pending));
    ok(&sent);
    assert_eq!(error_code(&told), "rate_limited", "{told:#}");
    seen.insert("rate_limited".to_owned());
    let retry_after = told["structuredContent"]["error"]["retry_after_ms"].as_u64().unwrap();
    let_pass(std::time::Duration::from_millis(retry_after));
    chat.deliver("two");

    let world = World::serving(&[("message-rate", "off")]);
    let client = typescript(&world, mode, &["--autonomous", "off"]);
    let partner = world.client();
    let (chat, _) = meet(&client, &partner);
    partner.signal(Signal::STOP);
    let hello = json!({ "chat_id": chat.id, "message": "x".repeat(8_192) });
    let sent: Vec<_> = (0..32).map(|_| client.start_call("send_message", hello.clone())).collect();
    for pending in &sent {
        ok(&client.finish(pending));
    }
    refused(&client, seen, "window_full", "send_message", hello);

    let open = |number: i32| json!({ "topic": format!("topic {number}"), "new_chat": true });
    for number in 0..15 {
        enter(&client, open(number));
    }
    refused(&client, seen, "too_many", "enter_queue", open(15));
}

fn provoke_loss_of_the_session(mode: Mode, seen: &mut Seen) {
    let world = World::serving(&[]);
    let proxy = Proxy::between(world.directory().join("proxy.sock"), world.socket());
    let client = typescript(&world, mode, &["--socket", proxy.socket().to_str().unwrap()]);
    let (chat, _) = enter(&client, json!({}));
    let wait = chat.start_wait();
    proxy.interrupt(r#"{"error":{"code":"superseded","message":"a newer connection"}}"#);
    let result = client.finish(&wait);
    let result =
        if result["isError"] == true { result } else { chat.call("chat_status", json!({})) };
    assert_eq!(error_code(&result), "session_lost", "{result:#}");
    seen.insert("session_lost".to_owned());
}

fn provoke_relays_that_are_no_use(mode: Mode, seen: &mut Seen) {
    let world = World::empty(&[]);
    let client = typescript(&world, mode, &["--no-autostart"]);
    refused(&client, seen, "relay_unavailable", "enter_queue", json!({}));

    let line = r#"{"error":{"code":"version_mismatch","message":"this relay speaks version 9"}}"#;
    let proxy = Proxy::answering(world.directory().join("other.sock"), line);
    let client = typescript(&world, mode, &["--socket", proxy.socket().to_str().unwrap()]);
    refused(&client, seen, "version_mismatch", "enter_queue", json!({}));
}
