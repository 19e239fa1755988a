//! The first call that needs a relay starts one, whoever else does the same at that moment.

use std::{
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
    sync::Barrier,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{
    BINARIES, Client, PATIENCE, Shim, Signal, World, enter, eventually,
    result::{error_code, ok, only_event, structured},
    signal,
};

/// Five seconds, and what a busy machine may add to them.
const UNAVAILABLE_WITHIN: Duration = Duration::from_secs(7);

#[test]
fn the_first_call_starts_a_relay_and_the_second_shim_finds_it() {
    let world = World::empty(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, waiting) = enter(&alice, json!({}));
    assert_eq!(waiting["state"], "waiting");
    let relays = world.relays();
    assert_eq!(relays.len(), 1);
    let (_, entered) = enter(&bob, json!({}));
    only_event(&entered, "chatroom.found");
    only_event(&alice.wait(), "chatroom.found");
    assert_eq!(world.relays(), relays);
}

#[test]
fn a_started_relay_outlives_the_shim_that_started_it() {
    let world = World::empty(&[]);
    let first = world.client();
    enter(&first, json!({}));
    let relays = world.relays();
    first.close_stdin();
    first.wait_exit(PATIENCE);
    let (_, waiting) = enter(&world.client(), json!({}));
    assert_eq!(waiting["queue"]["waiting"], 1, "the first has left the queue");
    assert_eq!(world.relays(), relays);
}

#[test]
fn a_started_relay_takes_its_options_from_the_environment() {
    let world = World::empty(&[("message-rate", "1/1"), ("room-idle", "2s")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = tests::meet(&alice, &bob);
    alice.deliver("one");
    alice.refused("rate_limited", "send_message", json!({ "message": "two" }));
    alice.client.expect_notification("partner.disconnected");
    assert_eq!(bob.client.expect_notification("partner.disconnected")["reason"], "idle");
}

#[test]
fn a_started_relay_ends_by_itself_when_nobody_comes() {
    let world = World::empty(&[("idle-exit", "1s")]);
    let client = world.client();
    enter(&client, json!({}));
    assert_eq!(world.relays().len(), 1);
    client.close_stdin();
    client.wait_exit(PATIENCE);
    eventually("the relay has ended", || world.relays().is_empty().then_some(()));
    assert!(!world.socket().exists(), "it takes its socket with it");
    enter(&world.client(), json!({}));
}

#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let world = World::empty(&[]);
    let socket = world.socket();
    let client = world
        .shim()
        .args(["--socket", socket.to_str().unwrap()])
        .env("MCP_CHAT_SOCKET", "")
        .env("MCP_CHAT_RELAY_IDLE_EXIT", "")
        .env("MCP_CHAT_RELAY_GRACE", "")
        .connect();
    let (_, entered) = enter(&client, json!({}));
    assert_eq!(entered["state"], "waiting");
}

#[test]
fn a_program_that_does_nothing_is_started_once_and_named() {
    let world = World::empty(&[]);
    let program = world.directory().join("hung");
    std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let client = world.shim().env("MCP_CHAT_RELAY", &program).connect();
    let hint = || {
        let refused = client.call("enter_queue", json!({}));
        let error = structured(&refused)["error"].clone();
        assert_eq!(error["code"], "relay_unavailable");
        error["hint"].as_str().unwrap().to_owned()
    };
    let first = hint();
    let pid: u32 = first.split("(pid ").nth(1).unwrap().split(')').next().unwrap().parse().unwrap();
    assert!(first.contains("does nothing"), "{first}");
    assert_eq!(hint(), first, "no second one is started beside it");
    signal(pid, Signal::KILL);
}

#[test]
fn a_program_that_ends_without_a_word_is_told() {
    let world = World::empty(&[]);
    let client = world.shim().env("MCP_CHAT_RELAY", "/bin/false").connect();
    let refused = client.call("enter_queue", json!({}));
    let hint = structured(&refused)["error"]["hint"].clone();
    assert!(hint.as_str().unwrap().contains("/bin/false ended with"), "{hint}");
}

#[test]
fn a_relay_ends_although_a_client_lives_that_has_left_its_chat() {
    let world = World::empty(&[("idle-exit", "1s")]);
    let client = world.client();
    let (chat, _) = enter(&client, json!({}));
    chat.leave();
    eventually("the relay has ended", || world.relays().is_empty().then_some(()));
    enter(&client, json!({}));
}

#[test]
fn forty_shims_at_the_same_instant_start_exactly_one_relay() {
    let world = World::empty(&[]);
    let clients: Vec<Client> = (0..40).map(|_| world.client()).collect();
    let start = Barrier::new(clients.len());
    let entered: Vec<Value> = std::thread::scope(|scope| {
        let calls: Vec<_> = clients
            .iter()
            .map(|client| {
                scope.spawn(|| {
                    start.wait();
                    enter(client, json!({})).1
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    for (client, entered) in clients.iter().zip(&entered) {
        let chat = tests::Chat { client, id: entered["chat_id"].as_str().unwrap().to_owned() };
        eventually("everybody has a partner", || {
            (chat.status()["state"] == "chatting").then_some(())
        });
    }
    let relays = eventually("the losers of the race have ended", || {
        let relays = world.relays();
        (relays.len() == 1).then_some(relays)
    });
    let status = world.status();
    assert_eq!(status["pid"], relays[0]);
    assert_eq!((&status["sessions"], &status["rooms"]), (&json!(40), &json!(20)));
}

#[test]
fn without_a_relay_to_be_found_the_tools_say_so_and_recover() {
    let world = World::empty(&[]);
    for client in [
        world.shim().env("MCP_CHAT_RELAY", "/nonexistent").env("PATH", "").connect(),
        world.shim().args(["--no-autostart"]).modern().connect(),
    ] {
        let begun = Instant::now();
        let refused = client.call("enter_queue", json!({ "topic": "patience" }));
        assert!(begun.elapsed() < UNAVAILABLE_WITHIN, "it took {:?}", begun.elapsed());
        assert_eq!(error_code(&refused), "relay_unavailable");
        let hint = structured(&refused)["error"]["hint"].as_str().unwrap();
        assert!(hint.contains("relay"), "what to do: {hint}");

        let begun = Instant::now();
        let result = client.call("chat_status", json!({}));
        assert!(begun.elapsed() < UNAVAILABLE_WITHIN, "it took {:?}", begun.elapsed());
        let status = ok(&result);
        assert_eq!(status["relay"]["connected"], false);
        assert_eq!(status["relay"]["socket"], world.socket().to_str().unwrap());
        assert_eq!(status.get("other_chats"), None, "a failed attempt leaves no chat behind");
        assert!(world.relays().is_empty());

        world.serve();
        let (_, waiting) = enter(&client, json!({ "topic": "patience" }));
        assert_eq!(waiting["state"], "waiting");
        let result = client.call("chat_status", json!({}));
        assert_eq!(ok(&result)["relay"]["connected"], true);
        client.close_stdin();
        client.wait_exit(PATIENCE);
        world.kill_relay();
    }
}

#[test]
fn the_relay_is_looked_for_beside_the_path_that_the_shim_was_started_by() {
    let world = World::empty(&[]);
    let (shim, relay) = (world.directory().join("mcp-shim"), world.directory().join("relay"));
    symlink(&BINARIES.shim, &shim).unwrap();
    let mut command = world.command(&shim);
    command.env_remove("MCP_CHAT_RELAY").env("PATH", "");
    let client = Shim::from(command).connect();
    let refused = client.call("enter_queue", json!({}));
    assert_eq!(error_code(&refused), "relay_unavailable", "the link's target is not beside it");
    symlink(&BINARIES.relay, &relay).unwrap();
    enter(&client, json!({}));
}

#[test]
fn the_relay_is_found_on_the_path() {
    let world = World::empty(&[]);
    let shim = world.directory().join("mcp-shim");
    symlink(&BINARIES.shim, &shim).unwrap();
    let mut command = world.command(&shim);
    command.env_remove("MCP_CHAT_RELAY").env("PATH", &BINARIES.directory);
    enter(&Shim::from(command).connect(), json!({}));
}

/// Two programs that know nothing of each other but the account they run as. This is the one test
/// that uses the real socket of the account: it stays out of everybody's way by its topic, and
/// stops the relay only if nobody else uses it.
#[test]
fn one_shim_with_a_full_and_one_with_an_empty_environment_meet() {
    let world = World::empty(&[]);
    let was_running = status_of_account().is_some();
    let topic = world.directory().file_name().unwrap().to_str().unwrap().to_owned();

    let mut empty = Command::new(&BINARIES.shim);
    empty.env_clear().current_dir("/");
    let mut full = Command::new(&BINARIES.shim);
    full.env_remove("MCP_CHAT_SOCKET")
        .env("XDG_RUNTIME_DIR", world.directory())
        .env("TMPDIR", world.directory())
        .env("HOME", world.home());
    let (empty, full) = (Shim::from(empty).connect(), Shim::from(full).connect());
    let (alice, _) = enter(&empty, json!({ "topic": topic }));
    let (bob, entered) = enter(&full, json!({ "topic": topic }));
    // One that was killed has left a key: its successor pairs nobody at first.
    if tests::result::events(&entered).is_empty() {
        only_event(&bob.wait(), "chatroom.found");
    }
    only_event(&alice.wait(), "chatroom.found");
    alice.leave();
    bob.leave();

    let status = status_of_account().expect("the relay of this account answers");
    let nobody_but_this_question = 1;
    if !was_running && status["connections"] == nobody_but_this_question {
        let stopped = account_relay().arg("stop").output().unwrap();
        assert!(stopped.status.success());
    }
}

fn account_relay() -> Command {
    let mut relay = Command::new(&BINARIES.relay);
    relay.env_clear().current_dir(Path::new("/"));
    relay
}

fn status_of_account() -> Option<Value> {
    let output = account_relay().args(["status", "--json"]).output().unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}
