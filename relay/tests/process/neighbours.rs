//! Clients that keep a relay busy: they cost the others neither their turn nor their memory, and
//! the account its say.

use rustix::process::Signal;
use shared::{
    codec,
    limits::{CONTROL_RATE, VISITORS, VISITORS_PER_USER},
    message::{ClientMessage, Leave},
};

use crate::harness::{Client, Relay, hello, message, owner};

const PAIRS: usize = 65;
const CONNECTIONS: u64 = 2 * PAIRS as u64;

#[tokio::test]
async fn every_connection_has_its_turn_however_busy_the_others_are() {
    let passed_on = passed_on_before_one_question(300, 0).await;
    assert!(passed_on <= 16 * CONNECTIONS, "{passed_on} messages came before one question");
}

#[tokio::test]
async fn lines_with_nothing_in_them_are_work_too() {
    let passed_on = passed_on_before_one_question(2, 64 * 1024).await;
    assert!(passed_on <= CONNECTIONS * 3 / 2, "{passed_on} messages came before one question");
}

/// How many messages of others come before the answer to a question, if every other connection has
/// so many to pass on, each filled up to so many bytes with empty lines.
async fn passed_on_before_one_question(messages: u64, bytes: usize) -> u64 {
    let relay = Relay::start(&["--message-rate", "off"]);
    let mut busy = Vec::new();
    for _ in 0..PAIRS {
        let pair = relay.pair().await;
        busy.extend([(pair.a, pair.room), (pair.b, pair.room)]);
    }
    let mut other = relay.join().await;
    // All that they say is there at once, the other's question last.
    relay.signal(Signal::STOP);
    for (client, room) in &mut busy {
        let mut frames = Vec::new();
        for seq in 1..=messages {
            let end = frames.len() + bytes;
            codec::encode(&message(*room, seq, "listen to me"), &mut frames);
            frames.resize(end.max(frames.len()), b'\n');
        }
        client.write(&frames).await;
    }
    other.send(ClientMessage::Status { owner: None }).await;
    relay.signal(Signal::CONT);
    let passed_on = other.until("status").await["messages"].as_u64().unwrap();
    for (client, _) in &mut busy {
        for seq in 1..=messages {
            assert_eq!(client.until("message").await["seq"], seq);
        }
    }
    passed_on
}

#[tokio::test]
async fn a_crowd_at_the_door_and_those_inside_keep_nobody_waiting() {
    const CROWD: usize = 200;
    let relay = Relay::start(&["--max-connections-per-user", "1000"]);
    let mut inside = relay.pair().await;
    relay.signal(Signal::STOP);
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut client = relay.connect().await;
        client.send(ClientMessage::Hello(hello(Some(owner()), None))).await;
        crowd.push(client);
    }
    inside.a.send(ClientMessage::Status { owner: None }).await;
    relay.signal(Signal::CONT);
    let status = inside.a.until("status").await;
    assert!(status["connections"].as_u64().unwrap() <= 20, "{status} while the crowd came in");
    for client in &mut crowd {
        client.until("welcome").await;
    }
    inside.talk().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_reads_and_never_catches_up_costs_no_more_than_what_waits_for_it() {
    let relay = Relay::start(&["--message-rate", "off"]);
    let mut slow = relay.pair().await;
    slow.fill().await;
    let before = peak_kilobytes(relay.pid());
    let text = "x".repeat(8 * 1024);
    for seq in 1..=3_000 {
        slow.send(&text).await;
        assert_eq!(slow.b.until("message").await["seq"], seq);
    }
    let more = peak_kilobytes(relay.pid()) - before;
    assert!(more < 4 * 1024, "{more} kB more for 24 MB that passed");
}

