//! Rung 3: who follows a resource is told that it has changed, in both eras, and nobody else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{
    Chat, Client, PATIENCE, Pending, World, enter, eventually, let_pass, meet,
    result::{messages, only_event},
};

const CURRENT: &str = "chat://current";
const UPDATED: &str = "notifications/resources/updated";
const LIST_CHANGED: &str = "notifications/resources/list_changed";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
const UPDATES_EVERY: Duration = Duration::from_millis(250);
const LISTENS: usize = 64;

/// Begins to listen; returns what was acknowledged, and the id of the stream.
fn listen(client: &Client, filter: &Value) -> (Pending, Value, Value) {
    let params = json!({ "notifications": filter });
    let stream = client.start_request("subscriptions/listen", params);
    let acknowledged = client.expect_notification("notifications/subscriptions/acknowledged");
    let id = acknowledged["_meta"][SUBSCRIPTION].clone();
    assert!(!id.is_null(), "{acknowledged:#}");
    (stream, acknowledged["notifications"].clone(), id)
}

fn follow(client: &Client, uri: &str) -> (Pending, Value) {
    let filter = json!({ "resourceSubscriptions": [uri] });
    let (stream, acknowledged, id) = listen(client, &filter);
    assert_eq!(acknowledged, filter);
    (stream, id)
}

fn subscribe(client: &Client, uri: &str) {
    client.request("resources/subscribe", json!({ "uri": uri })).unwrap();
}

fn spoken(client: &Client, uri: &str) -> Vec<String> {
    let result = client.request("resources/read", json!({ "uri": uri })).unwrap();
    let text = result["contents"][0]["text"].as_str().unwrap();
    let reading: Value = serde_json::from_str(text).unwrap();
    let entries = reading["entries"].as_array().unwrap().iter();
    entries.filter_map(|entry| Some(entry["message"].as_str()?.to_owned())).collect()
}

fn told(client: &Client, method: &str) -> Vec<Value> {
    let all = client.notifications().into_iter();
    all.filter(|message| message["method"] == method).collect()
}

/// Takes updates of a resource until it reads so; returns how many there were.
fn updates_until(client: &Client, uri: &str, read_as: impl Fn(&[String]) -> bool) -> u32 {
    let mut updates = 0;
    loop {
        let updated = client.expect_notification(UPDATED);
        assert_eq!(updated["uri"], uri);
        updates += 1;
        if read_as(&spoken(client, uri)) {
            return updates;
        }
    }
}

/// Everything that was still under way is told, and counted.
fn assert_quiet(client: &Client, method: &str) {
    let_pass(UPDATES_EVERY * 3);
    client.call("chat_status", json!({}));
    assert_eq!(told(client, method), [json!(null); 0]);
}

#[test]
fn a_burst_is_told_a_few_times_and_its_last_message_always() {
    let world = World::serving(&[("message-rate", "off")]);
    for alice in [world.client(), world.modern_client()] {
        let bob = world.shim().args(["--autonomous", "off"]).connect();
        let (alice, bob) = meet(&alice, &bob);
        match alice.client.server().get("protocolVersion") {
            Some(_) => subscribe(alice.client, CURRENT),
            None => drop(follow(alice.client, CURRENT)),
        }
        let begun = Instant::now();
        for number in 0..50 {
            bob.deliver(&number.to_string());
        }
        let took = begun.elapsed();
        let_pass(UPDATES_EVERY * 3);
        assert_eq!(spoken(alice.client, CURRENT).len(), 50);
        let updates = told(alice.client, UPDATED).len() as u128;
        let most = took.as_millis() / UPDATES_EVERY.as_millis() + 2;
        assert!((2..=most).contains(&updates), "{updates} updates in {took:?}");
        assert_eq!(messages(&alice.poll())[0], "0", "to be told hands out nothing");
        alice.leave();
        bob.leave();
    }
}

