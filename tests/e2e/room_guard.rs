//! A text meant for the last partner never reaches the next one.

use serde_json::json;
use tests::{
    Signal, World, enter, eventually, meet,
    result::{event_types, events, messages, only_event},
};

#[test]
fn without_a_room_id_a_message_goes_only_to_a_partner_that_was_announced() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, _) = enter(&alice, json!({ "display_name": "Alice" }));
    let (bob, _) = enter(&bob, json!({ "display_name": "Bob" }));
    let refused = alice.refused("room_changed", "send_message", json!({ "message": "hello?" }));
    let found = only_event(&refused, "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "Bob");
    assert!(events(&bob.poll()).is_empty(), "nothing was sent");
    alice.deliver("hello Bob");
    assert_eq!(messages(&bob.poll()), ["hello Bob"]);
}

#[test]
fn a_partner_that_came_meanwhile_gets_nothing_that_was_meant_for_the_last_one() {
    let world = World::serving(&[]);
    let clients = [(); 3].map(|()| world.client());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    let room_of_bob = alice.room_id();
    bob.leave();
    only_event(&alice.wait(), "partner.disconnected");
    assert_eq!(alice.next(json!({}))["state"], "waiting");
    let (carol, entered) = enter(&clients[2], json!({ "display_name": "Carol" }));
    only_event(&entered, "chatroom.found");

    let for_bob = json!({ "message": "dear Bob" });
    let refused = alice.refused("room_changed", "send_message", for_bob);
    let found = only_event(&refused, "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "Carol", "the refusal says who is there now");
    let for_bob = json!({ "message": "dear Bob", "room_id": room_of_bob });
    alice.refused("room_changed", "send_message", for_bob);
    assert!(events(&carol.poll()).is_empty());
}

#[test]
fn a_room_id_is_held_to_in_every_state() {
    let world = World::serving(&[]);
    let clients = [(); 3].map(|()| world.client());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    let room_id = alice.room_id();
    let letter = json!({ "message": "dear Bob", "room_id": room_id });
    assert_eq!(alice.ok("send_message", letter.clone())["delivery"], "delivered");
    assert_eq!(messages(&bob.poll()), ["dear Bob"]);
    let elsewhere = json!({ "message": "dear Bob", "room_id": "no such room" });
    alice.refused("room_changed", "send_message", elsewhere);

    bob.leave();
    only_event(&alice.wait(), "partner.disconnected");
    alice.refused("not_in_room", "send_message", json!({ "message": "Bob?" }));
    alice.next(json!({}));
    alice.refused("not_in_room", "send_message", json!({ "message": "anybody?" }));

    let (carol, entered) = enter(&clients[2], json!({ "display_name": "Carol" }));
    only_event(&entered, "chatroom.found");
    only_event(&alice.wait(), "chatroom.found");
    alice.refused("room_changed", "send_message", letter);
    assert!(events(&carol.poll()).is_empty());
    let to_carol = json!({ "message": "dear Carol", "room_id": alice.room_id() });
    alice.ok("send_message", to_carol);
    assert_eq!(messages(&carol.poll()), ["dear Carol"]);
}

#[test]
fn a_message_on_the_way_when_the_partner_changes_is_told_as_undelivered() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let stopped = bob.client;
    stopped.signal(Signal::STOP);
    let said = alice.say("do you hear me?");
    assert_eq!(said["delivery"], "pending");
    let left = alice.leave();
    assert_eq!(left["undelivered"], json!([said["message_id"]]));
    stopped.signal(Signal::CONT);
    eventually("Bob is told", || {
        event_types(&bob.poll()).contains(&"partner.disconnected").then_some(())
    });
}
