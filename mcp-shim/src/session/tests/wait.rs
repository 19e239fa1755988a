//! `wait_for_events`: returns with an event, with none at its time limit, or at once.

use super::*;

#[test]
fn an_event_ends_it() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call(wait(chat, LONG));
    case.expect(["> attention true"]);
    case.pass(SECOND);
    case.pair(chat, 1);
    case.expect(["! 1 chatroom.found", "= 2"]);
    assert_eq!(cursors(&case.read(call)), [1]);
    case.expect([]);
}

#[test]
fn what_is_there_is_returned_at_once() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.expect(["! 2 message.received", "> ack 1 1/0"]);
    let call = case.call(wait(chat, LONG));
    case.expect(["= 3", "> attention false"]);
    let reply = case.read(call);
    case.expect(["> ack 1 1/1"]);
    assert_eq!(texts(&reply), ["hi"]);
    assert!(reply.notice.is_some());
    assert_eq!((view(&reply).since, view(&reply).cursor), (1, 2));
    assert_eq!(case.sessions.progress(call), None);
}

#[test]
fn at_its_time_limit_it_brings_nothing() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(wait(chat, 10 * SECOND));
    let line = case.sessions.progress(call).unwrap();
    assert_eq!(line, "waiting for a message; your partner is listening");
    case.pass(10 * SECOND - MOMENT);
    case.expect(["> attention true"]);
    case.pass(MOMENT);
    case.expect(["= 3"]);
    let reply = case.read(call);
    assert!(view(&reply).events.is_empty());
    assert_eq!((view(&reply).since, view(&reply).cursor), (1, 1));
    assert_eq!(reply.error, None);
}

#[test]
fn without_time_it_only_looks() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call(wait(chat, Duration::ZERO));
    case.expect(["= 2", "> attention false"]);
    assert!(view(&case.read(call)).events.is_empty());
}

#[test]
fn an_idle_chat_is_not_waited_for() {
    let mut case = Case::new();
    let chat = case.idle();
    let call = case.call(wait(chat, LONG));
    let reply = case.read(call);
    assert_eq!(view(&reply).state, ChatState::Idle);
    case.expect([&format!("= {}", call.0)]);

    let chat = case.chatting();
    let call = case.call(wait(chat, LONG));
    case.relay(chat, closed(1, CloseReason::Timeout));
    assert_eq!(names(&case.read(call)), ["partner.disconnected"]);
}

#[test]
fn of_two_only_one_gets_an_event() {
    let mut case = Case::new();
    let chat = case.chatting();
    let one = case.call(wait(chat, LONG));
    let two = case.call(wait(chat, LONG));
    case.skip();
    case.hears(chat, 1, "hi");
    case.expect(["! 2 message.received", "> ack 1 1/0", "= 3"]);
    case.is_pending(two);
    case.settle(one, true);
    case.expect(["> ack 1 1/1"]);
    case.hears(chat, 2, "there");
    case.expect(["! 3 message.received", "> ack 1 2/1", "= 4"]);
    assert_eq!(texts(&case.unwritten(one)), ["hi"]);
    assert_eq!(texts(&case.read(two)), ["there"]);
}

#[test]
fn an_answer_that_could_not_be_written_goes_to_the_next_one() {
    let mut case = Case::new();
    let chat = case.chatting();
    let one = case.call(wait(chat, LONG));
    let two = case.call(wait(chat, LONG));
    case.hears(chat, 1, "hi");
    case.skip();
    case.settle(one, false);
    case.expect(["= 4"]);
    assert_eq!(texts(&case.read(two)), ["hi"]);
}

#[test]
fn cancelled_it_consumes_nothing() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(wait(chat, LONG));
    case.skip();
    case.input(Input::Cancelled(call));
    case.expect([]);
    case.hears(chat, 1, "hi");
    let call = case.call(wait(chat, LONG));
    case.input(Input::Cancelled(call));
    let call = case.call(wait(chat, LONG));
    assert_eq!(texts(&case.read(call)), ["hi"]);
}

