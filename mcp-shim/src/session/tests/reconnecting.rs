//! A connection that is lost, and what its successor takes up again.

use super::*;

#[test]
fn a_place_in_the_queue_is_claimed_with_its_ticket() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.input(Input::Disconnected(chat));
    case.expect([]);
    case.connect(chat);
    case.expect(["> hello session queue ticket-1", "> ping"]);
    case.relay(chat, queued(3));
    assert_eq!(case.look(chat).queue.unwrap().position, Some(3));
}

#[test]
fn a_room_is_claimed_with_what_was_taken_and_a_sync_brings_the_rest() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.call(say(chat, "one"));
    case.call(say(chat, "two"));
    case.input(Input::Disconnected(chat));
    case.skip();
    case.greet(chat);
    case.expect(["> hello session room 1 1", "> ping"]);
    case.relay(chat, sync(1, 1));
    case.expect(["> send 1.2 two", "= 3"]);
    // The room is the same, though the relay says so again.
    case.pair(chat, 1);
    case.expect([]);
}

#[test]
fn what_comes_up_during_the_handshake_is_said_after_it() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    case.input(Input::Connected(chat));
    case.skip();
    let call = case.call(next(chat));
    case.expect([]);
    let welcome = case.welcome();
    case.relay(chat, welcome);
    case.expect(["> ping"]);
    case.relay(chat, RelayMessage::Pong {});
    case.expect(["> leave 1", "> enter_queue Alice open"]);
    case.relay(chat, left(1));
    case.relay(chat, queued(1));
    case.expect([&format!("= {}", call.0)]);
}

#[test]
fn a_queue_left_during_the_handshake_is_left_after_it() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.input(Input::Disconnected(chat));
    case.input(Input::Connected(chat));
    case.call(leave(chat));
    case.skip();
    let welcome = case.welcome();
    case.relay(chat, welcome);
    case.relay(chat, queued(1));
    case.expect(["> ping"]);
    case.relay(chat, RelayMessage::Pong {});
    case.expect(["> leave_queue"]);
    case.relay(chat, dequeued(DequeueReason::Left));
    case.expect(["close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn a_stale_pairing_is_left_and_the_place_taken_again() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(next(chat));
    case.relay(chat, queued(1));
    case.skip();
    case.pair(chat, 1);
    case.expect(["> leave 1"]);
    case.relay(chat, left(1));
    // The first answer is to the leave of `next`.
    case.expect([]);
    case.relay(chat, left(1));
    case.expect(["> enter_queue Alice open ticket-1"]);
    assert_eq!(case.look(chat).state, ChatState::Waiting);
}

#[test]
fn a_pairing_while_nobody_was_asked_for_is_left_for_good() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "bye"));
    case.call(leave(chat));
    case.pass(SECOND);
    case.skip();
    case.pair(chat, 2);
    case.expect(["> leave 2"]);
    case.relay(chat, left(1));
    case.expect([]);
    case.relay(chat, left(2));
    case.expect(["close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn a_place_that_cannot_be_had_again_has_expired() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.input(Input::Disconnected(chat));
    case.greet(chat);
    case.skip();
    case.relay(chat, refused(WireError::TooMany));
    case.expect(["! 1 queue.expired", "close"]);
    assert_eq!(case.look(chat).state, ChatState::Idle);
}

#[test]
fn a_place_outlives_a_relay_that_is_about_to_end() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.input(Input::Disconnected(chat));
    case.greet(chat);
    case.skip();
    case.relay(chat, refused(WireError::GoingAway));
    case.expect([]);
    case.input(Input::Disconnected(chat));
    case.input(Input::Connected(chat));
    case.expect(["> hello session queue ticket-1"]);
}

#[test]
fn a_superseded_session_is_lost_to_everyone_who_waits_but_what_was_accepted_stays_so() {
    let mut case = Case::new();
    let chat = case.chatting();
    let one = case.call(wait(chat, LONG));
    let two = case.call(say(chat, "hi"));
    case.skip();
    case.relay(chat, error(WireError::Superseded));
    case.expect(["! 2 partner.disconnected", "close", "= 3 SessionLost", "= 4"]);
    let reply = case.read(one);
    assert_eq!(names(&reply), ["partner.disconnected"]);
    assert_eq!(view(&reply).state, ChatState::Ended);
    let reply = case.read(two);
    assert_eq!((reply.message_id, reply.delivery), (Some(own_id(1)), Some(Delivery::Pending)));
    assert!(case.sessions.is_done());
}

#[test]
fn a_superseded_session_is_lost_to_the_next_call() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.relay(chat, error(WireError::Superseded));
    // Whoever asks for nonsense has not been told yet.
    let error = ToolError::new(ErrorCode::InvalidArgument, "no", "no");
    let call = case.call(Request::Invalid { chat_id: Some(chat.to_string()), error });
    let reply = case.unwritten(call);
    assert_eq!(code(&reply), ErrorCode::InvalidArgument);
    case.settle(call, false);
    case.skip();
    let call = case.call(wait(chat, LONG));
    case.expect(["= 4 SessionLost"]);
    case.unwritten(call);
    case.settle(call, false);
    let call = case.call(wait(chat, LONG));
    case.expect(["= 5 SessionLost"]);
    assert_eq!(names(&case.read(call)), ["partner.disconnected"]);
    let call = case.call(wait(chat, LONG));
    assert_eq!(code(&case.read(call)), ErrorCode::UnknownChat);
    let call = case.call(enter());
    case.is_pending(call);
}

