//! What clients hold of rooms and places, and what a relay that was killed and started again makes
//! of it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use serde_json::Value;
use shared::{
    endpoint::beside,
    id::{OwnerId, RoomId},
    message::{ClientMessage, Leave, QueueClaim, Resume, RoomClaim},
};

use crate::harness::{Client, Relay, hello, message, owner, room_id};

/// A member of a room, as its client knows it.
#[derive(Clone)]
struct Held {
    owner: OwnerId,
    session: String,
    room: RoomId,
    token: String,
    received: u64,
}

impl Held {
    fn resume(&self) -> Resume<'_> {
        Resume {
            token: self.session.as_str().into(),
            room: Some(RoomClaim {
                room_id: self.room,
                token: self.token.as_str().into(),
                received: self.received,
                display_name: "Stranger".into(),
                topic: "garden".into(),
            }),
            queue: None,
            leaving: Vec::new(),
        }
    }

    /// Connects with it; says whether the session was taken up again.
    async fn come(&self, relay: &Relay) -> (Client, bool) {
        let mut client = relay.connect().await;
        let welcome = client.greet(hello(Some(self.owner), Some(self.resume()))).await;
        (client, welcome.session.unwrap().resumed)
    }

    fn leave(&self) -> ClientMessage<'_> {
        let (room_id, token) = (self.room, self.token.as_str().into());
        ClientMessage::Leave(Leave { room_id, token, block: false, report: None })
    }
}

async fn enter(relay: &Relay) -> (Client, OwnerId, String) {
    let (owner, mut client) = (owner(), relay.connect().await);
    let session = client.greet(hello(Some(owner), None)).await.session.unwrap().token.into_owned();
    client.enter("garden").await;
    (client, owner, session)
}

fn held(owner: OwnerId, session: String, paired: &Value) -> Held {
    let token = paired["token"].as_str().unwrap().to_owned();
    Held { owner, session, room: room_id(paired), token, received: 0 }
}

/// Two in a room, and what they hold of it.
async fn pair(relay: &Relay) -> [(Client, Held); 2] {
    let ((mut a, owner_a, session_a), (mut b, owner_b, session_b)) =
        (enter(relay).await, enter(relay).await);
    let (to_a, to_b) = (a.until("paired").await, b.until("paired").await);
    [(a, held(owner_a, session_a, &to_a)), (b, held(owner_b, session_b, &to_b))]
}

#[tokio::test]
async fn both_come_back_to_the_next_relay_and_go_on_where_they_were() {
    let mut relay = Relay::start(&[]);
    let [(a, mut held_a), (b, held_b)] = pair(&relay).await;
    held_a.received = 7;
    drop((a, b));
    relay.kill_and_restart().await;
    let (mut a, resumed) = held_a.come(&relay).await;
    assert!(resumed);
    let (mut b, resumed) = held_b.come(&relay).await;
    assert!(resumed);
    assert_eq!(a.until("sync").await["received"], 0);
    assert_eq!(b.until("sync").await["received"], 7);
    a.send(message(held_a.room, 1, "as before")).await;
    assert_eq!(b.until("message").await["text"], "as before");
}

#[tokio::test]
async fn a_token_that_is_presented_twice_makes_one_session_and_the_newer_has_it() {
    let mut relay = Relay::start(&[]);
    let [(a, held_a), (b, held_b)] = pair(&relay).await;
    drop((a, b));
    relay.kill_and_restart().await;
    let (mut older, _) = held_a.come(&relay).await;
    let (mut newer, resumed) = held_a.come(&relay).await;
    assert!(resumed);
    older.expect_error_and_end("superseded").await;
    let (mut b, _) = held_b.come(&relay).await;
    b.until("sync").await;
    b.send(message(held_b.room, 1, "to the newer")).await;
    assert_eq!(newer.until("message").await["text"], "to the newer");
}

#[tokio::test]
async fn a_room_that_was_left_never_opens_again() {
    let mut relay = Relay::start(&[]);
    let [(a, held_a), (b, held_b)] = pair(&relay).await;
    drop((a, b));
    relay.kill_and_restart().await;
    // One that left when there was no relay says so to the next one.
    let mut a = relay.connect().await;
    let resume = Resume { room: None, ..held_a.resume() };
    a.greet(hello(Some(held_a.owner), Some(resume))).await;
    a.send(held_a.leave()).await;
    a.until("left").await;
    let (mut b, _) = held_b.come(&relay).await;
    assert_eq!(b.until("closed").await["reason"], "left");
    // Nor for the one that closed it, whatever it presents.
    let (mut again, _) = held_a.come(&relay).await;
    again.until("closed").await;
}

