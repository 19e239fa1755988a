//! People with accounts of their own on one computer, who meet at one relay.

use std::{
    fs,
    io::Read as _,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        net::UnixStream,
    },
    path::Path,
    process::Output,
};

use serde_json::{Value, json};
use shared::limits::{CONNECTIONS_PER_USER, TOPICS};
use tests::{
    Accounts, World, enter, eventually, meet,
    peer::Peer,
    result::{error_code, messages, structured},
};

/// The account that runs the relay.
const HOST: u32 = 61_001;
const ALICE: u32 = 61_002;
const BOB: u32 = 61_003;

const MULTI_USER: &[&str] = &["--multi-user", "--pairing-delay", "100ms"];

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
    // The doctor breaks its lines to fit a terminal.
    format!("{out}{err}").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn two_accounts_meet_and_talk_and_a_killed_relay_costs_them_nothing() {
    let Some(accounts) = Accounts::new() else { return };
    let directory = accounts.directory_of(HOST, "chat", 0o711);
    let socket = directory.join("relay.sock");
    let relay = accounts.serve(HOST, &socket, MULTI_USER);
    for (name, mode) in [
        ("relay.sock", 0o666),
        ("relay.sock.lock", 0o600),
        ("relay.sock.key", 0o600),
        ("relay.sock.epoch", 0o600),
    ] {
        let file = fs::metadata(directory.join(name)).unwrap();
        assert_eq!((file.mode() & 0o7777, file.uid()), (mode, HOST), "{name}");
    }
    let clients = [ALICE, BOB].map(|uid| accounts.shim(uid, &socket).connect());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    alice.deliver("from one account");
    assert_eq!(messages(&bob.wait()), ["from one account"]);
    bob.deliver("and from another");
    assert_eq!(messages(&alice.wait()), ["and from another"]);

    relay.kill();
    // Its program may not have heard of it yet, and this call waits until it has.
    bob.refused("relay_unavailable", "wait_for_events", json!({}));
    bob.refused("relay_unavailable", "send_message", json!({ "message": "is anybody there?" }));
    assert!(accounts.relays().is_empty(), "no client starts one for all");
    let _next = accounts.serve(HOST, &socket, MULTI_USER);
    let again = json!({ "message": "in the same room as before" });
    eventually("Bob has found the next relay", || {
        (bob.call("send_message", again.clone())["isError"] != true).then_some(())
    });
    assert_eq!(messages(&alice.wait()), ["in the same room as before"]);
    alice.deliver("nothing is lost");

    let own = accounts.shim(HOST, &socket).connect();
    let (own, _) = enter(&own, json!({ "topic": "of the host" }));
    assert_eq!(own.status()["state"], "waiting", "the account of the relay is one of all");
}

#[test]
fn a_relay_that_is_not_for_all_lets_no_other_account_in() {
    let Some(accounts) = Accounts::new() else { return };
    let directory = accounts.directory_of(HOST, "private", 0o700);
    let socket = directory.join("relay.sock");
    let _relay = accounts.serve(HOST, &socket, &[]);
    let refused = accounts.shim(ALICE, &socket).connect().call("enter_queue", json!({}));
    assert_eq!(error_code(&refused), "relay_unavailable");
    let hint = structured(&refused)["error"]["hint"].to_string();
    assert!(hint.contains("(uid 61001) and is closed to you (mode 0700)"), "{hint}");

    // Root gets through the directory, and is turned away by the relay itself.
    let mut root = UnixStream::connect(&socket).unwrap();
    assert_eq!(root.read(&mut [0; 1]).unwrap_or(0), 0, "a word from the relay");
}

#[test]
fn a_lock_of_another_account_is_named_with_what_to_do() {
    let Some(accounts) = Accounts::new() else { return };
    let socket = accounts.directory_of(HOST, "private", 0o700).join("relay.sock");
    let lock = socket.with_file_name("relay.sock.lock");
    fs::write(&lock, "").unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = accounts.ask(HOST, &["serve"], &socket);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let named = format!("the lock file {} belongs to another user (uid 0)", lock.display());
    assert!(said(&refused).contains(&named), "{}", said(&refused));
    assert!(said(&refused).contains(&format!("`rm {}`", lock.display())), "{}", said(&refused));
}

