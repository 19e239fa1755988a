//! Silence, on this side and on the other.

use super::*;

#[test]
fn a_ping_goes_out_when_there_was_nothing_else_to_say() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.pass(10 * SECOND);
    case.relay(chat, RelayMessage::Pong {});
    case.call(say(chat, "hi"));
    case.skip();
    case.pass(15 * SECOND - MOMENT);
    case.expect(["= 3"]);
    case.pass(MOMENT);
    case.expect(["> ping"]);
}

#[test]
fn a_client_that_calls_all_the_time_hears_from_its_relay_nevertheless() {
    let mut case = Case::new();
    let chat = case.chatting();
    for _ in 0..20 {
        for _ in 0..3 {
            case.call(status(chat));
            case.pass(5 * SECOND);
        }
        let pings = case.said.iter().filter(|line| *line == "> ping").count();
        assert_eq!(pings, 1, "{:?}", case.said);
        assert!(!case.said.contains(&"reconnect".to_owned()), "{:?}", case.said);
        case.skip();
        case.relay(chat, RelayMessage::Pong {});
    }
}

#[test]
fn a_relay_that_talks_all_the_time_hears_from_its_client_nevertheless() {
    let mut case = Case::new();
    let chat = case.chatting();
    for _ in 0..20 {
        for _ in 0..3 {
            case.relay(chat, partner_is(Presence::Listening));
            case.pass(5 * SECOND);
        }
        case.expect(["> ping"]);
    }
}

#[test]
fn a_silent_relay_is_given_up_and_tried_again() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.pass(30 * SECOND - MOMENT);
    case.expect(["> ping"]);
    case.pass(MOMENT);
    case.expect(["reconnect"]);
    // What comes from the dead connection is over; the successor says hello.
    case.input(Input::Disconnected(chat));
    case.expect([]);
    case.connect(chat);
    case.expect(["> hello session room 1 0", "> ping"]);
}

#[test]
fn every_word_of_the_relay_is_a_sign_of_life() {
    let mut case = Case::new();
    let chat = case.chatting();
    for _ in 0..10 {
        case.pass(20 * SECOND);
        case.relay(chat, RelayMessage::Pong {});
    }
    assert!(case.said.iter().all(|line| line == "> ping"), "{:?}", case.said);
}

#[test]
fn a_relay_that_does_not_answer_hello_is_tried_again() {
    let mut case = Case::new();
    case.call(enter());
    let chat = case.opened[0];
    case.input(Input::Connected(chat));
    case.skip();
    case.pass(2 * SECOND - MOMENT);
    case.expect([]);
    case.pass(MOMENT);
    case.expect(["reconnect"]);
    case.greet(chat);
    case.expect(["> hello", "> ping"]);
    case.pass(2 * SECOND);
    case.expect(["reconnect"]);
}

#[test]
fn the_interval_is_that_of_the_relay() {
    let mut case = Case::new();
    case.limits.keep_alive_ms = 1_000;
    let chat = case.chatting();
    case.pass(SECOND);
    case.expect(["> ping"]);
    case.relay(chat, RelayMessage::Pong {});
    case.pass(2 * SECOND);
    case.expect(["> ping", "reconnect"]);
}

#[test]
fn an_idle_chat_needs_no_connection_and_no_time() {
    let mut case = Case::new();
    case.idle();
    assert_eq!(case.sessions.next_deadline(), None);
}

#[test]
fn after_a_long_sleep_the_relay_has_time_to_be_heard() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(wait(chat, LONG));
    case.skip();
    let morning = case.now.instant + 3_600 * SECOND;
    case.advance_to(morning);
    case.input(Input::Tick);
    case.expect(["> ping", &format!("= {}", call.0)]);
    case.pass(2 * limits::KEEP_ALIVE);
    case.expect(["> attention false", "> ping", "reconnect"]);
}

#[test]
fn a_relay_that_was_being_greeted_before_a_long_sleep_has_its_time_after_it() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    case.input(Input::Connected(chat));
    case.skip();
    let morning = case.now.instant + 3_600 * SECOND;
    case.advance_to(morning);
    case.input(Input::Tick);
    case.pass(limits::HANDSHAKE - MOMENT);
    case.expect([]);
    case.pass(MOMENT);
    case.expect(["reconnect"]);
}

#[test]
fn a_relay_that_was_told_of_a_leave_before_a_long_sleep_can_answer_after_it() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(leave(chat));
    case.read(call);
    case.skip();
    let morning = case.now.instant + 3_600 * SECOND;
    case.advance_to(morning);
    case.input(Input::Tick);
    case.pass(limits::GRACE / 2);
    assert!(!case.said.contains(&"close".to_owned()), "{:?}", case.said);
    case.pass(limits::GRACE);
    assert!(case.said.contains(&"close".to_owned()), "{:?}", case.said);
}

#[test]
fn a_tick_that_is_a_little_late_was_not_slept_over() {
    let mut case = Case::new();
    case.chatting();
    case.pass(2 * limits::KEEP_ALIVE - MOMENT);
    case.expect(["> ping"]);
    let late = case.now.instant + MOMENT + limits::SLEPT_AFTER;
    case.advance_to(late);
    case.input(Input::Tick);
    case.expect(["reconnect"]);
}

#[test]
fn no_relay_can_have_a_shim_wait_for_ever() {
    let mut case = Case::new();
    case.limits.keep_alive_ms = u64::MAX;
    case.limits.grace_ms = u64::MAX;
    let chat = case.chatting();
    case.pass(2 * limits::KEEP_ALIVE_LONGEST - MOMENT);
    case.expect(["> ping"]);
    case.pass(MOMENT);
    case.expect(["reconnect"]);
    case.pass(limits::GRACE_LONGEST);
    case.expect(["! 2 partner.disconnected", "close"]);
    assert_eq!(case.look(chat).state, ChatState::Idle);
}
