//! `next_partner` and `leave_chat`.

use super::*;

#[test]
fn leaving_a_room_is_told_until_the_relay_has_heard() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(leave(chat));
    case.expect(["> leave 1", "= 3"]);
    let reply = case.read(call);
    assert_eq!((reply.left, reply.undelivered.as_deref()), (Some(Left::Room), Some(&[][..])));
    assert_eq!(view(&reply).state, ChatState::Ended);
    assert!(reply.next.contains("over"), "{}", reply.next);

    case.input(Input::Disconnected(chat));
    case.input(Input::Connected(chat));
    case.expect(["> hello session leaving 1"]);
    let welcome = case.welcome();
    case.relay(chat, welcome);
    case.relay(chat, left(1));
    case.expect(["> ping", "close"]);
    assert!(case.sessions.is_done());
    let call = case.call(wait(chat, LONG));
    assert_eq!(code(&case.read(call)), ErrorCode::UnknownChat);
}

#[test]
fn leaving_the_queue_waits_until_the_relay_has_heard() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call(leave(chat));
    case.expect(["> leave_queue", "= 2"]);
    assert_eq!(case.read(call).left, Some(Left::Queue));
    // It was paired in the same moment: the partner must not be left alone in that room.
    case.pair(chat, 1);
    case.expect(["> leave 1"]);
    case.relay(chat, dequeued(DequeueReason::Left));
    case.relay(chat, left(1));
    case.expect(["close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn leaving_the_queue_of_a_lost_relay_needs_nobody() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.input(Input::Disconnected(chat));
    let call = case.call(leave(chat));
    case.expect(["close", "= 2"]);
    assert_eq!(case.read(call).left, Some(Left::Queue));
    assert!(case.sessions.is_done());

    let chat = case.waiting();
    case.call(leave(chat));
    case.skip();
    case.input(Input::Disconnected(chat));
    case.expect(["2: close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn leaving_an_idle_chat_ends_it() {
    let mut case = Case::new();
    let chat = case.idle();
    let call = case.call(leave(chat));
    case.expect([&format!("= {}", call.0)]);
    let reply = case.read(call);
    assert_eq!((reply.left, view(&reply).state), (Some(Left::None), ChatState::Ended));
    assert!(case.sessions.is_done());
}

#[test]
fn leaving_waits_for_acknowledgements() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "bye"));
    let call = case.call(leave(chat));
    case.skip();
    case.pass(Duration::from_millis(400));
    case.expect([]);
    case.relay(chat, ack(1, 1, 0));
    case.expect(["= 3", "> leave 1", "= 4"]);
    assert_eq!(case.read(call).undelivered, Some(vec![]));
}

#[test]
fn leaving_waits_half_a_second_and_lists_the_rest() {
    let mut case = Case::new();
    let chat = case.chatting();
    for text in ["one", "two", "three"] {
        case.call(say(chat, text));
    }
    case.relay(chat, ack(1, 1, 0));
    let call = case.call(leave(chat));
    case.pass(Duration::from_millis(499));
    case.is_pending(call);
    case.pass(MOMENT);
    assert_eq!(case.read(call).undelivered, Some(vec![own_id(2), own_id(3)]));
}

#[test]
fn a_cancelled_leave_leaves_nothing() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "bye"));
    for request in [leave(chat), next(chat)] {
        let call = case.call(request);
        case.input(Input::Cancelled(call));
    }
    case.pass(SECOND);
    assert_eq!(case.look(chat).state, ChatState::Chatting);
}

#[test]
fn unread_events_ride_on_the_last_result() {
    let mut case = Case::new();
    let chat = case.chatting();
    for seq in 1..=30 {
        case.hears(chat, seq, "hi");
    }
    let call = case.call(leave(chat));
    let reply = case.read(call);
    assert_eq!((view(&reply).events.len(), view(&reply).more), (20, true));
    assert!(reply.next.contains("over"), "there is no more to be had: {}", reply.next);
}

#[test]
fn next_leaves_and_waits_in_one_step() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(next(chat));
    case.expect(["> next 1"]);
    case.relay(chat, left(1));
    case.expect([]);
    case.relay(chat, queued(1));
    case.expect(["= 3"]);
    let reply = case.read(call);
    assert_eq!((view(&reply).state, reply.undelivered), (ChatState::Waiting, None));
    case.pair(chat, 2);
    case.expect(["! 2 chatroom.found"]);
}

#[test]
fn next_waits_for_acknowledgements_and_lists_the_rest() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "bye"));
    let call = case.call(next(chat));
    case.skip();
    case.pass(Duration::from_millis(500));
    case.expect(["> next 1", "= 3"]);
    case.relay(chat, left(1));
    case.pair(chat, 2);
    let reply = case.read(call);
    assert_eq!(reply.undelivered, Some(vec![own_id(1)]));
    assert_eq!(names(&reply), ["chatroom.found"]);
}

#[test]
fn next_without_a_relay_says_what_may_not_have_arrived() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "bye"));
    case.input(Input::Disconnected(chat));
    let call = case.call(next(chat));
    case.pass(6 * SECOND);
    let reply = case.read(call);
    assert_eq!(code(&reply), ErrorCode::RelayUnavailable);
    assert_eq!(view(&reply).state, ChatState::Waiting);
    assert_eq!(reply.undelivered, Some(vec![own_id(1)]));
    // It goes on trying.
    case.skip();
    case.input(Input::Connected(chat));
    case.expect(["> hello session leaving 1"]);
}

#[test]
fn next_while_waiting_changes_nothing_and_costs_nothing() {
    let mut case = Case::new();
    let chat = case.waiting();
    for _ in 0..5 {
        let call = case.call(next(chat));
        case.expect([&format!("= {}", call.0), "> attention false"]);
        assert_eq!(view(&case.read(call)).state, ChatState::Waiting);
    }
}

