//! What people say to each other, and what the relay vouches with, is nowhere but where it belongs:
//! in no log, file, error, status or process list, however loud the logs are.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use tests::{
    BINARIES, Chat, Shim, World, enter,
    peer::Peer,
    proxy::{Fate, Proxy},
    result::{error_code, only_event, structured},
};

const NAME: &str = "Secretname";
const TOPIC: &str = "Secrettopic";
const OF_ALICE: &str = "secret words of Alice";
const OF_BOB: &str = "secret words of Bob";
const TEXTS: [&str; 4] = [NAME, TOPIC, OF_ALICE, OF_BOB];

#[test]
fn no_text_and_no_token_reaches_a_log_a_file_an_error_or_the_process_list() {
    let world = World::empty(&[("message-rate", "9/1")]);
    let loud = |shim: Shim| shim.env("RUST_LOG", "trace,rmcp=trace");
    let alice = loud(world.shim()).args(["--autonomous", "3"]).connect();
    let (alice, _) = enter(&alice, json!({ "display_name": NAME, "topic": TOPIC }));
    let (tap, tokens) = tap(&world);
    let bob = loud(world.shim().modern()).env("MCP_CHAT_SOCKET", tap.socket()).connect();
    let (bob, _) = enter(&bob, json!({ "display_name": NAME, "topic": TOPIC }));
    only_event(&alice.wait(), "chatroom.found");
    alice.deliver(OF_ALICE);
    bob.deliver(OF_BOB);
    alice.poll();
    // The next relay is shown all that the first one gave.
    world.kill_relay();
    alice.deliver(OF_ALICE);
    bob.deliver(OF_BOB);
    let mut refusals = refusals(&alice);
    let mut peer = Peer::greeted(&world);
    peer.write(format!(r#"{{"enter_queue":{{"display_name":"{NAME}","topic":["{TOPIC}"]}}}}"#));
    refusals.push(peer.expect_error_and_end("malformed"));
    let key = fs::read(world.directory().join("relay.sock.key")).unwrap();
    assert_eq!(key.len(), 32);

    alice.call("chat_status", json!({ "history": 50 }));
    let mut written = process_list(&[alice.client.pid(), bob.client.pid(), world.relay_pid()]);
    for arguments in [&["status", "--json"][..], &["status"]] {
        let output = world.run(&BINARIES.relay, arguments);
        written.push(("status".to_owned(), [output.stdout, output.stderr].concat()));
    }
    bob.next(json!({ "report": "harassment", "block": true }));
    alice.wait();
    refusals.push(refused(&alice, "not_in_room", "send_message", json!({ "message": OF_ALICE })));
    alice.call("leave_chat", json!({ "report": "spam" }));
    bob.leave();
    assert_eq!(
        world.status()["reports"],
        json!({ "spam": 1, "harassment": 1, "injection": 0, "other": 0 })
    );

    for chat in [&alice, &bob] {
        let stderr = chat.client.last_words();
        assert!(stderr.contains("TRACE"), "it is loud: {stderr}");
        written.push(("stderr".to_owned(), stderr.into_bytes()));
    }
    written.extend(refusals.into_iter().map(|error| ("an error".to_owned(), error.into_bytes())));
    written.extend(files(world.directory()));
    let log = written.iter().find(|(place, _)| place.ends_with("relay.log"));
    let (_, log) = log.expect("the relay has a log");
    assert!(contains(log, b"closing a connection"), "it is loud");

    let tokens = tokens.lock().unwrap();
    for kind in ["session", "ticket", "room", "block_tag"] {
        assert!(tokens.iter().any(|(known, _)| known == kind), "no {kind} token was seen");
    }
    let texts = TEXTS.map(|text| (text.to_owned(), text.as_bytes().to_vec()));
    let keys = forms_of(&key).map(|form| ("the key".to_owned(), form));
    let tokens = tokens.iter().map(|(kind, token)| (kind.clone(), token.as_bytes().to_vec()));
    for (what, secret) in texts.into_iter().chain(keys).chain(tokens) {
        for (place, content) in &written {
            if what == "the key" && place.ends_with("relay.sock.key") {
                continue;
            }
            let content_shown = String::from_utf8_lossy(content);
            assert!(!contains(content, &secret), "{what} is in {place}:\n{content_shown}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_leaves_no_core_dump_with_words_or_tokens_in_it() {
    use rustix::process::{Resource, geteuid, getrlimit};

    if getrlimit(Resource::Core).maximum == Some(0) && !geteuid().is_root() {
        let why = b"skipped, for the limit of core dumps is 0 and cannot be raised\n";
        std::io::Write::write_all(&mut std::io::stderr(), why).unwrap();
        return;
    }
    let world = World::empty(&[]);
    let client = world.client();
    enter(&client, json!({}));
    for pid in [client.pid(), world.relay_pid()] {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let limit = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let values: Vec<_> = limit.split_whitespace().skip(4).collect();
        // 0, which it can have inherited, is no limit to a program that takes dumps.
        assert_eq!(values[..2], ["1", "1"], "of {limit}");
    }
}

/// Calls that are refused, each with words of Alice in it; returns what the errors say.
fn refusals(alice: &Chat<'_>) -> Vec<String> {
    let room = alice.room_id();
    let words = |argument: &str, value: Value| json!({ "message": OF_ALICE, argument: value });
    let mut errors = vec![
        refused(
            alice,
            "message_too_long",
            "send_message",
            json!({ "message": OF_ALICE.repeat(500) }),
        ),
        refused(alice, "message_unprintable", "send_message", json!({ "message": "\u{7}\u{1b}" })),
        refused(alice, "room_changed", "send_message", words("room_id", OF_ALICE.into())),
        refused(alice, "invalid_argument", "send_message", words("author", OF_ALICE.into())),
        refused(alice, "invalid_argument", "send_message", words("after", OF_ALICE.into())),
        refused(alice, "invalid_argument", "send_message", json!({ "message": [OF_ALICE] })),
        refused(alice, "invalid_argument", "leave_chat", json!({ "report": OF_ALICE })),
        refused(alice, "invalid_argument", "next_partner", json!({ "block": OF_ALICE })),
        refused(
            alice,
            "already_queued",
            "enter_queue",
            json!({ "display_name": NAME, "topic": TOPIC }),
        ),
    ];
    let client = alice.client;
    for (code, arguments) in [
        ("invalid_name", json!({ "new_chat": true, "display_name": format!("<{OF_ALICE}>") })),
        ("invalid_topic", json!({ "new_chat": true, "topic": format!("<{OF_ALICE}>") })),
        ("unknown_chat", json!({ "chat_id": OF_ALICE })),
    ] {
        let result = client.call("enter_queue", arguments);
        assert_eq!(error_code(&result), code);
        errors.push(structured(&result)["error"].to_string());
    }
    let unknown = json!({ "name": OF_ALICE, "arguments": { "message": OF_ALICE } });
    errors.push(client.request("tools/call", unknown).unwrap_err().to_string());
    let no_object = json!({ "name": "send_message", "arguments": OF_ALICE });
    errors.push(client.request("tools/call", no_object).unwrap_err().to_string());
    let method = json!({ "message": OF_ALICE });
    errors.push(client.request("no/such/method", method).unwrap_err().to_string());

    alice.deliver(OF_ALICE);
    errors.push(refused(alice, "ask_user", "send_message", json!({ "message": OF_ALICE })));
    let by_user = json!({ "message": OF_ALICE, "author": "user", "room_id": room });
    let too_fast = (0..20).map(|_| alice.call("send_message", by_user.clone()));
    let too_fast = { too_fast }.find(|result| result["isError"] == true).expect("a rate");
    assert_eq!(error_code(&too_fast), "rate_limited");
    errors.push(structured(&too_fast)["error"].to_string());
    errors
}

fn refused(chat: &Chat<'_>, code: &str, tool: &str, arguments: Value) -> String {
    chat.refused(code, tool, arguments)["error"].to_string()
}

/// Tokens that were seen, each with its kind.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// A socket through which a shim reaches the relay, and the tokens that are seen there.
fn tap(world: &World) -> (Proxy, Seen) {
    let tokens = Seen::default();
    let seen = Arc::clone(&tokens);
    let socket = world.directory().join("tap.sock");
    let proxy = Proxy::judging(socket, world.socket(), move |_, frame| {
        let frame: Value = serde_json::from_str(frame).unwrap();
        for (kind, at) in [
            ("session", "/welcome/session/token"),
            ("ticket", "/queued/ticket"),
            ("room", "/paired/token"),
            ("block_tag", "/left/block_tag"),
        ] {
            if let Some(token) = frame.pointer(at).and_then(Value::as_str) {
                seen.lock().unwrap().push((kind.to_owned(), token.to_owned()));
            }
        }
        Fate::Passed
    });
    (proxy, tokens)
}

/// As a log might have it.
fn forms_of(key: &[u8]) -> [Vec<u8>; 6] {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let listed = format!("{key:?}");
    [
        key.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        STANDARD_NO_PAD.encode(key).into_bytes(),
        URL_SAFE_NO_PAD.encode(key).into_bytes(),
        listed.trim_matches(['[', ']']).as_bytes().to_vec(),
    ]
}

/// What every program of the account can read of these processes.
fn process_list(pids: &[u32]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for pid in pids {
        for file in ["cmdline", "environ", "comm"] {
            let path = format!("/proc/{pid}/{file}");
            if let Ok(content) = fs::read(&path) {
                found.push((path, content));
            }
        }
    }
    assert!(!found.is_empty() || !Path::new("/proc/self").exists());
    found
}

fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(content) = fs::read(&path) {
            found.push((path.display().to_string(), content));
        }
    }
    found
}

fn contains(content: &[u8], secret: &[u8]) -> bool {
    content.windows(secret.len()).any(|window| window == secret)
}
