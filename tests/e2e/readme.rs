//! What the README of `mcp-shim` shows to authors of clients is what they get.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::{Client, Signal, World, documents, enter, meet, result::only_event};

const DOCUMENT: &str = "mcp-shim/README.md";

const EVENTS: [&str; 6] = [
    "chatroom.found",
    "message.received",
    "partner.away",
    "partner.back",
    "partner.disconnected",
    "queue.expired",
];
const TIMES: [(&str, &str); 4] =
    [("keep-alive", "1s"), ("away-after", "1s"), ("listening-for", "1s"), ("queue-idle", "1s")];

/// Every block that is JSON.
fn examples() -> Vec<Value> {
    let blocks = documents::blocks(DOCUMENT, "json");
    blocks.iter().map(|block| serde_json::from_str(block).unwrap()).collect()
}

/// The one example that has this field, with this value if there is one to compare.
fn example(field: &str, value: Option<&str>) -> Value {
    let mut fitting = examples();
    fitting.retain(|example| match value {
        Some(value) => example[field] == value,
        None => example.get(field).is_some(),
    });
    assert_eq!(fitting.len(), 1, "examples with {field} {value:?}");
    fitting.remove(0)
}

/// Which fields there are, and of which type.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let shapes: BTreeMap<&String, Value> =
                fields.iter().map(|(name, value)| (name, shape(value))).collect();
            json!(shapes)
        }
        Value::Array(_) => json!("array"),
        Value::String(_) => json!("string"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("boolean"),
        Value::Null => json!("null"),
    }
}

fn assert_as_shown(method: &str, params: &Value) {
    let shown = example("method", Some(method));
    let got = json!({ "jsonrpc": "2.0", "method": method, "params": params });
    assert_eq!(shape(&got), shape(&shown), "{method}: the README differs from\n{got:#}");
}

/// Lets everything happen that there is a notification for; `hears` takes each.
fn everything_happens(world: &World, client: &Client, mut hears: impl FnMut(&str, Value)) {
    let mut expect = |method: &str| hears(method, client.expect_notification(method));
    let bob = world.client();
    let (alice, bob) = meet(client, &bob);
    expect("chatroom.found");
    bob.deliver("hi,\u{7} who is there?");
    expect("message.received");
    bob.client.signal(Signal::STOP);
    expect("partner.away");
    bob.client.signal(Signal::CONT);
    expect("partner.back");
    bob.leave();
    expect("partner.disconnected");
    alice.leave();
}

#[test]
fn the_tools_take_the_arguments_that_are_listed() {
    let world = World::empty(&[]);
    let listed = world.client().request("tools/list", json!({})).unwrap();
    let tools = listed["tools"].as_array().unwrap();
    let mut wanted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for tool in tools {
        let schema = &tool["inputSchema"];
        let required = schema["required"].as_array().unwrap();
        let written = |name: &String| {
            let optional = if required.iter().any(|field| field == name) { "" } else { "?" };
            format!("{name}{optional}")
        };
        let properties = schema["properties"].as_object().unwrap();
        let arguments = properties.keys().map(written).collect();
        wanted.insert(tool["name"].as_str().unwrap(), arguments);
    }

    let readme = documents::read(DOCUMENT);
    let section = readme.split("\n## ").find(|section| section.starts_with("Tools")).unwrap();
    let mut shown: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    // A table stands behind the text about its tools.
    let mut tables = section.split("| argument | type | meaning |\n|---|---|---|\n").peekable();
    while let Some(part) = tables.next() {
        let about = part.rsplit("|\n\n").next().unwrap();
        let about: Vec<&str> = about.split('`').skip(1).step_by(2).collect();
        let Some(table) = tables.peek() else { break };
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let arguments: BTreeSet<String> =
            rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect();
        for name in wanted.keys().filter(|name| about.contains(name)) {
            shown.insert(name, arguments.clone());
        }
    }
    assert_eq!(shown, wanted);
}

