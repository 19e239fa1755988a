//! How many frames a conversation costs on the wire.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use serde_json::{Value, json};
use shared::limits;
use tests::{
    Client, World, enter, eventually, meet,
    proxy::{Fate, From, Proxy},
    result::only_event,
};

/// The frames of every connection of a world, in the order in which they passed.
#[derive(Clone, Default)]
struct Tap(Arc<Mutex<Vec<Seen>>>);

struct Seen {
    connection: String,
    from: From,
    frame: Value,
}

impl Tap {
    /// A client whose frames are seen here.
    fn client(&self, world: &World, name: &str) -> (Proxy, Client) {
        let (seen, connection) = (Arc::clone(&self.0), name.to_owned());
        let socket = world.directory().join(name);
        let proxy = Proxy::judging(socket, world.socket(), move |from, frame| {
            let frame = serde_json::from_str(frame).unwrap();
            seen.lock().unwrap().push(Seen { connection: connection.clone(), from, frame });
            Fate::Passed
        });
        let client = world.shim().env("MCP_CHAT_SOCKET", proxy.socket()).connect();
        (proxy, client)
    }

    fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Waits until so many messages are known to be read by their partner.
    fn await_read(&self, read: u64) {
        eventually("the sender learns that its messages are read", || {
            let seen = self.0.lock().unwrap();
            let is_told =
                |seen: &Seen| seen.from == From::Relay && seen.frame["ack"]["read"] == read;
            seen.iter().any(is_told).then_some(())
        });
    }

    /// What was said by each side.
    fn said(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap();
        seen.iter().map(|seen| format!("{:?} {}", seen.from, kind(&seen.frame))).collect()
    }

    /// How often each was said: frames of different connections pass in any order.
    fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for said in self.said() {
            *counts.entry(said).or_insert(0) += 1;
        }
        counts
    }

    /// Whether this client has told its relay, last, that something is open.
    fn is_open(&self, name: &str) -> bool {
        let seen = self.0.lock().unwrap();
        let of_client = seen.iter().rev().filter(|seen| seen.connection == name);
        let mut told = of_client.filter_map(|seen| seen.frame["attention"]["open"].as_bool());
        told.next() == Some(true)
    }
}

fn named(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts.iter().map(|(said, times)| ((*said).to_owned(), *times)).collect()
}

fn kind(frame: &Value) -> &str {
    frame.as_object().and_then(|frame| frame.keys().next()).expect("a frame is an object")
}

#[test]
fn one_message_between_two_that_wait_is_six_frames() {
    let world = World::serving(&[]);
    let tap = Tap::default();
    let (_alice, alice) = tap.client(&world, "alice.sock");
    let (_bob, bob) = tap.client(&world, "bob.sock");
    let (alice, bob) = meet(&alice, &bob);
    let _open = alice.start_wait();
    let wait = bob.start_wait();
    for (chat, name) in [(&alice, "alice.sock"), (&bob, "bob.sock")] {
        // When this is answered, the wait has begun.
        chat.client.call("chat_status", json!({}));
        eventually("the relay knows of the wait", || tap.is_open(name).then_some(()));
    }
    tap.clear();
    let begun = Instant::now();
    alice.deliver("hello");
    only_event(&bob.client.finish(&wait)["structuredContent"], "message.received");
    tap.await_read(1);
    let mut counts = tap.counts();
    // On a slow machine the relay is told that a wait has ended before all this is over.
    if begun.elapsed() > limits::ATTENTION_LINGER / 2 {
        counts.remove("Client attention");
    }
    let message = [("Client send", 1), ("Relay message", 1), ("Client ack", 2), ("Relay ack", 2)];
    assert_eq!(counts, named(&message));
}

#[test]
fn a_place_is_asked_for_and_answered_once() {
    let world = World::serving(&[]);
    let tap = Tap::default();
    let (_proxy, client) = tap.client(&world, "alice.sock");
    let (chat, entered) = enter(&client, json!({}));
    assert_eq!(entered["state"], "waiting");
    chat.leave();
    eventually("the relay has confirmed it", || {
        tap.said().contains(&"Relay dequeued".to_owned()).then_some(())
    });
    let asked = [
        "Client hello",
        "Relay welcome",
        "Client ping",
        "Relay pong",
        "Client enter_queue",
        "Relay queued",
        "Client leave_queue",
        "Relay dequeued",
    ];
    assert_eq!(tap.said(), asked);
}

#[test]
fn a_conversation_of_ten_messages_is_so_many_frames() {
    let world = World::serving(&[]);
    let tap = Tap::default();
    let (_alice, alice) = tap.client(&world, "alice.sock");
    let (_bob, bob) = tap.client(&world, "bob.sock");
    let (alice, _) = enter(&alice, json!({}));
    let wait = alice.start_wait();
    eventually("the wait was told the numbers", || {
        (tap.counts().get("Relay queued") == Some(&2)).then_some(())
    });
    let (bob, _) = enter(&bob, json!({}));
    only_event(&alice.client.finish(&wait)["structuredContent"], "chatroom.found");
    let mut slow_turns = 0;
    for turn in 1..=5 {
        for (speaker, listener) in [(&alice, &bob), (&bob, &alice)] {
            let begun = Instant::now();
            let wait = listener.start_wait();
            speaker.deliver("hello");
            only_event(&listener.client.finish(&wait)["structuredContent"], "message.received");
            tap.await_read(turn);
            slow_turns += usize::from(begun.elapsed() > limits::ATTENTION_LINGER / 2);
        }
    }
    let wait = bob.start_wait();
    alice.leave();
    only_event(&bob.client.finish(&wait)["structuredContent"], "partner.disconnected");
    eventually("the relay has confirmed it", || {
        tap.said().contains(&"Relay left".to_owned()).then_some(())
    });
    let mut counts = tap.counts();
    // Waits that follow each other closely are one to the relay; on a slow machine some do not.
    let attention = counts.remove("Client attention").unwrap_or(0);
    assert!((2..=2 + 4 * slow_turns).contains(&attention), "{slow_turns}: {:#?}", tap.said());
    let expected = [
        ("Client hello", 2),
        ("Relay welcome", 2),
        ("Client ping", 2),
        ("Relay pong", 2),
        ("Client enter_queue", 2),
        // For her place, and for the wait that asks for numbers; he is paired at once.
        ("Relay queued", 2),
        ("Relay paired", 2),
        ("Client send", 10),
        ("Relay message", 10),
        // One when a message has come, and one when it is read.
        ("Client ack", 20),
        ("Relay ack", 20),
        ("Client leave", 1),
        ("Relay left", 1),
        ("Relay closed", 1),
    ];
    assert_eq!(counts, named(&expected));
}
