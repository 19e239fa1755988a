//! The relay's socket: frames at their limit and in pieces, and those who say or read nothing.

use serde_json::json;
use tests::{
    World, enter, meet,
    peer::{HELLO, Peer},
    result::only_event,
};

const FRAME_BYTES: usize = 64 * 1024;

#[test]
fn a_frame_is_cut_off_at_its_limit() {
    let world = World::serving(&[]);
    let mut longest = Peer::greeted(&world);
    let padding = FRAME_BYTES - r#"{"ping":{"x":""}}"#.len() - 1;
    longest.write(format!(r#"{{"ping":{{"x":"{}"}}}}"#, "x".repeat(padding)));
    assert_eq!(longest.read(), json!({ "pong": {} }));
    longest.write(format!(r#"{{"ping":{{"x":"{}"}}}}"#, "x".repeat(padding + 1)));
    longest.expect_error_and_end("too_long");

    let mut endless = Peer::open(&world);
    endless.write_raw(&vec![b'x'; FRAME_BYTES * 2]);
    endless.expect_error_and_end("too_long");
}

#[test]
fn frames_may_come_in_any_pieces() {
    let world = World::serving(&[]);
    let mut connection = Peer::open(&world);
    for byte in format!("{HELLO}\n{{\"ping\":{{}}}}\n").bytes() {
        connection.write_raw(&[byte]);
    }
    assert_eq!(connection.read()["welcome"]["version"], 1);
    assert_eq!(connection.read(), json!({ "pong": {} }));
    connection.write("{\"ping\":{}}\r\n\n{\"ping\":{}}\n{\"status\":{}}");
    assert_eq!(connection.read(), json!({ "pong": {} }));
    assert_eq!(connection.read(), json!({ "pong": {} }));
    assert_eq!(connection.read()["status"]["sessions"], 0);
}

#[test]
fn who_says_nothing_is_not_waited_for() {
    let world = World::serving(&[]);
    let mut silent = Peer::open(&world);
    silent.expect_error_and_end("handshake_timeout");
}

#[test]
fn who_does_not_read_is_cut_off_and_delays_nobody() {
    let world = World::serving(&[("message-rate", "off"), ("away-after", "1s")]);
    let clients = [(); 2].map(|()| world.client());
    let alice = world.shim().args(["--autonomous", "off"]).connect();
    let (alice, _) = enter(&alice, json!({}));
    let mut sleepy = Peer::open(&world);
    let owner = "0a0a0a0a-0a0a-8a0a-8a0a-0a0a0a0a0a0a";
    sleepy.write(format!(r#"{{"hello":{{"min":1,"max":1,"build":"a test","owner":"{owner}"}}}}"#));
    sleepy.write(r#"{"enter_queue":{"display_name":"Sleepy","topic":"open"}}"#);
    only_event(&alice.wait(), "chatroom.found");
    let (bob, carol) = meet(&clients[0], &clients[1]);

    let letter = json!({ "chat_id": alice.id, "message": "x".repeat(8 * 1024) });
    for _ in 0..32 {
        alice.client.start_call("send_message", letter.clone());
    }
    let wait = alice.start_wait();
    for _ in 0..10 {
        bob.deliver("right away");
        carol.deliver("right away");
    }
    let told = alice.client.finish(&wait);
    only_event(&told["structuredContent"], "partner.away");
    carol.deliver("still right away");
}

#[test]
fn fields_that_are_not_known_are_ignored() {
    let world = World::serving(&[]);
    let mut connection = Peer::open(&world);
    connection.write(r#"{"hello":{"min":1,"max":7,"build":"a test","colour":{"is":["red"]}}}"#);
    assert_eq!(connection.read()["welcome"]["version"], 1);
    connection.write(r#"{"ping":{"how":"are you?"}}"#);
    assert_eq!(connection.read(), json!({ "pong": {} }));
}
