//! What the relay is told of whether the client listens: what has changed, and nothing twice.

use super::*;

const OPEN: &str = "> attention true";
const CLOSED: &str = "> attention false";

#[test]
fn waits_in_a_loop_are_one_to_the_relay() {
    let mut case = Case::new();
    let chat = case.chatting();
    for seq in 1..=10 {
        let call = case.call(wait(chat, LONG));
        case.hears(chat, seq, "hi");
        case.read(call);
        case.pass(limits::ATTENTION_LINGER - MOMENT);
    }
    let told = case.said.iter().filter(|line| line.contains("attention"));
    assert_eq!(told.collect::<Vec<_>>(), [OPEN]);
    case.skip();
    case.pass(MOMENT);
    case.expect([CLOSED]);
}

#[test]
fn a_wait_that_is_cancelled_or_has_ended_is_told_once_none_follows() {
    let mut case = Case::new();
    let chat = case.chatting();
    for cancelled in [true, false] {
        let call = case.call(wait(chat, 10 * SECOND));
        if cancelled {
            case.input(Input::Cancelled(call));
        } else {
            case.pass(10 * SECOND);
        }
        case.skip();
        case.pass(limits::ATTENTION_LINGER - MOMENT);
        case.expect([]);
        case.pass(MOMENT);
        case.expect([CLOSED]);
    }
}

#[test]
fn a_message_beside_an_open_wait_is_all_that_is_said() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(wait(chat, LONG));
    case.expect([OPEN]);
    case.call(say(chat, "hi"));
    case.expect(["> send 1.1 hi"]);
    case.call(status(chat));
    case.expect(["= 5"]);
}

#[test]
fn a_call_without_anything_open_is_told_as_activity() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(status(chat));
    case.expect(["= 3", CLOSED]);
    case.call(status(chat));
    case.expect(["= 4", CLOSED]);
}

#[test]
fn a_call_while_the_connection_was_down_is_told_once_it_is_up() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    case.call(status(chat));
    case.skip();
    case.connect(chat);
    case.expect(["> hello session room 1 0", "> ping", CLOSED]);
    case.input(Input::Disconnected(chat));
    case.connect(chat);
    case.expect(["> hello session room 1 0", "> ping"]);
}

#[test]
fn an_open_wait_is_told_again_on_a_new_connection() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(wait(chat, LONG));
    case.input(Input::Disconnected(chat));
    case.skip();
    case.connect(chat);
    case.expect(["> hello session room 1 0", "> ping", OPEN]);
}

#[test]
fn while_waiting_each_call_asks_for_fresh_numbers_once() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.call(wait(chat, LONG));
    case.expect([OPEN]);
    case.call(status(chat));
    case.expect([OPEN]);
    case.relay(chat, queued(2));
    case.expect(["= 3"]);
}

#[test]
fn what_is_open_is_told_before_a_place_is_asked_for() {
    let mut case = Case::new();
    case.input(Input::ClientListens);
    case.call(enter());
    let chat = case.opened[0];
    case.connect(chat);
    case.expect(["open", "> hello", "> ping", OPEN, "> enter_queue Alice open"]);
}

#[test]
fn a_message_that_is_sent_again_is_no_activity() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "hi"));
    case.input(Input::Disconnected(chat));
    case.call(status(chat));
    case.greet(chat);
    case.relay(chat, sync(1, 0));
    case.skip();
    case.relay(chat, RelayMessage::Pong {});
    case.expect([CLOSED]);
}

#[test]
fn a_wait_that_has_ended_is_told_before_another_partner_is_asked_for() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(wait(chat, LONG));
    case.hears(chat, 1, "hi");
    case.read(call);
    case.skip();
    case.call(next(chat));
    case.expect([CLOSED, "> next 1"]);
    case.relay(chat, left(1));
    case.relay(chat, queued(1));
    case.skip();
    case.pass(limits::ATTENTION_LINGER);
    case.expect([]);
}

#[test]
fn a_client_that_is_gone_listens_no_longer_than_after_its_last_call() {
    let mut case = Case::new();
    case.answers_pings = true;
    let chat = case.chatting();
    let task = case.task(chat);
    case.pass(10 * SECOND);
    case.call(status(chat));
    let called = case.now.instant;
    case.look_at(&task);
    case.skip();
    // The relay does not know of that call, and would take it for older.
    case.pass(called + limits::LISTENING_FOR - case.now.instant - MOMENT);
    assert!(case.said.iter().all(|line| line == "> ping"), "{:?}", case.said);
    case.skip();
    case.pass(MOMENT);
    case.expect(["> attention false lapsed"]);
}
