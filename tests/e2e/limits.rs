//! What is refused, and that a refusal costs nothing but a refusal.

use serde_json::{Value, json};
use tests::{
    Signal, World, enter, eventually, let_pass, meet,
    result::{error_code, event_types, messages, ok, only_event, structured},
};

const MESSAGE_BYTES: usize = 8 * 1024;
const MESSAGE_LINES: usize = 200;

#[test]
fn an_empty_message_is_refused() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    for nothing in ["", " ", "\n\n \t\n"] {
        alice.refused("message_empty", "send_message", json!({ "message": nothing }));
    }
    alice.refused("message_unprintable", "send_message", json!({ "message": "\u{7}\u{1b}" }));
    alice.deliver("something");
    assert_eq!(messages(&bob.poll()), ["something"]);
}

#[test]
fn the_longest_message_arrives_whole_and_a_longer_one_is_refused() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    // Two bytes a character: it is bytes that count.
    let longest = "é".repeat(MESSAGE_BYTES / 2);
    let most_lines = vec!["line"; MESSAGE_LINES].join("\n");
    for text in [&longest, &most_lines] {
        alice.deliver(text);
        assert_eq!(messages(&bob.poll()), [text]);
    }
    let too_long = [format!("{longest}."), format!("{most_lines}\nline"), "x".repeat(1_000_000)];
    for text in too_long {
        let refused = alice.refused("message_too_long", "send_message", json!({ "message": text }));
        let error = refused["error"].to_string();
        assert!(error.contains("8192") && error.contains("200"), "it tells the limits: {error}");
    }
    alice.deliver("short");
    assert_eq!(messages(&bob.poll()), ["short"]);
}