#[test]
fn each_notification_has_the_params_that_it_is_shown_with() {
    let world = World::serving(&TIMES);
    let client = world.client();
    let mut seen = BTreeSet::new();
    everything_happens(&world, &client, |method, params| {
        assert_as_shown(method, &params);
        seen.insert(method.to_owned());
    });
    enter(&client, json!({ "topic": "nobody comes" }));
    assert_as_shown("queue.expired", &client.expect_notification("queue.expired"));
    seen.insert("queue.expired".to_owned());
    assert_eq!(seen, EVENTS.map(str::to_owned).into());
}

#[test]
fn the_table_of_params_says_the_same() {
    let readme = documents::read(DOCUMENT);
    let rows = readme.lines().skip_while(|line| *line != "| param | type | in | what |").skip(2);
    let mut params: BTreeMap<&str, BTreeSet<String>> =
        EVENTS.map(|event| (event, BTreeSet::new())).into();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [param, _, methods, _] = cells[..] else { panic!("not four cells: {row}") };
        for event in EVENTS {
            let is_named = methods.contains(&format!("`{event}`"));
            if is_named != methods.starts_with("all") {
                params.get_mut(event).unwrap().insert(param.trim_matches('`').to_owned());
            }
        }
    }
    for event in EVENTS {
        let example = example("method", Some(event));
        let shown = example["params"].as_object().unwrap().keys().cloned();
        assert_eq!(params[event], shown.collect(), "{event}");
    }
}

#[test]
fn declaring_the_extension_works_as_it_is_shown() {
    let world = World::serving(&[]);
    let meta = example("_meta", None)["_meta"].clone();
    let (alice, bob) = (world.modern_client(), world.client());
    let (bob, _) = enter(&bob, json!({}));
    let call = json!({ "name": "enter_queue", "arguments": {}, "_meta": meta });
    alice.request("tools/call", call).unwrap();
    alice.expect_notification("chatroom.found");
    only_event(&bob.wait(), "chatroom.found");
}

#[test]
fn a_resource_reads_as_it_is_shown_and_is_followed_as_it_is_shown() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.modern_client(), world.client());
    let (alice, _bob) = meet(&alice, &bob);
    let request = example("method", Some("subscriptions/listen"));
    let filter = &request["params"]["notifications"];
    let _stream = alice.client.start_request("subscriptions/listen", request["params"].clone());
    let acknowledged = alice.client.expect_notification("notifications/subscriptions/acknowledged");
    assert_eq!(&acknowledged["notifications"], filter);
    alice.deliver("hello");
    alice.client.expect_notification("notifications/resources/updated");

    let uri = &filter["resourceSubscriptions"][0];
    let read = alice.client.request("resources/read", json!({ "uri": uri })).unwrap();
    let read: Value = serde_json::from_str(read["contents"][0]["text"].as_str().unwrap()).unwrap();
    let shown = example("entries", None);
    assert_eq!(shape(&read), shape(&shown), "the README differs from\n{read:#}");
    let entries = |reading: &Value| -> Vec<Value> {
        reading["entries"].as_array().unwrap().iter().map(shape).collect()
    };
    assert_eq!(entries(&read), entries(&shown), "the README differs from\n{read:#}");
}

#[test]
fn the_channel_is_as_it_is_shown() {
    const METHOD: &str = "notifications/claude/channel";
    let world = World::serving(&TIMES);
    let client = world.shim().args(["--channel"]).connect();
    let named = ["chat_id", "type", "cursor", "at", "room_id", "message_id", "author", "reason"];
    everything_happens(&world, &client, |event, _| {
        let pushed = client.expect_notification(METHOD);
        assert_eq!(pushed["meta"]["type"], event);
        let unnamed = |key: &&String| !named.contains(&key.as_str());
        assert_eq!(pushed["meta"].as_object().unwrap().keys().find(unnamed), None);
        if event == "message.received" {
            assert_as_shown(METHOD, &pushed);
        }
    });
}
