//! The client is gone: every chat is left.

use super::*;

#[test]
fn without_chats_there_is_nothing_to_do() {
    let mut case = Case::new();
    case.input(Input::Shutdown);
    case.expect([]);
    assert!(case.sessions.is_done());
    assert_eq!(case.sessions.next_deadline(), None);
}

#[test]
fn every_chat_is_left_and_the_relay_is_waited_for() {
    let mut case = Case::new();
    let chatting = case.chatting();
    let waiting = case.waiting();
    case.input(Input::Shutdown);
    let mut said = std::mem::take(&mut case.said);
    said.sort();
    assert_eq!(said, ["2: > leave_queue", "> leave 1"]);
    case.relay(chatting, left(1));
    case.expect(["close"]);
    assert!(!case.sessions.is_done());
    case.relay(waiting, dequeued(DequeueReason::Left));
    case.expect(["2: close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn messages_on_the_way_are_waited_for() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "bye"));
    case.skip();
    case.input(Input::Shutdown);
    case.expect([]);
    case.pass(Duration::from_millis(300));
    case.relay(chat, ack(1, 1, 0));
    case.expect(["> leave 1", "= 3"]);
    case.relay(chat, left(1));
    assert!(case.sessions.is_done());
}

#[test]
fn messages_on_the_way_are_waited_for_half_a_second() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "bye"));
    case.skip();
    case.input(Input::Shutdown);
    case.pass(Duration::from_millis(499));
    case.expect([]);
    case.pass(MOMENT);
    case.expect(["> leave 1", "= 3"]);
}

#[test]
fn whoever_still_waits_is_answered() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(wait(chat, LONG));
    case.input(Input::Shutdown);
    assert_eq!(view(&case.read(call)).state, ChatState::Ended);
}
