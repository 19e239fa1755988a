//! Rung 2: waits that become tasks, for clients of 2026-07-28 that take them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{
    Client, Era, PATIENCE, Shim, Task, World, enter, eventually, let_pass,
    result::{events, messages, only_event, structured},
};

const EXTENSION: &str = "io.modelcontextprotocol/tasks";
const TASKS: usize = 64;

fn taker(world: &World) -> Client {
    world.shim().modern().with_tasks().connect()
}

fn of<'c>(client: &'c Client, id: &str) -> Task<'c> {
    Task { client, id: id.to_owned(), seed: Value::Null }
}

#[test]
fn it_ends_with_an_event() {
    let world = World::serving(&[]);
    let (alice, bob) = (taker(&world), taker(&world));
    assert!(alice.server()["capabilities"]["extensions"][EXTENSION].is_object());

    let (alice, _) = enter(&alice, json!({ "display_name": "Alice" }));
    let task = alice.task();
    assert_eq!(task.seed["status"], "working");
    assert_eq!(task.seed["pollIntervalMs"], 1_000);
    assert!(task.seed["ttlMs"].is_null());
    assert_eq!(task.seed["statusMessage"], "waiting for a partner");
    assert!(task.seed["createdAt"].as_str().is_some_and(|at| at.contains('T')));
    assert_eq!(task.get()["status"], "working");

    let (bob, entered) = enter(&bob, json!({ "display_name": "Bob" }));
    only_event(&entered, "chatroom.found");
    let found = task.result();
    assert_eq!(only_event(&found, "chatroom.found")["partner"]["display_name"], "Bob");
    assert_eq!(found["state"], "chatting");

    let (hers, his) = (alice.task(), bob.task());
    alice.deliver("hello");
    assert_eq!(messages(&his.result()), ["hello"]);
    assert_eq!(hers.get()["status"], "working");
    bob.leave();
    assert_eq!(only_event(&hers.result(), "partner.disconnected")["reason"], "left");
    for client in [alice.client, bob.client] {
        assert!(client.notifications().is_empty(), "nobody asked for any");
    }
}

#[test]
fn what_it_brings_is_the_same_each_time() {
    let world = World::serving(&[]);
    let (alice, bob) = (taker(&world), world.client());
    let (alice, bob) = meet_by_task(&alice, &bob);
    let task = alice.task();
    bob.deliver("one");
    assert_eq!(messages(&task.result()), ["one"]);
    let first = task.get();
    assert_eq!(first["result"]["structuredContent"]["events"][0]["message"], "one");
    bob.deliver("two");
    assert_eq!(task.get(), first);
    assert_eq!(messages(&alice.poll()), ["two"]);
    alice.leave();
    assert_eq!(task.get(), first);
}

/// Alice, who takes tasks, and Bob meet; both have been told.
fn meet_by_task<'c>(alice: &'c Client, bob: &'c Client) -> (tests::Chat<'c>, tests::Chat<'c>) {
    let (alice, _) = enter(alice, json!({ "display_name": "Alice" }));
    let (bob, entered) = enter(bob, json!({ "display_name": "Bob" }));
    only_event(&entered, "chatroom.found");
    eventually("Alice is told", || (!events(&alice.poll()).is_empty()).then_some(()));
    (alice, bob)
}

#[test]
fn it_leaves_out_what_another_result_has_taken() {
    let world = World::serving(&[]);
    let (alice, bob) = (taker(&world), world.client());
    let (alice, bob) = meet_by_task(&alice, &bob);
    let task = alice.task();
    bob.deliver("hello");
    assert_eq!(messages(&alice.say("hello yourself")), ["hello"]);
    let result = task.result();
    assert!(events(&result).is_empty(), "{result:#}");
    assert_eq!(result["state"], "chatting");
}

#[test]
fn two_for_one_chat_share_what_happens() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (taker(&world), world.shim().args(["--autonomous", "off"]).connect());
    let (alice, bob) = meet_by_task(&alice, &bob);
    for round in 0..20 {
        let tasks = [alice.task(), alice.task()];
        let text = format!("round {round}");
        bob.deliver(&text);
        let results = tasks.map(|task| task.result());
        let seen: Vec<&str> = results.iter().flat_map(messages).collect();
        assert_eq!(seen, [text]);
    }
}

