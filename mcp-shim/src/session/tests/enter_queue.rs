//! `enter_queue`: when it gives a place, and that a failed one leaves nothing behind.

use super::*;

#[test]
fn the_first_call_opens_a_link_and_is_answered_with_the_place() {
    let mut case = Case::new();
    let call = case.call(enter());
    case.expect(["open"]);
    let chat = case.opened[0];

    case.input(Input::Connected(chat));
    case.expect(["> hello"]);
    let welcome = case.welcome();
    case.relay(chat, welcome);
    case.expect(["> ping"]);
    case.relay(chat, RelayMessage::Pong {});
    case.expect(["> enter_queue Alice open"]);
    case.relay(chat, queued(2));
    case.expect(["= 1"]);

    let reply = case.read(call);
    let view = view(&reply);
    assert_eq!((view.chat_id, view.state), (chat, ChatState::Waiting));
    assert_eq!(view.queue.as_ref().and_then(|queue| queue.position), Some(2));
    assert_eq!((view.room.as_ref(), view.since, view.cursor, view.more), (None, 0, 0, false));
    case.expect([]);
}

#[test]
fn a_match_at_once_is_the_answer() {
    let mut case = Case::new();
    let call =
        case.call(Enter { display_name: Some(" Zoë "), topic: Some("Chess"), ..ENTER }.into());
    let chat = case.opened[0];
    case.connect(chat);
    case.expect(["open", "> hello", "> ping", "> enter_queue Zoë Chess"]);
    case.pair(chat, 1);
    case.expect(["! 1 chatroom.found", "= 1"]);
    let reply = case.read(call);
    assert_eq!(names(&reply), ["chatroom.found"]);
    let room = view(&reply).room.clone().unwrap();
    assert_eq!(room.partner.display_name, "Bob");
    assert!(reply.notice.is_some(), "the partner has chosen a name");
}

#[test]
fn repeated_by_a_forgetful_model_it_changes_nothing_and_lists_the_chats() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call(enter());
    case.expect(["= 2 AlreadyQueued"]);
    let reply = case.read(call);
    assert_eq!(reply.chat, None);
    let other = OtherChat { chat_id: chat, state: ChatState::Waiting, unread: 0 };
    assert_eq!(reply.other_chats, [other]);
}

#[test]
fn a_chat_that_is_not_idle_cannot_enter_again_and_shows_what_is_unread() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.skip();
    let call = case.call(Enter { chat: Some(chat), after: Some(0), ..ENTER }.into());
    case.expect(["= 3 AlreadyQueued", "> attention false"]);
    let reply = case.read(call);
    assert_eq!(cursors(&reply), [1, 2]);
    assert!(reply.other_chats.is_empty());
}

#[test]
fn a_second_conversation_is_another_session() {
    let mut case = Case::new();
    let one = case.chatting();
    let two = case.waiting();
    assert_ne!(one, two);
    case.hears(one, 1, "for the first");
    case.skip();
    let call = case.call(wait(two, Duration::ZERO));
    let reply = case.read(call);
    assert!(view(&reply).events.is_empty());
    let other = OtherChat { chat_id: one, state: ChatState::Chatting, unread: 1 };
    assert_eq!(reply.other_chats, [other]);
}

#[test]
fn an_idle_chat_enters_again_with_its_session_and_its_name() {
    let mut case = Case::new();
    let chat = case.idle();
    let call = case.call(Enter { chat: Some(chat), topic: Some("Chess"), ..ENTER }.into());
    case.expect(["open"]);
    case.input(Input::Connected(chat));
    case.expect(["> hello session"]);
    let welcome = case.welcome();
    case.relay(chat, welcome);
    case.relay(chat, queued(1));
    case.expect(["> ping", &format!("= {}", call.0)]);
    case.relay(chat, RelayMessage::Pong {});
    case.expect(["> attention false"]);
    let reply = case.read(call);
    assert_eq!(view(&reply).state, ChatState::Waiting);
}