#[test]
fn next_of_an_idle_chat_waits_again() {
    let mut case = Case::new();
    let chat = case.idle();
    let call = case.call(next(chat));
    case.expect(["open"]);
    case.connect(chat);
    case.expect(["> hello session", "> ping", "> enter_queue Alice open"]);
    case.relay(chat, queued(1));
    assert_eq!(view(&case.read(call)).state, ChatState::Waiting);
}

#[test]
fn next_of_an_idle_chat_fails_without_a_relay_and_leaves_it_idle() {
    let mut case = Case::new();
    let chat = case.idle();
    let call = case.call(next(chat));
    case.pass(5 * SECOND);
    case.expect(["open", "close", &format!("= {} RelayUnavailable", call.0)]);
    assert_eq!(view(&case.read(call)).state, ChatState::Idle);
}

#[test]
fn next_has_a_rate_of_its_own() {
    let mut case = Case::new();
    let chat = case.chatting();
    for number in 1..=3 {
        case.call(next(chat));
        case.relay(chat, left(number));
        case.pair(chat, number + 1);
    }
    case.skip();
    let call = case.call(next(chat));
    case.expect([&format!("= {} RateLimited", call.0), "> attention false"]);
    assert_eq!(case.read(call).error.unwrap().retry_after_ms, Some(10_000));
    assert_eq!(case.look(chat).state, ChatState::Chatting);
}

#[test]
fn of_leave_and_next_at_once_the_chat_stays_ended() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "bye"));
    let leaves = case.call(leave(chat));
    let moves = case.call(next(chat));
    case.skip();
    case.relay(chat, ack(1, 1, 0));
    case.expect(["= 3", "> leave 1", "= 4", "= 5 UnknownChat"]);
    assert_eq!(case.read(leaves).left, Some(Left::Room));
    case.read(moves);
    case.relay(chat, left(1));
    case.expect(["close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn a_relay_that_never_hears_of_it_forgets_by_itself() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    case.call(leave(chat));
    case.skip();
    case.pass(60 * SECOND - MOMENT);
    case.expect([]);
    case.pass(MOMENT);
    case.expect(["close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn a_relay_that_never_confirms_a_leave_is_not_asked_for_ever() {
    let mut case = Case::unhurried();
    case.limits.grace_ms = u64::MAX;
    let going_on = case.chatting();
    let mut closed = 0;
    for number in 1..=limits::ENDED_SESSIONS + 20 {
        let chat = case.chatting();
        case.pass(MOMENT);
        let call = case.call(leave(chat));
        assert_eq!(case.read(call).left, Some(Left::Room));
        closed += case.said.iter().filter(|line| line.ends_with("close")).count();
        assert_eq!(closed, number.saturating_sub(limits::ENDED_SESSIONS));
        case.sessions.check_invariants();
    }
    // The latest are those that it is still told.
    assert!(case.sessions.living().map(Chat::id).eq([going_on]));
    case.call(leave(going_on));
    case.relay(going_on, left(1));
    case.skip();
    case.pass(limits::GRACE_LONGEST);
    let closed = case.said.iter().filter(|line| line.ends_with("close"));
    assert_eq!(closed.count(), limits::ENDED_SESSIONS);
    assert!(case.sessions.is_done());
}

/// A partner leaves at once, which the relay says; its word costs nothing and is worth one search.
#[test]
fn next_with_a_place_that_is_kept_is_not_charged() {
    let mut case = Case::new();
    let chat = case.chatting();
    for number in 1..=20 {
        let (reason, place_kept_ms) = (CloseReason::Left, Some(60_000));
        let closed = RelayMessage::Closed { room_id: room(number), reason, place_kept_ms };
        case.relay(chat, closed);
        case.skip();
        let waits = case.call(wait(chat, Duration::ZERO));
        assert!(case.read(waits).next.contains("has the old place"));
        let call = case.call(next(chat));
        case.connect(chat);
        case.pair(chat, number + 1);
        assert_eq!(view(&case.read(call)).state, ChatState::Chatting, "{number}");
    }
    // What follows is charged as ever.
    for number in 21..=24 {
        case.relay(chat, closed(number, CloseReason::Left));
        let call = case.call(next(chat));
        if number == 24 {
            assert_eq!(case.read(call).error.unwrap().code, ErrorCode::RateLimited);
        } else {
            case.connect(chat);
            case.pair(chat, number + 1);
        }
    }
}

#[test]
fn a_place_is_kept_for_its_time() {
    let mut case = Case::new();
    case.limits.next_rate = Some(limits::Rate::new(1, Duration::from_secs(60)));
    let chat = case.chatting();
    let call = case.call(next(chat));
    case.relay(chat, left(1));
    case.pair(chat, 2);
    case.read(call);
    let (reason, place_kept_ms) = (CloseReason::Left, Some(1_000));
    case.relay(chat, RelayMessage::Closed { room_id: room(2), reason, place_kept_ms });
    case.pass(SECOND);
    let call = case.call(next(chat));
    assert_eq!(case.read(call).error.unwrap().code, ErrorCode::RateLimited);
}

#[test]
fn a_chat_that_was_left_for_good_has_no_place() {
    let mut case = Case::new();
    let chat = case.chatting();
    let (reason, place_kept_ms) = (CloseReason::Left, Some(60_000));
    case.relay(chat, RelayMessage::Closed { room_id: room(1), reason, place_kept_ms });
    let call = case.call(leave(chat));
    let reply = case.read(call);
    assert!(reply.next.contains("over"), "{}", reply.next);
}
