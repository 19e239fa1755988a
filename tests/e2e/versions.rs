//! Programs of other versions, and programs that are replaced while they run.

use std::{fs, path::PathBuf};

use serde_json::json;
use tests::{
    BINARIES, Client, Shim, Signal, World, enter, eventually, is_running, meet,
    proxy::Proxy,
    result::{error_code, messages, ok, structured},
    signal,
};

use crate::talk::HASTY;

#[test]
fn a_relay_of_another_version_is_reported_with_what_to_do_and_left_alone() {
    let cases = [
        (
            "newer.sock",
            r#"{"error":{"code":"version_mismatch","message":"this relay speaks 8 to 9","newest":9}}"#,
            "version_mismatch",
            "restart this app",
        ),
        (
            "outdated.sock",
            r#"{"error":{"code":"version_mismatch","message":"this relay speaks 0","newest":0}}"#,
            "version_mismatch",
            "`relay stop`",
        ),
        // One from before there were versions: it does not know `hello` at all.
        (
            "older.sock",
            r#"{"error":{"code":"unsupported","message":"no such message: hello"}}"#,
            "relay_unavailable",
            "it is older: restart it",
        ),
    ];
    let world = World::empty(&[]);
    for (name, line, code, advice) in cases {
        let proxy = Proxy::answering(world.directory().join(name), line);
        let client = world.shim().args(["--socket", proxy.socket().to_str().unwrap()]).connect();
        let refused = client.call("enter_queue", json!({}));
        assert_eq!(error_code(&refused), code, "{refused:#}");
        let hint = structured(&refused)["error"]["hint"].as_str().unwrap();
        assert!(hint.contains(advice), "{hint}");
        let status = client.call("chat_status", json!({}));
        assert_eq!(ok(&status)["relay"]["connected"], false);
        assert!(proxy.socket().exists() && world.relays().is_empty(), "nobody else was started");
    }
}

/// A copy of the programs, in a directory of their own.
fn install(world: &World) -> (PathBuf, PathBuf) {
    let directory = world.directory().join("bin");
    fs::create_dir_all(&directory).unwrap();
    let copy = |program: &PathBuf| {
        let to = directory.join(program.file_name().unwrap());
        let fresh = to.with_extension("new");
        fs::copy(program, &fresh).unwrap();
        fs::rename(fresh, &to).unwrap();
        to
    };
    (copy(&BINARIES.relay), copy(&BINARIES.shim))
}

#[test]
fn programs_that_are_replaced_while_they_run() {
    // Copies are not found by their path: the relay ends by itself.
    let world = World::empty(&[&[("idle-exit", "2s")], &HASTY[..]].concat());
    let (_, shim) = install(&world);
    let start = || -> Client {
        let mut command = world.command(&shim);
        command.env_remove("MCP_CHAT_RELAY").env("PATH", "");
        Shim::from(command).connect()
    };
    let (alice, bob) = (start(), start());
    let (alice, bob) = meet(&alice, &bob);
    let old = world.relay_pid();
    install(&world);
    alice.deliver("the old one goes on");
    assert_eq!(messages(&bob.poll()), ["the old one goes on"]);
    let deleted = fs::read_link(format!("/proc/{old}/exe")).unwrap();
    assert!(deleted.to_string_lossy().ends_with("(deleted)"), "{deleted:?}");

    signal(old, Signal::KILL);
    let new = world.relay_after(old);
    let running = fs::read_link(format!("/proc/{new}/exe")).unwrap();
    assert!(!running.to_string_lossy().ends_with("(deleted)"), "{running:?}");
    bob.deliver("and so does the new one");
    assert_eq!(messages(&alice.poll()), ["and so does the new one"]);
    let carol = start();
    enter(&carol, json!({ "topic": "garden" }));

    for client in [alice.client, bob.client, &carol] {
        client.close_stdin();
    }
    eventually("the relay has ended", || (!is_running(new)).then_some(()));
}
