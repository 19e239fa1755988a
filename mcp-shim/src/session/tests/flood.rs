//! What a partner, or a relay in its name, can make a shim write.

use super::*;

const WINDOW: usize = limits::WINDOW_MESSAGES;

/// A chat with so many messages that the partner has not acknowledged; the link has written all.
fn with_unacknowledged(case: &mut Case, messages: usize) -> ChatId {
    let chat = case.chatting();
    for number in 1..=messages {
        case.call(say(chat, &number.to_string()));
    }
    case.relay(chat, sync(1, 0));
    case.input(Input::Written(chat));
    case.input(Input::Written(chat));
    case.skip();
    chat
}

fn sends(case: &mut Case) -> Vec<String> {
    let said = std::mem::take(&mut case.said);
    said.into_iter().filter_map(|line| Some(line.strip_prefix("> send ")?.to_owned())).collect()
}

fn window() -> Vec<String> {
    (1..=WINDOW).map(|seq| format!("1.{seq} {seq}")).collect()
}

#[test]
fn syncs_without_a_write_between_them_bring_one_window_at_most() {
    let mut case = Case::unhurried();
    let chat = with_unacknowledged(&mut case, WINDOW);
    for _ in 0..1_000 {
        case.relay(chat, sync(1, 0));
    }
    assert!(sends(&mut case).len() <= WINDOW);
    case.sessions.check_invariants();
    // The last of them is answered in full, once there is room for it.
    case.input(Input::Written(chat));
    assert_eq!(sends(&mut case), window());
    case.input(Input::Written(chat));
    case.expect([]);
}

#[test]
fn what_was_held_back_is_not_sent_to_whom_has_it() {
    let mut case = Case::unhurried();
    let chat = with_unacknowledged(&mut case, WINDOW);
    case.relay(chat, sync(1, 0));
    case.relay(chat, sync(1, 0));
    case.relay(chat, ack(1, WINDOW as u64 - 1, 0));
    case.skip();
    case.input(Input::Written(chat));
    assert_eq!(sends(&mut case), ["1.100 100"]);
}

#[test]
fn a_message_waits_for_those_before_it() {
    let mut case = Case::unhurried();
    let chat = with_unacknowledged(&mut case, WINDOW - 1);
    case.relay(chat, sync(1, 0));
    case.relay(chat, sync(1, 0));
    case.skip();
    case.call(say(chat, "100"));
    assert!(sends(&mut case).iter().all(|line| line != "1.100 100"));
    case.input(Input::Written(chat));
    assert_eq!(sends(&mut case), window());
}

#[test]
fn a_new_connection_sends_all_again_whatever_became_of_the_last_one() {
    let mut case = Case::unhurried();
    let chat = with_unacknowledged(&mut case, WINDOW);
    for _ in 0..20 {
        case.relay(chat, sync(1, 0));
        case.relay(chat, sync(1, 0));
        case.input(Input::Disconnected(chat));
        case.greet(chat);
        case.skip();
        case.relay(chat, sync(1, 0));
        assert_eq!(sends(&mut case), window());
        case.relay(chat, RelayMessage::Pong {});
    }
}

#[test]
fn a_conversation_never_stops_for_what_is_not_known_to_be_written() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    for seq in 1..=5 * WINDOW as u64 {
        case.call(say(chat, "on"));
        if case.said.iter().any(|line| line == "> ?") {
            case.skip();
            case.input(Input::Written(chat));
        }
        assert_eq!(sends(&mut case), [format!("1.{seq} on")]);
        case.relay(chat, ack(1, seq, 0));
    }
}
