//! Where shims and relay meet, when that place is not as it should be.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, chown, symlink},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::json;
use tests::{
    Chat, Client, Signal, World, enter, eventually, is_running, meet,
    result::{error_code, event_types, messages, structured},
    signal,
};

use crate::talk::HASTY;

/// Five seconds, and what a busy machine may add to them.
const UNAVAILABLE_WITHIN: Duration = Duration::from_secs(7);

type Make = fn(&Path);
type Remove = fn(&Path) -> std::io::Result<()>;

fn at(world: &World, socket: &Path) -> Client {
    world.shim().env("MCP_CHAT_SOCKET", socket).connect()
}

/// What the tools say that there is to be done, when there is no relay to be had.
fn hint(client: &Client) -> String {
    let begun = Instant::now();
    let refused = client.call("enter_queue", json!({}));
    assert!(begun.elapsed() < UNAVAILABLE_WITHIN, "it took {:?}", begun.elapsed());
    assert_eq!(error_code(&refused), "relay_unavailable", "{refused:#}");
    structured(&refused)["error"]["hint"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_no_socket_is_left_alone_and_named() {
    let world = World::empty(&[]);
    let socket = world.socket();
    let client = world.client();
    let obstacles: [(&str, Make, Remove); 3] = [
        ("a regular file", |path| fs::write(path, "precious").unwrap(), |p| fs::remove_file(p)),
        ("a symbolic link", |path| symlink("elsewhere", path).unwrap(), |p| fs::remove_file(p)),
        ("a directory", |path| fs::create_dir(path).unwrap(), |p| fs::remove_dir(p)),
    ];
    for (kind, make, remove) in obstacles {
        make(&socket);
        let expected = format!("{} is {kind}, not a socket", socket.display());
        // A relay is started once a second at most.
        eventually(kind, || hint(&client).contains(&expected).then_some(()));
        remove(&socket).unwrap();
    }
    // And what a relay leaves that is killed is no obstacle.
    drop(UnixListener::bind(&socket).unwrap());
    eventually("a relay starts", || {
        (client.call("enter_queue", json!({}))["isError"] != true).then_some(())
    });
}

#[test]
fn a_directory_that_is_not_ours_alone_is_refused_and_trusted_again_when_it_is() {
    let world = World::empty(&[]);
    let directory = world.directory().join("run");
    fs::create_dir(&directory).unwrap();
    let client = at(&world, &directory.join("relay.sock"));
    let mode = |mode| fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o777);
    assert!(hint(&client).contains("mode 0777"));
    mode(0o700);
    if rustix::process::geteuid().is_root() {
        // Only root can give a directory away.
        chown(&directory, Some(12_345), None).unwrap();
        assert!(hint(&client).contains("belongs to another user (uid 12345)"));
        chown(&directory, Some(0), None).unwrap();
    }
    assert!(!directory.join("relay.sock").exists());
    eventually("a relay starts", || {
        (client.call("enter_queue", json!({}))["isError"] != true).then_some(())
    });
}

#[test]
fn a_socket_that_is_removed_under_a_living_relay() {
    let world = World::empty(&[&[("keep-alive", "500ms")], &HASTY[..]].concat());
    let clients = [(); 3].map(|()| world.client());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    let relay = world.relay_pid();
    fs::remove_file(world.socket()).unwrap();
    alice.deliver("nobody noticed");
    assert_eq!(messages(&bob.poll()), ["nobody noticed"]);
    enter(&clients[2], json!({ "topic": "garden" }));
    assert_eq!(world.relay_pid(), relay, "it is found again, and no other was needed");
    bob.deliver("not I");
}

#[test]
fn a_directory_that_is_removed_under_a_living_relay() {
    let world = World::empty(&[&[("keep-alive", "500ms")], &HASTY[..]].concat());
    let socket = world.directory().join("run").join("relay.sock");
    let (alice, bob) = (at(&world, &socket), at(&world, &socket));
    let (alice, bob) = meet(&alice, &bob);
    let relays = world.relays();
    fs::remove_dir_all(world.directory().join("run")).unwrap();
    // With the key, what the relay vouched for is gone; the users are told, and go on.
    for chat in [&alice, &bob] {
        let told = chat.wait();
        assert_eq!(event_types(&told), ["partner.disconnected"], "{told:#}");
        assert_eq!(told["events"][0]["reason"], "relay_lost");
    }
    eventually("the old relay has ended", || (!is_running(relays[0])).then_some(()));
    meet_again(&alice, &bob);
}

fn meet_again(alice: &Chat<'_>, bob: &Chat<'_>) {
    for chat in [alice, bob] {
        eventually("there is a relay again", || {
            (chat.call("enter_queue", json!({}))["isError"] != true).then_some(())
        });
    }
    for chat in [alice, bob] {
        eventually("they meet again", || (chat.status()["state"] == "chatting").then_some(()));
        chat.poll();
    }
    alice.deliver("here we are");
    assert_eq!(messages(&bob.poll()), ["here we are"]);
}

#[test]
fn a_relay_that_hangs_is_named_with_its_process() {
    for is_reachable in [true, false] {
        let world = World::serving(&[]);
        let relay = world.relay_pid();
        signal(relay, Signal::STOP);
        if !is_reachable {
            fs::remove_file(world.socket()).unwrap();
        }
        let client = world.client();
        let hint = hint(&client);
        assert!(hint.contains(&format!("pid {relay}")), "reachable: {is_reachable}: {hint}");
        let status = client.call("chat_status", json!({}));
        let relay_told = &structured(&status)["relay"];
        assert_eq!(relay_told["connected"], false);
        assert!(relay_told.to_string().contains(&format!("pid {relay}")), "{relay_told}");
        signal(relay, Signal::CONT);
    }
}

#[test]
fn a_full_backlog_is_waited_for_and_leaves_no_ghost() {
    let world = World::empty(&[]);
    let listener = UnixListener::bind(world.socket()).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let filling = UnixStream::connect(world.socket()).unwrap();
    let client = world.client();
    let hint = hint(&client);
    assert!(hint.contains("busy"), "{hint}");
    assert!(world.relays().is_empty(), "one that is busy is not one that is absent");
    drop((listener, filling));
    enter(&client, json!({}));
    let status = world.status();
    assert_eq!((&status["sessions"], &status["connections"]), (&json!(1), &json!(2)));
}

#[test]
fn an_old_relay_that_is_still_sending_holds_up_the_next_one_for_a_while_only() {
    let world = World::empty(&HASTY);
    let alice = world.shim().args(["--autonomous", "off"]).connect();
    let (bob, carol) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.signal(Signal::STOP);
    let letter = |number: usize| format!("{number} {}", "x".repeat(8_000));
    let sending: Vec<_> = (0..30)
        .map(|number| {
            let arguments = json!({ "chat_id": alice.id, "message": letter(number) });
            alice.client.start_call("send_message", arguments)
        })
        .collect();
    for call in &sending {
        assert_eq!(structured(&alice.client.finish(call))["delivery"], "pending");
    }
    let old = world.relays()[0];
    signal(old, Signal::TERM);
    eventually("nobody can come any more", || (!world.socket().exists()).then_some(()));
    eventually("Carol finds the next relay", || {
        (carol.call("enter_queue", json!({ "topic": "garden" }))["isError"] != true).then_some(())
    });
    assert!(!is_running(old));
    bob.client.signal(Signal::CONT);
    let mut heard = Vec::new();
    while heard.len() < sending.len() {
        let told = bob.wait();
        assert!(!event_types(&told).contains(&"partner.disconnected"), "{told:#}");
        heard.extend(messages(&told).into_iter().map(str::to_owned));
    }
    assert_eq!(heard, (0..30).map(letter).collect::<Vec<_>>());
    bob.deliver("all of them");
}

#[test]
fn the_longest_path_of_a_socket() {
    let world = World::empty(&[]);
    let room = 103 - world.directory().as_os_str().len() - "/".len() - "/s".len();
    let directory: PathBuf = world.directory().join("d".repeat(room));
    let socket = directory.join("s");
    assert_eq!(socket.as_os_str().len(), 103);
    let (alice, bob) = (at(&world, &socket), at(&world, &socket));
    let (alice, _bob) = meet(&alice, &bob);
    alice.deliver("just so");

    let longer = directory.join("ss");
    let mut shim = world.command(&tests::BINARIES.shim);
    let output = shim.env("MCP_CHAT_SOCKET", &longer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("has 104 bytes; at most 103"));
}