#[test]
fn a_wrong_name_or_topic_changes_nothing() {
    let mut case = Case::new();
    for (request, expected) in [
        (Enter { display_name: Some("<b>"), ..ENTER }, ErrorCode::InvalidName),
        (Enter { display_name: Some(""), ..ENTER }, ErrorCode::InvalidName),
        (Enter { topic: Some("a\u{202e}b"), ..ENTER }, ErrorCode::InvalidTopic),
        (Enter { after: Some(1), ..ENTER }, ErrorCode::InvalidArgument),
    ] {
        let call = case.call(request.into());
        let reply = case.read(call);
        assert_eq!(code(&reply), expected);
        assert_eq!(reply.chat, None);
        assert!(reply.other_chats.is_empty());
    }
    assert!(case.said.iter().all(|line| line.starts_with("= ")), "{:?}", case.said);
    assert!(case.sessions.is_done());
}

#[test]
fn sixteen_chats_are_the_most_and_the_one_idle_for_longest_gives_way() {
    let mut case = Case::new();
    let chats: Vec<ChatId> = (0..16).map(|_| case.waiting()).collect();
    let call = case.call(enter_another());
    let reply = case.read(call);
    assert_eq!((code(&reply), reply.other_chats.len()), (ErrorCode::TooMany, 16));
    case.skip();

    for index in [9, 4] {
        case.pass(SECOND);
        case.relay(chats[index], dequeued(DequeueReason::NotListening));
    }
    case.expect(["10: ! 1 queue.expired", "10: close", "5: ! 1 queue.expired", "5: close"]);
    let another = case.waiting();
    let call = case.call(wait(chats[9], Duration::ZERO));
    let reply = case.read(call);
    assert_eq!((code(&reply), reply.other_chats.len()), (ErrorCode::UnknownChat, 16));
    assert!(reply.other_chats.iter().any(|other| other.chat_id == another));
    assert!(reply.other_chats.iter().any(|other| other.chat_id == chats[4]));
}

#[test]
fn a_refusal_of_the_relay_leaves_nothing_behind() {
    let mut case = Case::new();
    let call = case.call(enter());
    let chat = case.opened[0];
    case.connect(chat);
    case.skip();
    case.relay(
        chat,
        RelayMessage::Refused {
            code: WireError::RateLimited,
            message: "not so fast".into(),
            retry_after_ms: Some(1_500),
        },
    );
    case.expect(["close", "= 1 RateLimited"]);
    let reply = case.read(call);
    assert_eq!(reply.chat, None);
    assert_eq!(reply.error.unwrap().retry_after_ms, Some(1_500));
    assert!(case.sessions.is_done());
}

#[test]
fn a_refused_chat_that_was_idle_is_idle_again() {
    let mut case = Case::new();
    let chat = case.idle();
    let call = case.call(enter_again(chat));
    case.connect(chat);
    case.skip();
    case.relay(chat, refused(WireError::TooMany));
    case.expect(["close", &format!("= {} TooMany", call.0)]);
    let reply = case.read(call);
    assert_eq!(view(&reply).state, ChatState::Idle);
}

#[test]
fn without_a_relay_it_fails_after_five_seconds_and_leaves_nothing_behind() {
    let mut case = Case::new();
    let call = case.call(enter());
    let chat = case.opened[0];
    case.input(Input::Trouble(chat, trouble(false)));
    case.pass(5 * SECOND - MOMENT);
    case.expect(["open"]);
    case.pass(MOMENT);
    case.expect(["close", "= 1 RelayUnavailable"]);
    let reply = case.read(call);
    assert_eq!(reply.error.unwrap().hint, "no relay is there");
    assert!(reply.chat.is_none() && reply.other_chats.is_empty());
    assert!(case.sessions.is_done());
    assert_eq!(case.sessions.next_deadline(), None);
}

#[test]
fn trouble_that_lasts_answers_at_once() {
    let mut case = Case::new();
    case.call(enter());
    let chat = case.opened[0];
    case.input(Input::Trouble(chat, trouble(true)));
    case.expect(["open", "close", "= 1 RelayUnavailable"]);
    assert!(case.sessions.is_done());
}

