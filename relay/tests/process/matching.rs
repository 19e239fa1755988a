//! Who meets whom, over the wire: tickets, kept places, blocks, rates, and what a partner is told.

use serde_json::Value;
use shared::{
    id::OwnerId,
    message::{ClientMessage, Leave},
};

use crate::harness::{Client, Relay, hello, owner, room_id};

impl Client {
    async fn enter_with(&mut self, topic: &str, ticket: Option<&str>, blocks: &[&str]) {
        self.send(ClientMessage::EnterQueue {
            display_name: "Stranger".into(),
            topic: topic.into(),
            ticket: ticket.map(Into::into),
            blocks: blocks.iter().map(|tag| (*tag).into()).collect(),
        })
        .await;
    }

    async fn leave(&mut self, paired: &Value, block: bool) -> Value {
        let token = text(&paired["token"]);
        let room_id = room_id(paired);
        let leave = Leave { room_id, token: token.into(), block, report: None };
        self.send(ClientMessage::Leave(leave)).await;
        self.until("left").await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Clients that wait in `open` and never meet each other: they are of one owner.
async fn waiting_since(relay: &Relay, count: usize) -> Vec<Client> {
    let owner = owner();
    let mut waiting = Vec::new();
    for _ in 0..count {
        let mut client = relay.connect().await;
        client.greet(hello(Some(owner), None)).await;
        client.enter("open").await;
        client.until("queued").await;
        waiting.push(client);
    }
    waiting
}

#[tokio::test]
async fn a_ticket_of_a_private_topic_is_none_in_open() {
    let relay = Relay::start(&[]);
    let mut late = relay.join().await;
    late.enter("a private topic").await;
    let ticket = text(&late.until("queued").await["ticket"]);
    let mut waiting = waiting_since(&relay, 5).await;
    late.enter_with("open", Some(&ticket), &[]).await;
    // It is matched with the one who came first; so its place shows by the seat.
    assert_eq!(late.until("paired").await["seat"], 2);
    assert_eq!(waiting[0].until("paired").await["seat"], 1);
}

#[tokio::test]
async fn a_ticket_is_spent_by_a_match() {
    let relay = Relay::start(&[]);
    let (mut late, mut partner) = (relay.join().await, relay.join().await);
    late.enter("open").await;
    let ticket = text(&late.until("queued").await["ticket"]);
    partner.enter("open").await;
    let paired = late.until("paired").await;
    late.leave(&paired, false).await;
    let mut waiting = waiting_since(&relay, 5).await;
    late.enter_with("open", Some(&ticket), &[]).await;
    assert_eq!(late.until("paired").await["seat"], 2);
    assert_eq!(waiting[0].until("paired").await["seat"], 1);
}

#[tokio::test]
async fn who_was_left_at_once_has_the_old_place_and_is_told_so() {
    let relay = Relay::start(&[]);
    let (mut alice, mut mallory) = (relay.join().await, relay.join().await);
    alice.enter("open").await;
    alice.until("queued").await;
    mallory.enter("open").await;
    let paired = mallory.until("paired").await;
    let mut waiting = waiting_since(&relay, 1).await;
    mallory.leave(&paired, false).await;
    assert_eq!(alice.until("closed").await["place_kept_ms"], 60_000);
    alice.enter("open").await;
    assert_eq!(alice.until("paired").await["seat"], 1);
    assert_eq!(waiting[0].until("paired").await["seat"], 2);
}

#[tokio::test]
async fn entering_has_rates_that_welcome_tells() {
    let options =
        ["--enter-rate", "2/6", "--enter-rate-per-client", "off", "--enter-rate-per-user", "1/1"];
    let relay = Relay::start(&options);
    let mut client = relay.connect().await;
    let rates = client.greet(hello(Some(owner()), None)).await.limits.enter_rates;
    let session = rates.session.unwrap();
    assert_eq!((session.burst, session.interval_ms), (2, 10_000));
    // There is one account: what its clients do together is no matter.
    assert_eq!((rates.client, rates.user), (None, None));
    for topic in ["one", "two"] {
        client.enter(topic).await;
        client.until("queued").await;
    }
    client.enter("three").await;
    let refused = client.until("refused").await;
    assert_eq!(refused["code"], "rate_limited");
    assert!((1..=10_000).contains(&refused["retry_after_ms"].as_u64().unwrap()), "{refused}");
    // It still has the place that it had.
    client.enter("two").await;
    assert_eq!(client.until("queued").await["topic"], "two");
}

/// A relay that was started again knows of a block by nothing but what a search presents.
#[tokio::test]
async fn a_block_holds_if_it_is_presented_with_the_search_alone() {
    let mut relay = Relay::start(&["--pairing-delay", "0s"]);
    let owners = [owner(), owner()];
    let [mut alice, mut mallory] = both(&relay, owners).await;
    alice.enter("open").await;
    mallory.enter("open").await;
    let paired = alice.until("paired").await;
    let tag = text(&alice.leave(&paired, true).await["block_tag"]);
    relay.kill_and_restart().await;

    for (tags, meet) in [(&[tag.as_str()][..], false), (&[], true)] {
        let [mut alice, mut mallory] = both(&relay, owners).await;
        alice.enter_with("open", None, tags).await;
        alice.until("queued").await;
        mallory.enter("open").await;
        mallory.until(if meet { "paired" } else { "queued" }).await;
        relay.kill_and_restart().await;
    }
}

/// New sessions of these owners.
async fn both(relay: &Relay, owners: [OwnerId; 2]) -> [Client; 2] {
    let mut clients = [relay.connect().await, relay.connect().await];
    for (client, owner) in clients.iter_mut().zip(owners) {
        client.greet(hello(Some(owner), None)).await;
    }
    clients
}

/// The victim is told a few times, and of everything else as ever.
#[tokio::test]
async fn a_partner_that_listens_and_does_not_at_full_rate_floods_nobody() {
    let relay = Relay::start(&[]);
    let mut pair = relay.pair().await;
    let changes = 600;
    for _ in 0..changes {
        // What was open has ended, and nothing was open since.
        for (open, lapsed) in [(true, false), (false, true), (false, true)] {
            pair.a.send(ClientMessage::Attention { open, lapsed }).await;
        }
    }
    pair.send("after that").await;
    let mut told = 0;
    loop {
        let frame = pair.b.next().await.unwrap();
        told += usize::from(frame.get("partner").is_some());
        if frame.get("message").is_some() {
            break;
        }
    }
    assert!(told < changes / 10, "{told} of {changes}");
}
