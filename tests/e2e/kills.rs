//! The relay is killed, at any instant and again and again: nobody notices but by a pause.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use serde_json::json;
use tests::{
    Chat, Client, PATIENCE, Signal, World, enter, eventually, meet,
    proxy::{Fate, From, Proxy},
    result::{error_code, event_types, messages, ok, only_event, structured},
    signal,
};

use crate::talk::{HASTY, talk_while, talker};

#[test]
fn while_nobody_speaks() {
    let world = World::empty(&HASTY);
    let (alice, bob) = (world.client(), world.modern_client());
    let (alice, bob) = meet(&alice, &bob);
    let room_id = alice.room_id();
    bob.deliver("remember this");
    let wait = bob.start_wait();
    let killed = world.kill_relay();
    world.relay_after(killed);

    assert_eq!(messages(&alice.poll()), ["remember this"], "what was received before");
    alice.deliver("still there?");
    let heard = bob.client.finish(&wait);
    only_event(structured(&heard), "message.received");
    assert_eq!(messages(structured(&heard)), ["still there?"], "the wait goes on");
    bob.deliver("of course");
    let told = alice.poll();
    assert_eq!(event_types(&told), ["message.received"], "no word of the relay");
    assert_eq!((alice.room_id(), bob.room_id()), (room_id.clone(), room_id));
    let status = world.status();
    assert_eq!((&status["rooms"], &status["sessions"]), (&json!(1), &json!(2)));
    let counts = &alice.status()["receipts"];
    assert_eq!((&counts["sent"], &counts["delivered"]), (&json!(1), &json!(1)), "{counts}");
}

#[test]
fn while_both_send_and_the_end_is_orderly_or_not() {
    let world = World::empty(&HASTY);
    let (alice, bob) = (talker(&world), talker(&world));
    let (alice, bob) = meet(&alice, &bob);
    for signals in [&[Signal::KILL][..], &[Signal::TERM], &[Signal::TERM, Signal::TERM]] {
        talk_while(&alice, &bob, &[], || {
            let relay = world.relay_pid();
            for which in signals {
                // The second may find nobody.
                let _ = std::panic::catch_unwind(|| signal(relay, *which));
            }
            world.relay_after(relay);
        });
    }
}

#[test]
fn again_and_again() {
    let world = World::empty(&HASTY);
    let (alice, bob) = (talker(&world), talker(&world));
    let (alice, bob) = meet(&alice, &bob);
    let begun = std::time::Instant::now();
    let mut kills = 0;
    talk_while(&alice, &bob, &[], || {
        while kills < 50 && begun.elapsed() < PATIENCE / 2 {
            let killed = world.kill_relay();
            world.relay_after(killed);
            eventually("both are back", || {
                world.try_status().filter(|status| status["sessions"] == 2)
            });
            kills += 1;
        }
    });
    assert!(kills >= 3, "only {kills} relays could be killed");
    assert_eq!(world.relays().len(), 1);
}

#[test]
fn twice_within_the_grace_while_one_of_two_has_not_come_back() {
    let world = World::empty(&HASTY);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.signal(Signal::STOP);
    assert_eq!(alice.say("one")["delivery"], "pending");
    for _ in 0..2 {
        let killed = world.kill_relay();
        world.relay_after(killed);
        eventually("the room is there, half", || {
            world.try_status().filter(|status| status["rooms"] == 1)
        });
    }
    assert_eq!(alice.say("two")["delivery"], "pending");
    bob.client.signal(Signal::CONT);
    let heard = eventually("Bob has heard both", || {
        let repeated = bob.ok("wait_for_events", json!({ "after": 1, "timeout_seconds": 1 }));
        (messages(&repeated).len() >= 2).then_some(repeated)
    });
    assert_eq!(messages(&heard), ["one", "two"]);
    bob.deliver("both at once");
}

/// The relay is killed at the moment when this frame, and no other, has not gone on yet.
fn killing_at(
    world: &Arc<World>,
    name: &str,
    from: From,
    frame: &'static str,
) -> (Proxy, Arc<AtomicU32>) {
    let killed = Arc::new(AtomicU32::new(0));
    let (kills, of_world) = (Arc::clone(&killed), Arc::downgrade(world));
    let socket = world.directory().join(name);
    let proxy = Proxy::judging(socket, world.socket(), move |who, text| {
        if who != from || !text.starts_with(&format!("{{\"{frame}\":")) {
            return Fate::Passed;
        }
        let Some(world) = of_world.upgrade() else { return Fate::Passed };
        if kills.load(Ordering::SeqCst) != 0 {
            return Fate::Passed;
        }
        kills.store(world.kill_relay(), Ordering::SeqCst);
        Fate::CutAfter(0)
    });
    (proxy, killed)
}

fn through(world: &World, proxy: &Proxy) -> Client {
    world.shim().args(["--socket", proxy.socket().to_str().unwrap()]).connect()
}

#[test]
fn between_the_two_who_are_told_that_they_have_met() {
    for first_is_told in [true, false] {
        let world = Arc::new(World::empty(&HASTY));
        let starter = world.client();
        let (place, _) = enter(&starter, json!({ "topic": "elsewhere" }));
        let (proxy, killed) = killing_at(&world, "proxy.sock", From::Relay, "paired");
        let (told, untold) = (world.client(), through(&world, &proxy));
        let (first, second) = if first_is_told { (&told, &untold) } else { (&untold, &told) };
        let (first, _) = enter(first, json!({ "topic": "garden" }));
        let (second, entered) = enter(second, json!({ "topic": "garden" }));
        only_event(&first.wait(), "chatroom.found");
        if event_types(&entered).is_empty() {
            only_event(&second.wait(), "chatroom.found");
        }
        assert_ne!(killed.load(Ordering::SeqCst), 0, "the relay was killed");
        assert_eq!(first.room_id(), second.room_id());
        first.deliver("there you are");
        assert_eq!(event_types(&second.poll()), ["message.received"], "found once");
        second.deliver("and you");
        assert_eq!(event_types(&first.poll()), ["message.received"], "found once");
        assert_eq!(place.status()["state"], "waiting");
        assert_eq!(world.status()["rooms"], 1);
    }
}

