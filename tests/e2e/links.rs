//! A chat that is over needs no connection, and no relay.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::Shutdown,
    os::unix::net::UnixListener,
    time::Duration,
};

use serde_json::{Value, json};
use tests::{Signal, World, enter, eventually, let_pass};

/// Several pauses before another try to connect.
const SEVERAL_TRIES: Duration = Duration::from_secs(1);

#[cfg(target_os = "linux")]
#[test]
fn a_relay_that_ends_with_its_last_word_is_not_started_again_for_a_chat_that_is_over() {
    let world = World::empty(&[]);
    let listener = UnixListener::bind(world.socket()).unwrap();
    let client = world.client();
    let relay = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            let answer = match message.as_object().unwrap().keys().next().unwrap().as_str() {
                "hello" => json!({ "welcome": {
                    "version": 1, "epoch": 1, "build": "test",
                    "limits": {
                        "message_rate": null, "next_rate": null,
                        "window_messages": 100, "window_bytes": 262_144,
                        "message_bytes": 8_192, "message_lines": 200,
                        "keep_alive_ms": 15_000, "grace_ms": 60_000,
                    },
                    "session": {
                        "session_id": "00000000-0000-8000-8000-000000000001",
                        "token": "session", "resumed": false,
                    },
                } }),
                "ping" => json!({ "pong": {} }),
                "enter_queue" => json!({ "queued": {
                    "topic": "open", "position": 1, "waiting": 1, "not_listening": 0, "own": 0,
                    "ticket": "ticket",
                } }),
                "leave_queue" => return (listener, stream),
                _ => continue,
            };
            writeln!(stream.get_mut(), "{answer}").unwrap();
        }
    });
    let (chat, _) = enter(&client, json!({}));
    chat.leave();
    let (listener, mut stream) = relay.join().unwrap();
    // The last word and the end of the stream are there together when the shim looks.
    client.signal(Signal::STOP);
    eventually("the shim stands still", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", client.pid())).unwrap();
        stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" T")).then_some(())
    });
    writeln!(stream.get_mut(), "{}", json!({ "dequeued": { "reason": "left" } })).unwrap();
    stream.get_ref().shutdown(Shutdown::Both).unwrap();
    drop(listener);
    std::fs::remove_file(world.socket()).unwrap();
    client.signal(Signal::CONT);
    let_pass(SEVERAL_TRIES);
    assert_eq!(world.relays(), Vec::<u32>::new(), "nobody needs a relay");
}
