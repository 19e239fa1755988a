//! A partner, or a relay, that makes a shim work for nothing: it is cut off, or costs no memory.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::{UnixListener, UnixStream},
};

use serde_json::{Value, json};
use tests::{Chat, Client, World, enter, peer::Peer, result};

use crate::hostile::{OWNER, ROOM};

/// Mallory, who is no shim, in a room with somebody.
struct Mallory {
    peer: Peer,
    session: String,
    room: String,
    token: String,
}

/// Mallory meets this client.
fn meet_mallory<'c>(world: &World, client: &'c Client) -> (Chat<'c>, Mallory) {
    let (chat, _) = enter(client, json!({ "display_name": "Alice" }));
    let (mut peer, session) = Peer::carrying(world, OWNER);
    peer.write(r#"{"enter_queue":{"display_name":"Mallory","topic":"open"}}"#);
    let paired = peer.until("paired");
    let text = |field: &str| paired[field].as_str().unwrap().to_owned();
    let mallory = Mallory { peer, session, room: text("room_id"), token: text("token") };
    result::only_event(&chat.wait(), "chatroom.found");
    (chat, mallory)
}

impl Mallory {
    /// The same message so many times, until the relay has had enough.
    fn floods(&mut self, line: &str) {
        self.peer.write([line, "\n"].concat().repeat(1_000));
        loop {
            let message = self.peer.read();
            if let Some(error) = message.get("error") {
                assert_eq!(error["code"], "rate_limited", "{error}");
                return self.peer.expect_end();
            }
        }
    }

    /// Back in the room as if nothing had been.
    fn comes_back(&mut self, world: &World, received: u64) {
        let Self { peer, session, room, token } = self;
        *peer = Peer::open(world);
        peer.write(
            json!({ "hello": { "min": 1, "max": 1, "build": "x", "owner": OWNER, "session": {
                "token": session,
                "room": { "room_id": room, "token": token, "received": received,
                    "display_name": "Mallory", "topic": "open" },
            } } })
            .to_string(),
        );
        assert_eq!(peer.until("welcome")["session"]["resumed"], true);
    }

    /// The message with this number; those before it may come again.
    fn takes(&mut self, seq: u64) -> Value {
        loop {
            let message = self.peer.until("message");
            let came = message["seq"].as_u64().unwrap();
            assert!(came <= seq, "{came} instead of {seq}");
            if came == seq {
                return message["text"].clone();
            }
        }
    }

    fn acknowledges(&mut self, received: u64) {
        let Self { peer, room, .. } = self;
        peer.write(format!(
            r#"{{"ack":{{"room_id":"{room}","received":{received},"read":{received}}}}}"#
        ));
    }

    fn send(&self, seq: u64) -> String {
        let room = &self.room;
        format!(r#"{{"send":{{"room_id":"{room}","seq":{seq},"author":"user","text":"{seq}"}}}}"#)
    }

    fn sync(&self) -> String {
        format!(r#"{{"sync":{{"room_id":"{}","received":0}}}}"#, self.room)
    }
}

/// How many connections the relay has closed of its own accord.
fn closed_by(world: &World) -> usize {
    world.relay_stderr().matches("closing a connection").count()
}

#[test]
fn a_partner_that_asks_for_everything_again_and_again_is_cut_off_and_nobody_else() {
    let world = World::serving(&[("message-rate", "off"), ("rust-log", "debug")]);
    let client = world.shim().args(["--autonomous", "off"]).connect();
    let (alice, mut mallory) = meet_mallory(&world, &client);
    let say = |number: u64| {
        let message = format!("message {number}");
        client.start_call("send_message", json!({ "chat_id": alice.id, "message": message }))
    };
    let sent: Vec<_> = (1..=100).map(say).collect();
    for seq in 1..=100 {
        mallory.takes(seq);
    }
    let sync = mallory.sync();
    mallory.floods(&sync);

    // Whatever was said is said again, once, in its order, and the talk goes on.
    mallory.comes_back(&world, 0);
    for seq in 1..=100 {
        assert_eq!(mallory.takes(seq), format!("message {seq}"));
    }
    mallory.acknowledges(100);
    for call in &sent {
        result::ok(&client.finish(call));
    }
    let last = say(101);
    mallory.takes(101);
    mallory.acknowledges(101);
    assert_eq!(result::ok(&client.finish(&last))["delivery"], "delivered");
    assert_eq!(alice.status()["receipts"], json!({ "sent": 101, "delivered": 101, "read": 101 }));
    assert_eq!(closed_by(&world), 1, "{}", world.relay_stderr());
}

#[test]
fn a_partner_that_says_the_same_all_the_time_is_cut_off_and_heard_once() {
    let world = World::serving(&[("rust-log", "debug")]);
    let client = world.client();
    let (alice, mut mallory) = meet_mallory(&world, &client);
    let first = mallory.send(1);
    mallory.floods(&first);
    mallory.comes_back(&world, 0);
    mallory.peer.write(mallory.send(2));
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let told = alice.wait();
        heard.extend(result::messages(&told).into_iter().map(ToOwned::to_owned));
    }
    assert_eq!(heard, ["1", "2"]);
    assert_eq!(closed_by(&world), 1, "{}", world.relay_stderr());
}

/// A relay that speaks the protocol, and no more honest than it has to be to be spoken to.
struct FalseRelay {
    input: BufReader<UnixStream>,
}

impl FalseRelay {
    fn is_greeted(listener: &UnixListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        let mut relay = Self { input: BufReader::new(stream) };
        assert!(relay.reads().get("hello").is_some());
        relay
    }

    fn accepts(listener: &UnixListener) -> Self {
        let mut relay = Self::is_greeted(listener);
        relay.says(&json!({ "welcome": { "version": 1, "epoch": 1, "build": "false", "limits": {
            "message_rate": null, "next_rate": null, "window_messages": 100,
            "window_bytes": 262_144, "message_bytes": 8192, "message_lines": 200,
            "keep_alive_ms": 15_000, "grace_ms": 60_000,
        }, "session": { "session_id": ROOM, "token": "session", "resumed": false } } }));
        while relay.reads().get("enter_queue").is_none() {
            relay.says(&json!({ "pong": {} }));
        }
        relay.says(&json!({ "paired": { "room_id": ROOM, "seat": 1, "topic": "open",
            "display_name": "Bob", "presence": "listening", "met_before": false,
            "token": "room" } }));
        relay
    }

    fn reads(&mut self) -> Value {
        let mut line = String::new();
        self.input.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a message: {line:?}"))
    }

    fn says(&mut self, message: &Value) {
        writeln!(self.input.get_mut(), "{message}").unwrap();
    }
}

/// The most memory that this process ever had, in kilobytes.
fn peak_kilobytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_relay_that_asks_for_everything_again_and_again_costs_a_shim_no_memory() {
    let world = World::empty(&[]);
    let listener = UnixListener::bind(world.socket()).unwrap();
    let client = world.shim().args(["--no-autostart", "--autonomous", "off"]).connect();
    let mut relay = None;
    let chat = std::thread::scope(|scope| {
        let accepts = scope.spawn(|| FalseRelay::accepts(&listener));
        let (chat, entered) = enter(&client, json!({}));
        result::only_event(&entered, "chatroom.found");
        relay = Some(accepts.join().unwrap());
        chat
    });
    let mut relay = relay.unwrap();
    let words = "x".repeat(2_000);
    let arguments = json!({ "chat_id": chat.id, "message": words });
    let sent: Vec<_> =
        (0..100).map(|_| client.start_call("send_message", arguments.clone())).collect();
    for call in &sent {
        result::ok(&client.finish(call));
    }
    let before = peak_kilobytes(client.pid());
    let mut output = relay.input.get_ref().try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| while relay.input.read_line(&mut String::new()).is_ok_and(|n| n > 0) {});
        let sync = json!({ "sync": { "room_id": ROOM, "received": 0 } });
        for _ in 0..1_000 {
            writeln!(output, "{sync}").unwrap();
        }
        writeln!(output, "{}", json!({ "closed": { "room_id": ROOM, "reason": "left" } })).unwrap();
        result::only_event(&chat.wait(), "partner.disconnected");
        output.shutdown(std::net::Shutdown::Both).unwrap();
    });
    let more = peak_kilobytes(client.pid()) - before;
    assert!(more < 10_000, "{more} kB more");
}