#[test]
fn with_a_leave_or_its_answer_on_the_way() {
    for (from, frame) in [(From::Client, "leave"), (From::Relay, "left"), (From::Client, "next")] {
        let world = Arc::new(World::empty(&HASTY));
        let bob = world.client();
        let (bob, _) = enter(&bob, json!({}));
        let (proxy, killed) = killing_at(&world, "proxy.sock", from, frame);
        let alice = through(&world, &proxy);
        let (alice, _) = enter(&alice, json!({}));
        only_event(&bob.wait(), "chatroom.found");
        let left = if frame == "next" { alice.next(json!({})) } else { alice.leave() };
        assert_eq!(left["state"], if frame == "next" { "waiting" } else { "ended" });
        let told = bob.wait();
        assert_eq!(only_event(&told, "partner.disconnected")["reason"], "left", "{frame}");
        assert_eq!(told["state"], "idle");
        eventually("the relay is killed", || (killed.load(Ordering::SeqCst) != 0).then_some(()));
        // The last relay may have found nobody who needs it.
        eventually("the room is gone", || {
            world.try_status().is_none_or(|status| status["rooms"] == 0).then_some(())
        });
    }
}

#[test]
fn who_waits_keeps_the_place_and_is_matched() {
    let world = World::empty(&HASTY);
    let clients = [(); 3].map(|()| world.client());
    let (first, _) = enter(&clients[0], json!({ "topic": "garden" }));
    let wait = first.start_wait();
    let killed = world.kill_relay();
    world.relay_after(killed);
    eventually("it waits again", || world.try_status().filter(|status| status["waiting"] == 1));
    let (second, entered) = enter(&clients[1], json!({ "topic": "garden" }));
    let found = first.client.finish(&wait);
    only_event(structured(&found), "chatroom.found");
    if event_types(&entered).is_empty() {
        only_event(&second.wait(), "chatroom.found");
    }
    second.deliver("found you");
    assert_eq!(messages(&first.poll()), ["found you"]);
}

#[test]
fn calls_made_meanwhile_complete_when_it_is_back() {
    let world = World::serving(&HASTY);
    let patient = || world.shim().args(["--no-autostart"]).connect();
    let (alice, bob) = (patient(), patient());
    let (alice, bob) = meet(&alice, &bob);
    world.kill_relay();
    let wait = bob.start_wait();
    let arguments = json!({ "chat_id": alice.id, "message": "into the void" });
    let sending = alice.client.start_call("send_message", arguments);
    world.serve();
    assert_eq!(ok(&alice.client.finish(&sending))["delivery"], "delivered");
    let heard = bob.client.finish(&wait);
    assert_eq!(messages(ok(&heard)), ["into the void"]);
}

#[test]
fn calls_that_found_no_relay_say_what_was_kept_and_a_refused_message_was_not_sent() {
    let world = World::serving(&HASTY);
    let patient = || world.shim().args(["--no-autostart"]).connect();
    let (alice, bob) = (patient(), patient());
    let (alice, bob) = meet(&alice, &bob);
    bob.deliver("read me later");
    bob.client.signal(Signal::STOP);
    assert_eq!(alice.say("accepted")["delivery"], "pending");
    world.kill_relay();
    bob.client.signal(Signal::CONT);
    let refused = |chat: &Chat<'_>, tool: &str, mut arguments: serde_json::Value| {
        arguments["chat_id"] = chat.id.clone().into();
        (chat.client.start_call(tool, arguments), tool.to_owned())
    };
    let calls = [
        (&alice, refused(&alice, "send_message", json!({ "message": "refused" }))),
        (&bob, refused(&bob, "wait_for_events", json!({ "after": 1, "timeout_seconds": 20 }))),
    ];
    for (chat, (call, tool)) in calls {
        let result = chat.client.finish(&call);
        let told = structured(&result);
        // Bob may have had the message before the relay died.
        if tool == "wait_for_events" && messages(told) == ["accepted"] {
            continue;
        }
        assert_eq!(error_code(&result), "relay_unavailable", "{tool}");
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains("kept"), "{message}");
        assert!(!told["error"]["hint"].as_str().unwrap().is_empty());
        assert_eq!(told["state"], "chatting");
    }
    world.serve();
    eventually("Alice's shim has found the relay", || {
        let sent = alice.call("send_message", json!({ "message": "last" }));
        (sent["isError"] != true).then_some(())
    });
    let repeated = eventually("Bob hears the last", || {
        let arguments = json!({ "after": 1, "timeout_seconds": 1 });
        let heard = structured(&bob.call("wait_for_events", arguments)).clone();
        (messages(&heard).last() == Some(&"last")).then_some(heard)
    });
    assert_eq!(messages(&repeated), ["accepted", "last"], "the refused one was not sent");
    let repeated = alice.ok("wait_for_events", json!({ "after": 1, "timeout_seconds": 0 }));
    assert_eq!(messages(&repeated), ["read me later"]);
}
