//! What becomes of messages between the call that sends and the result that hands out.

use serde_json::{Value, json};
use tests::{
    Chat, Client, Signal, World, enter, eventually, meet,
    result::{event_types, events, events_of_type, messages, only_event},
};

/// A world without a message rate, and a client whose model may go on by itself.
fn unlimited() -> (World, Client) {
    let world = World::serving(&[("message-rate", "off")]);
    let client = world.shim().args(["--autonomous", "off"]).connect();
    (world, client)
}

fn cursors(result: &Value) -> Vec<i64> {
    events(result).iter().map(|event| event["cursor"].as_i64().unwrap()).collect()
}

#[test]
fn a_hundred_messages_reach_a_partner_that_is_not_waiting() {
    let (world, alice) = unlimited();
    let bob = world.client();
    let (alice, bob) = meet(&alice, &bob);
    let sent: Vec<String> = (1..=100).map(|number| format!("message {number}")).collect();
    for text in &sent {
        alice.deliver(text);
    }

    let mut received = Vec::new();
    for result in 1..=5 {
        let polled = bob.poll();
        assert_eq!(messages(&polled).len(), 20);
        assert_eq!(polled["more"], result < 5, "in result {result}");
        received.extend(messages(&polled).into_iter().map(str::to_owned));
    }
    assert_eq!(received, sent);
    assert!(events(&bob.poll()).is_empty());
    let status = eventually("the receipts are there", || {
        let status = alice.status();
        (status["receipts"]["read"] == 100).then_some(status)
    });
    assert_eq!(status["receipts"], json!({ "sent": 100, "delivered": 100, "read": 100 }));
}

#[test]
fn a_hundred_messages_sent_at_once_all_arrive() {
    let (world, alice) = unlimited();
    let bob = world.modern_client();
    let (alice, bob) = meet(&alice, &bob);
    let sending: Vec<_> = (0..100)
        .map(|number| {
            let arguments = json!({ "chat_id": alice.id, "message": format!("{number:03}") });
            alice.client.start_call("send_message", arguments)
        })
        .collect();
    for pending in &sending {
        let result = alice.client.finish(pending);
        assert_eq!(result["structuredContent"]["delivery"], "delivered");
    }
    let mut received = drain(&bob);
    received.sort_unstable();
    assert_eq!(received, (0..100).map(|number| format!("{number:03}")).collect::<Vec<_>>());
}

fn drain(chat: &Chat<'_>) -> Vec<String> {
    let mut received = Vec::new();
    loop {
        let polled = chat.poll();
        received.extend(messages(&polled).into_iter().map(str::to_owned));
        if polled["more"] == false {
            return received;
        }
    }
}

#[test]
fn a_result_holds_at_most_40_000_characters() {
    let (world, alice) = unlimited();
    let bob = world.client();
    let (alice, bob) = meet(&alice, &bob);
    let text = "ä".repeat(4_000);
    for _ in 0..11 {
        alice.deliver(&text);
    }
    let polled = bob.poll();
    assert_eq!((messages(&polled).len(), &polled["more"]), (10, &json!(true)));
    let polled = bob.poll();
    assert_eq!((messages(&polled).len(), &polled["more"]), (1, &json!(false)));
}

#[test]
fn more_than_a_thousand_unread_messages_wait_at_the_sender() {
    let (world, alice) = unlimited();
    let bob = world.client();
    let (alice, bob) = meet(&alice, &bob);
    for number in 0..1_000 {
        alice.deliver(&number.to_string());
    }
    for number in 1_000..1_003 {
        assert_eq!(alice.say(&number.to_string())["delivery"], "pending");
    }
    assert_eq!(messages(&bob.poll()).len(), 20);
    eventually("the rest is delivered", || {
        (alice.status()["receipts"]["delivered"] == 1_003).then_some(())
    });
    let expected: Vec<String> = (20..1_003).map(|number| number.to_string()).collect();
    assert_eq!(drain(&bob), expected);
}