#[test]
fn a_session_is_told_of_what_it_subscribed_to_until_it_unsubscribes() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let uri = format!("chat://{}", alice.id);
    subscribe(alice.client, &uri);
    subscribe(alice.client, &uri);
    bob.deliver("one");
    assert_eq!(updates_until(alice.client, &uri, |read| read == ["one"]), 1);
    assert_quiet(alice.client, UPDATED);

    alice.deliver("my own");
    updates_until(alice.client, &uri, |read| read == ["one", "my own"]);
    for _ in 0..2 {
        alice.client.request("resources/unsubscribe", json!({ "uri": uri })).unwrap();
    }
    bob.deliver("two");
    assert_quiet(alice.client, UPDATED);
    for unknown in ["chat://zzzzzzzz", "chat://", "file:///", "chat://current?"] {
        let params = json!({ "uri": unknown });
        let error = alice.client.request("resources/subscribe", params.clone()).unwrap_err();
        assert_eq!((&error["code"], &error["data"]), (&json!(-32_002), &params));
        alice.client.request("resources/unsubscribe", params).unwrap();
    }
}

#[test]
fn only_what_is_there_is_acknowledged() {
    let world = World::serving(&[]);
    let client = world.modern_client();
    let (_, acknowledged, _) = listen(&client, &json!({}));
    assert_eq!(acknowledged, json!({}), "for nothing");
    let unknown = ["chat://zzzzzzzz", "chat://", "chat://{chat_id}", "file:///etc/passwd"];
    let (_, acknowledged, _) = listen(&client, &json!({ "resourceSubscriptions": unknown }));
    assert_eq!(acknowledged, json!({}), "for nothing that is there");

    let (chat, _) = enter(&client, json!({}));
    let uri = format!("chat://{}", chat.id);
    let everything = json!({
        "toolsListChanged": true,
        "promptsListChanged": true,
        "resourcesListChanged": true,
        "resourceSubscriptions": [unknown[0], uri, unknown[1], CURRENT],
    });
    let (_, acknowledged, _) = listen(&client, &everything);
    let expected = json!({ "resourcesListChanged": true, "resourceSubscriptions": [uri, CURRENT] });
    assert_eq!(acknowledged, expected);
    chat.leave();
    let (_, acknowledged, _) = listen(&client, &json!({ "resourceSubscriptions": [uri] }));
    assert_eq!(acknowledged, json!({}), "its chat is over");
}

#[test]
fn each_stream_is_told_until_it_is_cancelled() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.modern_client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let (first, first_id) = follow(alice.client, CURRENT);
    let (_second, second_id) = follow(alice.client, CURRENT);
    assert_ne!(first_id, second_id);
    let ids = || {
        let updates = [(); 2].map(|()| alice.client.expect_notification(UPDATED));
        updates.map(|updated| updated["_meta"][SUBSCRIPTION].clone())
    };
    bob.deliver("to both");
    let both = ids();
    assert!(both.contains(&first_id) && both.contains(&second_id), "{both:?}");
    alice.client.cancel(&first);
    alice.poll();
    bob.deliver("to one");
    let updated = alice.client.expect_notification(UPDATED);
    assert_eq!(updated["_meta"][SUBSCRIPTION], second_id);
    assert_quiet(alice.client, UPDATED);
    assert!(alice.client.answer_so_far(&first).is_none(), "a cancelled request has no answer");
}

