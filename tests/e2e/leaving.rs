//! `next_partner` and `leave_chat`, `block` and `report`.

use serde_json::json;
use tests::{
    World, enter, eventually, meet,
    result::{events, only_event},
};

#[test]
fn next_partner_tells_the_partner_and_rejoins_the_same_queue() {
    let world = World::serving(&[]);
    let clients = [(); 3].map(|()| world.client());
    let (alice, _) = enter(&clients[0], json!({ "topic": "garden" }));
    let (bob, _) = enter(&clients[1], json!({ "topic": "garden" }));
    only_event(&alice.wait(), "chatroom.found");
    let room_id = bob.room_id();

    let moved_on = alice.next(json!({}));
    assert_eq!(moved_on["state"], "waiting");
    assert_eq!(moved_on["queue"]["topic"], "garden");
    let told = bob.wait();
    let gone = only_event(&told, "partner.disconnected");
    assert_eq!((&gone["reason"], &gone["room_id"]), (&json!("left"), &json!(room_id)));
    assert_eq!(gone["undelivered"], json!([]));
    assert_eq!(told["state"], "idle");

    let (_, entered) = enter(&clients[2], json!({ "topic": "garden" }));
    let found = only_event(&entered, "chatroom.found");
    assert_ne!(found["room_id"], room_id, "a room id is never used again");
    only_event(&alice.wait(), "chatroom.found");
}

#[test]
fn a_partner_who_is_left_can_rejoin_with_either_tool() {
    let world = World::serving(&[]);
    let clients = [(); 4].map(|()| world.client());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    assert_eq!(alice.leave()["left"], "room");
    only_event(&bob.wait(), "partner.disconnected");
    let rejoined = bob.next(json!({}));
    assert_eq!(
        (&rejoined["state"], &rejoined["queue"]["topic"]),
        (&json!("waiting"), &json!("open"))
    );

    let (carol, _) = enter(&clients[2], json!({}));
    only_event(&bob.wait(), "chatroom.found");
    carol.leave();
    only_event(&bob.wait(), "partner.disconnected");
    let renamed = json!({ "topic": "elsewhere", "display_name": "Robert" });
    let rejoined = bob.ok("enter_queue", renamed);
    assert_eq!(rejoined["chat_id"], bob.id);
    assert_eq!(rejoined["queue"]["topic"], "elsewhere");
    let (_, entered) = enter(&clients[3], json!({ "topic": "elsewhere" }));
    let found = only_event(&entered, "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "Robert");
}

#[test]
fn leaving_says_what_was_left() {
    let world = World::serving(&[]);
    let clients = [(); 2].map(|()| world.client());
    let (waiting, _) = enter(&clients[0], json!({}));
    let left = waiting.leave();
    assert_eq!((&left["left"], &left["state"]), (&json!("queue"), &json!("ended")));

    let (alice, bob) = meet(&clients[0], &clients[1]);
    let left = alice.leave();
    assert_eq!((&left["left"], &left["state"]), (&json!("room"), &json!("ended")));
    assert_eq!(left["undelivered"], json!([]));
    only_event(&bob.wait(), "partner.disconnected");
    let left = bob.leave();
    assert_eq!((&left["left"], &left["state"]), (&json!("none"), &json!("ended")));
    let status = world.status();
    assert_eq!((&status["waiting"], &status["rooms"]), (&json!(0), &json!(0)));
}

#[test]
fn recent_partners_meet_again_only_when_nothing_better_came() {
    let world = World::serving(&[("match-wait", "1s")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    assert_eq!(alice.next(json!({}))["state"], "waiting");
    only_event(&bob.wait(), "partner.disconnected");
    assert_eq!(bob.next(json!({}))["state"], "waiting", "not at once");
    let again = bob.wait();
    assert_eq!(only_event(&again, "chatroom.found")["met_before"], true);
    assert_eq!(again["room"]["met_before"], true);
    only_event(&alice.wait(), "chatroom.found");
}

#[test]
fn who_is_blocked_is_not_met_again() {
    let world = World::serving(&[("match-wait", "1s")]);
    let clients = [(); 4].map(|()| world.client());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    // Who leaves without a word leaves the partner its place, which is before hers.
    alice.deliver("never again");
    bob.wait();
    let moved_on = alice.next(json!({ "block": true }));
    assert_eq!(moved_on["state"], "waiting");
    assert!(moved_on.to_string().contains("nobody is notified"), "{moved_on:#}");
    let told = bob.wait();
    let gone = only_event(&told, "partner.disconnected");
    assert_eq!(gone["reason"], "left", "a block looks like leaving");
    bob.next(json!({}));
    assert_eq!(world.status()["blocks"], 1);

    // Recent partners would meet again after a second.
    let wait = alice.start_wait();
    let waited = bob.ok("wait_for_events", json!({ "timeout_seconds": 3 }));
    assert!(events(&waited).is_empty(), "{waited:#}");
    let (carol, _) = enter(&clients[2], json!({ "display_name": "Carol" }));
    let met = alice.client.finish(&wait);
    let found = only_event(&met["structuredContent"], "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "Carol");
    let (dave, _) = enter(&clients[3], json!({}));
    only_event(&bob.wait(), "chatroom.found");
    assert_eq!(alice.room_id(), carol.room_id());
    assert_eq!(bob.room_id(), dave.room_id());
}

#[test]
fn the_last_partner_can_be_blocked_after_the_room_has_closed() {
    let world = World::serving(&[("match-wait", "1s"), ("grace", "1s")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.next(json!({}));
    only_event(&alice.wait(), "partner.disconnected");
    eventually("the relay has forgotten Alice, who is idle", || {
        (world.status()["sessions"] == 1).then_some(())
    });
    alice.next(json!({ "block": true, "report": "spam" }));
    let status = world.status();
    assert_eq!((&status["blocks"], &status["reports"]["spam"]), (&json!(1), &json!(1)));
    let wait = alice.start_wait();
    let waited = bob.ok("wait_for_events", json!({ "timeout_seconds": 3 }));
    assert!(events(&waited).is_empty(), "{waited:#}");
    alice.client.cancel(&wait);
}

#[test]
fn an_idle_chat_can_rejoin_after_the_relay_has_forgotten_it() {
    let world = World::serving(&[("grace", "1s"), ("match-wait", "1s")]);
    for tool in ["next_partner", "enter_queue"] {
        let (alice, bob) = (world.client(), world.client());
        let (alice, bob) = meet(&alice, &bob);
        bob.leave();
        only_event(&alice.wait(), "partner.disconnected");
        eventually("nobody is known any more", || (world.status()["sessions"] == 0).then_some(()));
        let rejoined = alice.ok(tool, json!({}));
        assert_eq!(
            (&rejoined["state"], &rejoined["chat_id"]),
            (&json!("waiting"), &json!(alice.id))
        );
        let carol = world.client();
        let (carol, _) = enter(&carol, json!({}));
        only_event(&alice.wait(), "chatroom.found");
        alice.deliver("a new beginning");
        carol.leave();
        alice.leave();
    }
}

#[test]
fn reports_are_counted_by_category() {
    let world = World::serving(&[]);
    for category in ["spam", "harassment", "injection", "other", "other"] {
        let (alice, bob) = (world.client(), world.client());
        let (alice, _bob) = meet(&alice, &bob);
        let left = alice.ok("leave_chat", json!({ "report": category }));
        assert_eq!(left["left"], "room");
    }
    let counts = json!({ "spam": 1, "harassment": 1, "injection": 1, "other": 2 });
    assert_eq!(world.status()["reports"], counts);
}