#[tokio::test]
async fn what_is_not_ones_own_opens_nothing() {
    let mut relay = Relay::start(&[]);
    let [(a, held_a), (b, held_b)] = pair(&relay).await;
    let [(c, held_c), (d, _)] = pair(&relay).await;
    drop((a, b, c, d));
    relay.kill_and_restart().await;
    // The session of another owner: a session of its own, which is in no room.
    let thief = Held { owner: owner(), ..held_a.clone() };
    let (mut stranger, resumed) = thief.come(&relay).await;
    assert!(!resumed);
    assert_eq!(stranger.until("closed").await["reason"], "relay_lost");
    // A room that others are in, and one whose token names another.
    for token in [held_a.token.clone(), held_c.session.clone(), "no token at all".to_owned()] {
        let (mut liar, resumed) =
            Held { room: held_a.room, token, ..held_c.clone() }.come(&relay).await;
        assert!(resumed, "it is who it says it is");
        assert_eq!(liar.until("closed").await["reason"], "relay_lost");
    }
    let mislabelled = Held { room: held_c.room, ..held_a.clone() };
    let (mut mislabelled, _) = mislabelled.come(&relay).await;
    mislabelled.until("closed").await;
    drop(mislabelled);
    // The room is none the worse for it.
    let (_a, _) = held_a.come(&relay).await;
    let (mut b, resumed) = held_b.come(&relay).await;
    assert!(resumed);
    b.until("sync").await;
}

#[tokio::test]
async fn every_bit_of_a_token_counts() {
    let mut relay = Relay::start(&["--max-connections-per-user", "2000"]);
    let [(a, held_a), (b, held_b)] = pair(&relay).await;
    drop((a, b));
    relay.kill_and_restart().await;
    // One bit of each character; all bits of the bytes are tried in the unit tests.
    for index in 0..held_a.session.len() {
        let mut forged = held_a.clone();
        let flipped = if forged.session.as_bytes()[index] == b'A' { "B" } else { "A" };
        forged.session.replace_range(index..=index, flipped);
        let (_client, resumed) = forged.come(&relay).await;
        assert!(!resumed, "with character {index} changed");
    }
    let (_a, resumed) = held_a.come(&relay).await;
    assert!(resumed);
    let (mut b, _) = held_b.come(&relay).await;
    b.until("sync").await;
}

#[tokio::test]
async fn a_partner_that_was_matched_elsewhere_before_the_resume_is_not_torn_away() {
    let mut relay = Relay::start(&["--pairing-delay", "0s"]);
    let [(a, held_a), (b, held_b)] = pair(&relay).await;
    drop((a, b));
    relay.kill_and_restart().await;
    // B has left, as far as it knows, and found somebody else before A is back.
    let mut b = relay.connect().await;
    let resume = Resume { room: None, ..held_b.resume() };
    b.greet(hello(Some(held_b.owner), Some(resume))).await;
    b.enter("garden").await;
    let (mut c, ..) = enter(&relay).await;
    let elsewhere = room_id(&b.until("paired").await);
    assert_eq!(room_id(&c.until("paired").await), elsewhere);
    let (mut a, resumed) = held_a.come(&relay).await;
    assert!(resumed);
    assert_eq!(a.until("closed").await["reason"], "relay_lost");
    b.send(message(elsewhere, 1, "undisturbed")).await;
    assert_eq!(c.until("message").await["text"], "undisturbed");
}

#[tokio::test]
async fn a_partner_that_does_not_come_back_is_missed_for_the_grace_and_no_longer() {
    let mut relay = Relay::start(&["--grace", "500ms", "--away-after", "100ms"]);
    let [(a, held_a), (b, held_b)] = pair(&relay).await;
    drop((a, b));
    relay.kill_and_restart().await;
    let (mut a, _) = held_a.come(&relay).await;
    a.until("closed").await;
    let (mut b, _) = held_b.come(&relay).await;
    b.until("closed").await;
}

