//! How two sessions come together.

use serde_json::json;
use tests::{
    World, enter,
    result::{events, only_event},
};

#[test]
fn one_waits_alone_and_then_a_second_comes() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());

    let (alice, waiting) = enter(&alice, json!({ "display_name": "Alice" }));
    assert_eq!(waiting["state"], "waiting");
    let alone =
        json!({ "topic": "open", "position": 1, "waiting": 1, "not_listening": 0, "own": 0 });
    assert_eq!(waiting["queue"], alone);
    assert!(events(&waiting).is_empty());
    let next = waiting["next"].as_str().unwrap();
    assert!(next.contains("this computer") && next.contains("mcp-shim demo --join"), "{next}");

    let wait = alice.start_wait();
    let (bob, entered) = enter(&bob, json!({ "display_name": "Bob" }));
    let told = alice.client.finish(&wait)["structuredContent"].clone();

    for (told, partner) in [(&told, "Bob"), (&entered, "Alice")] {
        assert_eq!(told["state"], "chatting");
        let found = only_event(told, "chatroom.found");
        assert_eq!(found["topic"], "open");
        assert_eq!(found["met_before"], false);
        assert_eq!(found["partner"]["display_name"], partner);
        assert_eq!(found["partner"]["presence"], "listening");
        assert_eq!(told["room"]["room_id"], found["room_id"]);
        assert_eq!(told["room"]["topic"], "open");
        assert_eq!(told["room"]["met_before"], false);
        assert_eq!(told["room"]["partner"]["display_name"], partner);
        assert_eq!(told["room"]["partner"]["presence"], "listening");
        assert!(told["room"]["partner"]["seconds_since_seen"].is_i64());
    }
    assert_eq!(told["events"][0]["room_id"], entered["events"][0]["room_id"]);
    assert_eq!(alice.room_id(), bob.room_id());
}

#[test]
fn a_session_without_a_name_is_a_stranger_and_a_shim_can_be_given_one() {
    let world = World::serving(&[]);
    let (nameless, named) = (world.client(), world.shim().args(["--name", "Zoë"]).connect());
    let (nameless, _) = enter(&nameless, json!({}));
    let (_, entered) = enter(&named, json!({ "display_name": null }));
    let stranger = &only_event(&entered, "chatroom.found")["partner"];
    assert_eq!(stranger["display_name"], "Stranger");
    let found = nameless.wait();
    assert_eq!(only_event(&found, "chatroom.found")["partner"]["display_name"], "Zoë");
}

#[test]
fn the_first_two_of_three_are_paired_and_the_third_with_the_next_to_come() {
    let world = World::serving(&[]);
    let clients = [(); 4].map(|()| world.client());
    let (first, _) = enter(&clients[0], json!({ "display_name": "First" }));
    let (second, entered) = enter(&clients[1], json!({ "display_name": "Second" }));
    only_event(&entered, "chatroom.found");

    let (third, waiting) = enter(&clients[2], json!({ "display_name": "Third" }));
    assert_eq!(waiting["state"], "waiting");
    assert_eq!(waiting["queue"]["position"], 1);
    assert_eq!(waiting["queue"]["waiting"], 1);

    let (fourth, entered) = enter(&clients[3], json!({ "display_name": "Fourth" }));
    let found = only_event(&entered, "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "Third");
    assert_eq!(first.room_id(), second.room_id());
    assert_eq!(third.room_id(), fourth.room_id());
    assert_ne!(first.room_id(), third.room_id());
}

#[test]
fn who_waits_longest_is_met_first() {
    let world = World::serving(&[]);
    let clients = [(); 3].map(|()| world.client());
    // The two behind one shim cannot meet each other, so both wait.
    let (first, _) = enter(&clients[0], json!({ "display_name": "First" }));
    let (_, waiting) = enter(&clients[0], json!({ "display_name": "Second", "new_chat": true }));
    assert_eq!(waiting["queue"]["own"], 1);

    let (_, entered) = enter(&clients[1], json!({}));
    let found = only_event(&entered, "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "First");
    only_event(&first.wait(), "chatroom.found");
    let (_, entered) = enter(&clients[2], json!({}));
    let found = only_event(&entered, "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "Second");
}

#[test]
fn topics_are_the_same_whatever_their_case_and_others_never_meet() {
    let world = World::serving(&[]);
    let clients = [(); 4].map(|()| world.client());
    let (cats, _) = enter(&clients[0], json!({ "topic": "Straße der Katzen" }));
    let (dogs, waiting) = enter(&clients[1], json!({ "topic": "dogs" }));
    assert_eq!(waiting["queue"]["topic"], "dogs");
    assert_eq!(waiting["queue"]["position"], 1, "a position is that of the topic");
    let (open, waiting) = enter(&clients[2], json!({}));
    assert_eq!(waiting["queue"]["waiting"], 1);

    let (also_cats, entered) = enter(&clients[3], json!({ "topic": "STRASSE DER KATZEN" }));
    let found = only_event(&entered, "chatroom.found");
    assert_eq!(found["topic"], "STRASSE DER KATZEN", "as its own user wrote it");
    let found = cats.wait();
    assert_eq!(only_event(&found, "chatroom.found")["topic"], "Straße der Katzen");
    assert_eq!(cats.room_id(), also_cats.room_id());
    for alone in [dogs, open] {
        let poll = alone.poll();
        assert_eq!(poll["state"], "waiting");
        assert!(events(&poll).is_empty());
    }
}

#[test]
fn clients_of_both_eras_meet_each_other() {
    let world = World::serving(&[]);
    let clients = [(); 2].map(|()| [world.client(), world.modern_client()]);
    for (index, alice) in clients[0].iter().enumerate() {
        for (other, bob) in clients[1].iter().enumerate() {
            let topic = format!("pairing {index} {other}");
            let (alice, _) = enter(alice, json!({ "topic": topic }));
            let (bob, entered) = enter(bob, json!({ "topic": topic }));
            only_event(&entered, "chatroom.found");
            only_event(&alice.wait(), "chatroom.found");
            alice.deliver("hello");
            only_event(&bob.wait(), "message.received");
            bob.deliver("and hello");
            only_event(&alice.wait(), "message.received");
            alice.leave();
            bob.leave();
        }
    }
}