#[test]
fn those_of_several_chats_are_apart() {
    let world = World::serving(&[]);
    let clients = [taker(&world), world.client(), world.client()];
    let (red, _) = enter(&clients[0], json!({ "topic": "red" }));
    let (blue, _) = enter(&clients[0], json!({ "topic": "blue", "new_chat": true }));
    let tasks = [red.task(), blue.task()];
    let (_bob, _) = enter(&clients[1], json!({ "topic": "blue" }));
    assert_eq!(tasks[1].result()["chat_id"], blue.id);
    assert_eq!(tasks[0].get()["status"], "working");
    let (_carol, _) = enter(&clients[2], json!({ "topic": "red" }));
    assert_eq!(tasks[0].result()["chat_id"], red.id);
}

#[test]
fn without_patience_or_reason_to_wait_there_is_none() {
    let world = World::serving(&[]);
    let (alice, bob) = (taker(&world), world.client());
    let (alice, bob) = meet_by_task(&alice, &bob);
    assert!(events(&alice.poll()).is_empty());
    bob.deliver("hello");
    assert_eq!(messages(&alice.wait()), ["hello"]);
    let refused = alice.refused("invalid_argument", "wait_for_events", json!({ "after": 99 }));
    assert!(refused["error"]["hint"].is_string());
    let task = alice.task();
    bob.leave();
    only_event(&task.result(), "partner.disconnected");
    assert_eq!(alice.wait()["state"], "idle");
}

#[test]
fn only_a_stateless_request_that_declares_tasks_is_answered_with_one() {
    let world = World::serving(&[]);
    let wait_is_a_result = |client: Shim| {
        let client = client.connect();
        let (chat, _) = enter(&client, json!({ "topic": "nobody else" }));
        let waited = chat.ok("wait_for_events", json!({ "timeout_seconds": 1 }));
        assert!(events(&waited).is_empty());
        let advice = waited["next"].to_string();
        assert!(!advice.contains("wakes you"), "{advice}");
        client
    };
    let modern = wait_is_a_result(world.shim().modern());
    let error = of(&modern, "0").ask("tasks/get").unwrap_err();
    assert_eq!(error["code"], -32_021, "{error}");

    for version in ["2025-11-25", "2025-06-18"] {
        let older = world.shim().era(Era::Initialize(version)).with_tasks();
        let older = wait_is_a_result(older);
        let extensions = &older.server()["capabilities"]["extensions"];
        assert!(extensions.get(EXTENSION).is_none(), "{extensions:#}");
        let error = of(&older, "0").ask("tasks/get").unwrap_err();
        assert_eq!(error["code"], -32_601, "{error}");
        // Also if it claims the other version within the session.
        let (chat, _) = enter(&older, json!({ "topic": "elsewhere", "new_chat": true }));
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "two-faced", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": { "extensions": { EXTENSION: {} } },
        });
        let arguments = json!({ "chat_id": chat.id, "timeout_seconds": 1 });
        let params = json!({ "name": "wait_for_events", "arguments": arguments, "_meta": meta });
        let waited = older.request("tools/call", params).unwrap();
        assert_eq!(structured(&waited)["state"], "waiting", "{waited:#}");
    }
}

#[test]
fn cancelled_it_consumes_nothing_however_often() {
    let world = World::serving(&[]);
    let (alice, bob) = (taker(&world), world.client());
    let (alice, bob) = meet_by_task(&alice, &bob);
    let task = alice.task();
    for _ in 0..2 {
        assert_eq!(task.cancel(), Ok(json!({ "resultType": "complete" })));
        assert_eq!(task.get()["status"], "cancelled");
    }
    bob.deliver("for whoever asks");
    assert_eq!(task.get()["status"], "cancelled");
    assert_eq!(messages(&alice.poll()), ["for whoever asks"]);
}

