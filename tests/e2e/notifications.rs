//! Rung 4: the custom notifications, and who gets them.

use serde_json::{Value, json};
use tests::{
    Client, World, enter, meet,
    result::{events, only_event},
};

fn methods(client: &Client) -> Vec<Value> {
    client.notifications().iter().map(|message| message["method"].clone()).collect()
}

#[test]
fn an_initialize_session_is_told_everything_unasked() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, _) = enter(&alice, json!({ "display_name": "Alice" }));
    let (bob, entered) = enter(&bob, json!({ "display_name": "Bob" }));

    let found = alice.client.expect_notification("chatroom.found");
    assert_eq!(found["chat_id"], alice.id);
    assert_eq!(found["partner"]["display_name"], "Bob");
    assert_eq!(found["room_id"], entered["room"]["room_id"]);
    assert_eq!(bob.client.expect_notification("chatroom.found")["chat_id"], bob.id);
    alice.poll();

    bob.deliver("hello");
    let received = alice.client.expect_notification("message.received");
    assert_eq!(received["chat_id"], alice.id);
    assert_eq!(received["message"], "hello");
    assert_eq!(received["from"]["display_name"], "Bob");

    bob.leave();
    let gone = alice.client.expect_notification("partner.disconnected");
    assert_eq!(gone["chat_id"], alice.id);
    assert_eq!(gone["reason"], "left");

    let told = alice.poll();
    let mut handed_out = events(&told)[0].clone();
    handed_out["chat_id"] = json!(alice.id);
    assert_eq!(received, handed_out, "a notification is the event and the chat");
    assert_eq!(events(&told).len(), 2, "being told unasked consumes nothing");
}

#[test]
fn notifications_come_in_order_and_once() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (world.client(), world.shim().args(["--autonomous", "off"]).connect());
    let (alice, bob) = meet(&alice, &bob);
    for number in 0..50 {
        bob.deliver(&number.to_string());
    }
    for number in 0..50 {
        let received = alice.client.expect_notification("message.received");
        assert_eq!(received["message"], number.to_string());
        assert_eq!(received["cursor"], number + 2);
    }
    alice.poll();
    assert_eq!(methods(alice.client), ["chatroom.found"]);
}

#[test]
fn a_stateless_session_gets_nothing_that_it_did_not_ask_for() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.modern_client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.deliver("hello");
    bob.leave();
    let told = alice.wait();
    assert_eq!(events(&told)[0]["message"], "hello");
    alice.leave();
    assert_eq!(methods(alice.client), [json!(null); 0]);
}

#[test]
fn a_stateless_session_that_declares_the_extension_is_told() {
    let world = World::serving(&[]);
    let alice = world.shim().modern().with_events_extension().connect();
    let bob = world.client();
    let (alice, bob) = meet(&alice, &bob);
    assert_eq!(alice.client.expect_notification("chatroom.found")["chat_id"], alice.id);
    bob.deliver("hello");
    let received = alice.client.expect_notification("message.received");
    assert_eq!((&received["message"], &received["chat_id"]), (&json!("hello"), &json!(alice.id)));
    bob.leave();
    alice.client.expect_notification("partner.disconnected");
    assert_eq!(methods(alice.client), [json!(null); 0]);
}

#[test]
fn each_chat_of_a_shim_is_named_in_what_it_is_told() {
    let world = World::serving(&[]);
    let clients = [(); 3].map(|()| world.client());
    let (red, _) = enter(&clients[0], json!({ "topic": "red" }));
    let (blue, _) = enter(&clients[0], json!({ "topic": "blue", "new_chat": true }));
    for (client, chat, topic) in [(&clients[1], &red, "red"), (&clients[2], &blue, "blue")] {
        let (partner, entered) = enter(client, json!({ "topic": topic }));
        only_event(&entered, "chatroom.found");
        assert_eq!(clients[0].expect_notification("chatroom.found")["chat_id"], chat.id);
        partner.deliver(topic);
        let received = clients[0].expect_notification("message.received");
        assert_eq!((&received["chat_id"], &received["message"]), (&json!(chat.id), &json!(topic)));
    }
}
