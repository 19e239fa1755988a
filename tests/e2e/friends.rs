//! Two friends have agreed on a topic, and come, go quiet and come back in every order.

use std::time::Duration;

use serde_json::json;
use tests::{
    World, enter, let_pass,
    result::{event_types, events, only_event},
};

/// A session counts as not listening after a second in which its client asked for nothing.
const QUIET_SOON: (&str, &str) = ("listening-for", "1s");
const QUIET: Duration = Duration::from_millis(1_500);

#[test]
fn the_first_has_gone_quiet_when_the_second_comes() {
    let world = World::serving(&[QUIET_SOON]);
    for topic in ["garden", "attic"] {
        let (alice, bob) = (world.client(), world.client());
        let (alice, _) = enter(&alice, json!({ "topic": topic, "display_name": "Alice" }));
        let_pass(QUIET);
        let (bob, entered) = enter(&bob, json!({ "topic": topic, "display_name": "Bob" }));
        let found = only_event(&entered, "chatroom.found");
        assert_eq!(
            found["partner"]["presence"], "not_listening",
            "nobody meets a ghost unannounced"
        );
        let back = alice.poll();
        let found = only_event(&back, "chatroom.found");
        assert_eq!(found["partner"]["display_name"], "Bob");
        alice.deliver("here I am");
        bob.leave();
    }
}

#[test]
fn the_first_waits_for_the_second_with_an_open_call() {
    let world = World::serving(&[QUIET_SOON]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, _) = enter(&alice, json!({ "topic": "garden" }));
    let wait = alice.start_wait();
    let_pass(QUIET);
    let (_bob, entered) = enter(&bob, json!({ "topic": "garden" }));
    let found = only_event(&entered, "chatroom.found");
    assert_eq!(found["partner"]["presence"], "listening");
    let told = alice.client.finish(&wait);
    only_event(&told["structuredContent"], "chatroom.found");
}

#[test]
fn a_client_that_takes_notifications_never_goes_quiet() {
    let world = World::serving(&[QUIET_SOON]);
    for connected in [
        world.shim().with_events_extension().connect(),
        world.shim().modern().with_events_extension().connect(),
    ] {
        let friend = world.client();
        let (_chat, _) = enter(&connected, json!({ "topic": "garden" }));
        let_pass(QUIET);
        let (friend, entered) = enter(&friend, json!({ "topic": "garden" }));
        let found = only_event(&entered, "chatroom.found");
        assert_eq!(found["partner"]["presence"], "listening");
        connected.expect_notification("chatroom.found");
        friend.leave();
    }
}

#[test]
fn both_have_gone_quiet_and_one_comes_back() {
    let world = World::serving(&[QUIET_SOON, ("match-wait", "2s")]);
    for first_comes_back in [true, false] {
        let (alice, bob) = (world.client(), world.client());
        let topic = format!("garden {first_comes_back}");
        let (alice, _) = enter(&alice, json!({ "topic": topic }));
        let (bob, _) = enter(&bob, json!({ "topic": topic }));
        only_event(&alice.wait(), "chatroom.found");
        // As recent partners they are not paired at once, so that both can go quiet.
        alice.next(json!({}));
        only_event(&bob.wait(), "partner.disconnected");
        bob.next(json!({}));
        let_pass(QUIET * 2);
        let status = world.status();
        assert_eq!(status["waiting"], 2, "two who do not listen are not matched: {status:#}");

        let (back, other) = if first_comes_back { (&alice, &bob) } else { (&bob, &alice) };
        let found = back.wait();
        let found = only_event(&found, "chatroom.found");
        assert_eq!(found["partner"]["presence"], "not_listening");
        only_event(&other.wait(), "chatroom.found");
        alice.leave();
        bob.leave();
    }
}

#[test]
fn one_has_left_before_the_other_comes_and_comes_again() {
    let world = World::serving(&[QUIET_SOON]);
    let clients = [(); 2].map(|()| world.client());
    let (alice, _) = enter(&clients[0], json!({ "topic": "garden" }));
    alice.leave();
    let (bob, waiting) = enter(&clients[1], json!({ "topic": "garden" }));
    assert_eq!(waiting["state"], "waiting");
    let_pass(QUIET);
    let (_alice, entered) = enter(&clients[0], json!({ "topic": "Garden" }));
    only_event(&entered, "chatroom.found");
    only_event(&bob.wait(), "chatroom.found");
}

#[test]
fn one_program_has_ended_before_the_other_comes() {
    let world = World::serving(&[QUIET_SOON]);
    let (gone, back, bob) = (world.client(), world.client(), world.client());
    enter(&gone, json!({ "topic": "garden" }));
    drop(gone);
    let (bob, waiting) = enter(&bob, json!({ "topic": "garden" }));
    assert_eq!(waiting["state"], "waiting", "nobody is paired with a connection that is down");
    let (_alice, entered) = enter(&back, json!({ "topic": "garden" }));
    only_event(&entered, "chatroom.found");
    only_event(&bob.wait(), "chatroom.found");
}

#[test]
fn on_the_open_topic_a_quiet_one_is_met_only_after_a_while() {
    let world = World::serving(&[QUIET_SOON, ("match-wait", "4s")]);
    let (quiet, awake) = (world.client(), world.client());
    let (quiet, _) = enter(&quiet, json!({}));
    let_pass(QUIET);
    let (awake, waiting) = enter(&awake, json!({}));
    assert_eq!(waiting["state"], "waiting");
    let queue =
        json!({ "topic": "open", "position": 2, "waiting": 2, "not_listening": 1, "own": 0 });
    assert_eq!(waiting["queue"], queue);
    let early = awake.ok("wait_for_events", json!({ "timeout_seconds": 1 }));
    assert!(events(&early).is_empty());

    let found = awake.wait();
    let found = only_event(&found, "chatroom.found");
    assert_eq!(found["partner"]["presence"], "not_listening");
    only_event(&quiet.wait(), "chatroom.found");
}

#[test]
fn on_the_open_topic_a_quiet_one_is_met_as_soon_as_it_is_back() {
    let world = World::serving(&[QUIET_SOON, ("match-wait", "10m")]);
    let (quiet, awake) = (world.client(), world.client());
    let (quiet, _) = enter(&quiet, json!({}));
    let_pass(QUIET);
    let (awake, waiting) = enter(&awake, json!({}));
    assert_eq!(waiting["state"], "waiting");
    let wait = awake.start_wait();
    only_event(&quiet.wait(), "chatroom.found");
    let found = awake.client.finish(&wait);
    only_event(&found["structuredContent"], "chatroom.found");
}

#[test]
fn who_never_listens_loses_the_place_and_can_take_another() {
    let world = World::serving(&[QUIET_SOON, ("queue-idle", "1s")]);
    let client = world.client();
    let (chat, _) = enter(&client, json!({ "topic": "garden" }));
    let params = client.expect_notification("queue.expired");
    assert_eq!(params["chat_id"], chat.id);
    let told = chat.poll();
    let expired = only_event(&told, "queue.expired");
    assert!(expired["reason"].is_string());
    assert_eq!(told["state"], "idle");
    assert_eq!(world.status()["waiting"], 0);
    let again = chat.ok("enter_queue", json!({}));
    assert_eq!((&again["state"], &again["queue"]["topic"]), (&json!("waiting"), &json!("garden")));
    assert_eq!(event_types(&again), [""; 0]);
}
