//! Programs that stop, hang or die, and whose world ends at once: shims, clients, the relay.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{
    BINARIES, PATIENCE, Signal, World, enter, eventually, is_running, let_pass, meet,
    proxy::{Fate, From, Proxy},
    result::{event_types, events_of_type, messages, only_event},
    signal, within,
};

use crate::talk::HASTY;

/// A second, and what a busy machine may add to it.
const AT_ONCE: Duration = Duration::from_millis(1_500);

#[test]
fn a_shim_that_stops_past_the_grace_has_lost_its_room_and_can_go_on() {
    let times = [("keep-alive", "500ms"), ("away-after", "500ms"), ("grace", "2s")];
    let world = World::serving(&[&times[..], &HASTY].concat());
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.signal(Signal::STOP);
    only_event(&alice.wait(), "partner.away");
    let gone = alice.wait();
    assert_eq!(only_event(&gone, "partner.disconnected")["reason"], "timeout");
    bob.client.signal(Signal::CONT);
    let told = eventually("Bob is told", || {
        let told = bob.poll();
        (told["state"] == "idle").then_some(told)
    });
    only_event(&told, "partner.disconnected");
    alice.next(json!({}));
    bob.next(json!({}));
    eventually("they meet again", || (alice.status()["state"] == "chatting").then_some(()));
    alice.deliver("a new beginning");
}

#[test]
fn both_shims_of_a_room_die() {
    let world = World::serving(&[("grace", "1s")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    alice.client.signal(Signal::KILL);
    bob.client.signal(Signal::KILL);
    eventually("nothing is left of them", || {
        let status = world.status();
        (status["sessions"] == 0 && status["rooms"] == 0).then_some(())
    });
    let (carol, dave) = (world.client(), world.client());
    meet(&carol, &dave);
}

#[test]
fn a_shim_that_dies_together_with_the_relay_is_gone_after_the_grace() {
    let world = World::empty(&[&[("grace", "2s")], &HASTY[..]].concat());
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.signal(Signal::KILL);
    world.kill_relay();
    let told = alice.wait();
    let told = if event_types(&told) == ["partner.away"] { alice.wait() } else { told };
    let gone = only_event(&told, "partner.disconnected");
    assert!(["timeout", "relay_lost"].contains(&gone["reason"].as_str().unwrap()), "{gone}");
    assert_eq!(told["state"], "idle");
    assert_eq!(world.status()["rooms"], 0);
}

#[test]
fn a_client_that_is_killed_while_it_waits_takes_its_shim_along() {
    let world = World::serving(&[]);
    let bob = world.client();
    let mut shim = world
        .command(&BINARIES.shim)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = shim.stdin.take().unwrap();
    let mut stdout = BufReader::new(shim.stdout.take().unwrap());
    let write = |stdin: &mut std::process::ChildStdin, id: i32, method: &str, params: Value| {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        writeln!(stdin, "{request}").unwrap();
    };
    let read = |stdout: &mut BufReader<_>| -> Value {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    };
    let greeting = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "short-lived", "version": "1" },
    });
    write(&mut stdin, 1, "initialize", greeting);
    read(&mut stdout);
    write(&mut stdin, 2, "tools/call", json!({ "name": "enter_queue", "arguments": {} }));
    let entered = read(&mut stdout);
    let chat_id = &entered["result"]["structuredContent"]["chat_id"];
    let (bob, _) = enter(&bob, json!({}));
    let arguments = json!({ "chat_id": chat_id, "after": 1 });
    write(
        &mut stdin,
        3,
        "tools/call",
        json!({ "name": "wait_for_events", "arguments": arguments }),
    );
    eventually("they have met", || (bob.poll()["state"] == "chatting").then_some(()));

    let begun = Instant::now();
    // Both at once, as the system does with the pipes of a process that is killed.
    drop((stdin, stdout));
    within(PATIENCE, "the end of the shim", || shim.try_wait().unwrap());
    assert!(begun.elapsed() < AT_ONCE, "gone only after {:?}", begun.elapsed());
    let told = bob.wait();
    let gone = events_of_type(&told, "partner.disconnected");
    assert_eq!(gone[0]["reason"], "left", "{told:#}");
}

