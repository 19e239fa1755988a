//! Rooms that the partner or the relay closes, and places that are lost.

use super::*;

#[test]
fn each_reason_is_told() {
    for reason in
        [CloseReason::Left, CloseReason::Timeout, CloseReason::Idle, CloseReason::RelayLost]
    {
        let mut case = Case::new();
        let chat = case.chatting();
        case.relay(chat, closed(1, reason));
        case.expect(["! 2 partner.disconnected", "close"]);
        case.relay(chat, closed(1, reason));
        case.expect([]);
        let call = case.call(wait(chat, LONG));
        let reply = case.read(call);
        assert_eq!(view(&reply).state, ChatState::Idle);
        assert!(reply.next.contains("The partner is gone"), "{}", reply.next);
        let undelivered = Vec::new();
        let room_id = room(1).to_string();
        let expected = Event::Disconnected { room_id, reason, undelivered };
        assert_eq!(view(&reply).events[0].event, expected);
    }
}

#[test]
fn a_closed_room_is_never_entered_again() {
    let mut case = Case::new();
    let chat = case.idle();
    let call = case.call(enter_again(chat));
    case.connect(chat);
    case.skip();
    case.pair(chat, 1);
    case.expect(["> leave 1"]);
    case.is_pending(call);
    case.relay(chat, left(1));
    case.expect(["> enter_queue Alice open"]);
    case.relay(chat, queued(1));
    case.expect([&format!("= {}", call.0)]);
}

#[test]
fn a_place_that_was_not_listened_to_expires() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.relay(chat, dequeued(DequeueReason::NotListening));
    case.expect(["! 1 queue.expired", "close"]);
    let view = case.look(chat);
    assert_eq!(view.state, ChatState::Idle);
    assert_eq!(view.events[0].event, Event::Expired { reason: "not_listening" });
    case.relay(chat, dequeued(DequeueReason::NotListening));
    case.skip();
    assert_eq!(case.sessions.next_deadline(), None);
}

#[test]
fn a_place_that_the_relay_has_lost_expires() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call(wait(chat, LONG));
    case.skip();
    case.relay(chat, dequeued(DequeueReason::RelayLost));
    case.expect(["! 1 queue.expired", "close", "= 2"]);
    let reply = case.read(call);
    assert_eq!(view(&reply).events[0].event, Event::Expired { reason: "relay_lost" });
}

#[test]
fn an_event_as_it_is_written() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    let entry = serde_json::to_value(&case.look(chat).events[0]).unwrap();
    let expected = serde_json::json!({
        "cursor": 2,
        "at": "2026-01-02T03:04:05.000Z",
        "type": "message.received",
        "room_id": room(1).to_string(),
        "message_id": partner_id(1),
        "from": {"display_name": "Bob"},
        "author": "user",
        "message": "hi",
        "sent_at": "2026-01-02T03:04:05.000Z",
    });
    assert_eq!(entry, expected);
}
