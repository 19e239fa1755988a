//! Whoever breaks the rules is told once and cut off, and nobody else notices.

use std::time::{Duration, Instant};

use shared::message::{ClientMessage, Hello};

use crate::harness::{Relay, hello, message, owner};

#[tokio::test]
async fn a_malformed_frame_gets_one_error_and_the_end_and_others_go_on() {
    let relay = Relay::start(&["--message-rate", "off"]);
    let mut others = relay.pair().await;
    let deep = b"[".repeat(40_000);
    let long_text = format!(
        "{{\"send\":{{\"room_id\":\"{}\",\"seq\":1,\"author\":\"user\",\"text\":\"{}\"}}}}",
        others.room,
        "x".repeat(8 * 1024 + 1)
    );
    let first_seq_0 = long_text.replace("\"seq\":1", "\"seq\":0").replace("xx", "");
    let many_lines = long_text.replace('x', "\\n");
    let too_long = format!("{{\"ping\":{{\"x\":\"{}\"}}}}", "x".repeat(64 * 1024));
    let cases: [(&[u8], &str); 14] = [
        (b"nonsense", "malformed"),
        (b"{\"ping\":{}", "malformed"),
        (b"{\"ping\":{}}{\"ping\":{}}", "malformed"),
        (b"[]", "malformed"),
        (b"null", "malformed"),
        (b"{\"ping\":{\"x\":\"\xff\"}}", "malformed"),
        (b"{\"attention\":{}}", "malformed"),
        (b"{\"attention\":{\"open\":1}}", "malformed"),
        (&deep, "malformed"),
        (long_text.as_bytes(), "malformed"),
        (first_seq_0.as_bytes(), "malformed"),
        (many_lines.as_bytes(), "malformed"),
        (b"{\"dance\":{}}", "unsupported"),
        (too_long.as_bytes(), "too_long"),
    ];
    for (frame, code) in cases {
        let mut client = relay.join().await;
        client.write(&[frame, b"\n{\"ping\":{}}\n"].concat()).await;
        client.expect_error_and_end(code).await;
        others.talk().await;
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let relay = Relay::start(&[]);
    let mut client = relay.connect().await;
    client.write(b"{\"hello\":{\"min\":1,\"max\":9,\"build\":\"x\",\"dance\":[1]}}\r\n").await;
    client.until("welcome").await;
    client.write(b"{\"ping\":{\"dance\":true}}\n").await;
    client.until("pong").await;
}

#[tokio::test]
async fn a_message_out_of_order_gets_an_error() {
    let relay = Relay::start(&[]);

    let mut early = relay.connect().await;
    early.send(ClientMessage::Ping {}).await;
    early.expect_error_and_end("out_of_order").await;

    let mut twice = relay.join().await;
    twice.send(ClientMessage::Hello(hello(Some(owner()), None))).await;
    twice.expect_error_and_end("out_of_order").await;

    let mut visitor = relay.visit().await;
    visitor.enter("open").await;
    visitor.expect_error_and_end("out_of_order").await;
}

#[tokio::test]
async fn a_client_that_does_not_say_hello_is_cut_off() {
    let relay = Relay::start(&[]);
    let mut client = relay.connect().await;
    let start = Instant::now();
    client.write(b"{\"hello\":{").await;
    client.expect_error_and_end("handshake_timeout").await;
    let took = start.elapsed();
    assert!(took < shared::limits::HANDSHAKE + Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn versions_without_an_overlap_are_told_which_program_to_restart() {
    let relay = Relay::start(&[]);
    for (versions, advice) in [((2, 3), "relay stop"), ((0, 0), "restart it (mcp-shim)")] {
        let mut client = relay.connect().await;
        let (min, max) = versions;
        client.send(ClientMessage::Hello(Hello { min, max, ..hello(None, None) })).await;
        let text = client.expect_error_and_end("version_mismatch").await;
        assert!(text.contains("protocol versions 1 to 1"), "{text}");
        assert!(text.contains(&format!("the client {min} to {max}")), "{text}");
        assert!(text.contains(advice), "{text}");
    }
}

#[tokio::test]
async fn a_flood_keeps_nobody_waiting() {
    let relay = Relay::start(&["--message-rate", "off"]);
    let mut others = relay.pair().await;
    let mut flood = relay.join().await;
    // More than one turn takes, in one piece.
    flood.write(&b"{\"ping\":{}}\n".repeat(1_500)).await;
    for _ in 0..20 {
        others.talk().await;
    }
    for _ in 0..1_500 {
        flood.until("pong").await;
    }
}

#[tokio::test]
async fn a_client_over_its_rate_is_cut_off() {
    let relay = Relay::start(&["--message-rate", "2/1"]);
    let mut pair = relay.pair().await;
    // In one piece, for it is cut off meanwhile. One window after each attach is free, and another
    // may have waited.
    let mut frames = Vec::new();
    for seq in 1..=300 {
        shared::codec::encode(&message(pair.room, seq, "spam"), &mut frames);
    }
    pair.a.write(&frames).await;
    pair.a.expect_error_and_end("rate_limited").await;
}
