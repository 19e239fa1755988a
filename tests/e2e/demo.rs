//! The demonstration that a newcomer sees first, and the robot that helps to try one's own client.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;
use tests::{
    BINARIES, PATIENCE, World, documents::workspace, enter, eventually, result::only_event, within,
};

#[test]
fn two_people_meet_and_talk_on_screen() {
    let world = World::empty(&[]);
    let begun = Instant::now();
    let output = world
        .command(&BINARIES.shim)
        .arg("demo")
        .env_remove("MCP_CHAT_SOCKET")
        .env_remove("MCP_CHAT_RELAY")
        .env("TMPDIR", world.directory())
        .output()
        .unwrap();
    let took = begun.elapsed();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}\n{complaints}");
    assert!(took < Duration::from_secs(10), "it took {took:?}");

    for line in shown.lines() {
        // The path to the binary cannot be broken.
        let is_path = line.contains(BINARIES.shim.to_str().unwrap());
        assert!(line.chars().count() <= 80 || is_path, "wider than 80 columns: {line}");
    }
    assert!(!shown.contains('\u{1b}'), "escape codes in a pipe");
    let expected = [
        "Ana",
        "Ben",
        "enter_queue",
        "chatroom.found",
        "send_message",
        "message.received",
        "partner.disconnected",
        "Claude Desktop",
        "Claude Code",
        "Cursor",
        "VS Code",
        "Codex",
        "mcpServers",
        BINARIES.shim.to_str().unwrap(),
    ];
    for words in expected {
        assert!(shown.contains(words), "{words} is not in:\n{shown}");
    }
    eventually("its relay has ended", || world.relays().is_empty().then_some(()));
    let left: Vec<_> = std::fs::read_dir(world.directory()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "only the home directory was there before: {left:?}");
}

#[test]
fn the_picture_in_the_readme_shows_what_happens() {
    let drawn = Command::new(env!("CARGO_BIN_EXE_picture")).arg("--print").output().unwrap();
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let shown = std::fs::read_to_string(workspace().join("tests/picture/conversation.svg"));
    let drawn = String::from_utf8(drawn.stdout).unwrap();
    assert!(drawn == shown.unwrap(), "draw it again, see tests/README.md: it is now\n{drawn}");
}

#[test]
fn a_demonstration_without_a_relay_fails() {
    let world = World::empty(&[]);
    let output =
        world.command(&BINARIES.shim).arg("demo").env("MCP_CHAT_RELAY", "/nonexistent").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!output.stderr.is_empty());
}

#[test]
fn the_robot_answers_lines_that_come_all_at_once() {
    let world = World::serving(&[("message-rate", "off")]);
    let client = world.client();
    let (chat, _) = enter(&client, json!({ "topic": "robots" }));
    let mut robot = world
        .command(&BINARIES.shim)
        .args(["demo", "--join", "robots"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    only_event(&chat.wait(), "chatroom.found");
    let lines: Vec<_> = (0..4)
        .map(|line| json!({ "chat_id": chat.id, "message": format!("{line}"), "author": "user" }))
        .map(|arguments| client.start_call("send_message", arguments))
        .collect();
    for line in &lines {
        client.finish(line);
    }
    assert_eq!(client.expect_notification("partner.disconnected")["reason"], "left");
    let status = within(PATIENCE, "the end of the robot", || robot.try_wait().unwrap());
    assert!(status.success());
}

#[test]
fn the_robot_answers_three_lines_and_leaves() {
    let world = World::serving(&[]);
    let client = world.client();
    let (chat, _) = enter(&client, json!({ "topic": "robots" }));
    let mut robot = world
        .command(&BINARIES.shim)
        .args(["demo", "--join", "robots"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let met = chat.wait();
    let name = only_event(&met, "chatroom.found")["partner"]["display_name"].clone();
    assert!(name.as_str().unwrap().to_lowercase().contains("robot"), "labelled as one: {name}");

    client.expect_notification("message.received");
    for line in ["one", "two", "three"] {
        chat.ok("send_message", json!({ "message": line, "author": "user" }));
        let answer = client.expect_notification("message.received");
        assert_eq!(answer["author"], "assistant");
    }
    assert_eq!(client.expect_notification("partner.disconnected")["reason"], "left");
    let status = within(PATIENCE, "the end of the robot", || robot.try_wait().unwrap());
    assert!(status.success());
}

/// Two who both say that everything works, though no person was there.
#[test]
fn two_robots_wait_until_a_person_comes_and_never_meet() {
    // The waivers hold at once.
    let world = World::serving(&[("message-rate", "off"), ("match-wait", "0s")]);
    let mut robots = [(); 2].map(|()| {
        let mut command = world.command(&BINARIES.shim);
        command.args(["demo", "--join", "robots"]).stdout(Stdio::null()).spawn().unwrap()
    });
    eventually("both robots wait", || (world.status()["waiting"] == 2).then_some(()));
    for left in [1, 0] {
        let client = world.client();
        let (chat, entered) = enter(&client, json!({ "topic": "robots" }));
        assert_eq!(entered["room"]["partner"]["display_name"], "Demo Robot");
        assert_eq!(world.status()["waiting"], left);
        for line in ["one", "two", "three"] {
            chat.ok("send_message", json!({ "message": line, "author": "user" }));
        }
        assert_eq!(client.expect_notification("partner.disconnected")["reason"], "left");
    }
    for robot in &mut robots {
        let status = within(PATIENCE, "the end of the robot", || robot.try_wait().unwrap());
        assert!(status.success());
    }
}
