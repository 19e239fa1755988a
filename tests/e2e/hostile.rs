//! Peers of the same account that say to the relay's socket what no shim would: each is told once
//! why, loses its own connection and nothing else, and a conversation beside it goes on.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde_json::json;
use tests::{
    Chat, World, meet,
    peer::{HELLO, Peer},
    result::messages,
};

use crate::hostile_frames;

pub(crate) const OWNER: &str = "0a0a0a0a-0a0a-8a0a-8a0a-0a0a0a0a0a0a";
pub(crate) const ROOM: &str = "01010101-0101-8101-8101-010101010101";

pub(crate) fn send(more: &str) -> String {
    format!(r#"{{"send":{{"room_id":"{ROOM}","seq":1,"author":"user",{more}}}}}"#)
}

/// Two who talk while something else happens. Returns how long each message took, there and
/// back again as an acknowledgement.
fn talking<T>(pair: [&Chat<'_>; 2], meanwhile: impl FnOnce() -> T) -> (T, Vec<Duration>) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let talk = scope.spawn(|| {
            let mut took = Vec::new();
            while !is_over.load(Ordering::Relaxed) || took.len() < 10 {
                let [from, to] = if took.len() % 2 == 0 { pair } else { [pair[1], pair[0]] };
                let words = format!("message {}", took.len());
                let start = Instant::now();
                from.deliver(&words);
                took.push(start.elapsed());
                assert_eq!(messages(&to.poll()), [words]);
            }
            took
        });
        /// Also when `meanwhile` panics, or the scope would wait for ever.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let end = End(&is_over);
        let result = meanwhile();
        drop(end);
        (result, talk.join().unwrap())
    })
}

#[expect(clippy::print_stdout, reason = "a figure to read, not one to pass or fail by")]
fn report(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
    println!("{what}: {} messages, median {median:?}, most {most:?}", took.len());
}

#[test]
fn whoever_does_not_keep_to_the_protocol_is_told_why_and_cut_off_and_nobody_else() {
    let world = World::serving(&[("message-rate", "off")]);
    let clients = [(); 2].map(|()| world.shim().args(["--autonomous", "off"]).connect());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    let (greetings, requests) = (hostile_frames::greetings(), hostile_frames::requests());
    let ((), before) = talking([&alice, &bob], || {});
    report("before", before);
    let ((), during) = talking([&alice, &bob], || {
        for (name, bytes, code) in &greetings {
            let mut peer = Peer::open(&world);
            attack(&mut peer, name, bytes, code);
        }
        for (name, bytes, code) in &requests {
            let (mut peer, _) = Peer::carrying(&world, OWNER);
            attack(&mut peer, name, bytes, code);
        }
    });
    report(&format!("beside {} hostile peers", greetings.len() + requests.len()), during);

    let status = world.status();
    assert_eq!(status["connections"], 3, "two shims and the question itself: {status}");
    assert_eq!((&status["rooms"], &status["waiting"]), (&json!(1), &json!(0)), "{status}");
    alice.deliver("still together");
    assert_eq!(messages(&bob.poll()), ["still together"]);
}

/// One line, and a good one after it, which is not answered.
fn attack(peer: &mut Peer, name: &str, bytes: &[u8], code: &str) {
    peer.write_raw(&[bytes, b"\n{\"ping\":{}}\n"].concat());
    let answer = peer.read();
    assert_eq!(answer["error"]["code"], code, "{name}: {answer}");
    let said = answer["error"]["message"].as_str().unwrap();
    assert!(!said.is_empty() && said.len() < 300, "{name}: {said}");
    peer.expect_end();
}

