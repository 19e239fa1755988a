//! `send_message`: what is refused before it has a number.

use shared::limits::{
    EnterRates, KEEP_ALIVE_SHORTEST, MESSAGE_BYTES, MESSAGE_LINES, Rate, WINDOW_MESSAGES,
};

use super::*;

#[test]
fn a_message_goes_out_cleaned_and_numbered() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(say(chat, "hi"));
    case.expect(["> send 1.1 hi"]);
    case.relay(chat, ack(1, 1, 0));
    case.expect(["= 3"]);
    let reply = case.read(call);
    assert_eq!(reply.message_id, Some(own_id(1)));
    case.call(say(chat, "there"));
    case.expect(["> send 1.2 there"]);
}

#[test]
fn after_twenty_of_the_assistant_the_user_is_asked() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    for seq in 1..=20 {
        let call = case.call(say_as_assistant(chat, "on and on"));
        case.relay(chat, ack(1, seq, 0));
        assert_eq!(case.read(call).error, None);
    }
    case.skip();
    let call = case.call(say_as_assistant(chat, "and on"));
    case.expect([&format!("= {} AskUser", call.0), "> attention false"]);

    case.call(say(chat, "my own words"));
    case.call(say_as_assistant(chat, "on again"));
    case.expect(["> send 1.21 my own words", "> send 1.22 on again"]);
}

#[test]
fn the_assistant_may_be_let_alone() {
    let mut case = Case::with(Config { autonomous: None, ..config() });
    case.limits.message_rate = None;
    let chat = case.chatting();
    for seq in 1..=30 {
        case.call(say_as_assistant(chat, "on and on"));
        case.relay(chat, ack(1, seq, 0));
    }
    assert!(case.replies.values().all(|reply| reply.error.is_none()));
}

#[test]
fn a_message_that_cannot_be_is_refused_with_the_reason() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.look(chat);
    case.skip();
    for (text, expected) in [
        (String::new(), ErrorCode::MessageEmpty),
        (" \n".to_owned(), ErrorCode::MessageEmpty),
        ("x".repeat(MESSAGE_BYTES + 1), ErrorCode::MessageTooLong),
        ("x\n".repeat(MESSAGE_LINES + 1), ErrorCode::MessageTooLong),
        ("\u{200b}".to_owned(), ErrorCode::MessageUnprintable),
    ] {
        let call = case.call(say(chat, &text));
        case.expect([&format!("= {} {expected:?}", call.0), "> attention false"]);
        let reply = case.read(call);
        assert_eq!(view(&reply).state, ChatState::Chatting);
        if expected == ErrorCode::MessageTooLong {
            let message = reply.error.unwrap().message;
            assert!(message.contains("8192") && message.contains("200"), "{message}");
        }
    }
    case.call(say(chat, &"x".repeat(MESSAGE_BYTES)));
    case.expect(["> send 1.1 xxxxxxxxxxxxxxxxxxxx"]);
}

#[test]
fn the_rate_is_charged_for_accepted_messages_only() {
    let mut case = Case::new();
    let chat = case.chatting();
    for _ in 0..10 {
        case.call(say(chat, ""));
    }
    for _ in 0..5 {
        case.call(say(chat, "hi"));
    }
    case.skip();
    let call = case.call(say(chat, "too soon"));
    case.expect([&format!("= {} RateLimited", call.0), "> attention false"]);
    assert_eq!(case.read(call).error.unwrap().retry_after_ms, Some(500));
    case.pass(Duration::from_millis(500));
    case.skip();
    case.call(say(chat, "in time"));
    case.expect(["> send 1.6 in time"]);
}

#[test]
fn the_rate_is_that_of_the_relay() {
    let mut case = Case::new();
    case.limits.message_rate = Some(Rate::new(1, Duration::from_millis(60_000)));
    let chat = case.chatting();
    case.call(say(chat, "hi"));
    let call = case.call(say(chat, "too soon"));
    assert_eq!(case.read(call).error.unwrap().retry_after_ms, Some(60_000));
}

