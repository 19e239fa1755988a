//! `wait_for_events`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{
    World, enter, meet,
    result::{event_types, events, messages, only_event, structured},
};

#[test]
fn a_wait_ends_the_moment_a_message_arrives() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let wait = alice.start_wait();
    let asked = Instant::now();
    bob.deliver("hello");
    let result = alice.client.finish(&wait);
    assert!(asked.elapsed() < Duration::from_secs(5), "it was {:?}", asked.elapsed());

    let received = only_event(structured(&result), "message.received").clone();
    assert_eq!(received["message"], "hello");
    assert_eq!(received["author"], "assistant");
    assert_eq!(received["from"]["display_name"], "Bob");
    assert_eq!(received["room_id"], alice.room_id());
    assert!(received["message_id"].is_string());
    assert!(received["sent_at"].as_str().is_some_and(|at| at.contains('T')));
}

#[test]
fn a_wait_ends_empty_at_its_time_limit() {
    let world = World::serving(&[]);
    let client = world.client();
    let (chat, _) = enter(&client, json!({}));
    let begun = Instant::now();
    let waited = chat.ok("wait_for_events", json!({ "timeout_seconds": 1 }));
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(events(&waited).is_empty());
    assert_eq!(waited["state"], "waiting");
    assert_eq!(waited["more"], false);
}

#[test]
fn after_three_waits_for_nothing_the_model_is_told_something_else() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let wait = || alice.ok("wait_for_events", json!({ "timeout_seconds": 1 }))["next"].clone();
    let first = wait();
    assert_eq!(first, wait());
    let third = wait();
    assert_ne!(first, third, "go on is no advice for ever");
    bob.deliver("still here");
    assert_eq!(messages(&alice.poll()), ["still here"]);
    assert_eq!(wait(), first, "something has happened in between");
}

#[test]
fn a_wait_for_an_idle_chat_ends_at_once() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.leave();
    only_event(&alice.wait(), "partner.disconnected");
    let begun = Instant::now();
    let waited = alice.ok("wait_for_events", json!({ "timeout_seconds": 20 }));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(waited["state"], "idle");
    assert!(events(&waited).is_empty());
}

#[test]
fn a_wait_ends_when_its_chat_is_left() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, _bob) = meet(&alice, &bob);
    let wait = alice.start_wait();
    let begun = Instant::now();
    alice.leave();
    let ended = alice.client.finish(&wait);
    assert!(begun.elapsed() < Duration::from_secs(5), "it was {:?}", begun.elapsed());
    let ended = structured(&ended);
    assert!(ended["state"] == "ended" || ended["error"]["code"] == "unknown_chat", "{ended:#}");
}

#[test]
fn a_wait_goes_on_with_the_next_partner() {
    let world = World::serving(&[]);
    let clients = [(); 3].map(|()| world.client());
    let (alice, _bob) = meet(&clients[0], &clients[1]);
    let wait = alice.start_wait();
    alice.next(json!({}));
    let (_carol, _) = enter(&clients[2], json!({ "display_name": "Carol" }));
    let found = alice.client.finish(&wait);
    let found = only_event(structured(&found), "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "Carol");
}

#[test]
fn a_cancelled_wait_consumes_nothing() {
    let world = World::serving(&[]);
    for alice in [world.client(), world.modern_client()] {
        let bob = world.client();
        let (alice, bob) = meet(&alice, &bob);
        let wait = alice.start_wait();
        alice.client.cancel(&wait);
        // Requests are read in order: once this one is answered, the cancellation is known.
        alice.client.call("chat_status", json!({}));
        bob.deliver("for whoever asks");
        assert_eq!(messages(&alice.poll()), ["for whoever asks"]);
        assert!(alice.client.answer_so_far(&wait).is_none(), "a cancelled call was answered");
        alice.leave();
        bob.leave();
    }
}

#[test]
fn nothing_is_lost_or_doubled_when_a_cancellation_meets_a_message() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (world.client(), world.shim().args(["--autonomous", "off"]).connect());
    let (alice, bob) = meet(&alice, &bob);
    for round in 0..100 {
        let text = format!("round {round}");
        let wait = alice.start_wait();
        let send =
            bob.client.start_call("send_message", json!({ "chat_id": bob.id, "message": text }));
        alice.client.cancel(&wait);
        bob.client.finish(&send);
        let polled = alice.poll();
        let in_time = alice.client.answer_so_far(&wait).map(Result::unwrap);
        let mut seen = in_time.as_ref().map_or(vec![], |result| messages(structured(result)));
        seen.extend(messages(&polled));
        assert_eq!(seen, [text]);
    }
}

#[test]
fn two_waits_at_once_never_hand_out_the_same_event() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let mut waits = vec![alice.start_wait(), alice.start_wait()];
    bob.deliver("one");
    let first = alice.client.finish_first(&mut waits);
    assert_eq!(messages(structured(&first)), ["one"]);
    bob.deliver("two");
    let second = alice.client.finish_first(&mut waits);
    assert_eq!(messages(structured(&second)), ["two"]);
    assert!(events(&alice.poll()).is_empty());
}

#[test]
fn many_askers_at_once_share_a_flood_without_loss_or_repetition() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (world.client(), world.shim().args(["--autonomous", "off"]).connect());
    let (alice, bob) = meet(&alice, &bob);
    let texts: Vec<String> = (0..60).map(|number| format!("message {number}")).collect();
    let mut seen = Vec::new();
    for texts in texts.chunks(10) {
        let waits = [(); 5].map(|()| alice.start_wait());
        texts.iter().for_each(|text| bob.deliver(text));
        waits.iter().for_each(|wait| alice.client.cancel(wait));
        seen.extend(messages(&alice.poll()).into_iter().map(str::to_owned));
        // A wait that was answered before it was cancelled counts as well.
        let in_time = waits.iter().filter_map(|wait| alice.client.answer_so_far(wait));
        seen.extend(in_time.flat_map(|result| texts_of(&result.unwrap())));
    }
    seen.sort_unstable();
    let mut sent = texts;
    sent.sort_unstable();
    assert_eq!(seen, sent);
}

fn texts_of(result: &Value) -> Vec<String> {
    messages(structured(result)).into_iter().map(str::to_owned).collect()
}

#[test]
fn progress_is_told_to_who_asked_for_it_and_to_nobody_else() {
    let world = World::serving(&[]);
    let (curious, other) = (world.client(), world.modern_client());
    let (chat, _) = enter(&curious, json!({ "topic": "slow" }));
    let (other_chat, _) = enter(&other, json!({ "topic": "slower" }));
    let arguments = |chat_id: &str| json!({ "chat_id": chat_id, "timeout_seconds": 21 });
    let wait = curious.start_call_with_progress("wait_for_events", arguments(&chat.id), "token");
    let other_wait = other.start_call("wait_for_events", arguments(&other_chat.id));
    assert!(event_types(structured(&curious.finish(&wait))).is_empty());
    other.finish(&other_wait);

    let told = curious.notifications();
    assert!(told.len() >= 2, "a progress every 10 s: {told:#?}");
    let mut last = 0.0;
    for progress in told {
        assert_eq!(progress["method"], "notifications/progress");
        assert_eq!(progress["params"]["progressToken"], "token");
        let value = progress["params"]["progress"].as_f64().unwrap();
        assert!(value > last, "progress does not increase: {progress:#}");
        last = value;
        assert!(progress["params"]["message"].as_str().is_some_and(|text| !text.is_empty()));
    }
    assert_eq!(other.notifications(), [json!(null); 0]);
}
