//! Every fixture of the text policy, through two real shims and a real relay: as its receiver has
//! it in structured results, in the text for people, in notifications, in the channel and in the
//! resource of the chat.

use std::{collections::BTreeSet, slice};

use serde_json::{Value, json};
use tests::{
    Chat, World, enter,
    fixtures::{Fixture, texts},
    meet,
    result::{events, events_of_type, ok, only_event, text},
};

/// What one result holds.
const BATCH: usize = 20;
const CHANNEL: &str = "notifications/claude/channel";

/// Those that arrive.
fn arriving() -> Vec<Fixture> {
    texts().into_iter().filter(|fixture| fixture.outcome.is_ok()).collect()
}

fn send(chat: &Chat<'_>, input: &str) -> Value {
    chat.call("send_message", json!({ "message": input, "author": "user" }))
}

fn assert_arrived(event: &Value, fixture: &Fixture) {
    let (expected, removed) = fixture.outcome.as_ref().unwrap();
    let removed = (*removed > 0).then_some(json!(removed));
    let arrived = (event["message"].as_str(), event.get("removed").cloned());
    assert_eq!(arrived, (Some(&**expected), removed), "{}, {}", fixture.category, fixture.name);
}

#[test]
fn every_text_comes_out_as_specified() {
    let world = World::serving(&[("message-rate", "1000/1000")]);
    let (alice, bob) = (world.client(), world.shim().args(["--channel"]).connect());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.expect_notification("chatroom.found");
    bob.client.expect_notification(CHANNEL);
    let mut nonces = BTreeSet::new();
    for batch in arriving().chunks(BATCH) {
        for fixture in batch {
            let sent = send(&alice, &fixture.input);
            assert_eq!(ok(&sent)["delivery"], "delivered", "{}", fixture.name);
            let notified = bob.client.expect_notification("message.received");
            assert_arrived(&notified, fixture);
            let pushed = bob.client.expect_notification(CHANNEL);
            let nonce = assert_shown(pushed["content"].as_str().unwrap(), slice::from_ref(fixture));
            assert!(nonces.insert(nonce), "a nonce comes again");
        }
        assert_read(&bob, batch);
        let mut left = batch;
        while !left.is_empty() {
            // One result holds fewer if they are long.
            let heard = bob.call("wait_for_events", json!({ "timeout_seconds": 0 }));
            let messages = events_of_type(ok(&heard), "message.received");
            let (here, later) = left.split_at(messages.len());
            assert!(!here.is_empty(), "not all came: {left:?}");
            for (event, fixture) in messages.into_iter().zip(here) {
                assert_arrived(event, fixture);
            }
            let nonce = assert_shown(text(&heard), here);
            assert!(nonces.insert(nonce), "a nonce comes again");
            left = later;
        }
    }
}

/// The resource of the chat ends with these.
fn assert_read(chat: &Chat<'_>, fixtures: &[Fixture]) {
    let read = json!({ "uri": "chat://current" });
    let result = chat.client.request("resources/read", read).unwrap();
    let reading: Value =
        serde_json::from_str(result["contents"][0]["text"].as_str().unwrap()).unwrap();
    let entries = reading["entries"].as_array().unwrap();
    let latest = &entries[entries.len() - fixtures.len()..];
    for (entry, fixture) in latest.iter().zip(fixtures) {
        assert_arrived(entry, fixture);
    }
}

/// Reads the text of a result as a careful stranger would: by the form of its fences alone.
/// Returns the nonce.
fn assert_shown(shown: &str, fixtures: &[Fixture]) -> String {
    let begin = "[words of \"Alice\" ";
    let mut lines = shown.split('\n');
    let mut fixtures = fixtures.iter();
    let mut nonces = BTreeSet::new();
    while let Some(line) = lines.next() {
        assert!(!line.starts_with('>'), "a quotation outside a fence: {shown}");
        let Some(opening) = line.strip_prefix(begin) else { continue };
        let nonce = opening.strip_suffix(']').unwrap();
        nonces.insert(nonce.to_owned());
        let end = format!("[end {nonce}]");
        let words: Vec<String> =
            lines.by_ref().take_while(|line| *line != end).map(unescaped).collect();
        let fixture = fixtures.next().expect("no more fences than messages");
        let (expected, removed) = fixture.outcome.as_ref().unwrap();
        assert_eq!(words.join("\n"), *expected, "{}, {}", fixture.category, fixture.name);
        if *removed > 0 {
            let told = format!("({removed} unsafe characters were taken out)");
            assert_eq!(lines.next(), Some(&*told), "{}", fixture.name);
        }
    }
    assert_eq!(fixtures.count(), 0, "a message has no fence: {shown}");
    assert_eq!(nonces.len(), 1, "one nonce a result");
    nonces.pop_first().unwrap()
}