#[test]
fn unread_events_ride_on_every_result_of_their_chat() {
    let world = World::serving(&[("message-rate", "off"), ("next-rate", "off")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let calls = [
        ("chat_status", json!({})),
        ("send_message", json!({ "message": "hello" })),
        ("send_message", json!({ "message": "" })),
        ("enter_queue", json!({})),
        ("wait_for_events", json!({ "timeout_seconds": 1_000 })),
        ("wait_for_events", json!({})),
        ("leave_chat", json!({ "report": "rude" })),
        ("next_partner", json!({})),
    ];
    for (number, (tool, arguments)) in calls.into_iter().enumerate() {
        let text = format!("message {number}");
        bob.deliver(&text);
        let result = alice.call(tool, arguments);
        assert_eq!(messages(&result["structuredContent"]), [text], "on {tool}");
    }
    let left = bob.wait();
    assert_eq!(*event_types(&left).last().unwrap(), "partner.disconnected");
}

#[test]
fn leaving_hands_out_what_was_unread() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.deliver("one last thing");
    let left = alice.leave();
    assert_eq!(messages(&left), ["one last thing"]);
    assert_eq!(left["left"], "room");
    assert_eq!(left["state"], "ended");
}

#[test]
fn after_repeats_what_follows_it() {
    let (world, bob) = unlimited();
    let alice = world.client();
    let (alice, bob) = meet(&alice, &bob);
    for number in 1..=5 {
        bob.deliver(&format!("message {number}"));
    }
    let first = alice.poll();
    assert_eq!(cursors(&first), [2, 3, 4, 5, 6]);
    assert_eq!((&first["since"], &first["cursor"]), (&json!(1), &json!(6)));
    let nothing = alice.poll();
    assert!(events(&nothing).is_empty());
    assert_eq!((&nothing["since"], &nothing["cursor"]), (&json!(6), &json!(6)));

    let repeated = alice.ok("wait_for_events", json!({ "after": 3 }));
    assert_eq!(cursors(&repeated), [4, 5, 6]);
    assert_eq!((&repeated["since"], &repeated["cursor"]), (&json!(3), &json!(6)));
    assert_eq!(events(&repeated), &events(&first)[2..], "word for word");
    let all = alice.ok("chat_status", json!({ "after": 0 }));
    assert_eq!(cursors(&all), [1, 2, 3, 4, 5, 6]);
    assert_eq!(all["events"][0]["type"], "chatroom.found");

    bob.deliver("message 6");
    let both = alice.ok("wait_for_events", json!({ "after": 5 }));
    assert_eq!(messages(&both), ["message 5", "message 6"]);
    assert!(events(&alice.poll()).is_empty());
}

#[test]
fn after_beyond_what_was_handed_out_is_refused_and_loses_nothing() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.deliver("hello");
    let refused = alice.refused("invalid_argument", "wait_for_events", json!({ "after": 2 }));
    assert_eq!(messages(&refused), ["hello"], "cursor 2 was not handed out before");
    let repeated = alice.ok("wait_for_events", json!({ "after": 1 }));
    assert_eq!(messages(&repeated), ["hello"]);
    alice.refused("invalid_argument", "wait_for_events", json!({ "after": 3 }));
}

#[test]
fn a_cursor_that_was_just_handed_out_is_never_too_new() {
    let (world, bob) = unlimited();
    let alice = world.client();
    let (alice, bob) = meet(&alice, &bob);
    let mut cursor = json!(1);
    for round in 0..100 {
        let text = format!("round {round}");
        bob.deliver(&text);
        let waited = alice.ok("wait_for_events", json!({ "after": cursor }));
        assert_eq!(messages(&waited), [text]);
        cursor = waited["cursor"].clone();
    }
}

#[test]
fn the_last_two_hundred_events_stay_readable() {
    let (world, bob) = unlimited();
    let alice = world.client();
    let (alice, bob) = meet(&alice, &bob);
    for number in 2..=251 {
        bob.deliver(&number.to_string());
    }
    drain(&alice);
    let mut seen = Vec::new();
    let mut after = 0;
    while after < 251 {
        let repeated = alice.ok("wait_for_events", json!({ "after": after, "timeout_seconds": 0 }));
        seen.extend(cursors(&repeated));
        after = repeated["cursor"].as_i64().unwrap();
    }
    assert_eq!(seen, (52..=251).collect::<Vec<_>>());
}

#[test]
fn a_message_to_a_client_that_does_not_take_it_is_pending_and_arrives_later() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.signal(Signal::STOP);
    let said = alice.say("are you there?");
    assert_eq!(said["delivery"], "pending");
    assert!(said["message_id"].is_string());
    bob.client.signal(Signal::CONT);
    let heard = bob.wait();
    let heard = only_event(&heard, "message.received");
    assert_eq!(heard["message"], "are you there?");
    assert_eq!(heard["message_id"], said["message_id"]);
}

#[test]
fn history_shows_both_sides_and_the_author_travels() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    alice.ok("send_message", json!({ "message": "from a person", "author": "user" }));
    alice.deliver("from a model");
    let heard = bob.poll();
    bob.deliver("an answer");
    let authors: Vec<_> =
        events_of_type(&heard, "message.received").iter().map(|event| &event["author"]).collect();
    assert_eq!(authors, ["user", "assistant"]);

    let status = alice.ok("chat_status", json!({ "history": 2 }));
    let history = status["history"].to_string();
    assert!(history.contains("from a model") && history.contains("an answer"), "{history}");
    assert!(!history.contains("from a person"), "two were asked for: {history}");
    assert_eq!(alice.status().get("history"), None);
}

#[test]
fn chats_of_different_clients_see_nothing_of_each_other() {
    let world = World::serving(&[]);
    let clients = [(); 4].map(|()| world.client());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    let (carol, _) = enter(&clients[2], json!({}));
    let (dave, _) = enter(&clients[3], json!({}));
    only_event(&carol.wait(), "chatroom.found");
    alice.deliver("for Bob only");
    assert_eq!(messages(&bob.poll()), ["for Bob only"]);
    for uninvolved in [&carol, &dave] {
        assert!(events(&uninvolved.poll()).is_empty());
    }
}