#[test]
fn another_version_of_the_relay_is_said_at_once() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(wait(chat, LONG));
    case.input(Input::Disconnected(chat));
    case.input(Input::Connected(chat));
    case.skip();
    case.relay(chat, error(WireError::VersionMismatch));
    case.expect(["= 3 VersionMismatch"]);
    assert_eq!(view(&case.read(call)).state, ChatState::Chatting);
    case.input(Input::Disconnected(chat));
    let call = case.call(say(chat, "hi"));
    assert_eq!(code(&case.read(call)), ErrorCode::VersionMismatch);
    case.connect(chat);
    let call = case.call(wait(chat, LONG));
    case.is_pending(call);
}

#[test]
fn a_relay_that_is_gone_for_the_grace_has_lost_the_room() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(say(chat, "hi"));
    case.input(Input::Disconnected(chat));
    case.pass(SECOND);
    case.read(call);
    case.skip();
    case.pass(59 * SECOND - MOMENT);
    case.expect([]);
    case.pass(MOMENT);
    case.expect(["! 2 partner.disconnected", "close"]);
    let event = case.look(chat).events.remove(0).event;
    let expected = Event::Disconnected {
        room_id: room(1).to_string(),
        reason: CloseReason::RelayLost,
        undelivered: vec![own_id(1)],
    };
    assert_eq!(event, expected);
}

#[test]
fn the_end_of_an_unknown_room_may_have_cost_the_place_in_the_queue() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.skip();
    case.relay(chat, closed(9, CloseReason::Left));
    case.expect(["> enter_queue Alice open ticket-1"]);
    let call = case.call(next(chat));
    case.skip();
    case.relay(chat, closed(9, CloseReason::RelayLost));
    case.expect(["> enter_queue Alice open ticket-1"]);
    case.settle(call, true);
}

#[test]
fn the_next_relay_is_told_who_has_not_been_active() {
    let mut case = Case::new();
    case.limits.keep_alive_ms = 1_000_000;
    let chat = case.chatting();
    case.pass(limits::LISTENING_FOR);
    case.input(Input::Disconnected(chat));
    case.greet(chat);
    case.skip();
    case.relay(chat, RelayMessage::Pong {});
    case.expect(["> attention false lapsed"]);
}

#[test]
fn a_relay_that_was_away_for_long_can_give_a_room_at_once() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.input(Input::Disconnected(chat));
    case.pass(120 * SECOND);
    case.greet(chat);
    case.pair(chat, 1);
    let events = case.look(chat).events;
    assert_eq!(
        events.iter().map(|entry| entry.event.name()).collect::<Vec<_>>(),
        ["chatroom.found"]
    );
}

#[test]
fn while_the_machine_sleeps_no_grace_passes() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    case.pass(10 * SECOND);
    let morning = case.now.instant + 3_600 * SECOND;
    case.advance_to(morning);
    case.input(Input::Tick);
    case.pass(50 * SECOND - MOMENT);
    assert_eq!(case.look(chat).state, ChatState::Chatting);
    case.pass(MOMENT);
    assert_eq!(case.look(chat).events[0].event.name(), "partner.disconnected");
}

#[test]
fn tries_that_come_to_nothing_do_not_prolong_the_grace() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    for _ in 0..12 {
        case.pass(5 * SECOND - MOMENT);
        case.input(Input::Connected(chat));
        case.pass(MOMENT);
        case.input(Input::Disconnected(chat));
    }
    let call = case.call(wait(chat, Duration::ZERO));
    assert_eq!(names(&case.read(call)), ["partner.disconnected"]);
}

#[test]
fn a_room_that_the_relay_has_lost_is_closed() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    case.greet(chat);
    case.skip();
    case.relay(chat, closed(1, CloseReason::RelayLost));
    case.expect(["! 2 partner.disconnected", "close"]);
}

#[test]
fn a_fresh_token_is_the_one_that_is_presented() {
    let mut case = Case::new();
    let chat = case.waiting();
    let RelayMessage::Welcome(mut welcome) = case.welcome() else { unreachable!() };
    welcome.session.as_mut().unwrap().token = "fresh".into();
    case.relay(chat, RelayMessage::Welcome(welcome));
    case.expect([]);
    case.input(Input::Disconnected(chat));
    case.input(Input::Connected(chat));
    case.expect(["> hello fresh queue ticket-1"]);
}

#[test]
fn so_many_leaves_are_presented() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(leave(chat));
    for number in 2..=100 {
        case.pair(chat, number);
    }
    case.input(Input::Disconnected(chat));
    case.skip();
    case.input(Input::Connected(chat));
    let hello = case.said[0].clone();
    assert_eq!(hello.matches("leaving").count(), limits::LEAVING_ROOMS);
    assert!(hello.ends_with("leaving 100"), "{hello}");
}