fn unescaped(line: &str) -> String {
    let quoted = line.strip_prefix("> ").unwrap_or_else(|| panic!("not quoted: {line:?}"));
    assert!(!quoted.contains(['<', '>']), "not escaped: {line:?}");
    quoted.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn what_is_refused_is_refused_to_its_sender_and_never_arrives() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let mut refused = 0;
    for Fixture { name, input, outcome, .. } in texts() {
        if let Err(code) = outcome {
            let told = alice.refused(&code, "send_message", json!({ "message": input }));
            let words = told["error"].to_string();
            assert!(words.is_ascii() && words.len() < 500, "{name} is echoed: {words}");
            refused += 1;
        }
    }
    assert!(refused >= 10, "{refused}");
    alice.deliver("the end");
    assert_eq!(only_event(&bob.poll(), "message.received")["message"], "the end");
}

#[test]
fn the_history_shows_them_as_they_arrived() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (world.client(), world.modern_client());
    let (alice, bob) = meet(&alice, &bob);
    let hostile: Vec<Fixture> =
        arriving().into_iter().filter(|fixture| fixture.category == "nested sequences").collect();
    for fixture in &hostile {
        send(&alice, &fixture.input);
    }
    for chat in [&alice, &bob] {
        let told = chat.ok("chat_status", json!({ "history": 50 }));
        let history = told["history"].as_array().unwrap();
        assert_eq!(history.len(), hostile.len());
        for (spoken, fixture) in history.iter().zip(&hostile) {
            assert_eq!(spoken["message"], fixture.outcome.as_ref().unwrap().0);
        }
    }
}

#[test]
fn a_name_is_refused_by_code_point_and_never_echoed() {
    let world = World::serving(&[]);
    let client = world.client();
    for (field, code) in [("display_name", "invalid_name"), ("topic", "invalid_topic")] {
        for (value, named) in [
            ("Secret\u{202e}", "U+202E"),
            ("Secret<b>", "U+003C"),
            ("Secret\u{200b}", "U+200B"),
            ("\u{301}Secret", "U+0301"),
            ("Secret\nNext", "U+000A"),
            ("Secret\"", "U+0022"),
        ] {
            let result = client.call("enter_queue", json!({ (field): value }));
            let error = &result["structuredContent"]["error"];
            assert_eq!(error["code"], code, "{result:#}");
            assert!(error["message"].as_str().unwrap().contains(named), "{error}");
            assert!(!result.to_string().contains("Secret"), "{result:#}");
        }
    }
}

#[test]
fn a_name_that_mixes_scripts_comes_with_a_warning() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, _) = enter(&alice, json!({ "display_name": "Алиса" }));
    let (bob, entered) = enter(&bob, json!({ "display_name": "B\u{43e}b" }));
    let found = only_event(&entered, "chatroom.found");
    for partner in [&found["partner"], &entered["room"]["partner"]] {
        assert_eq!(partner["display_name"], "Алиса");
        assert_eq!(partner.get("mixed_script"), None, "one script is not mixed");
    }
    let heard = alice.client.finish(&alice.start_wait());
    let found = &events(ok(&heard))[0];
    for partner in [&found["partner"], &ok(&heard)["room"]["partner"]] {
        assert_eq!(
            (&partner["display_name"], &partner["mixed_script"]),
            (&json!("B\u{43e}b"), &json!(true))
        );
    }
    assert!(text(&heard).contains("mixes scripts"), "{}", text(&heard));
    let shown = text(&bob.call("chat_status", json!({}))).to_owned();
    assert!(!shown.contains("mixes scripts"), "{shown}");
}
