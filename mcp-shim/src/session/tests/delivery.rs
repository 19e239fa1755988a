//! How far a sent message is known to have come.

use super::*;

#[test]
fn the_acknowledgement_of_the_partner_is_delivery() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(say(chat, "hi"));
    case.pass(Duration::from_millis(999));
    case.is_pending(call);
    case.relay(chat, ack(1, 1, 0));
    let reply = case.read(call);
    assert_eq!((reply.delivery, reply.message_id), (Some(Delivery::Delivered), Some(own_id(1))));
    assert!(reply.next.contains("do not send it again"), "{}", reply.next);
}

#[test]
fn after_a_second_it_is_pending() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(say(chat, "hi"));
    case.pass(SECOND);
    let reply = case.read(call);
    assert_eq!((reply.delivery, reply.message_id), (Some(Delivery::Pending), Some(own_id(1))));
    assert_eq!(reply.error, None);
}

#[test]
fn an_acknowledgement_covers_everything_before_it() {
    let mut case = Case::new();
    let chat = case.chatting();
    let calls = ["one", "two", "three"].map(|text| case.call(say(chat, text)));
    case.skip();
    case.relay(chat, ack(1, 2, 0));
    case.expect(["= 3", "= 4"]);
    case.relay(chat, ack(1, 1, 0));
    case.expect([]);
    case.is_pending(calls[2]);
    // Nothing beyond what was sent is believed.
    case.relay(chat, ack(1, 4, 4));
    case.expect([]);
    case.relay(chat, ack(1, 3, 0));
    case.expect(["= 5"]);
    assert!(calls.map(|call| case.read(call).delivery).iter().all(Option::is_some));
}

#[test]
fn one_of_another_room_is_nothing() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "hi"));
    case.skip();
    case.relay(chat, ack(2, 1, 1));
    case.relay(chat, sync(2, 0));
    case.relay(chat, message(2, 1, "lost"));
    case.relay(chat, closed(2, CloseReason::Left));
    case.expect([]);
}

#[test]
fn a_room_that_closes_first_lists_what_did_not_arrive() {
    let mut case = Case::new();
    let chat = case.chatting();
    let one = case.call(say(chat, "one"));
    let two = case.call(say(chat, "two"));
    case.relay(chat, ack(1, 1, 0));
    case.skip();
    case.relay(chat, closed(1, CloseReason::Left));
    case.expect(["! 2 partner.disconnected", "close", "= 4"]);
    assert_eq!(case.read(one).delivery, Some(Delivery::Delivered));
    let reply = case.read(two);
    assert_eq!((reply.delivery, &reply.message_id), (Some(Delivery::Pending), &Some(own_id(2))));
    let Event::Disconnected { reason, undelivered, .. } = &view(&reply).events[0].event else {
        panic!("{reply:?}");
    };
    assert_eq!((*reason, undelivered), (CloseReason::Left, &vec![own_id(2)]));
}

#[test]
fn a_sync_of_the_partner_is_answered_with_the_rest() {
    let mut case = Case::new();
    let chat = case.chatting();
    for text in ["one", "two", "three"] {
        case.call(say(chat, text));
    }
    case.skip();
    case.relay(chat, sync(1, 1));
    case.expect(["> send 1.2 two", "> send 1.3 three", "= 3"]);
    case.relay(chat, sync(1, 3));
    case.expect(["= 4", "= 5"]);
}

#[test]
fn receipts_tell_sent_delivered_and_read() {
    let mut case = Case::new();
    let chat = case.chatting();
    for text in ["one", "two", "three"] {
        case.call(say(chat, text));
    }
    case.relay(chat, ack(1, 2, 1));
    let call = case.call(status(chat));
    let receipts = case.read(call).receipts.unwrap();
    assert_eq!((receipts.sent, receipts.delivered, receipts.read), (3, 2, 1));
    // A partner cannot have read what it has not got.
    case.relay(chat, ack(1, 2, 3));
    let call = case.call(status(chat));
    assert_eq!(case.read(call).receipts.unwrap().read, 2);
}
