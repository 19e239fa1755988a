//! Two who talk at the same time while something goes wrong, and the proof that each heard what
//! the other said: all of it, once, in order.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use serde_json::{Value, json};
use tests::{
    Chat, Client, World, eventually,
    result::{events, structured},
};

/// A world without a message rate, where a relay that follows another pairs soon.
pub(crate) const HASTY: [(&str, &str); 3] =
    [("message-rate", "off"), ("pairing-delay", "100ms"), ("match-wait", "100ms")];

/// A client whose model may go on by itself.
pub(crate) fn talker(world: &World) -> Client {
    world.shim().args(["--autonomous", "off"]).connect()
}

/// Both talk until `faults` has returned, and then until everything has arrived. Nothing but
/// messages may come of it: not even news of a partner that is away, unless that is `expected`.
pub(crate) fn talk_while(
    alice: &Chat<'_>,
    bob: &Chat<'_>,
    expected: &[&str],
    faults: impl FnOnce(),
) {
    let room_id = alice.room_id();
    let (over, said) = (AtomicBool::new(false), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    let ears = [alice, bob].map(Ear::of);
    thread::scope(|scope| {
        let saying = [(alice, &said[0]), (bob, &said[1])]
            .map(|(chat, said)| scope.spawn(|| say_until(chat, said, &over)));
        let hearing = ears.map(|ear| scope.spawn(|| ear.until(&over)));
        // The talking ends also when this fails.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            for said in &said {
                eventually("they talk", || (said.load(Ordering::Relaxed) > 1).then_some(()));
            }
            faults();
        }));
        over.store(true, Ordering::Relaxed);
        let [by_alice, by_bob] = saying.map(|saying| saying.join().unwrap());
        let [by_ear_of_alice, by_ear_of_bob] = hearing.map(|hearing| hearing.join().unwrap());
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
        by_ear_of_bob.assert_has_heard(&by_alice, expected);
        by_ear_of_alice.assert_has_heard(&by_bob, expected);
    });
    assert_eq!((alice.room_id(), bob.room_id()), (room_id.clone(), room_id));
}

/// Says one thing after the other and returns what was accepted.
fn say_until(chat: &Chat<'_>, said: &AtomicUsize, over: &AtomicBool) -> Vec<String> {
    let mut accepted = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let text = format!("{} of {}", accepted.len(), chat.id);
        let result = chat.call("send_message", json!({ "message": text }));
        match structured(&result)["error"]["code"].as_str() {
            None => {
                accepted.push(text);
                said.store(accepted.len(), Ordering::Relaxed);
            }
            // It was not sent, and is said again.
            Some("window_full" | "relay_unavailable") => {}
            Some(other) => panic!("{other}: {result:#}"),
        }
    }
    accepted
}

/// Hears everything by its own cursor, whatever result of another call has brought it already.
struct Ear<'c> {
    chat: &'c Chat<'c>,
    after: i64,
    heard: Vec<String>,
    others: Vec<Value>,
}

impl<'c> Ear<'c> {
    fn of(chat: &'c Chat<'c>) -> Self {
        let after = chat.poll()["cursor"].as_i64().unwrap();
        Self { chat, after, heard: Vec::new(), others: Vec::new() }
    }

    fn until(mut self, over: &AtomicBool) -> Self {
        while !over.load(Ordering::Relaxed) {
            self.listen();
        }
        self
    }

    fn listen(&mut self) {
        let arguments = json!({ "after": self.after, "timeout_seconds": 0 });
        let result = self.chat.call("wait_for_events", arguments);
        for event in events(structured(&result)) {
            assert_eq!(event["cursor"], self.after + 1, "more was handed out than is kept");
            self.after += 1;
            match event["message"].as_str() {
                Some(text) => self.heard.push(text.to_owned()),
                None => self.others.push(event.clone()),
            }
        }
    }

    fn assert_has_heard(mut self, said: &[String], expected: &[&str]) {
        eventually("everything has arrived", || {
            self.listen();
            (self.heard.len() >= said.len()).then_some(())
        });
        self.listen();
        assert!(self.heard == said, "heard {:?}\nof {said:?}", self.heard);
        let is_expected = |event: &&Value| expected.contains(&event["type"].as_str().unwrap());
        let others: Vec<_> = self.others.iter().filter(|event| !is_expected(event)).collect();
        assert!(others.is_empty(), "{others:#?}");
    }
}