#[test]
fn it_fails_once_the_relay_is_gone_for_five_seconds() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(wait(chat, LONG));
    case.pass(SECOND);
    case.skip();
    case.input(Input::Disconnected(chat));
    case.pass(5 * SECOND - MOMENT);
    case.expect([]);
    let line = case.sessions.progress(call).unwrap();
    assert_eq!(line, "the relay does not answer; trying to reach it");
    case.pass(MOMENT);
    case.expect(["= 3 RelayUnavailable"]);
    assert_eq!(view(&case.read(call)).state, ChatState::Chatting);

    // From now on there is nothing to wait for, until the relay is back.
    for timeout in [LONG, Duration::ZERO] {
        let call = case.call(wait(chat, timeout));
        assert_eq!(code(&case.read(call)), ErrorCode::RelayUnavailable);
    }
    case.connect(chat);
    case.skip();
    let call = case.call(wait(chat, LONG));
    case.is_pending(call);
}

#[test]
fn it_outlives_a_short_absence_of_the_relay() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(wait(chat, LONG));
    case.skip();
    case.input(Input::Disconnected(chat));
    case.pass(4 * SECOND);
    case.connect(chat);
    case.expect(["> hello session room 1 0", "> ping", "> attention true"]);
    case.pass(10 * SECOND);
    case.hears(chat, 1, "hi");
    assert_eq!(texts(&case.read(call)), ["hi"]);
}

#[test]
fn what_is_there_is_returned_even_without_a_relay() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.input(Input::Disconnected(chat));
    case.pass(10 * SECOND);
    let call = case.call(wait(chat, LONG));
    let reply = case.read(call);
    assert_eq!((texts(&reply), &reply.error), (vec!["hi"], &None));
}

#[test]
fn three_that_bring_nothing_tell_the_model_to_stop() {
    let mut case = Case::new();
    let chat = case.chatting();
    let waits = |case: &mut Case| {
        let call = case.call(wait(chat, SECOND));
        case.pass(SECOND);
        case.read(call).next
    };
    let [one, two, three] = [waits(&mut case), waits(&mut case), waits(&mut case)];
    assert_eq!(one, two);
    assert_ne!(two, three);
    assert!(three.contains("end your turn"), "{three}");

    case.hears(chat, 1, "hi");
    case.look(chat);
    assert_eq!(waits(&mut case), one);
}

#[test]
fn what_to_do_depends_on_who_else_waits() {
    let mut case = Case::new();
    let chat = case.waiting();
    let mut says = |waiting, own| {
        case.relay(
            chat,
            RelayMessage::Queued(Queued {
                topic: "open".into(),
                position: 1,
                waiting,
                not_listening: 0,
                own,
                ticket: "ticket".into(),
            }),
        );
        let call = case.call(wait(chat, Duration::ZERO));
        case.read(call).next
    };
    let [alone, own, others] = [says(1, 0), says(1, 1), says(2, 0)];
    assert!(alone.contains("demo --join"), "{alone}");
    assert!(own.contains("Chats of one app never meet"), "{own}");
    assert!(others.contains("wait_for_events"), "{others}");
}

#[test]
fn one_whose_chat_is_left_is_answered_with_that() {
    let mut case = Case::new();
    let chat = case.chatting();
    let waits = case.call(wait(chat, LONG));
    let leaves = case.call(leave(chat));
    assert_eq!(view(&case.read(leaves)).state, ChatState::Ended);
    assert_eq!(view(&case.read(waits)).state, ChatState::Ended);

    let chat = case.waiting();
    let waits = case.call(wait(chat, LONG));
    let leaves = case.call(leave(chat));
    assert_eq!(view(&case.read(leaves)).state, ChatState::Ended);
    assert_eq!(view(&case.read(waits)).state, ChatState::Ended);
}