#[test]
fn the_end_of_a_chat_is_told_and_so_is_a_list_that_was_asked_for() {
    let world = World::serving(&[]);
    let modern = world.modern_client();
    let (_stream, acknowledged, _) = listen(&modern, &json!({ "resourcesListChanged": true }));
    assert_eq!(acknowledged, json!({ "resourcesListChanged": true }));
    let initialized = world.client();
    initialized.request("resources/list", json!({})).unwrap();
    for client in [&modern, &initialized] {
        let (chat, _) = enter(client, json!({ "topic": "red" }));
        client.expect_notification(LIST_CHANGED);
        let uri = format!("chat://{}", chat.id);
        let stream =
            (client.server().get("protocolVersion").is_none()).then(|| follow(client, &uri).0);
        if stream.is_none() {
            subscribe(client, &uri);
        }
        let bob = world.client();
        enter(&bob, json!({ "topic": "red" }));
        client.expect_notification(UPDATED);
        only_event(&chat.wait(), "chatroom.found");
        assert_quiet(client, LIST_CHANGED);
        chat.leave();
        client.expect_notification(LIST_CHANGED);
        assert_eq!(client.expect_notification(UPDATED)["uri"], uri);
        client.request("resources/read", json!({ "uri": uri })).unwrap_err();
        if let Some(stream) = stream {
            assert!(client.answer_so_far(&stream).is_none(), "the stream is the client's to end");
        }
    }
    let unasking = world.client();
    let (chat, _) = enter(&unasking, json!({ "topic": "red" }));
    chat.leave();
    assert_quiet(&unasking, LIST_CHANGED);
}

#[test]
fn the_current_chat_can_be_followed_before_it_is_there() {
    let world = World::serving(&[]);
    for client in [world.client(), world.modern_client()] {
        match client.server().get("protocolVersion") {
            Some(_) => subscribe(&client, CURRENT),
            None => drop(follow(&client, CURRENT)),
        }
        let (red, _) = enter(&client, json!({ "topic": "red" }));
        updates_until(&client, CURRENT, |_| true);
        let (_blue, _) = enter(&client, json!({ "topic": "blue", "new_chat": true }));
        client.expect_notification(UPDATED);
        red.leave();
        eventually("the other one is the current one", || {
            client.expect_notification(UPDATED);
            client.request("resources/read", json!({ "uri": CURRENT })).ok()
        });
    }
}

#[test]
fn there_can_only_be_so_many_streams() {
    let world = World::serving(&[]);
    let client = world.modern_client();
    let mut streams: Vec<Pending> = (0..LISTENS).map(|_| follow(&client, CURRENT).0).collect();
    let filter = json!({ "resourceSubscriptions": [CURRENT] });
    let (refused, acknowledged, _) = listen(&client, &filter);
    assert_eq!(acknowledged, json!({}));
    let error = client.answer(&refused).unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("64"), "{error}");
    client.cancel(&streams.pop().unwrap());
    eventually("there is room for another one", || {
        (listen(&client, &filter).1 == filter).then_some(())
    });
}

#[test]
fn whoever_follows_a_resource_does_not_listen() {
    let world = World::serving(&[("listening-for", "1s")]);
    let sessions = [world.client(), world.modern_client()];
    for bob in &sessions {
        let alice = world.client();
        let (alice, bob) = meet(&alice, bob);
        match bob.client.server().get("protocolVersion") {
            Some(_) => subscribe(bob.client, CURRENT),
            None => drop(follow(bob.client, CURRENT)),
        }
        eventually("Bob is seen to be quiet", || {
            let partner = &alice.status()["room"]["partner"]["presence"];
            (partner == "not_listening").then_some(())
        });
        bob.leave();
    }
}

#[test]
fn the_end_of_stdin_ends_every_stream() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.modern_client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let (stream, _) = follow(alice.client, CURRENT);
    let (idle, _, _) = listen(alice.client, &json!({}));
    let wait = alice.start_wait();
    let begun = Instant::now();
    alice.client.close_stdin();
    assert!(alice.client.wait_exit(PATIENCE).success());
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "gone only after {took:?}");
    told_that_alice_left(&bob);
    alice.client.answer(&stream).unwrap();
    alice.client.answer(&idle).unwrap();
    assert_eq!(alice.client.finish(&wait)["structuredContent"]["state"], "ended");
}

fn told_that_alice_left(bob: &Chat<'_>) {
    assert_eq!(only_event(&bob.wait(), "partner.disconnected")["reason"], "left");
}