#[test]
fn rubbish_is_no_relay_and_is_not_listened_to() {
    let world = World::empty(&[]);
    let listener = UnixListener::bind(world.socket()).unwrap();
    let client = world.shim().args(["--no-autostart"]).connect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for rubbish in ["rubbish\n", "{}\n", "{\"pong\":{}} {}\n"] {
                let mut relay = FalseRelay::is_greeted(&listener);
                let mut output = relay.input.get_ref();
                // As much as the other side takes, which hangs up at the first of it.
                while output.write_all(rubbish.repeat(100).as_bytes()).is_ok() {}
                while relay.input.read_line(&mut String::new()).is_ok_and(|bytes| bytes > 0) {}
            }
            FalseRelay::accepts(&listener)
        });
        let (_, entered) = enter(&client, json!({}));
        result::only_event(&entered, "chatroom.found");
    });
    let stderr = client.last_words();
    assert_eq!(stderr.matches("not understood").count(), 3, "{stderr}");
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
}

#[test]
fn what_a_later_relay_says_is_passed_over_and_noted_once() {
    let world = World::empty(&[]);
    let listener = UnixListener::bind(world.socket()).unwrap();
    let client = world.shim().args(["--no-autostart"]).connect();
    std::thread::scope(|scope| {
        let relay = scope.spawn(|| {
            let mut relay = FalseRelay::accepts(&listener);
            for _ in 0..1_000 {
                relay.says(&json!({ "dance": {} }));
                relay.says(&json!({ "closed": { "room_id": ROOM, "reason": "bored" } }));
            }
            relay.says(&json!({ "closed": { "room_id": ROOM, "reason": "left" } }));
            relay
        });
        let (chat, entered) = enter(&client, json!({}));
        let mut told = result::event_types(&entered);
        let later = if told.len() == 2 { json!({ "events": [] }) } else { chat.wait() };
        told.extend(result::event_types(&later));
        assert_eq!(told, ["chatroom.found", "partner.disconnected"]);
        drop(relay.join().unwrap());
    });
    let stderr = client.last_words();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}
