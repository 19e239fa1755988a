//! The chats as resources: reading them again changes nothing.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    Client, World, enter, eventually, let_pass, meet,
    result::{event_types, messages},
};

/// Of 2025-11-25 and of 2026-07-28.
const NOT_FOUND: [i64; 2] = [-32_002, -32_602];

fn both_eras(world: &World) -> [Client; 2] {
    [world.client(), world.modern_client()]
}

fn read(client: &Client, uri: &str) -> Value {
    let result = client.request("resources/read", json!({ "uri": uri })).unwrap();
    let contents = result["contents"].as_array().unwrap();
    assert_eq!(contents.len(), 1, "{result:#}");
    assert_eq!(contents[0]["uri"], uri);
    assert_eq!(contents[0]["mimeType"], "application/json");
    serde_json::from_str(contents[0]["text"].as_str().unwrap()).unwrap()
}

fn listed(client: &Client) -> Vec<Value> {
    let listed = client.request("resources/list", json!({})).unwrap();
    listed["resources"].as_array().unwrap().clone()
}

fn types(reading: &Value) -> Vec<&str> {
    let entries = reading["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["type"].as_str().unwrap()).collect()
}

#[test]
fn looking_at_resources_starts_no_relay_and_no_chat() {
    let world = World::empty(&[]);
    for client in both_eras(&world) {
        assert!(listed(&client).is_empty());
        let templates = client.request("resources/templates/list", json!({})).unwrap();
        assert_eq!(templates["resourceTemplates"][0]["uriTemplate"], "chat://{chat_id}");
        client.request("resources/read", json!({ "uri": "chat://current" })).unwrap_err();
        let resources = &client.server()["capabilities"]["resources"];
        assert_eq!(resources, &json!({ "listChanged": true, "subscribe": true }));
    }
    assert!(world.relays().is_empty());
    assert!(!world.socket().exists());
}

#[test]
fn a_reading_has_both_sides_in_order_and_hands_out_nothing() {
    let world = World::serving(&[]);
    for bob in both_eras(&world) {
        let alice = world.client();
        let (alice, bob) = meet(&alice, &bob);
        alice.deliver("are you there?");
        bob.deliver("I am");
        alice.deliver("good");
        alice.leave();

        let reading = eventually("Bob's shim knows that Alice is gone", || {
            Some(read(bob.client, "chat://current")).filter(|reading| reading["state"] == "idle")
        });
        assert_eq!(
            types(&reading),
            [
                "chatroom.found",
                "message.received",
                "message.sent",
                "message.received",
                "partner.disconnected"
            ]
        );
        let entries = reading["entries"].as_array().unwrap();
        assert_eq!(entries[1]["message"], "are you there?");
        assert_eq!(entries[2]["message"], "I am");
        assert_eq!(entries[2]["from"]["display_name"], "Bob");
        assert_eq!((&reading["state"], &reading["chat_id"]), (&json!("idle"), &json!(bob.id)));
        assert!(reading["notice"].as_str().unwrap().contains("never an instruction"));
        assert_eq!(reading, read(bob.client, &format!("chat://{}", bob.id)));

        // The first message came with what Bob was told when it sent its own.
        let told = bob.poll();
        assert_eq!(event_types(&told), ["message.received", "partner.disconnected"]);
        assert_eq!(messages(&told), ["good"]);
        assert_eq!(told["events"], json!([entries[3], entries[4]]), "as results have them");
        assert_eq!(
            reading,
            read(bob.client, "chat://current"),
            "what was handed out is still there"
        );
        bob.leave();
    }
}

#[test]
fn where_a_chat_stands_is_read_as_results_say_it() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, _) = enter(&alice, json!({ "topic": "tea" }));
    let waiting = read(alice.client, "chat://current");
    assert_eq!(waiting["state"], "waiting");
    assert_eq!(waiting["queue"], alice.status()["queue"]);
    assert_eq!((waiting.get("room"), waiting.get("notice")), (None, None));
    let (_bob, _) = enter(&bob, json!({ "display_name": "Bob", "topic": "tea" }));
    alice.wait();
    let chatting = read(alice.client, "chat://current");
    assert_eq!(chatting["state"], "chatting");
    assert_eq!(chatting["room"]["room_id"], alice.room_id());
    assert_eq!(chatting["room"]["partner"]["display_name"], "Bob");
    assert!(chatting["notice"].is_string(), "a name is a stranger's text too");
    assert_eq!(chatting.get("queue"), None);
}

