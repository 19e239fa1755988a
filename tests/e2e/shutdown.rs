//! However a client goes, its shim goes with it at once, and the partner is told.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{
    BINARIES, Chat, Client, PATIENCE, Signal, World, enter, meet, result::only_event, within,
};

/// A second, and what a busy machine may add to it.
const AT_ONCE: Duration = Duration::from_millis(1_500);

fn assert_gone_at_once(client: &Client, goodbye: impl FnOnce(&Client)) {
    let begun = Instant::now();
    goodbye(client);
    let status = client.wait_exit(PATIENCE);
    assert!(begun.elapsed() < AT_ONCE, "gone only after {:?}", begun.elapsed());
    assert!(status.success(), "it ended with {status}: {}", client.stderr());
}

fn assert_told(partner: &Chat<'_>) {
    let told = partner.wait();
    assert_eq!(only_event(&told, "partner.disconnected")["reason"], "left");
}

#[test]
fn the_end_of_stdin_is_the_end() {
    let world = World::serving(&[]);
    for alice in [world.client(), world.modern_client()] {
        let bob = world.client();
        let (alice, bob) = meet(&alice, &bob);
        assert_gone_at_once(alice.client, Client::close_stdin);
        assert_told(&bob);
        bob.leave();
    }
    let status = world.status();
    assert_eq!((&status["connections"], &status["rooms"]), (&json!(1), &json!(0)));
}

#[test]
fn also_while_a_wait_is_open() {
    let world = World::serving(&[]);
    for alice in [world.client(), world.modern_client()] {
        let bob = world.client();
        let (alice, bob) = meet(&alice, &bob);
        let _wait = alice.start_wait();
        alice.client.call("chat_status", json!({}));
        assert_gone_at_once(alice.client, Client::close_stdin);
        assert_told(&bob);
        bob.leave();
    }
}

#[test]
fn so_are_the_signals() {
    let world = World::serving(&[]);
    for signal in [Signal::TERM, Signal::INT] {
        let (alice, bob) = (world.client(), world.client());
        let (alice, bob) = meet(&alice, &bob);
        let _wait = alice.start_wait();
        assert_gone_at_once(alice.client, |client| client.signal(signal));
        assert_told(&bob);
        bob.leave();
    }
}

#[test]
fn every_chat_is_left_and_every_place_given_up() {
    let world = World::serving(&[]);
    let clients = [(); 3].map(|()| world.client());
    let (_, _) = enter(&clients[0], json!({ "topic": "red" }));
    let (_, _) = enter(&clients[0], json!({ "topic": "blue", "new_chat": true }));
    let (_, _) = enter(&clients[0], json!({ "topic": "alone", "new_chat": true }));
    let (red, _) = enter(&clients[1], json!({ "topic": "red" }));
    let (blue, _) = enter(&clients[2], json!({ "topic": "blue" }));
    assert_gone_at_once(&clients[0], Client::close_stdin);
    assert_told(&red);
    assert_told(&blue);
    let status = world.status();
    assert_eq!((&status["waiting"], &status["rooms"]), (&json!(0), &json!(0)), "{status:#}");
}

#[test]
fn before_the_first_call_and_before_the_greeting_too() {
    let world = World::empty(&[]);
    for client in [world.client(), world.modern_client()] {
        assert_gone_at_once(&client, Client::close_stdin);
    }
    let mut child = world
        .command(&BINARIES.shim)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    within(PATIENCE, "the end of a shim that nobody greeted", || child.try_wait().unwrap());
    assert!(world.relays().is_empty());
}

#[test]
fn a_message_on_its_way_is_not_lost_by_ending() {
    let world = World::serving(&[]);
    for _ in 0..20 {
        let (alice, bob) = (world.client(), world.client());
        let (alice, bob) = meet(&alice, &bob);
        let arguments = json!({ "chat_id": alice.id, "message": "goodbye" });
        let _unanswered = alice.client.start_call("send_message", arguments);
        alice.client.close_stdin();
        let heard = bob.client.expect_notification("message.received");
        assert_eq!(heard["message"], "goodbye");
        bob.client.expect_notification("partner.disconnected");
    }
}

#[test]
fn a_closed_stdout_is_the_end_too() {
    let world = World::serving(&[]);
    let bob = world.client();
    let mut alice = world
        .command(&BINARIES.shim)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = alice.stdin.take().unwrap();
    let mut stdout = BufReader::new(alice.stdout.take().unwrap());
    let mut request = |id: i32, method: &str, params: Value| -> Value {
        writeln!(
            stdin,
            "{}",
            json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
        )
        .unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    };
    let greeting = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "short-lived", "version": "1" },
    });
    request(1, "initialize", greeting);
    request(2, "tools/call", json!({ "name": "enter_queue", "arguments": {} }));
    drop(stdout);

    let begun = Instant::now();
    within(PATIENCE, "the end of the shim", || alice.try_wait().unwrap());
    assert!(begun.elapsed() < Duration::from_secs(2), "gone only after {:?}", begun.elapsed());
    let (_, entered) = enter(&bob, json!({}));
    assert_eq!(entered["state"], "waiting", "nobody meets one who is gone");
    drop(stdin);
}
