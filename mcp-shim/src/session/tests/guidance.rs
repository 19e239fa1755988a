//! What a result tells its reader of where the chat is and what to do next.

use super::*;
use crate::session::reply::next::{News, Next};

/// In the words for a client that has to ask for news.
fn asked(next: Next) -> &'static str {
    next.sentence(News::Asked)
}

#[test]
fn who_has_no_chat_is_told_to_begin_one_and_who_has_to_name_it() {
    let mut case = Case::new();
    let unnamed =
        || Request::WaitForEvents { chat_id: None, after: None, timeout: LONG, task: false };
    let call = case.call(unnamed());
    assert_eq!(case.read(call).next, asked(Next::NoChat));
    let call = case.call(wait(ChatId::from_number(1), LONG));
    assert_eq!(case.read(call).next, asked(Next::Error(ErrorCode::UnknownChat)));
    case.chatting();
    let call = case.call(unnamed());
    assert_eq!(case.read(call).next, asked(Next::Error(ErrorCode::ChatRequired)));
}

#[test]
fn what_came_with_the_receipt_of_a_message_is_to_be_read_first() {
    let mut case = Case::new();
    let chat = case.chatting();
    for (seq, comes, next) in [(1, false, true), (2, true, false)] {
        let call = case.call(say(chat, "hi"));
        if comes {
            case.hears(chat, 1, "hello");
        }
        case.relay(chat, ack(1, seq, 0));
        let reply = case.read(call);
        assert_eq!(reply.delivery, Some(Delivery::Delivered));
        assert_eq!(reply.next == asked(Next::Sent), next, "{}", reply.next);
    }
}

#[test]
fn a_message_has_its_id_also_when_its_room_is_closed_by_then() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    for (number, id) in [(1, "01010101.1.1"), (2, "02020202.1.1")] {
        let call = case.call(say_in(chat, number, "hi"));
        case.relay(chat, closed(number, CloseReason::Left));
        let reply = case.read(call);
        assert_eq!(reply.message_id.as_deref(), Some(id), "{reply:?}");
        let call = case.call(enter_again(chat));
        case.connect(chat);
        case.relay(chat, queued(1));
        case.pair(chat, number + 1);
        case.read(call);
        case.look(chat);
    }
}

#[test]
fn each_of_two_messages_has_its_own_id_when_the_room_is_closed() {
    let mut case = Case::new();
    let chat = case.chatting();
    let calls = [case.call(say(chat, "one")), case.call(say(chat, "two"))];
    case.relay(chat, closed(1, CloseReason::Left));
    let ids = calls.map(|call| case.read(call).message_id.unwrap());
    assert_eq!(ids, [own_id(1), own_id(2)]);
}

#[test]
fn a_notice_stands_beside_words_whose_room_is_closed_and_beside_those_of_before() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.relay(chat, closed(1, CloseReason::Left));
    let call = case.call(wait(chat, Duration::ZERO));
    assert_eq!(case.read(call).notice, Some(event::NOTICE));
    let history =
        |history| Request::ChatStatus { chat_id: Some(chat.to_string()), history, after: None };
    for (lines, notice) in [(0, None), (5, Some(event::NOTICE))] {
        let call = case.call(history(lines));
        assert_eq!(case.read(call).notice, notice, "{lines}");
    }
}

#[test]
fn waits_that_bring_something_tire_nobody() {
    let mut case = Case::new();
    let chat = case.chatting();
    for seq in 1..=30 {
        case.hears(chat, seq, "hi");
        let call = case.call(wait(chat, LONG));
        assert_eq!(case.read(call).next, asked(Next::Tell));
    }
}

#[test]
fn who_waits_is_told_who_else_does() {
    let mut case = Case::new();
    let chat = case.waiting();
    for (waiting, own, next) in
        [(1, 0, Next::Alone), (1, 1, Next::OwnOnly), (3, 0, Next::Waiting), (3, 1, Next::Waiting)]
    {
        let RelayMessage::Queued(queued) = queued(1) else { unreachable!() };
        case.relay(chat, RelayMessage::Queued(Queued { waiting, own, ..queued }));
        let call = case.call(wait(chat, Duration::ZERO));
        let reply = case.read(call);
        assert_eq!(reply.next, asked(next), "{waiting} wait, {own} of them here");
        // Or so many waits for nothing would be all that is spoken of.
        case.call(enter_again(chat));
    }
}

#[test]
fn a_handle_spells_five_bits_a_character() {
    assert_eq!(ChatId::from_number(1).as_str(), "baaaaaaa");
    assert_eq!(ChatId::from_number(1 << 5).as_str(), "abaaaaaa");
    assert_eq!(ChatId::from_number(31 << 35).as_str(), "aaaaaaa9");
}

#[test]
fn a_chat_that_is_left_waits_nowhere() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call(leave(chat));
    case.relay(chat, dequeued(DequeueReason::Left));
    let reply = case.read(call);
    assert_eq!((view(&reply).state, &view(&reply).queue), (ChatState::Ended, &None));
}

#[test]
fn who_waits_is_told_how_many_are_ahead() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call(wait(chat, LONG));
    for (position, line) in [
        (1, "waiting for a partner"),
        (2, "waiting for a partner, 1 ahead of you"),
        (4, "waiting for a partner, 3 ahead of you"),
    ] {
        case.relay(chat, queued(position));
        assert_eq!(case.sessions.progress(call).as_deref(), Some(line));
    }
}

#[test]
fn a_chat_that_was_named_is_known_whatever_became_of_the_answer_that_brought_it() {
    let mut case = Case::new();
    let enters = [case.call(enter()), case.call(enter_another())];
    let [named, unheard_of] = [case.opened[0], case.opened[1]];
    for (call, chat) in enters.into_iter().zip([named, unheard_of]) {
        case.connect(chat);
        case.relay(chat, queued(1));
        case.unwritten(call);
    }
    case.call(status(named));
    for call in enters {
        case.settle(call, false);
    }
    assert!(case.sessions.living().map(Chat::id).eq([named]));
}

#[test]
fn a_client_that_shows_news_by_itself_listens_in_every_chat() {
    let mut case = Case::new();
    case.chatting();
    case.waiting();
    case.input(Input::ClientListens);
    case.said.sort();
    case.expect(["2: > attention true", "> attention true"]);
}

#[test]
fn a_client_that_takes_tasks_and_is_pushed_news_is_not_told_to_wait() {
    let mut case = Case::new();
    case.input(Input::ClientTakesTasks);
    case.input(Input::NewsReachesModel);
    let chat = case.chatting();
    let call = case.call(status(chat));
    assert_eq!(case.read(call).next, Next::Chatting.sentence(News::Pushed));
}