#[test]
fn a_relay_can_allow_shorter_messages_only() {
    let world = World::serving(&[("message-bytes", "10"), ("message-lines", "2")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    for too_long in ["eleven left", "a\nb\nc"] {
        let message = json!({ "message": too_long });
        let error = alice.refused("message_too_long", "send_message", message)["error"].to_string();
        assert!(error.contains("10") && error.contains('2'), "it tells the limits: {error}");
    }
    for text in ["ten letter", "a\nb"] {
        alice.deliver(text);
        assert_eq!(messages(&bob.poll()), [text]);
    }
}

#[test]
fn a_relay_can_allow_fewer_messages_on_the_way() {
    let window = [("window-messages", "2"), ("window-bytes", "9000")];
    for (count, text) in [(2, "short"), (1, &*"x".repeat(MESSAGE_BYTES))] {
        let world = World::serving(&window);
        let (alice, bob) = (world.client(), world.client());
        let (alice, bob) = meet(&alice, &bob);
        bob.client.signal(Signal::STOP);
        send_at_once(&alice, count, text);
        let refused = json!({ "message": "x".repeat(1000) });
        alice.refused("window_full", "send_message", refused);
        bob.client.signal(Signal::CONT);
        eventually("all are delivered", || {
            (alice.status()["receipts"]["delivered"] == count).then_some(())
        });
    }
}

#[test]
fn after_a_number_of_messages_of_its_own_a_model_has_to_ask_its_user() {
    let world = World::serving(&[]);
    let alice = world.shim().args(["--autonomous", "3"]).connect();
    let bob = world.client();
    let (alice, bob) = meet(&alice, &bob);
    let assistant = |text: &str| alice.call("send_message", json!({ "message": text }));
    for text in ["one", "two", "three"] {
        ok(&assistant(text));
    }
    assert_eq!(error_code(&assistant("four")), "ask_user");
    assert_eq!(error_code(&assistant("four again")), "ask_user");
    alice.ok("send_message", json!({ "message": "from my user", "author": "user" }));
    ok(&assistant("five"));
    assert_eq!(messages(&bob.poll()), ["one", "two", "three", "from my user", "five"]);
}

#[test]
fn twenty_is_the_number_unless_told_otherwise() {
    let world = World::serving(&[("message-rate", "off")]);
    let (bounded, unbounded) =
        (world.client(), world.shim().args(["--autonomous", "off"]).connect());
    let (bounded, unbounded) = meet(&bounded, &unbounded);
    for number in 0..20 {
        bounded.deliver(&number.to_string());
        unbounded.deliver(&number.to_string());
    }
    bounded.refused("ask_user", "send_message", json!({ "message": "one more" }));
    unbounded.deliver("one more");
}

#[test]
fn too_fast_is_refused_with_the_time_to_wait_and_nothing_is_lost() {
    let world = World::serving(&[("message-rate", "3/1")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let mut accepted = Vec::new();
    let refused = loop {
        let text = format!("message {}", accepted.len());
        let result = alice.call("send_message", json!({ "message": text, "author": "user" }));
        if result["isError"] == true {
            break result;
        }
        accepted.push(text);
        assert!(accepted.len() < 20, "nothing limits");
    };
    assert!(accepted.len() >= 3, "the burst is 3: {accepted:?}");
    assert_eq!(error_code(&refused), "rate_limited");
    let_pass(retry_after(&refused, 1_000));
    alice.deliver("in time");
    accepted.push("in time".to_owned());
    assert_eq!(messages(&bob.poll()), accepted);
}

#[test]
fn too_many_partners_in_a_row_are_refused_and_the_room_is_kept() {
    let world = World::serving(&[("next-rate", "1/6")]);
    let clients = [(); 3].map(|()| world.client());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    alice.next(json!({}));
    only_event(&bob.wait(), "partner.disconnected");
    let (_carol, _) = enter(&clients[2], json!({}));
    only_event(&alice.wait(), "chatroom.found");
    let refused = alice.call("next_partner", json!({}));
    assert_eq!(error_code(&refused), "rate_limited");
    assert!(!retry_after(&refused, 10_000).is_zero());
    assert_eq!(structured(&refused)["state"], "chatting");
    alice.deliver("so we stay together");
}

fn retry_after(refused: &Value, at_most: u64) -> std::time::Duration {
    let retry_after = structured(refused)["error"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=at_most).contains(&retry_after), "{retry_after} ms");
    std::time::Duration::from_millis(retry_after)
}

#[test]
fn a_hundred_messages_can_be_on_the_way_and_not_one_more() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (world.shim().args(["--autonomous", "off"]).connect(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.signal(Signal::STOP);
    send_at_once(&alice, 100, "short");
    alice.refused("window_full", "send_message", json!({ "message": "one too many" }));
    bob.client.signal(Signal::CONT);
    eventually("all are delivered", || {
        (alice.status()["receipts"]["delivered"] == 100).then_some(())
    });
    let received: usize = (0..5).map(|_| messages(&bob.poll()).len()).sum();
    assert_eq!(received, 100);
    alice.deliver("and one more");
    assert_eq!(messages(&bob.poll()), ["and one more"]);
}

#[test]
fn so_can_256_kib_and_not_one_byte_more() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (world.shim().args(["--autonomous", "off"]).connect(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.signal(Signal::STOP);
    send_at_once(&alice, 32, &"x".repeat(MESSAGE_BYTES));
    alice.refused("window_full", "send_message", json!({ "message": "x" }));
    bob.client.signal(Signal::CONT);
    eventually("all are delivered", || {
        (alice.status()["receipts"]["delivered"] == 32).then_some(())
    });
    alice.deliver("x");
    assert!(event_types(&bob.poll()).iter().all(|event| *event == "message.received"));
}

fn send_at_once(chat: &tests::Chat<'_>, count: usize, text: &str) {
    let send = || {
        let arguments = json!({ "chat_id": chat.id, "message": text });
        chat.client.start_call("send_message", arguments)
    };
    let sent: Vec<_> = (0..count).map(|_| send()).collect();
    for pending in &sent {
        let result = chat.client.finish(pending);
        assert_eq!(ok(&result)["delivery"], "pending");
    }
}

#[test]
fn a_relay_serves_so_many_connections_of_an_account_and_says_so() {
    let world = World::serving(&[("max-connections-per-user", "2")]);
    let clients = [(); 3].map(|()| world.client());
    enter(&clients[0], json!({ "topic": "red" }));
    enter(&clients[1], json!({ "topic": "blue" }));
    let refused = clients[2].call("enter_queue", json!({ "topic": "green" }));
    assert_eq!(error_code(&refused), "too_many");
    let hint = structured(&refused)["error"]["hint"].to_string();
    assert!(hint.contains("leave a chat in another app"), "{hint}");
    let status = clients[2].call("chat_status", json!({}));
    assert_eq!(structured(&status).get("other_chats"), None, "a failed attempt leaves no chat");
}
