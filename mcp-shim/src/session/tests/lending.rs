//! Events of a result are lent to it until it was written, and a result has a size.

use shared::limits::{HANDED_OUT_EVENTS, RESULT_CHARS, RESULT_MESSAGES};

use super::*;

#[test]
fn what_was_lent_is_in_no_other_result() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    let one = case.call(wait(chat, Duration::ZERO));
    let two = case.call(status(chat));
    assert_eq!(texts(&case.unwritten(one)), ["hi"]);
    let reply = case.unwritten(two);
    assert!(view(&reply).events.is_empty());
    assert_eq!((view(&reply).since, view(&reply).cursor), (1, 1));
}

#[test]
fn it_comes_back_when_it_could_not_be_written_or_the_call_was_cancelled() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    let call = case.call(wait(chat, Duration::ZERO));
    case.settle(call, false);
    let call = case.call(wait(chat, Duration::ZERO));
    case.input(Input::Cancelled(call));
    let call = case.call(wait(chat, Duration::ZERO));
    assert_eq!(texts(&case.read(call)), ["hi"]);
    let call = case.call(wait(chat, Duration::ZERO));
    assert!(view(&case.read(call)).events.is_empty());
}

#[test]
fn written_is_written_whatever_is_said_later() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    let call = case.call(wait(chat, Duration::ZERO));
    case.settle(call, true);
    case.settle(call, false);
    case.input(Input::Cancelled(call));
    assert!(case.look(chat).events.is_empty());
}

#[test]
fn a_result_holds_twenty_messages() {
    let mut case = Case::new();
    let chat = case.chatting();
    for seq in 1..=45 {
        case.hears(chat, seq, "hi");
    }
    case.skip();
    let sizes = [RESULT_MESSAGES, RESULT_MESSAGES, 5, 0];
    for (index, size) in sizes.into_iter().enumerate() {
        let call = case.call(wait(chat, Duration::ZERO));
        let reply = case.read(call);
        let view = view(&reply);
        assert_eq!((view.events.len(), view.more), (size, index < 2));
        assert_eq!(view.cursor, [21, 41, 46, 46][index]);
        assert_eq!(view.since, [1, 21, 41, 46][index]);
        assert_eq!(reply.next.contains("There is more"), index < 2);
    }
}

#[test]
fn a_result_holds_forty_thousand_characters() {
    let mut case = Case::new();
    let chat = case.chatting();
    let text = "x".repeat(RESULT_CHARS / 5);
    for seq in 1..=6 {
        case.hears(chat, seq, &text);
    }
    let call = case.call(wait(chat, Duration::ZERO));
    let reply = case.read(call);
    assert_eq!((cursors(&reply), view(&reply).more), (vec![2, 3, 4, 5, 6], true));
    let call = case.call(wait(chat, Duration::ZERO));
    assert_eq!(cursors(&case.read(call)), [7]);
}

#[test]
fn other_events_do_not_count_against_the_size() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.pair(chat, 1);
    for seq in 1..=20 {
        case.hears(chat, seq, "hi");
    }
    case.relay(chat, closed(1, CloseReason::Left));
    let call = case.call(wait(chat, Duration::ZERO));
    let reply = case.read(call);
    assert_eq!((view(&reply).events.len(), view(&reply).more), (22, false));
}

#[test]
fn the_last_two_hundred_stay_readable() {
    let mut case = Case::new();
    let chat = case.chatting();
    for seq in 1..=300 {
        case.hears(chat, seq, "hi");
        case.look(chat);
    }
    let call = case.call(wait_after(chat, 0, Duration::ZERO));
    let reply = case.read(call);
    let oldest = 301 - HANDED_OUT_EVENTS as u64 + 1;
    assert_eq!((view(&reply).since, cursors(&reply)[0]), (oldest - 1, oldest));
    assert!(view(&reply).more);
}