/// What cannot be written is no work that was done.
#[tokio::test]
async fn who_does_not_read_is_heard_all_the_same() {
    let relay = Relay::start(&["--message-rate", "off"]);
    let mut pair = relay.pair().await;
    pair.fill().await;
    pair.b.send(message(pair.room, 1, "too much at once")).await;
    assert_eq!(pair.a.until("message").await["text"], "too much at once");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_waits_for_one_account_is_limited_and_the_slowest_gives_way() {
    let options =
        ["--message-rate", "off", "--outbound-bytes", "16777216", "--write-deadline", "5m"];
    let relay = Relay::start(&[&options[..], &["--away-after", "10ms"]].concat());
    let mut slowest = relay.pair().await;
    for _ in 0..16 {
        slowest.fill().await;
    }
    let mut others = Vec::new();
    for _ in 0..4 {
        let mut pair = relay.pair().await;
        for _ in 0..7 {
            pair.fill().await;
        }
        others.push(pair);
    }
    // Its partner learns of it.
    assert_eq!(slowest.a.until("partner").await["presence"], "reconnecting");
    let rest = slowest.b.rest().await;
    assert_eq!(rest.last().unwrap()["error"]["code"], "slow_reader");
    for pair in &mut others {
        for seq in 1..=700 {
            assert_eq!(pair.b.until("message").await["seq"], seq);
        }
    }
}

/// What a client holds on to, one after the other, until there are so many.
async fn held(relay: &Relay, kind: &str, count: usize) -> Vec<Client> {
    let mut all = Vec::new();
    for _ in 0..count {
        let client = match kind {
            "silent" => relay.connect().await,
            "half a frame" => {
                let mut client = relay.connect().await;
                client.write(b"{\"hello\":{").await;
                client
            }
            "visiting" => relay.visit().await,
            "pinging" => {
                let mut client = relay.visit().await;
                client.settle().await;
                client
            }
            _ => {
                let mut client = relay.connect().await;
                client.send(ClientMessage::Hello(hello(Some(owner()), None))).await;
                client.next().await.unwrap();
                client
            }
        };
        all.push(client);
    }
    all
}

#[tokio::test]
async fn whatever_holds_all_connections_the_relay_still_answers_and_ends() {
    for option in ["--max-connections", "--max-connections-per-user"] {
        for kind in ["carrying", "silent", "half a frame", "visiting", "pinging"] {
            let mut relay = Relay::start(&[option, "3", "--handshake", "1m"]);
            let all = held(&relay, kind, 2 * (3 + VISITORS)).await;
            let status = relay.run(&["status", "--json"]).await;
            assert!(status.status.success(), "{option}, {kind}: {status:?}");
            let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
            let most = u64::try_from(3 + VISITORS).unwrap();
            assert!(status["connections"].as_u64().unwrap() <= most, "{kind}: {status}");
            if kind != "carrying" {
                let mut client = relay.join().await;
                client.settle().await;
            }
            let stop = relay.run(&["stop"]).await;
            assert!(stop.status.success(), "{option}, {kind}: {stop:?}");
            assert_eq!(relay.wait().await.code(), Some(0));
            drop(all);
        }
    }
}

#[tokio::test]
async fn a_visitor_gives_way_to_newer_ones_alone_and_is_told() {
    let relay = Relay::start(&["--max-connections-per-user", "1"]);
    let mut session = relay.join().await;
    let mut visitors = held(&relay, "visiting", VISITORS_PER_USER).await;
    for visitor in &mut visitors {
        visitor.settle().await;
    }
    let _newest = relay.visit().await;
    let told = visitors.remove(0).expect_error_and_end("too_many").await;
    assert!(told.contains("this was the oldest"), "{told}");
    for visitor in &mut visitors {
        visitor.settle().await;
    }
    session.settle().await;
}

#[tokio::test]
async fn more_of_anything_than_a_client_has_use_for_ends_the_connection() {
    let leave = || {
        let room_id = shared::id::RoomId::from_bytes([1; 16]);
        ClientMessage::Leave(Leave { room_id, token: "x".into(), block: false, report: None })
    };
    let enter = || {
        let (display_name, topic) = ("Stranger".into(), "open".into());
        ClientMessage::EnterQueue { display_name, topic, ticket: None, blocks: Vec::new() }
    };
    let kinds = [
        ClientMessage::Ping {},
        ClientMessage::Attention { open: true, lapsed: false },
        ClientMessage::Status { owner: None },
        ClientMessage::LeaveQueue {},
        enter(),
        leave(),
    ];
    let relay = Relay::start(&["--message-rate", "off"]);
    let mut others = relay.pair().await;
    let burst = usize::try_from(CONTROL_RATE.burst).unwrap();
    for kind in &kinds {
        let mut client = relay.join().await;
        flood(&mut client, kind, 3 * burst / 2).await;
        others.talk().await;
    }
    let mut visitor = relay.visit().await;
    flood(&mut visitor, &kinds[0], 3 * burst / 2).await;

    // What a client says in one go is no flood.
    let mut client = relay.join().await;
    let mut frames = Vec::new();
    for _ in 0..burst / 2 {
        codec::encode(&kinds[1], &mut frames);
    }
    client.write(&frames).await;
    client.settle().await;
}

/// Says this so often, in one piece, and is cut off for it.
async fn flood(client: &mut Client, message: &ClientMessage<'_>, times: usize) {
    let mut frames = Vec::new();
    for _ in 0..times {
        codec::encode(message, &mut frames);
    }
    client.write_until_cut_off(&frames).await;
    let rest = client.rest().await;
    assert_eq!(rest.last().unwrap()["error"]["code"], "rate_limited", "{message:?}");
}

/// The most memory that this process ever had, in kilobytes.
#[cfg(target_os = "linux")]
fn peak_kilobytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