/// Waits in a relay that pairs nobody yet, and tells its session, its ticket and its position.
async fn wait(relay: &Relay, owner: OwnerId, held: Option<(&str, &str)>) -> (Client, Value, Value) {
    let session = held.map(|(session, ticket)| Resume {
        token: session.into(),
        room: None,
        queue: Some(QueueClaim {
            ticket: Some(ticket.into()),
            display_name: "Stranger".into(),
            topic: "garden".into(),
        }),
        leaving: Vec::new(),
    });
    let mut client = relay.connect().await;
    let welcome = client.greet(hello(Some(owner), session)).await;
    if held.is_none() {
        client.enter("garden").await;
    }
    let welcome = serde_json::json!({
        "epoch": welcome.epoch, "session": welcome.session.unwrap().token
    });
    let queued = client.until("queued").await;
    (client, welcome, queued)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What a relay leaves whose clock was ahead by this, in milliseconds.
const AHEAD: u64 = 60 * 60 * 1_000;

#[tokio::test]
async fn who_waited_before_the_clock_was_set_back_comes_before_newcomers() {
    let mut relay = Relay::start(&["--pairing-delay", "1h"]);
    let kept = beside(&relay.socket(), ".epoch");
    let first = relay.epoch().await;
    assert_eq!(fs::read(&kept).unwrap(), first.to_be_bytes());
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o7777, 0o600);
    fs::write(&kept, (first + AHEAD).to_be_bytes()).unwrap();
    relay.kill_and_restart().await;

    let alice = owner();
    let (client, welcome, queued) = wait(&relay, alice, None).await;
    assert_eq!(welcome["epoch"], first + AHEAD + 1);
    drop(client);
    relay.kill_and_restart().await;

    let (_bob, newer, _) = wait(&relay, owner(), None).await;
    assert_eq!(newer["epoch"], first + AHEAD + 2);
    let held = (text(&welcome["session"]), text(&queued["ticket"]));
    let (_alice, _, queued) = wait(&relay, alice, Some(held)).await;
    assert_eq!((&queued["position"], &queued["waiting"]), (&1.into(), &2.into()));
}

#[tokio::test]
async fn an_epoch_that_cannot_be_trusted_is_replaced_and_one_that_cannot_be_kept_stops_nobody() {
    type Spoil = fn(&Path);
    let spoil: [(Spoil, &str); 6] = [
        (|kept| fs::write(kept, "far away").unwrap(), "the epoch of before could not be used"),
        (|kept| fs::write(kept, u64::MAX.to_be_bytes()).unwrap(), "kept=18446744073709551615"),
        (|kept| fs::write(kept, "short").unwrap(), "has 5 bytes instead of 8"),
        (|kept| fs::set_permissions(kept, Permissions::from_mode(0o644)).unwrap(), "is open to"),
        (
            |kept| {
                let elsewhere = beside(kept, ".elsewhere");
                fs::write(&elsewhere, (1_u64 << 50).to_be_bytes()).unwrap();
                fs::remove_file(kept).unwrap();
                symlink(elsewhere, kept).unwrap();
            },
            "is a symbolic link",
        ),
        (
            |kept| {
                fs::remove_file(kept).unwrap();
                fs::create_dir(kept).unwrap();
            },
            "the epoch cannot be kept",
        ),
    ];
    for (spoil, said) in spoil {
        let mut relay = Relay::start(&[]);
        let kept = beside(&relay.socket(), ".epoch");
        let first = relay.epoch().await;
        spoil(&kept);
        relay.kill_and_restart().await;
        let second = relay.epoch().await;
        assert!(first <= second && second < first + AHEAD, "{first}, then {second}");
        assert!(relay.log().contains(said), "{said} is not in {}", relay.log());
        if kept.is_file() {
            assert_eq!(fs::read(&kept).unwrap(), second.to_be_bytes());
        }
        drop(relay.pair().await);
    }
}

#[tokio::test]
async fn the_epoch_goes_with_the_key() {
    let mut relay = Relay::start(&[]);
    let [key, kept] = [".key", ".epoch"].map(|ending| beside(&relay.socket(), ending));
    relay.visit().await;
    assert!(key.is_file() && kept.is_file());
    relay.run(&["stop"]).await;
    relay.wait().await;
    assert!(!key.exists() && !kept.exists());
}