#[test]
fn an_unknown_one_is_an_invalid_parameter() {
    let world = World::serving(&[]);
    let alice = taker(&world);
    let (alice, _) = enter(&alice, json!({}));
    let task = alice.task();
    assert_eq!(task.ask("tasks/update"), Ok(json!({ "resultType": "complete" })));
    assert_eq!(task.get()["status"], "working", "nobody asked for input");
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let error = of(alice.client, "no such task").ask(method).unwrap_err();
        assert_eq!(error["code"], -32_602, "{method}: {error}");
    }
}

#[test]
fn there_are_at_most_sixty_four() {
    let world = World::serving(&[]);
    let (alice, bob) = (taker(&world), world.client());
    let (alice, bob) = meet_by_task(&alice, &bob);
    let tasks: Vec<Task<'_>> = (0..TASKS).map(|_| alice.task()).collect();
    let waited = alice.call("wait_for_events", json!({ "timeout_seconds": 1 }));
    assert!(events(structured(&waited)).is_empty(), "it waits as it would without tasks");
    bob.deliver("to all of you");
    assert_eq!(messages(&alice.poll()), ["to all of you"]);
    let another = alice.task();
    assert_eq!(tasks[0].ask("tasks/get").unwrap_err()["code"], -32_602, "it has given way");
    assert_eq!(another.get()["status"], "working");
    assert_eq!(tasks[1].get()["status"], "completed");
}

#[test]
fn it_ends_with_its_chat() {
    let world = World::serving(&[]);
    let (alice, bob) = (taker(&world), world.client());
    let (alice, bob) = meet_by_task(&alice, &bob);
    let task = alice.task();
    alice.leave();
    only_event(&bob.wait(), "partner.disconnected");
    let ended = task.result();
    assert_eq!(ended["state"], "ended");
    assert!(events(&ended).is_empty());
}

#[test]
fn whoever_looks_at_it_is_listening() {
    let world = World::serving(&[("listening-for", "1s")]);
    let (alice, bob) = (world.client(), taker(&world));
    let (bob, alice) = meet_by_task(&bob, &alice);
    let presence = || alice.status()["room"]["partner"]["presence"].clone();
    let task = bob.task();
    eventually("Bob is seen to listen", || (presence() == "listening").then_some(()));
    let_pass(Duration::from_secs(3));
    assert_eq!(presence(), "listening");
    task.cancel().unwrap();
    eventually("Bob is seen to be quiet", || (presence() == "not_listening").then_some(()));
}

#[test]
fn the_end_of_stdin_is_the_end_with_tasks_too() {
    let world = World::serving(&[]);
    let (alice, bob) = (taker(&world), world.client());
    let (alice, bob) = meet_by_task(&alice, &bob);
    let _tasks = [alice.task(), alice.task()];
    let begun = Instant::now();
    alice.client.close_stdin();
    assert!(alice.client.wait_exit(PATIENCE).success());
    assert!(begun.elapsed() < Duration::from_millis(1_500), "only after {:?}", begun.elapsed());
    assert_eq!(only_event(&bob.wait(), "partner.disconnected")["reason"], "left");
}

#[test]
fn it_outlives_the_relay() {
    let world = World::empty(&[]);
    let (alice, bob) = (taker(&world), world.client());
    let (alice, bob) = meet_by_task(&alice, &bob);
    let task = alice.task();
    let killed = world.kill_relay();
    world.relay_after(killed);
    bob.say("still here");
    assert_eq!(messages(&task.result()), ["still here"]);
}

#[test]
fn nothing_is_lost_or_doubled_when_a_look_at_it_is_cancelled() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (taker(&world), world.shim().args(["--autonomous", "off"]).connect());
    let (alice, bob) = meet_by_task(&alice, &bob);
    for round in 0..100 {
        let task = alice.task();
        let text = format!("round {round}");
        bob.deliver(&text);
        let look = alice.client.start_request("tasks/get", json!({ "taskId": task.id }));
        alice.client.cancel(&look);
        let polled = alice.poll();
        let in_time = alice.client.answer_so_far(&look).map(Result::unwrap);
        let brought = in_time.as_ref().and_then(|state| state.get("result"));
        let mut seen = brought.map_or(vec![], |result| messages(structured(result)));
        seen.extend(messages(&polled));
        assert_eq!(seen, [text]);
    }
}