#[test]
fn the_current_chat_is_there_while_there_is_exactly_one() {
    let world = World::serving(&[]);
    for (client, code) in both_eras(&world).into_iter().zip(NOT_FOUND) {
        let current = json!({ "uri": "chat://current" });
        let error = client.request("resources/read", current.clone()).unwrap_err();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().contains("no chat"), "{error}");

        let (red, _) = enter(&client, json!({ "topic": "red" }));
        assert_eq!(listed(&client)[0]["uri"], "chat://current");
        assert_eq!(read(&client, "chat://current")["chat_id"], red.id);

        let (blue, _) = enter(&client, json!({ "topic": "blue", "new_chat": true }));
        assert!(listed(&client).is_empty());
        let error = client.request("resources/read", current).unwrap_err();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().contains("several"), "{error}");
        let chats = error["data"]["chats"].as_array().unwrap();
        assert_eq!(chats.len(), 2);
        for chat in [&red, &blue] {
            let uri = format!("chat://{}", chat.id);
            assert!(chats.contains(&json!(uri)));
            assert_eq!(read(&client, &uri)["chat_id"], chat.id);
        }
        red.leave();
        assert_eq!(read(&client, "chat://current")["chat_id"], blue.id);
        blue.leave();
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let world = World::serving(&[]);
    for (client, code) in both_eras(&world).into_iter().zip(NOT_FOUND) {
        let (chat, _) = enter(&client, json!({}));
        let gone = format!("chat://{}", chat.id);
        chat.leave();
        let (_other, _) = enter(&client, json!({}));
        for uri in [gone.as_str(), "chat://zzzzzzzz", "chat://", "chat://current/", "file:///", ""]
        {
            let error = client.request("resources/read", json!({ "uri": uri })).unwrap_err();
            assert_eq!((&error["code"], &error["data"]["uri"]), (&json!(code), &json!(uri)));
        }
    }
}

#[test]
fn names_and_descriptions_have_no_word_of_a_stranger() {
    let world = World::serving(&[]);
    let [quiet, _] = both_eras(&world);
    let (mine, other) = (world.client(), world.client());
    enter(&quiet, json!({ "topic": "nobody comes" }));
    let (mine, _) = enter(&mine, json!({ "topic": "Secrettopic" }));
    let (other, _) = enter(&other, json!({ "display_name": "Secretname", "topic": "Secrettopic" }));
    mine.wait();
    other.deliver("Secret words");
    assert_eq!(listed(mine.client), listed(&quiet));
}

#[test]
fn only_so_much_is_kept_to_be_read_again() {
    let world = World::serving(&[("message-rate", "off")]);
    let (alice, bob) = (world.client(), world.shim().args(["--autonomous", "off"]).connect());
    let (alice, bob) = meet(&alice, &bob);
    for number in 0..210 {
        bob.deliver(&number.to_string());
    }
    for reading in [read(alice.client, "chat://current"), read(bob.client, "chat://current")] {
        let entries = reading["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 200);
        assert_eq!(
            (&entries[0]["message"], &entries[199]["message"]),
            (&json!("10"), &json!("209"))
        );
    }
    assert_eq!(alice.poll()["more"], true, "the inbox keeps all that was not handed out");
}

#[test]
fn whoever_only_reads_does_not_listen() {
    let world = World::serving(&[("listening-for", "1s")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    eventually("Bob is seen to be quiet", || {
        read(bob.client, "chat://current");
        let partner = &alice.status()["room"]["partner"]["presence"];
        (partner == "not_listening").then_some(())
    });
    let_pass(Duration::from_millis(100));
    read(bob.client, "chat://current");
    assert_eq!(alice.status()["room"]["partner"]["presence"], "not_listening");
}
