//! The MCP face: what a client learns before it calls a tool, in both eras.

use serde_json::{Value, json};
use tests::{Client, PATIENCE, World, enter, meet, result::only_event};

const TOOLS: [&str; 6] =
    ["enter_queue", "wait_for_events", "send_message", "next_partner", "leave_chat", "chat_status"];
const DESCRIPTION_BYTES: usize = 2 * 1024;

fn both_eras(world: &World) -> [Client; 2] {
    [world.client(), world.modern_client()]
}

fn tools(client: &Client) -> Vec<Value> {
    client.request("tools/list", json!({})).unwrap()["tools"].as_array().unwrap().clone()
}

#[test]
fn looking_around_starts_no_relay() {
    let world = World::empty(&[]);
    for client in both_eras(&world) {
        assert_eq!(tools(&client).len(), TOOLS.len());
        let prompts = client.request("prompts/list", json!({})).unwrap();
        assert_eq!(prompts["prompts"][0]["name"], "chat");
        client.request("prompts/get", json!({ "name": "chat" })).unwrap();
        assert!(world.relays().is_empty());
        assert!(!world.socket().exists());
        client.close_stdin();
        assert!(client.wait_exit(PATIENCE).success());
    }
    assert!(world.relays().is_empty());
}

#[test]
fn it_says_who_it_is_and_how_to_carry_a_conversation() {
    let world = World::empty(&[]);
    for client in both_eras(&world) {
        let server = client.server();
        assert!(server.to_string().contains(r#""name":"mcp-chat""#), "{server:#}");
        assert!(server["capabilities"]["tools"].is_object());
        assert!(server["capabilities"]["prompts"].is_object());
        let instructions = server["instructions"].as_str().unwrap();
        assert!(!instructions.is_empty() && instructions.len() < DESCRIPTION_BYTES);
        assert!(instructions.contains("chat_status") && instructions.contains("never"));
    }
    let [_, modern] = both_eras(&world);
    let versions = modern.server()["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2025-11-25")));
}

#[test]
fn older_versions_are_served_too() {
    let world = World::serving(&[]);
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let client = world.shim().era(tests::Era::Initialize(version)).connect();
        assert_eq!(tools(&client).len(), TOOLS.len());
        client.call("chat_status", json!({}));
    }
}

#[test]
fn the_tools_are_described_briefly_and_honestly() {
    let world = World::empty(&[]);
    for client in both_eras(&world) {
        let tools = tools(&client);
        let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(sorted(names), sorted(TOOLS.to_vec()));
        let described = tools.iter().map(|tool| tool["description"].as_str().unwrap().len());
        assert!(described.sum::<usize>() < DESCRIPTION_BYTES);
        for tool in &tools {
            let hints = &tool["annotations"];
            assert!(hints["readOnlyHint"].is_boolean(), "{tool:#}");
            let reads_only = tool["name"] == "chat_status";
            if reads_only || tool["name"] != "wait_for_events" {
                assert_eq!(hints["readOnlyHint"], reads_only, "{tool:#}");
            }
        }
    }
}

#[test]
fn the_schemas_are_what_every_client_understands() {
    let world = World::empty(&[]);
    for client in both_eras(&world) {
        for tool in tools(&client) {
            let name = tool["name"].as_str().unwrap();
            assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
            assert_eq!(tool["outputSchema"]["type"], "object", "{name}");
            assert!(!tool.to_string().contains("uint"), "{name} has an unsigned format");
            // `next` is in every result, errors included.
            let required = tool["outputSchema"]["required"].as_array();
            let required = required.map_or(&[][..], Vec::as_slice);
            assert!(
                required.iter().all(|field| field == "next"),
                "an error of {name} may lack some of {required:?}"
            );
        }
    }
}