#[test]
fn a_full_window_keeps_nothing_of_the_message() {
    let mut case = Case::unhurried();
    case.limits.window_messages = 3;
    let chat = case.chatting();
    for _ in 0..3 {
        case.call(say(chat, "hi"));
    }
    case.skip();
    let call = case.call(say(chat, "too much"));
    case.expect([&format!("= {} WindowFull", call.0), "> attention false"]);
    case.read(call);
    case.relay(chat, ack(1, 1, 0));
    case.skip();
    let call = case.call(Request::ChatStatus {
        chat_id: Some(chat.to_string()),
        history: 50,
        after: None,
    });
    let reply = case.read(call);
    assert_eq!(reply.receipts.unwrap().sent, 3);
    assert_eq!(reply.history.unwrap().len(), 3);
    case.skip();
    case.call(say(chat, "now"));
    // The link may have written as little as the partner has taken.
    case.expect(["> ?", "> attention false"]);
    case.input(Input::Written(chat));
    case.expect(["> send 1.4 now"]);
}

#[test]
fn the_window_is_also_one_of_bytes() {
    let mut case = Case::unhurried();
    case.limits.window_bytes = 10;
    let chat = case.chatting();
    case.call(say(chat, "éééé"));
    let call = case.call(say(chat, "xyz"));
    assert_eq!(code(&case.read(call)), ErrorCode::WindowFull);
    case.skip();
    case.call(say(chat, "xy"));
    case.expect(["> send 1.2 xy"]);
}

#[test]
fn without_a_relay_it_is_tried_for_five_seconds_and_then_not_sent() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    case.pass(SECOND);
    let call = case.call(say(chat, "hi"));
    case.pass(4 * SECOND - MOMENT);
    case.is_pending(call);
    case.pass(SECOND + MOMENT);
    assert_eq!(code(&case.read(call)), ErrorCode::RelayUnavailable);
    case.skip();
    case.connect(chat);
    case.expect(["> hello session room 1 0", "> ping", "> attention false"]);
}

#[test]
fn it_is_sent_as_soon_as_the_relay_is_back() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    let call = case.call(say(chat, "hi"));
    case.pass(SECOND);
    case.greet(chat);
    case.skip();
    case.relay(chat, RelayMessage::Pong {});
    case.expect(["> send 1.1 hi"]);
    case.relay(chat, ack(1, 1, 0));
    assert_eq!(case.read(call).delivery, Some(Delivery::Delivered));
}

#[test]
fn a_relay_cannot_raise_what_a_shim_takes_upon_itself() {
    let mut case = Case::new();
    let absurd = Rate::new(u32::MAX, Duration::from_millis(u64::MAX));
    case.limits = Limits {
        message_rate: Some(absurd),
        next_rate: Some(absurd),
        enter_rates: EnterRates::default(),
        window_messages: usize::MAX,
        window_bytes: usize::MAX,
        message_bytes: usize::MAX,
        message_lines: usize::MAX,
        keep_alive_ms: 0,
        grace_ms: u64::MAX,
    };
    let chat = case.chatting();
    let due = case.sessions.next_deadline().unwrap() - case.now.instant;
    assert!(due >= KEEP_ALIVE_SHORTEST, "{due:?}");
    let call = case.call(say(chat, &"x".repeat(MESSAGE_BYTES + 1)));
    assert_eq!(code(&case.read(call)), ErrorCode::MessageTooLong);
    case.skip();
    for number in 1..=WINDOW_MESSAGES {
        case.call(say(chat, &number.to_string()));
    }
    case.skip();
    let call = case.call(say(chat, "one too many"));
    assert_eq!(code(&case.read(call)), ErrorCode::WindowFull);
}

#[test]
fn the_rate_of_one_relay_is_nothing_to_the_next() {
    let mut case = Case::new();
    case.limits.message_rate = Some(Rate::new(u32::MAX, Duration::from_millis(3_600_000)));
    case.limits.next_rate = case.limits.message_rate;
    let chat = case.chatting();
    for _ in 0..5 {
        case.call(say(chat, "hi"));
    }
    case.input(Input::Disconnected(chat));
    case.limits = Limits::default();
    case.connect(chat);
    let call = case.call(say(chat, "too soon"));
    assert_eq!(case.read(call).error.unwrap().retry_after_ms, Some(500));
}

#[test]
fn a_message_passes_exactly_when_it_was_told_to_come_again() {
    let mut case = Case::new();
    case.limits.message_rate = Some(Rate::new(1, Duration::from_micros(1_667)));
    let chat = case.chatting();
    case.call(say(chat, "one"));
    case.pass(Duration::from_micros(1));
    let call = case.call(say(chat, "two"));
    let wait = case.read(call).error.unwrap().retry_after_ms.unwrap();
    assert_eq!(wait, 2);
    case.pass(Duration::from_millis(wait));
    let call = case.call(say(chat, "two"));
    case.relay(chat, ack(1, 2, 0));
    assert_eq!(case.read(call).error, None);
}
