//! A neighbour that takes all it can get of one relay: the others have their turn, and those who
//! only ask are answered.

use std::process::Output;

use serde_json::{Value, json};
use shared::limits::{VISITORS, VISITORS_PER_USER};
use tests::{
    Accounts, Signal, World, enter,
    peer::{HELLO, Peer},
    result::{ok, structured},
    signal,
};

/// The account that runs the relay.
const HOST: u32 = 61_001;
const ALICE: u32 = 61_002;
const BOB: u32 = 61_003;

fn hello(number: usize) -> String {
    let owner = format!("00000000-0000-8000-8000-{number:012}");
    format!(r#"{{"hello":{{"min":1,"max":1,"build":"a test","owner":"{owner}"}}}}"#)
}

fn status(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn one_account_that_is_busy_with_all_its_connections_is_served_as_much_as_another_with_one() {
    const PAIRS: usize = 125;
    const MESSAGES: usize = 200;
    let Some(accounts) = Accounts::new() else { return };
    let socket = accounts.directory_of(HOST, "chat", 0o711).join("relay.sock");
    let _relay = accounts.serve(HOST, &socket, &["--multi-user", "--message-rate", "off"]);
    let mut busy = Vec::new();
    for number in 0..PAIRS {
        let mut pair = [2 * number, 2 * number + 1].map(|member| {
            let mut peer = accounts.peer(ALICE, &socket);
            peer.write(hello(member));
            peer.until("welcome");
            peer.write(format!(
                r#"{{"enter_queue":{{"display_name":"Greedy","topic":"topic {number}"}}}}"#
            ));
            peer
        });
        let rooms = pair.each_mut().map(|peer| peer.until("paired")["room_id"].clone());
        busy.extend(pair.into_iter().zip(rooms));
    }
    let mut bob = accounts.peer(BOB, &socket);
    bob.write(HELLO);
    bob.until("welcome");

    // All that they say is there at once, Bob's questions last.
    let relay = accounts.relays()[0];
    signal(relay, Signal::STOP);
    for (peer, room) in &mut busy {
        let messages = (1..=MESSAGES).map(|seq| {
            json!({ "send": { "room_id": room, "seq": seq, "author": "user", "text": "listen!" } })
        });
        peer.write_raw(
            messages.map(|message| format!("{message}\n")).collect::<String>().as_bytes(),
        );
    }
    bob.write([r#"{"status":{}}"#; 5].join("\n"));
    signal(relay, Signal::CONT);
    for _ in 0..5 {
        let passed_on = bob.until("status")["messages"].as_u64().unwrap();
        assert!(passed_on <= 1_000, "{passed_on} of Alice's came before a question of Bob's");
    }
    for (peer, _) in &mut busy {
        for seq in 1..=MESSAGES {
            assert_eq!(peer.until("message")["seq"], seq);
        }
    }
}

#[test]
fn a_relay_that_others_have_filled_still_answers_everybody_and_ends_for_those_in_charge() {
    let Some(accounts) = Accounts::new() else { return };
    let socket = accounts.directory_of(HOST, "chat", 0o711).join("relay.sock");
    let options = ["--multi-user", "--max-connections", "4", "--handshake", "1m"];
    let relay = accounts.serve(HOST, &socket, &options);
    let mut held = Vec::new();
    for number in 0..2 * VISITORS {
        for uid in [ALICE, BOB] {
            let mut peer = accounts.peer(uid, &socket);
            match number % 4 {
                0 => peer.write(hello(held.len())),
                1 => peer.write(HELLO),
                2 => peer.write_raw(b"{\"hello\":{"),
                _ => {}
            }
            held.push(peer);
        }
    }
    for uid in [ALICE, BOB, HOST] {
        let status = status(&accounts.ask(uid, &["status", "--json"], &socket));
        let most = u64::try_from(4 + VISITORS).unwrap();
        assert!(status["connections"].as_u64().unwrap() <= most, "{status}");
        assert!(accounts.doctor(uid, &socket).status.success());
    }
    assert!(!accounts.ask(ALICE, &["stop"], &socket).status.success());
    let stopped = accounts.ask(HOST, &["stop"], &socket);
    assert!(stopped.status.success(), "{stopped:?}");
    relay.ended();
}

#[test]
fn a_client_of_an_account_that_holds_all_its_connections_can_ask_how_the_relay_is() {
    let world = World::serving(&[("max-connections-per-user", "2")]);
    let _held = [0, 1].map(|number| {
        let mut peer = Peer::open(&world);
        peer.write(hello(number));
        peer.until("welcome");
        peer
    });
    let visitors: Vec<_> = (0..VISITORS_PER_USER).map(|_| Peer::greeted(&world)).collect();
    let doctor = world.run(&tests::BINARIES.shim, &["doctor"]);
    assert!(doctor.status.success(), "{doctor:?}");
    let client = world.client();
    let status = client.call("chat_status", json!({}));
    assert_eq!(structured(&status)["relay"]["connected"], true, "{status:#}");
    let refused = client.call("enter_queue", json!({}));
    assert_eq!(tests::result::error_code(&refused), "too_many");
    drop(visitors);
}

#[test]
fn a_client_that_calls_in_a_loop_is_no_flood() {
    let world = World::serving(&[("rust-log", "debug")]);
    let client = world.client();
    let (chat, _) = enter(&client, json!({}));
    let calls: Vec<_> = (0..1_000)
        .map(|_| client.start_call("chat_status", json!({ "chat_id": chat.id })))
        .collect();
    for call in &calls {
        assert_eq!(ok(&client.finish(call))["state"], "waiting");
    }
    assert!(!world.relay_stderr().contains("RateLimited"), "{}", world.relay_stderr());
}
