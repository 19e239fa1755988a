//! MCP Inspector, which looks for what a client may stumble over, finds nothing and complains of
//! nothing. It is run without `-q`, so that its warnings are seen, and what the shim says besides.

use serde_json::{Value, json};
use tests::{
    World, enter,
    foreign::{Mode, inspector},
    result::only_event,
};

#[test]
fn finds_nothing_wrong_with_initialize() {
    inspect(Mode::Legacy);
}

#[test]
fn finds_nothing_wrong_stateless() {
    inspect(Mode::Auto);
}

fn inspect(mode: Mode) {
    let world = World::empty(&[]);
    let shown = shown(&world, mode, &["--method", "initialize"]);
    assert_eq!(shown["protocolVersion"], mode.version());

    let tools = inspected(&world, mode, &["--method", "tools/list", "--strict"]);
    assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 6);
    assert_eq!(tools["schemaFindings"], Value::Null, "{tools:#}");

    let prompts = self::shown(&world, mode, &["--method", "prompts/list"]);
    assert_eq!(prompts["prompts"][0]["name"], "chat");
    let prompt = ["--method", "prompts/get", "--prompt-name", "chat", "--prompt-args", "topic=tea"];
    let prompt = self::shown(&world, mode, &prompt);
    assert!(prompt["messages"][0]["content"]["text"].as_str().unwrap().contains("tea"));
    assert!(world.relays().is_empty(), "what only lists started a relay");

    let status = call(&world, mode, "chat_status", &json!({}));
    assert_eq!(status["relay"]["connected"], true, "{status:#}");

    let bob = world.client();
    let (bob, _) = enter(&bob, json!({ "display_name": "Bob" }));
    let entered = call(&world, mode, "enter_queue", &json!({ "display_name": "Alice" }));
    assert_eq!(entered["state"], "chatting");
    assert_eq!(only_event(&entered, "chatroom.found")["partner"]["display_name"], "Bob");
    // The end of the program was a leave.
    assert_eq!(
        bob.client.expect_notification("chatroom.found")["partner"]["display_name"],
        "Alice"
    );
    assert_eq!(bob.client.expect_notification("partner.disconnected")["reason"], "left");
}

fn call(world: &World, mode: Mode, tool: &str, arguments: &Value) -> Value {
    let arguments = arguments.to_string();
    let call = ["--method", "tools/call", "--tool-name", tool, "--tool-args-json", &arguments];
    let result = shown(world, mode, &call);
    assert_eq!(result["isError"], false, "{result:#}");
    result["structuredContent"].clone()
}

fn shown(world: &World, mode: Mode, arguments: &[&str]) -> Value {
    inspected(world, mode, arguments)["result"].take()
}

fn inspected(world: &World, mode: Mode, arguments: &[&str]) -> Value {
    let output = inspector(world, mode, arguments);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}: {complaints}", output.status);
    assert_eq!(complaints, "", "{arguments:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}
