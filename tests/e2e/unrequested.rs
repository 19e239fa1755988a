//! A client of 2026-07-28 gets what it has asked for, and nothing else, whatever happens.

use serde_json::{Value, json};
use tests::{
    Client, PATIENCE, Signal, World, enter, eventually,
    result::{event_types, only_event},
};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
const TIMES: [(&str, &str); 4] =
    [("keep-alive", "1s"), ("away-after", "1s"), ("listening-for", "1s"), ("queue-idle", "2s")];

/// Everything that a client can look at.
fn look_around(client: &Client) {
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
        client.request(method, json!({})).unwrap();
    }
    client.request("prompts/get", json!({ "name": "chat" })).unwrap();
    // Whether there is one depends on when.
    let _ = client.request("resources/read", json!({ "uri": "chat://current" }));
    client.call("chat_status", json!({}));
    // These are of the other era.
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        client.request(method, json!({ "uri": "chat://current" })).unwrap_err();
    }
}

/// Brings a chat into every state there is, and `check`s its client in each.
fn every_state(world: &World, client: &Client, check: impl Fn(&Client)) {
    look_around(client);
    check(client);
    let (chat, _) = enter(client, json!({ "topic": "garden" }));
    look_around(client);
    check(client);
    eventually("nobody listens for so long that the place expires", || {
        let told = client.request("resources/read", json!({ "uri": "chat://current" })).unwrap();
        told.to_string().contains("queue.expired").then_some(())
    });
    only_event(&chat.poll(), "queue.expired");
    check(client);

    chat.ok("enter_queue", json!({}));
    let waiting = chat.start_wait();
    let bob = world.client();
    let (bob, _) = enter(&bob, json!({ "topic": "garden" }));
    only_event(&client.finish(&waiting)["structuredContent"], "chatroom.found");
    check(client);
    bob.deliver("one");
    look_around(client);
    chat.deliver("two");
    check(client);
    bob.client.signal(Signal::STOP);
    only_event(&chat.wait(), "partner.away");
    check(client);
    bob.client.signal(Signal::CONT);
    only_event(&chat.wait(), "partner.back");
    check(client);
    let cancelled = chat.start_wait();
    client.cancel(&cancelled);
    bob.deliver("three");
    assert_eq!(event_types(&chat.wait()), ["message.received"]);
    let relay = world.kill_relay();
    world.relay_after(relay);
    bob.deliver("four");
    assert_eq!(event_types(&chat.wait()), ["message.received"]);
    check(client);
    bob.leave();
    only_event(&chat.wait(), "partner.disconnected");
    look_around(client);
    check(client);
    chat.next(json!({}));
    chat.leave();
    look_around(client);
    check(client);
}

#[test]
fn without_asking_it_is_told_nothing() {
    let world = World::empty(&TIMES);
    let client = world.modern_client();
    every_state(&world, &client, |client| {
        assert_eq!(client.notifications(), [json!(null); 0]);
        assert_eq!(client.unaddressed_errors(), 0);
    });
    client.close_stdin();
    assert!(client.wait_exit(PATIENCE).success());
    assert_eq!(client.notifications(), [json!(null); 0]);
}

#[test]
fn with_streams_it_is_told_only_on_them() {
    let world = World::empty(&TIMES);
    let client = world.modern_client();
    let filters = [
        json!({ "resourceSubscriptions": ["chat://current"] }),
        json!({ "resourcesListChanged": true }),
        json!({}),
    ];
    let streams = filters.map(|filter| {
        let params = json!({ "notifications": filter });
        let stream = client.start_request("subscriptions/listen", params);
        let acknowledged = client.expect_notification("notifications/subscriptions/acknowledged");
        assert_eq!(acknowledged["notifications"], filter);
        (stream, acknowledged["_meta"][SUBSCRIPTION].clone())
    });
    let allowed = |told: &Value| {
        let stream = &told["params"]["_meta"][SUBSCRIPTION];
        match told["method"].as_str().unwrap() {
            "notifications/resources/updated" => {
                *stream == streams[0].1 && told["params"]["uri"] == "chat://current"
            }
            "notifications/resources/list_changed" => *stream == streams[1].1,
            _ => false,
        }
    };
    every_state(&world, &client, |client| {
        for told in client.notifications() {
            assert!(allowed(&told), "unrequested: {told:#}");
        }
    });
    client.expect_notification("notifications/resources/updated");
    client.expect_notification("notifications/resources/list_changed");
    for (stream, _) in &streams {
        client.cancel(stream);
    }
}

#[test]
fn with_a_token_it_is_told_of_the_progress_of_that_call() {
    let world = World::serving(&[]);
    let client = world.modern_client();
    let (chat, _) = enter(&client, json!({}));
    let arguments = json!({ "chat_id": chat.id, "timeout_seconds": 11 });
    let _silent = client.start_call("wait_for_events", arguments.clone());
    let wait = client.start_call_with_progress("wait_for_events", arguments, "mine");
    client.finish(&wait);
    let told = client.notifications();
    assert!(!told.is_empty());
    for message in &told {
        assert_eq!(message["method"], "notifications/progress", "{message:#}");
        assert_eq!(message["params"]["progressToken"], "mine");
    }
}