#[test]
fn one_account_at_its_limit_leaves_the_others_theirs() {
    let Some(accounts) = Accounts::new() else { return };
    let socket = accounts.directory_of(HOST, "chat", 0o755).join("relay.sock");
    let options = [MULTI_USER, &["--max-connections-per-user", "2"]].concat();
    let _relay = accounts.serve(HOST, &socket, &options);
    let greedy = [(); 3].map(|()| accounts.shim(ALICE, &socket).connect());
    enter(&greedy[0], json!({ "topic": "red" }));
    enter(&greedy[1], json!({ "topic": "blue" }));
    let refused = greedy[2].call("enter_queue", json!({ "topic": "green" }));
    assert_eq!(error_code(&refused), "too_many");
    let bob = accounts.shim(BOB, &socket).connect();
    let (_, entered) = enter(&bob, json!({ "topic": "red" }));
    assert_eq!(entered["state"], "chatting", "{entered:#}");
}

#[test]
fn one_account_that_comes_and_goes_leaves_the_others_topics_and_places() {
    let Some(accounts) = Accounts::new() else { return };
    let socket = accounts.directory_of(HOST, "chat", 0o755).join("relay.sock");
    let options = [MULTI_USER, &["--enter-rate-per-user", "off"]].concat();
    let _relay = accounts.serve(HOST, &socket, &options);
    // The account of this test, with one connection at a time.
    for number in 0..TOPICS {
        let mut greedy = Peer::open_at(&socket);
        greedy.write(format!(
            r#"{{"hello":{{"min":1,"max":1,"build":"a test","owner":"00000000-0000-8000-8000-{number:012}"}}}}"#
        ));
        let topic = format!("topic {number}");
        greedy.write(format!(r#"{{"enter_queue":{{"display_name":"Greedy","topic":"{topic}"}}}}"#));
        assert_eq!(greedy.until("queued")["topic"], topic);
    }
    let clients = [ALICE, BOB].map(|uid| accounts.shim(uid, &socket).connect());
    let (alice, _bob) = meet(&clients[0], &clients[1]);
    alice.leave();
    enter(&clients[0], json!({ "topic": "a new one" }));
    let status = accounts.ask(BOB, &["status", "--json"], &socket).stdout;
    let status: Value = serde_json::from_slice(&status).unwrap();
    let at_most = CONNECTIONS_PER_USER as u64;
    assert!(status["topics"].as_u64().unwrap() <= at_most + 1, "{status:#}");
    assert!(status["sessions"].as_u64().unwrap() <= at_most + 4, "{status:#}");
}

#[test]
fn what_a_relay_has_vouched_for_is_good_for_the_account_that_had_it_alone() {
    let Some(accounts) = Accounts::new() else { return };
    let socket = accounts.directory_of(HOST, "chat", 0o711).join("relay.sock");
    let _relay = accounts.serve(HOST, &socket, MULTI_USER);
    let come = |uid, token: Option<&Value>| {
        let mut peer = accounts.peer(uid, &socket);
        let owner = "0a0a0a0a-0a0a-8a0a-8a0a-0a0a0a0a0a0a";
        let mut hello = json!({ "min": 1, "max": 1, "build": "a test", "owner": owner });
        if let Some(token) = token {
            hello["session"] = json!({ "token": token });
        }
        peer.write(json!({ "hello": hello }).to_string());
        let session = peer.until("welcome")["session"].take();
        (peer, session)
    };
    let (_alice, session) = come(ALICE, None);
    let token = Some(&session["token"]);
    for stranger in [BOB, HOST, 0] {
        let (_peer, taken) = come(stranger, token);
        assert_eq!(taken["resumed"], false, "by {stranger}");
        assert_ne!(taken["session_id"], session["session_id"], "by {stranger}");
    }
    let (_alice, again) = come(ALICE, token);
    assert_eq!(again["resumed"], true);
    assert_eq!(again["session_id"], session["session_id"]);
}

#[test]
fn where_another_account_has_to_start_the_relay_no_shim_does() {
    let Some(accounts) = Accounts::new() else { return };
    let socket = accounts.directory_of(HOST, "chat", 0o711).join("relay.sock");
    let client = accounts.shim(ALICE, &socket).connect();
    let refused = client.call("enter_queue", json!({}));
    assert_eq!(error_code(&refused), "relay_unavailable");
    let hint = structured(&refused)["error"]["hint"].to_string();
    let command = format!("`relay serve --multi-user --socket {}`", socket.display());
    assert!(hint.contains("no relay listens at") && hint.contains(&command), "{hint}");
    assert!(
        hint.contains("belongs to another user (uid 61001): only that account can start"),
        "{hint}"
    );
    assert!(accounts.relays().is_empty());

    let doctor = accounts.doctor(ALICE, &socket);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(said(&doctor).contains("no client starts a relay here"), "{}", said(&doctor));
    assert!(said(&doctor).contains(&command), "{}", said(&doctor));

    let _relay = accounts.serve(HOST, &socket, MULTI_USER);
    enter(&client, json!({}));
}

#[test]
fn everybody_is_told_whose_relay_it_is_and_only_that_account_can_end_it() {
    let Some(accounts) = Accounts::new() else { return };
    let socket = accounts.directory_of(HOST, "chat", 0o711).join("relay.sock");
    let relay = accounts.serve(HOST, &socket, MULTI_USER);
    let doctor = accounts.doctor(ALICE, &socket);
    assert_eq!(doctor.status.code(), Some(0), "{}", said(&doctor));
    assert!(said(&doctor).contains("another account (uid 61001) runs it"), "{}", said(&doctor));
    let own = accounts.doctor(HOST, &socket);
    assert_eq!(own.status.code(), Some(0), "{}", said(&own));
    assert!(!said(&own).contains("another account"), "{}", said(&own));

    let client = accounts.shim(ALICE, &socket).connect();
    let status = client.call("chat_status", json!({}));
    assert_eq!(structured(&status)["relay"]["account"], HOST);

    assert!(accounts.ask(ALICE, &["status"], &socket).status.success(), "counts are for all");
    let refused = accounts.ask(ALICE, &["stop"], &socket);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("only the account that runs the relay"), "{}", said(&refused));
    enter(&client, json!({}));

    let stopped = accounts.ask(HOST, &["stop"], &socket);
    assert_eq!(stopped.status.code(), Some(0), "{}", said(&stopped));
    assert!(said(&stopped).contains("no client starts it again"), "{}", said(&stopped));
    relay.ended();
}

#[test]
fn a_client_that_cannot_come_as_far_as_the_socket_is_told_where_it_ends() {
    let Some(accounts) = Accounts::new() else { return };
    let _open = accounts.directory_of(HOST, "home", 0o711);
    let socket = accounts.directory_of(HOST, "home/chat", 0o711).join("relay.sock");
    let _relay = accounts.serve(HOST, &socket, MULTI_USER);
    let closed = accounts.directory_of(HOST, "home", 0o700);
    let refused = accounts.shim(ALICE, &socket).connect().call("enter_queue", json!({}));
    assert_eq!(error_code(&refused), "relay_unavailable");
    let hint = structured(&refused)["error"]["hint"].to_string();
    let named = format!("the directory {} belongs to another user (uid {HOST})", closed.display());
    assert!(hint.contains(&named) && hint.contains("closed to you (mode 0700)"), "{hint}");
}

#[test]
fn no_shim_takes_the_place_of_a_relay_that_another_account_is_to_run() {
    let Some(accounts) = Accounts::new() else { return };
    let chat = accounts.directory_of(0, "open", 0o1777).join("chat");
    let socket = chat.join("relay.sock");
    let client = accounts.shim(ALICE, &socket).connect();
    let refused = client.call("enter_queue", json!({}));
    assert_eq!(error_code(&refused), "relay_unavailable");
    let hint = structured(&refused)["error"]["hint"].to_string();
    assert!(hint.contains(&format!("{} is missing", chat.display())), "{hint}");
    assert!(accounts.relays().is_empty() && !chat.exists());
    let _relay = accounts.serve(HOST, &socket, MULTI_USER);
    enter(&client, json!({}));
}

#[test]
fn a_shim_never_starts_a_relay_for_all() {
    let world = World::empty(&[("multi-user", "true")]);
    let client = world.client();
    enter(&client, json!({}));
    // One for all would have refused a directory that others cannot enter.
    assert_eq!(fs::metadata(world.directory()).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn a_relay_for_all_wants_a_place_that_is_named_and_fits() {
    let world = World::empty(&[]);
    let relay = |arguments: &[&str]| world.run(&tests::BINARIES.relay, arguments);
    // `$MCP_CHAT_SOCKET` is set here, and is not enough.
    let refused = relay(&["serve", "--multi-user"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("--multi-user needs --socket PATH"), "{}", said(&refused));

    let socket = world.socket();
    let serve = |path: &Path| relay(&["serve", "--multi-user", "--socket", path.to_str().unwrap()]);
    for (mode, advice) in [(0o700, "chmod 0711"), (0o777, "chmod go-w"), (0o775, "chmod go-w")] {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(world.directory(), permissions).unwrap();
        let refused = serve(&socket);
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains(advice), "{}", said(&refused));
        assert!(!socket.exists());
    }
}