#[test]
fn a_client_that_ends_with_messages_on_the_way() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.signal(Signal::STOP);
    for text in ["one", "two"] {
        assert_eq!(alice.say(text)["delivery"], "pending");
    }
    let begun = Instant::now();
    alice.client.close_stdin();
    assert!(alice.client.wait_exit(PATIENCE).success());
    assert!(begun.elapsed() < AT_ONCE, "gone only after {:?}", begun.elapsed());
    bob.client.signal(Signal::CONT);
    let told = eventually("Bob hears of it", || {
        let told = bob.ok("wait_for_events", json!({ "after": 1, "timeout_seconds": 1 }));
        (told["state"] == "idle").then_some(told)
    });
    let types = ["message.received", "message.received", "partner.disconnected"];
    assert_eq!(event_types(&told), types);
    assert_eq!(messages(&told), ["one", "two"]);
}

#[test]
fn a_client_that_ends_while_the_relay_hangs() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, _bob) = meet(&alice, &bob);
    let relay = world.relay_pid();
    signal(relay, Signal::STOP);
    let begun = Instant::now();
    alice.client.close_stdin();
    alice.client.wait_exit(PATIENCE);
    let took = begun.elapsed();
    signal(relay, Signal::CONT);
    assert!(took < AT_ONCE, "gone only after {took:?}");
}

#[test]
fn a_connection_that_is_cut_within_a_frame() {
    for (from, frame) in [(From::Client, "send"), (From::Relay, "message"), (From::Relay, "ack")] {
        let world = World::serving(&[]);
        let cuts = std::sync::atomic::AtomicUsize::new(0);
        let proxy = Proxy::judging(
            world.directory().join("proxy.sock"),
            world.socket(),
            move |who, text| {
                let is_it = who == from && text.starts_with(&format!("{{\"{frame}\":"));
                if !is_it || cuts.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= 3 {
                    return Fate::Passed;
                }
                Fate::CutAfter(text.len() / 2)
            },
        );
        let through = ["--socket", proxy.socket().to_str().unwrap()];
        let (alice, bob) = (world.shim().args(through).connect(), world.client());
        let (alice, bob) = meet(&alice, &bob);
        let sent = ["one", "two", "three"];
        for text in sent {
            alice.deliver(text);
            bob.deliver(text);
        }
        let heard = |chat: &tests::Chat<'_>| {
            let all = chat.ok("wait_for_events", json!({ "after": 1, "timeout_seconds": 0 }));
            assert_eq!(messages(&all), sent, "{frame}");
            assert_eq!(event_types(&all).len(), 3, "{frame}: {all:#}");
        };
        heard(&alice);
        heard(&bob);
        assert!(bob.client.notifications().iter().all(|told| told["method"] != "partner.back"));
    }
}

/// The one test that lets so much time pass: what counts as sleep is longer than five seconds.
#[test]
fn a_relay_that_was_stopped_takes_nobodys_time_of_grace() {
    let times = [("keep-alive", "1s"), ("away-after", "1s"), ("grace", "9s")];
    let world = World::serving(&times);
    let proxy = Proxy::between(world.directory().join("proxy.sock"), world.socket());
    let through = ["--socket", proxy.socket().to_str().unwrap()];
    let (alice, bob) = (world.client(), world.shim().args(through).connect());
    let (alice, bob) = meet(&alice, &bob);
    let relay = world.relay_pid();
    bob.client.signal(Signal::STOP);
    proxy.cut();
    only_event(&alice.wait(), "partner.away");
    signal(relay, Signal::STOP);
    let_pass(Duration::from_millis(8_500));
    signal(relay, Signal::CONT);
    eventually("the relay answers", || world.try_status());
    assert!(is_running(relay) && world.relay_stderr().contains("slept"));
    assert_eq!(world.status()["rooms"], 1, "longer than the grace, but the relay slept");
    bob.client.signal(Signal::CONT);
    eventually("Bob is back", || {
        let told = alice.ok("wait_for_events", json!({ "after": 2, "timeout_seconds": 1 }));
        (event_types(&told).last() == Some(&"partner.back")).then_some(())
    });
    alice.deliver("slept well?");
    assert_eq!(messages(&bob.poll()), ["slept well?"]);
}