#[test]
fn the_schemas_name_all_arguments() {
    let arguments = [
        ("enter_queue", vec!["after", "chat_id", "display_name", "new_chat", "topic"]),
        ("wait_for_events", vec!["after", "chat_id", "timeout_seconds"]),
        ("send_message", vec!["after", "author", "chat_id", "message", "room_id"]),
        ("next_partner", vec!["after", "block", "chat_id", "report"]),
        ("leave_chat", vec!["after", "block", "chat_id", "report"]),
        ("chat_status", vec!["after", "chat_id", "history"]),
    ];
    let world = World::empty(&[]);
    let tools = tools(&world.client());
    for (name, expected) in arguments {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        assert_eq!(sorted(properties.keys().map(String::as_str).collect()), expected, "{name}");
    }
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

#[test]
fn the_prompt_takes_a_topic_and_a_name() {
    let world = World::empty(&[]);
    for client in both_eras(&world) {
        let listed = client.request("prompts/list", json!({})).unwrap();
        let arguments = listed["prompts"][0]["arguments"].as_array().unwrap();
        let names = arguments.iter().map(|argument| argument["name"].as_str().unwrap());
        assert_eq!(sorted(names.collect()), ["display_name", "topic"]);
        assert!(arguments.iter().all(|argument| argument["required"] != true));

        let given = json!({ "topic": "chess openings", "display_name": "Magnus" });
        let prompt = json!({ "name": "chat", "arguments": given });
        let prompt = client.request("prompts/get", prompt).unwrap().to_string();
        assert!(prompt.contains("chess openings") && prompt.contains("Magnus"), "{prompt}");
        client.request("prompts/get", json!({ "name": "no such prompt" })).unwrap_err();
    }
}

#[test]
fn what_cannot_be_routed_is_an_error_of_the_protocol() {
    let world = World::empty(&[]);
    for client in both_eras(&world) {
        let call = json!({ "name": "no_such_tool", "arguments": {} });
        let error = client.request("tools/call", call).unwrap_err();
        assert!(error["code"].as_i64().is_some_and(|code| code < 0));
        let error = client.request("no/such/method", json!({})).unwrap_err();
        assert_eq!(error["code"], -32601);
        assert_eq!(tools(&client).len(), TOOLS.len(), "it goes on");
    }
}

#[test]
fn rubbish_on_stdin_does_not_end_a_session() {
    let world = World::serving(&[]);
    for client in both_eras(&world) {
        let (chat, _) = enter(&client, json!({}));
        for line in ["", "rubbish", "{}", "[1, 2", r#"{"jsonrpc":"2.0"}"#, "\u{0}\u{1}"] {
            client.write_line(line);
        }
        assert_eq!(chat.status()["state"], "waiting");
        chat.leave();
    }
}

#[test]
fn a_request_that_cannot_be_parsed_is_answered() {
    let world = World::serving(&[]);
    for client in both_eras(&world) {
        let (chat, _) = enter(&client, json!({}));
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for (id, message) in [(9_001, r#""hi \ud83d""#), (9_002, deep.as_str())] {
            client.write_line(&format!(
                r#"{{"jsonrpc":"2.0","method":"tools/call","params":{{"message":{message}}},"id":{id}}}"#
            ));
            let error = client.answer(&client.asked(id)).unwrap_err();
            assert_eq!(error["code"], -32_700, "{error}");
        }
        assert_eq!(chat.status()["state"], "waiting");
        chat.leave();
    }
}

#[test]
fn arguments_that_are_no_object_are_invalid() {
    let world = World::empty(&[]);
    for client in both_eras(&world) {
        for arguments in [json!([1]), json!("text"), json!(7)] {
            let params = json!({ "name": "enter_queue", "arguments": arguments });
            let error = client.request("tools/call", params).unwrap_err();
            assert_eq!(error["code"], -32_602, "{error}");
        }
        let (wrong, missing) = (json!({ "uri": 5 }), json!({}));
        for (method, params) in
            [("prompts/get", &missing), ("resources/read", &wrong), ("resources/read", &missing)]
        {
            let error = client.request(method, params.clone()).unwrap_err();
            assert_eq!(error["code"], -32_602, "{method}: {error}");
        }
        for params in [
            json!({}),
            json!({ "name": null, "arguments": {} }),
            json!({ "name": 5, "arguments": {} }),
            json!({ "name": ["enter_queue"] }),
            json!({ "name": "", "arguments": {} }),
            json!({ "name": "ENTER_QUEUE", "arguments": {} }),
            json!({ "name": "x".repeat(100_000), "arguments": {} }),
        ] {
            let error = client.request("tools/call", params).unwrap_err();
            assert_eq!(error["code"], -32_602, "{error}");
            assert!(error["message"].as_str().unwrap().len() < 300, "{error}");
        }
        let error = client.request("tools/fall", json!({})).unwrap_err();
        assert_eq!(error["code"], -32_601, "{error}");
    }
}

#[test]
fn every_result_is_told_to_people_as_well() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let said = alice.say("words that people see");
    assert_eq!(said["delivery"], "delivered");
    let result = bob.client.finish(&bob.start_wait());
    let text = tests::result::text(&result);
    assert!(text.contains("Alice") && text.contains("words that people see"), "{text}");
    alice.leave();
    let result = bob.client.finish(&bob.start_wait());
    only_event(tests::result::structured(&result), "partner.disconnected");
    assert!(tests::result::text(&result).contains(&bob.id));
}