#[test]
fn another_version_of_the_relay_is_said_to_be_just_that() {
    let mut case = Case::new();
    let call = case.call(enter());
    let chat = case.opened[0];
    case.input(Input::Connected(chat));
    case.relay(chat, error(WireError::VersionMismatch));
    case.expect(["open", "> hello", "close", "= 1 VersionMismatch"]);
    assert_eq!(case.read(call).error.unwrap().hint, WireError::VersionMismatch.sentence());
    assert!(case.sessions.is_done());
}

#[test]
fn a_relay_that_never_answers_is_asked_to_forget_the_place() {
    let mut case = Case::new();
    let call = case.call(enter());
    let chat = case.opened[0];
    case.connect(chat);
    case.skip();
    case.pass(5 * SECOND);
    case.expect(["> leave_queue", "= 1 RelayUnavailable"]);
    assert_eq!(case.read(call).chat, None);
    case.relay(chat, dequeued(DequeueReason::Left));
    case.expect(["close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn cancelled_it_leaves_nothing_behind() {
    let mut case = Case::new();
    let call = case.call(enter());
    case.input(Input::Cancelled(call));
    case.expect(["open", "close"]);
    assert!(case.sessions.is_done());

    let call = case.call(enter());
    let chat = *case.opened.last().unwrap();
    case.connect(chat);
    case.skip();
    case.input(Input::Cancelled(call));
    case.expect(["2: > leave_queue"]);
    case.relay(chat, dequeued(DequeueReason::Left));
    case.expect(["2: close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn an_answer_that_nobody_gets_leaves_no_chat_that_nobody_knows() {
    let mut case = Case::new();
    let call = case.call(enter());
    let chat = *case.opened.last().unwrap();
    case.connect(chat);
    case.relay(chat, queued(1));
    case.skip();
    case.unwritten(call);
    case.settle(call, false);
    case.expect(["> leave_queue"]);
    case.relay(chat, dequeued(DequeueReason::Left));
    case.expect(["close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn cancelled_it_leaves_a_chat_that_was_idle_as_it_was() {
    let mut case = Case::new();
    let chat = case.idle();
    let call = case.call(enter_again(chat));
    case.connect(chat);
    case.skip();
    case.input(Input::Cancelled(call));
    case.expect(["> leave_queue"]);
    case.relay(chat, dequeued(DequeueReason::Left));
    case.expect(["close"]);
    assert_eq!(case.look(chat).state, ChatState::Idle);
}

#[test]
fn a_partner_found_while_the_queue_was_being_left_is_not_kept_waiting() {
    let mut case = Case::new();
    let call = case.call(enter());
    let chat = case.opened[0];
    case.connect(chat);
    case.input(Input::Cancelled(call));
    case.skip();
    // The pairing and the leave have crossed.
    case.pair(chat, 1);
    case.expect(["> leave 1"]);
    case.relay(chat, dequeued(DequeueReason::Left));
    case.expect([]);
    case.relay(chat, left(1));
    case.expect(["close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn a_place_taken_up_again_at_once_is_the_new_one() {
    let mut case = Case::new();
    let chat = case.idle();
    let call = case.call(enter_again(chat));
    case.connect(chat);
    case.input(Input::Cancelled(call));
    let call = case.call(enter_again(chat));
    case.skip();
    // All this was on its way when the queue was left.
    case.relay(chat, queued(1));
    case.pair(chat, 2);
    case.expect(["> leave 2"]);
    case.relay(chat, dequeued(DequeueReason::Left));
    // The relay, asked for a place, says where it still believes this chat to be.
    case.pair(chat, 2);
    case.expect(["> leave 2"]);
    case.is_pending(call);
    case.relay(chat, left(2));
    case.expect(["> enter_queue Alice open"]);
    case.relay(chat, queued(1));
    case.expect([&format!("= {}", call.0)]);
}
