//! What relays keep in files: a key beside the socket, and a log. Neither may be missed.

use std::{fs, path::Path, process::Command};

use serde_json::json;
use tests::{Chat, World, enter, eventually, meet, result::messages};

use crate::talk::HASTY;

/// The relay is killed, and with it the room: the users are told and can go on.
fn kill_and_go_on(world: &World, alice: &Chat<'_>, bob: &Chat<'_>) {
    let killed = world.kill_relay();
    for chat in [alice, bob] {
        let told = chat.wait();
        let gone = tests::result::only_event(&told, "partner.disconnected");
        assert_eq!(gone["reason"], "relay_lost");
        assert_eq!(told["state"], "idle");
    }
    for chat in [alice, bob] {
        chat.ok("enter_queue", json!({}));
    }
    world.relay_after(killed);
    for chat in [alice, bob] {
        eventually("they meet again", || (chat.status()["state"] == "chatting").then_some(()));
        chat.poll();
    }
    alice.deliver("once more");
    assert_eq!(messages(&bob.poll()), ["once more"]);
}

#[test]
fn a_key_that_is_gone_or_spoilt_costs_the_chats_and_nothing_else() {
    let spoil: [fn(&Path); 4] = [
        |key| fs::remove_file(key).unwrap(),
        |key| fs::write(key, "too short").unwrap(),
        |key| fs::write(key, [7; 32]).unwrap(),
        // From now on there is no place for one.
        |key| {
            fs::remove_file(key).unwrap();
            fs::create_dir(key).unwrap();
        },
    ];
    let world = World::empty(&HASTY);
    let key = world.directory().join("relay.sock.key");
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    for spoil in spoil {
        assert!(key.is_file());
        spoil(&key);
        kill_and_go_on(&world, &alice, &bob);
    }
    kill_and_go_on(&world, &alice, &bob);
}

#[test]
fn a_place_in_the_queue_outlives_the_key() {
    let world = World::empty(&HASTY);
    let (alice, bob) = (world.client(), world.client());
    let (alice, _) = enter(&alice, json!({ "topic": "garden" }));
    fs::remove_file(world.directory().join("relay.sock.key")).unwrap();
    let killed = world.kill_relay();
    world.relay_after(killed);
    eventually("it waits again", || world.try_status().filter(|status| status["waiting"] == 1));
    let (_bob, _) = enter(&bob, json!({ "topic": "garden" }));
    eventually("they meet", || (alice.status()["state"] == "chatting").then_some(()));
}

#[test]
fn a_state_directory_that_cannot_be_made_moves_the_log_beside_the_socket() {
    let world = World::empty(&HASTY);
    let no_home = world.directory().join("no-home");
    fs::write(&no_home, "a file, not a directory").unwrap();
    let client = world.shim().env("HOME", &no_home).connect();
    enter(&client, json!({}));
    let log = world.directory().join("relay.sock.log");
    assert!(fs::read_to_string(log).unwrap().contains("listening"));
}

/// A file system of its own on a directory, given back at the end.
struct Mounted<'d>(&'d Path);

impl<'d> Mounted<'d> {
    /// `None` where this process may not do that.
    fn on(directory: &'d Path, options: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(directory);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self(directory))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // Lazily: a relay that is about to be killed still holds its log.
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[test]
fn a_state_directory_that_is_read_only_or_full_stops_nobody() {
    for options in ["ro", "size=4k"] {
        let world = World::empty(&HASTY);
        let state = world.home().join(".local").join("state");
        fs::create_dir_all(&state).unwrap();
        let Some(mounted) = Mounted::on(&state, options) else { return };
        if options != "ro" {
            // One page is taken by the directory; what is left has no room for a line.
            let _ = fs::create_dir(state.join("mcp-chat"));
            let _ = fs::write(state.join("mcp-chat").join("relay.log"), "");
            let _ = fs::write(state.join("filler"), [0; 4096]);
        }
        let (alice, bob) = (world.client(), world.client());
        let (alice, bob) = meet(&alice, &bob);
        alice.deliver("no room for a log");
        assert_eq!(messages(&bob.poll()), ["no room for a log"]);
        let killed = world.kill_relay();
        world.relay_after(killed);
        alice.deliver("nor for the next");
        assert_eq!(messages(&bob.poll()), ["nor for the next"]);
        drop(mounted);
    }
}

#[test]
fn a_full_disk_under_the_socket_costs_what_is_kept_there_and_nothing_else() {
    let world = World::empty(&HASTY);
    let directory = world.directory().join("full");
    fs::create_dir(&directory).unwrap();
    let Some(mounted) = Mounted::on(&directory, "size=4k,mode=0700") else { return };
    let _ = fs::write(directory.join("filler"), [0; 4096]);
    let socket = directory.join("relay.sock");
    let at = || world.shim().env("MCP_CHAT_SOCKET", &socket).connect();
    let (alice, bob) = (at(), at());
    let (alice, bob) = meet(&alice, &bob);
    alice.deliver("no room for a key");
    assert_eq!(messages(&bob.poll()), ["no room for a key"]);
    let log = world.started_relays_log();
    for warning in ["the key cannot be kept", "the epoch cannot be kept"] {
        assert!(log.contains(warning), "{warning} is not in {log}");
    }
    let left: Vec<_> = fs::read_dir(&directory).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with('~')), "{left:?}");
    drop(mounted);
}
