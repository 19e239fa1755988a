//! The relay's socket against those who do not speak as they should: one error, the end of that
//! connection, and of no other.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
};

use serde_json::{Value, json};
use tests::{PATIENCE, World, enter, meet, result::only_event};

const HELLO: &str = r#"{"hello":{"min":1,"max":1,"build":"a test"}}"#;
const FRAME_BYTES: usize = 64 * 1024;

struct Connection {
    stream: BufReader<UnixStream>,
}

impl Connection {
    fn open(world: &World) -> Self {
        let stream = UnixStream::connect(world.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    fn greeted(world: &World) -> Self {
        let mut connection = Self::open(world);
        connection.write(HELLO);
        assert_eq!(connection.read()["welcome"]["version"], 1);
        connection
    }

    fn write(&mut self, line: impl AsRef<[u8]>) {
        self.write_raw(&[line.as_ref(), b"\n"].concat());
    }

    /// The relay may have closed already.
    fn write_raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a message: {line:?}"))
    }

    fn expect_error_and_end(&mut self, code: &str) {
        let message = self.read();
        assert_eq!(message["error"]["code"], code, "{message}");
        let mut rest = Vec::new();
        // What was sent and not read makes it end with a reset.
        let _ = self.stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "more than one error: {}", String::from_utf8_lossy(&rest));
    }
}

#[test]
fn whoever_does_not_keep_to_the_protocol_is_told_why_and_cut_off() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let nested = format!(r#"{{"ping":{}{}}}"#, "[".repeat(30_000), "]".repeat(30_000));
    let after_hello: [(&[u8], &str); 7] = [
        (b"rubbish", "malformed"),
        (b"[]", "malformed"),
        (b"{\"ping\":{}} trailing", "malformed"),
        (b"{\"ping\":\"\xff\"}", "malformed"),
        (nested.as_bytes(), "malformed"),
        (br#"{"no_such_message":{}}"#, "unsupported"),
        (HELLO.as_bytes(), "out_of_order"),
    ];
    for (line, code) in after_hello {
        let mut connection = Connection::greeted(&world);
        connection.write(line);
        connection.expect_error_and_end(code);
    }

    let mut hasty = Connection::open(&world);
    hasty.write(r#"{"status":{}}"#);
    hasty.expect_error_and_end("out_of_order");
    let mut sessionless = Connection::greeted(&world);
    sessionless.write(r#"{"enter_queue":{"display_name":"Nobody","topic":"open"}}"#);
    sessionless.expect_error_and_end("out_of_order");
    let mut future = Connection::open(&world);
    future.write(r#"{"hello":{"min":98,"max":99,"build":"a test"}}"#);
    future.expect_error_and_end("version_mismatch");

    alice.deliver("nobody else is touched");
    bob.deliver("not I");
    assert_eq!(world.status()["connections"], 3, "two shims and the question itself");
}

#[test]
fn a_frame_is_cut_off_at_its_limit() {
    let world = World::serving(&[]);
    let mut longest = Connection::greeted(&world);
    let padding = FRAME_BYTES - r#"{"ping":{"x":""}}"#.len() - 1;
    longest.write(format!(r#"{{"ping":{{"x":"{}"}}}}"#, "x".repeat(padding)));
    assert_eq!(longest.read(), json!({ "pong": {} }));
    longest.write(format!(r#"{{"ping":{{"x":"{}"}}}}"#, "x".repeat(padding + 1)));
    longest.expect_error_and_end("too_long");

    let mut endless = Connection::open(&world);
    endless.write_raw(&vec![b'x'; FRAME_BYTES * 2]);
    endless.expect_error_and_end("too_long");
}

#[test]
fn frames_may_come_in_any_pieces() {
    let world = World::serving(&[]);
    let mut connection = Connection::open(&world);
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
    let mut silent = Connection::open(&world);
    silent.expect_error_and_end("handshake_timeout");
}

#[test]
fn who_does_not_read_is_cut_off_and_delays_nobody() {
    let world = World::serving(&[("message-rate", "off"), ("away-after", "1s")]);
    let clients = [(); 2].map(|()| world.client());
    let alice = world.shim().args(["--autonomous", "off"]).connect();
    let (alice, _) = enter(&alice, json!({}));
    let mut sleepy = Connection::open(&world);
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
    let mut connection = Connection::open(&world);
    connection.write(r#"{"hello":{"min":1,"max":7,"build":"a test","colour":{"is":["red"]}}}"#);
    assert_eq!(connection.read()["welcome"]["version"], 1);
    connection.write(r#"{"ping":{"how":"are you?"}}"#);
    assert_eq!(connection.read(), json!({ "pong": {} }));
}
