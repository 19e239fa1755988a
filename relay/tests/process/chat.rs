//! What two clients can do with each other.

use shared::message::{ClientMessage, Leave, Resume, RoomClaim};

use crate::harness::{Relay, hello, message, owner, room_id};

#[tokio::test]
async fn a_handshake_tells_session_version_and_limits() {
    let relay = Relay::start(&[]);
    let mut client = relay.connect().await;
    let welcome = client.greet(hello(Some(owner()), None)).await;
    assert_eq!(welcome.version, 1);
    assert_eq!(welcome.limits.window_messages, shared::limits::WINDOW_MESSAGES);
    assert_eq!(welcome.limits.keep_alive_ms, 15_000);
    assert!(!welcome.session.unwrap().resumed);

    let welcome = relay.connect().await.greet(hello(None, None)).await;
    assert_eq!(welcome.session, None, "without an owner there is no session");
}

#[tokio::test]
async fn two_meet_and_talk_both_ways_with_acknowledgements() {
    let relay = Relay::start(&[]);
    let mut pair = relay.pair().await;
    let room_id = pair.room;

    pair.a.send(message(room_id, 1, "hi\u{7} there")).await;
    let got = pair.b.until("message").await;
    assert_eq!(got["text"], "hi there");
    assert_eq!(got["removed"], 1, "the relay cleans too and says so");
    assert_eq!(got["author"], "user");
    let sent_at = got["sent_at"].as_str().unwrap();
    humantime::parse_rfc3339(sent_at).unwrap();
    pair.b.send(ClientMessage::Ack { room_id, received: 1, read: 0 }).await;
    let ack = pair.a.until("ack").await;
    assert_eq!((&ack["received"], &ack["read"]), (&1.into(), &0.into()));

    pair.b.send(message(room_id, 1, "\u{202e}ол\u{444}😀\n\"quoted\"")).await;
    assert!(pair.a.until("message").await["text"].as_str().unwrap().ends_with("😀\n\"quoted\""));
    pair.a.send(ClientMessage::Sync { room_id, received: 1 }).await;
    assert_eq!(pair.b.until("sync").await["received"], 1);
}

#[tokio::test]
async fn a_client_that_comes_back_with_its_tokens_is_in_its_room_again() {
    let relay = Relay::start(&[]);
    let (mut a, mut b) = (relay.connect().await, relay.join().await);
    let owner = owner();
    let session = a.greet(hello(Some(owner), None)).await.session.unwrap();
    for client in [&mut a, &mut b] {
        client.enter("open").await;
    }
    let paired = a.until("paired").await;
    b.until("paired").await;
    let room_id = room_id(&paired);
    drop(a);

    let claim = |token: &str| Resume {
        token: token.to_owned().into(),
        room: Some(RoomClaim {
            room_id,
            token: paired["token"].as_str().unwrap().to_owned().into(),
            received: 0,
            display_name: "Ann".into(),
            topic: "open".into(),
        }),
        queue: None,
        leaving: Vec::new(),
    };
    let mut forged = session.token.to_string();
    forged.replace_range(..1, if forged.starts_with('A') { "B" } else { "A" });
    let mut stranger = relay.connect().await;
    let refused = stranger.greet(hello(Some(owner), Some(claim(&forged)))).await.session.unwrap();
    assert!(!refused.resumed);
    assert_ne!(refused.session_id, session.session_id);

    let mut a = relay.connect().await;
    let resumed = a.greet(hello(Some(owner), Some(claim(&session.token)))).await.session.unwrap();
    assert!(resumed.resumed);
    assert_eq!(resumed.session_id, session.session_id);
    a.send(message(room_id, 1, "back again")).await;
    assert_eq!(b.until("message").await["text"], "back again");
}

#[tokio::test]
async fn leaving_is_answered_told_to_the_partner_and_can_block() {
    let relay = Relay::start(&[]);
    let (mut a, mut b) = (relay.join().await, relay.join().await);
    for client in [&mut a, &mut b] {
        client.enter("open").await;
    }
    let paired = a.until("paired").await;
    b.until("paired").await;
    let leave = Leave {
        room_id: room_id(&paired),
        token: paired["token"].as_str().unwrap().into(),
        block: true,
        report: None,
    };
    a.send(ClientMessage::Leave(leave)).await;
    assert!(a.until("left").await["block_tag"].is_string());
    assert_eq!(b.until("closed").await["reason"], "left");
}

#[tokio::test]
async fn a_bad_name_or_topic_is_refused_and_the_client_goes_on() {
    let relay = Relay::start(&[]);
    let mut client = relay.join().await;
    for (display_name, topic) in [("<b>", "open"), ("", "open"), ("Ann", "a\nb"), ("Ann", "")] {
        let (display_name, topic) = (display_name.into(), topic.into());
        client
            .send(ClientMessage::EnterQueue {
                display_name,
                topic,
                ticket: None,
                blocks: Vec::new(),
            })
            .await;
        assert_eq!(client.until("refused").await["code"], "invalid");
    }
    client.enter("open").await;
    client.until("queued").await;
}
