//! The relay is killed: everybody is told, and the tools recover by themselves.

use serde_json::json;
use tests::{
    World, enter, eventually, meet,
    result::{event_types, events_of_type, messages, ok, only_event},
};

#[test]
fn a_lost_relay_ends_the_chat_and_the_next_one_is_found_by_the_same_tools() {
    let world = World::empty(&[("pairing-delay", "100ms"), ("match-wait", "100ms")]);
    let (alice, bob) = (world.client(), world.modern_client());
    let (alice, bob) = meet(&alice, &bob);
    let room_id = alice.room_id();
    let wait = alice.start_wait();
    world.kill_relay();

    let told = alice.client.finish(&wait);
    for told in [ok(&told), &bob.wait()] {
        let gone = only_event(told, "partner.disconnected");
        assert_eq!(gone["reason"], "relay_lost");
        assert_eq!(gone["room_id"], room_id);
        assert_eq!(told["state"], "idle");
    }
    let notified = alice.client.expect_notification("partner.disconnected");
    assert_eq!(notified["reason"], "relay_lost");

    assert_eq!(alice.ok("enter_queue", json!({}))["state"], "waiting");
    let again = bob.next(json!({}));
    let found = events_of_type(&again, "chatroom.found").pop().cloned();
    let found = found.unwrap_or_else(|| only_event(&bob.wait(), "chatroom.found").clone());
    assert_ne!(found["room_id"], room_id);
    only_event(&alice.wait(), "chatroom.found");
    alice.deliver("that was short");
    assert_eq!(messages(&bob.poll()), ["that was short"]);
    assert_eq!(world.relays().len(), 1);
}

#[test]
fn a_waiting_chat_goes_on_waiting_and_is_matched() {
    let world = World::empty(&[("pairing-delay", "100ms")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, _) = enter(&alice, json!({ "display_name": "Alice", "topic": "garden" }));
    let wait = alice.start_wait();
    world.kill_relay();
    let (bob, entered) = enter(&bob, json!({ "display_name": "Bob", "topic": "garden" }));
    let result = alice.client.finish(&wait);
    let found = only_event(ok(&result), "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "Bob");
    if event_types(&entered).is_empty() {
        only_event(&bob.wait(), "chatroom.found");
    }
    bob.deliver("found you");
    assert_eq!(messages(&alice.poll()), ["found you"]);
}

#[test]
fn what_was_received_before_is_still_read_after() {
    let world = World::empty(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.deliver("remember this");
    world.kill_relay();
    alice.client.expect_notification("partner.disconnected");
    let told = alice.poll();
    assert_eq!(event_types(&told), ["message.received", "partner.disconnected"]);
    assert_eq!(messages(&told), ["remember this"]);
    alice.refused("not_in_room", "send_message", json!({ "message": "hello?" }));
    assert_eq!(alice.leave()["left"], "none");
}

#[test]
fn again_and_again() {
    let world = World::empty(&[("pairing-delay", "100ms"), ("match-wait", "100ms")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    for round in 0..5 {
        world.kill_relay();
        for chat in [&alice, &bob] {
            let told = chat.wait();
            assert_eq!(event_types(&told).last(), Some(&"partner.disconnected"), "{told:#}");
        }
        alice.ok("enter_queue", json!({}));
        bob.ok("enter_queue", json!({}));
        for chat in [&alice, &bob] {
            eventually("they are together again", || {
                (chat.poll()["state"] == "chatting").then_some(())
            });
        }
        let text = format!("round {round}");
        alice.deliver(&text);
        assert_eq!(messages(&bob.poll()), [text]);
    }
}
