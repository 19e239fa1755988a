//! How a relay ends, and that it does not when it should not.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;
use shared::limits::DRAIN;
use tokio::time::sleep;

use crate::harness::Relay;

#[tokio::test]
async fn a_signal_tells_everybody_and_ends_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut relay = Relay::start(&[]);
        let (mut pair, mut visitor) = (relay.pair().await, relay.visit().await);
        let start = Instant::now();
        relay.signal(signal);
        for client in [&mut pair.a, &mut pair.b, &mut visitor] {
            assert_eq!(client.rest().await.last(), Some(&json!({"going_away": {}})));
        }
        assert_eq!(relay.wait().await.code(), Some(0));
        assert!(!relay.socket().exists());
        let took = start.elapsed();
        assert!(took < DRAIN, "there was nothing to wait for in {took:?}");
    }
}

#[tokio::test]
async fn one_that_does_not_read_delays_the_end_only_so_long() {
    let mut relay = Relay::start(&["--message-rate", "off"]);
    let mut slow = relay.pair().await;
    slow.fill().await;
    let start = Instant::now();
    relay.signal(Signal::TERM);
    slow.a.until("going_away").await;
    assert!(!relay.socket().exists(), "no client is to find a relay that is ending");
    assert_eq!(relay.wait().await.code(), Some(0));
    let took = start.elapsed();
    assert!(took >= DRAIN && took < DRAIN + Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn what_was_on_its_way_is_still_delivered() {
    let mut relay = Relay::start(&["--message-rate", "off"]);
    let mut pair = relay.pair().await;
    pair.fill().await;
    relay.signal(Signal::TERM);
    pair.a.until("going_away").await;
    let rest = pair.b.rest().await;
    let messages = rest.iter().filter(|frame| frame.get("message").is_some()).count();
    assert_eq!(messages, 100);
    assert_eq!(rest.last(), Some(&json!({"going_away": {}})));
    assert_eq!(relay.wait().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let mut relay = Relay::start(&["--message-rate", "off"]);
    let mut slow = relay.pair().await;
    slow.fill().await;
    let start = Instant::now();
    relay.signal(Signal::TERM);
    slow.a.until("going_away").await;
    relay.signal(Signal::TERM);
    assert_eq!(relay.wait().await.code(), Some(1), "not everything was sent");
    let took = start.elapsed();
    assert!(took < DRAIN, "{took:?}");
}

#[tokio::test]
async fn a_relay_that_is_ending_does_not_take_its_socket_back() {
    let mut relay = Relay::start(&["--message-rate", "off", "--keep-alive", "300ms"]);
    let mut slow = relay.pair().await;
    slow.fill().await;
    relay.signal(Signal::TERM);
    slow.a.until("going_away").await;
    // It is still flushing when it would have looked after its socket, several times.
    relay.wait().await;
    assert!(!relay.socket().exists());
}

#[tokio::test]
async fn a_relay_without_connections_ends_if_told_so() {
    let mut relay = Relay::start(&["--idle-exit", "300ms"]);
    let mut client = relay.join().await;
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(600) {
        client.settle().await;
        sleep(Duration::from_millis(10)).await;
    }
    drop(client);
    assert_eq!(relay.wait().await.code(), Some(0));
    assert!(!relay.socket().exists());
}

#[tokio::test]
async fn a_socket_that_was_removed_comes_back() {
    let relay = Relay::start(&["--keep-alive", "200ms"]);
    relay.join().await;
    fs::remove_file(relay.socket()).unwrap();
    relay.join().await.settle().await;
}

#[tokio::test]
async fn a_relay_that_lost_its_lock_ends() {
    let mut relay = Relay::start(&["--keep-alive", "200ms"]);
    let mut client = relay.join().await;
    let lock = relay.socket().with_extension("sock.lock");
    fs::remove_file(lock).unwrap();
    client.until("going_away").await;
    assert_eq!(relay.wait().await.code(), Some(0));
}
