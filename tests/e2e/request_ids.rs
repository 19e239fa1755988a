//! Requests that share an id: the client could not tell their answers apart.

use serde_json::{Value, json};
use tests::{World, meet, result::messages};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

#[test]
fn of_two_requests_with_one_id_neither_takes_anything() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let twice = |tool: &str, arguments: Value| {
        let params = json!({ "name": tool, "arguments": arguments });
        let line =
            json!({ "jsonrpc": "2.0", "id": 9_000, "method": "tools/call", "params": params });
        alice.write_line(&line.to_string());
        alice.write_line(&line.to_string());
        alice.answer(&alice.asked(9_000)).unwrap_err();
    };
    twice("enter_queue", json!({ "topic": "twins" }));
    let (hers, his) = meet(&alice, &bob);
    twice("wait_for_events", json!({ "chat_id": hers.id }));
    his.deliver("one");
    his.deliver("two");
    let heard = hers.poll();
    let words: Vec<&Value> =
        heard["events"].as_array().unwrap().iter().map(|event| &event["message"]).collect();
    assert_eq!(words, ["one", "two"]);
    assert!(heard.get("other_chats").is_none(), "nobody was told of another chat: {heard:#}");
}

#[test]
fn a_request_with_the_id_of_a_waiting_call_costs_no_event() {
    let reading = json!({ "uri": "chat://current" });
    for (method, params) in [
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/read", reading),
        ("ping", json!({})),
    ] {
        let world = World::serving(&[]);
        let (alice, bob) = (world.client(), world.client());
        let (alice, bob) = meet(&alice, &bob);
        for in_one_write in [true, false] {
            let wait = json!({
                "jsonrpc": "2.0", "id": 9_000, "method": "tools/call",
                "params": { "name": "wait_for_events", "arguments": { "chat_id": alice.id } },
            });
            let other =
                json!({ "jsonrpc": "2.0", "id": 9_000, "method": method, "params": params });
            if in_one_write {
                alice.client.write_line(&format!("{wait}\n{other}"));
            } else {
                alice.client.write_line(&wait.to_string());
                alice.client.write_line(&other.to_string());
            }
            alice.client.answer(&alice.client.asked(9_000)).unwrap_err();
            bob.deliver("still there");
            let heard = alice.poll();
            assert_eq!(messages(&heard), ["still there"], "{method}");
        }
    }
}

#[test]
fn a_stream_whose_id_is_used_again_can_still_be_ended() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.modern_client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let filter = json!({ "resourceSubscriptions": ["chat://current"] });
    let stream =
        alice.client.start_request("subscriptions/listen", json!({ "notifications": filter }));
    alice.client.expect_notification("notifications/subscriptions/acknowledged");
    bob.deliver("one");
    alice.client.expect_notification("notifications/resources/updated");
    let again = json!({ "jsonrpc": "2.0", "id": stream.id(), "method": "ping", "params": {} });
    alice.client.write_line(&again.to_string());
    alice.client.cancel(&stream);
    let other =
        alice.client.start_request("subscriptions/listen", json!({ "notifications": filter }));
    let of_stream = |message: &Value| message["_meta"][SUBSCRIPTION].clone();
    let acknowledged = alice.client.expect_notification("notifications/subscriptions/acknowledged");
    assert_eq!(of_stream(&acknowledged), other.id());
    // What was on its way before the stream was ended has come.
    while !alice.client.notifications().is_empty() {
        alice.client.expect_notification("notifications/resources/updated");
    }
    // The two streams were told at the same pace: when one has its update, the other would, too.
    for words in ["two", "three"] {
        bob.deliver(words);
        let updated = alice.client.expect_notification("notifications/resources/updated");
        assert_eq!(of_stream(&updated), other.id(), "nothing follows a stream that has ended");
    }
}