#[test]
fn a_peer_without_a_session_may_ask_how_the_relay_is_and_nothing_else() {
    let world = World::serving(&[]);
    let seeking = r#"{"display_name":"Zoe","topic":"open"}"#;
    let leave = format!(r#"{{"room_id":"{ROOM}","token":"x"}}"#);
    for request in [
        format!(r#"{{"enter_queue":{seeking}}}"#),
        r#"{"leave_queue":{}}"#.to_owned(),
        format!(r#"{{"next":{seeking}}}"#),
        format!(r#"{{"leave":{leave}}}"#),
        send(r#""text":"hi""#),
        format!(r#"{{"ack":{{"room_id":"{ROOM}","received":1,"read":1}}}}"#),
        format!(r#"{{"sync":{{"room_id":"{ROOM}","received":1}}}}"#),
        r#"{"attention":{"open":true}}"#.to_owned(),
    ] {
        let mut peer = Peer::greeted(&world);
        peer.write(&request);
        peer.expect_error_and_end("out_of_order");
    }
    let mut peer = Peer::greeted(&world);
    peer.write(r#"{"status":{}}"#);
    assert_eq!(peer.read()["status"]["sessions"], 0);
}

#[test]
fn what_ends_or_breaks_off_anywhere_leaves_nothing_behind() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let whole = format!("{HELLO}\n{}\n", r#"{"enter_queue":{"display_name":"Zoe","topic":"x"}}"#);
    for bytes in 0..HELLO.len() {
        Peer::open(&world).write_raw(&whole.as_bytes()[..bytes]);
    }
    // Half a frame at the end of the stream is no frame: nothing is answered to it.
    let mut half = Peer::greeted(&world);
    half.write_raw(b"{\"status\":{}");
    half.end_writing();
    half.expect_end();
    let mut nothing = Peer::open(&world);
    nothing.end_writing();
    nothing.expect_end();
    alice.deliver("here we are");
    assert_eq!(messages(&bob.poll()), ["here we are"]);
    tests::eventually("nobody else is connected", || {
        (world.status()["connections"] == 3).then_some(())
    });
    assert_eq!(world.status()["sessions"], 2);
}

/// Said by a peer that has a session: allowed, and without effect on anybody.
#[test]
fn what_the_protocol_passes_over_costs_the_peer_nothing() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let theirs = alice.room_id();
    let (mut peer, _) = Peer::carrying(&world, OWNER);
    let most = u64::MAX;
    let nested = |open: &str, inmost: &str, close: &str| {
        let (open, close) = (open.repeat(9_000), close.repeat(9_000));
        format!(r#"{{"attention":{{"open":true,"unknown":{open}{inmost}{close}}}}}"#)
    };
    for line in [
        nested("[", "", "]"),
        nested(r#"{"x":"#, "0", "}"),
        "".to_owned(),
        "\r".to_owned(),
        "\n".repeat(10_000),
        " \t{ \"attention\" : { \"open\" : false } } ".to_owned(),
        r#"{"attention":{"open":false,"colour":{"is":["red",1e308]}}}"#.to_owned(),
        send(r#""text":"hi""#),
        send(r#""text":"hi""#).replace(ROOM, &theirs),
        send(r#""text":"hi""#).replace(ROOM, &theirs).replace(":1,", &format!(":{most},")),
        format!(r#"{{"ack":{{"room_id":"{theirs}","received":{most},"read":{most}}}}}"#),
        format!(r#"{{"sync":{{"room_id":"{theirs}","received":0}}}}"#),
    ] {
        peer.write(&line);
        peer.write(r#"{"ping":{}}"#);
        assert_eq!(peer.read(), json!({ "pong": {} }), "{line}");
    }
    assert!(bob.poll()["events"].as_array().unwrap().is_empty(), "a stranger is heard");
    alice.deliver("only we two");
    assert_eq!(messages(&bob.poll()), ["only we two"]);
    assert_eq!(alice.status()["receipts"]["delivered"], 1);
}

#[test]
fn names_and_topics_that_are_not_allowed_are_refused_and_the_connection_lives() {
    let world = World::serving(&[]);
    let (mut peer, _) = Peer::carrying(&world, OWNER);
    let long = "x".repeat(65);
    for wrong in
        ["", " ", "<b>", "a/b", r"a\nb", r"\u0000", r"\u202ea", r"\ue000", "\u{1f600}", &*long]
    {
        for [name, topic] in [[wrong, "open"], ["Zoe", wrong]] {
            let seeking = format!(r#"{{"display_name":"{name}","topic":"{topic}"}}"#);
            for kind in ["enter_queue", "next"] {
                peer.write(format!(r#"{{"{kind}":{seeking}}}"#));
                let answer = peer.read();
                assert_eq!(answer["refused"]["code"], "invalid", "{kind} {seeking}: {answer}");
            }
        }
    }
    let status = world.status();
    assert_eq!((&status["sessions"], &status["waiting"]), (&json!(1), &json!(0)), "{status}");
}

/// Tokens that the relay did not give, or not for this: each ends or opens nothing.
#[test]
fn a_token_that_was_tampered_with_opens_nothing() {
    let world = World::serving(&[("grace", "60s")]);
    let alice = world.client();
    let (alice, _) = tests::enter(&alice, json!({ "display_name": "Alice" }));
    let (mut peer, session) = Peer::carrying(&world, OWNER);
    peer.write(r#"{"enter_queue":{"display_name":"Mallory","topic":"open"}}"#);
    let paired = peer.until("paired");
    let room = paired["room_id"].as_str().unwrap().to_owned();
    let room_token = paired["token"].as_str().unwrap().to_owned();
    alice.wait();

    let leave = |token: &str, room: &str| {
        format!(
            r#"{{"leave":{{"room_id":"{room}","token":"{token}","block":true,"report":"spam"}}}}"#
        )
    };
    // A room that it was never in, under tokens of any kind: answered, blocks nobody.
    for token in tampered(&room_token).into_iter().chain([session.clone(), room_token.clone()]) {
        peer.write(leave(&token, ROOM));
        let left = peer.until("left");
        assert_eq!(left, json!({ "room_id": ROOM }), "{token}");
    }
    let hello = |owner: &str, token: &str, claims: &str| {
        let session = format!(r#"{{"token":"{token}"{claims}}}"#);
        format!(
            r#"{{"hello":{{"min":1,"max":1,"build":"x","owner":"{owner}","session":{session},"blocks":["{token}"]}}}}"#
        )
    };
    let claim = format!(
        r#","room":{{"room_id":"{room}","token":"{room_token}","received":0,"display_name":"Eve","topic":"open"}}"#
    );
    let other_owner = OWNER.replace("0a", "0b");
    let mut hellos: Vec<String> =
        tampered(&session).iter().map(|token| hello(OWNER, token, &claim)).collect();
    hellos.push(hello(OWNER, &room_token, &claim));
    // The very token, of a session that another owner has.
    hellos.push(hello(&other_owner, &session, &claim));
    for hello in hellos {
        let mut other = Peer::open(&world);
        other.write(&hello);
        let welcome = other.until("welcome");
        assert_eq!(welcome["session"]["resumed"], false, "{hello}");
        other.write(send(r#""text":"I am Mallory""#).replace(ROOM, &room));
        other.write(r#"{"ping":{}}"#);
        let rest = other.read();
        assert!(rest.get("pong").is_some() || rest.get("closed").is_some(), "{rest}");
    }
    let status = world.status();
    assert_eq!(status["blocks"], 0, "{status}");
    assert_eq!(status["reports"]["spam"], 0, "{status}");
    assert!(alice.poll()["events"].as_array().unwrap().is_empty(), "nobody else got in");
    assert_eq!(alice.room_id(), room);

    // The good token opens the session, and the older connection is told.
    let mut again = Peer::open(&world);
    again.write(hello(OWNER, &session, &claim));
    assert_eq!(again.until("welcome")["session"]["resumed"], true);
    peer.expect_error_and_end("superseded");
}

/// Tokens that are nearly this one.
fn tampered(token: &str) -> Vec<String> {
    let middle = token.len() / 2;
    let other = |at: usize| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    vec![
        String::new(),
        "A".to_owned(),
        "A".repeat(16 * 1024),
        "token".to_owned(),
        other(0),
        other(middle),
        token[1..].to_owned(),
        token[..middle].to_owned(),
        token[..token.len() - 1].to_owned(),
        format!("{token}{token}"),
        format!("{token}="),
        format!(" {token}"),
        format!(r"{token}\u0000"),
        token.to_lowercase(),
        token.chars().rev().collect(),
    ]
}
