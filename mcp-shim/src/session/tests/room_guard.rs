//! A text meant for one partner never reaches another.

use super::*;

/// A chat whose partner in room 1 was followed by another one in room 2, unknown to the client.
fn moved_on(case: &mut Case) -> ChatId {
    let chat = case.chatting();
    let call = case.call(next(chat));
    case.relay(chat, left(1));
    case.relay(chat, queued(1));
    case.read(call);
    case.pair(chat, 2);
    case.skip();
    chat
}

#[test]
fn a_room_that_is_not_the_current_one_is_refused() {
    let mut case = Case::new();
    let chat = moved_on(&mut case);
    let call = case.call(say_in(chat, 1, "for Bob"));
    case.expect(["= 4 RoomChanged", "> attention false"]);
    let reply = case.read(call);
    assert_eq!(names(&reply), ["chatroom.found"]);
    assert_eq!(view(&reply).room.as_ref().unwrap().room_id, room(2).to_string());

    let call = case.call(say_in(chat, 1, "for Bob"));
    assert_eq!(code(&case.read(call)), ErrorCode::RoomChanged);
}

#[test]
fn without_a_room_the_client_has_to_know_of_the_current_one() {
    let mut case = Case::new();
    let chat = moved_on(&mut case);
    let one = case.call(say(chat, "for Bob"));
    assert_eq!(code(&case.unwritten(one)), ErrorCode::RoomChanged);
    // It is lent, but not known to have arrived.
    let two = case.call(say(chat, "for Bob"));
    assert_eq!(code(&case.read(two)), ErrorCode::RoomChanged);
    case.settle(one, true);
    case.skip();
    case.call(say(chat, "for Carol"));
    case.expect(["> send 2.1 for Carol"]);
}

#[test]
fn with_its_room_a_message_passes_before_the_client_is_known_to_have_heard() {
    let mut case = Case::new();
    let chat = moved_on(&mut case);
    case.call(say_in(chat, 2, "for Carol"));
    case.expect(["> send 2.1 for Carol"]);
}

#[test]
fn a_name_that_is_no_room_is_refused() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(Request::SendMessage(SendMessage {
        chat_id: Some(chat.to_string()),
        message: "hi".to_owned(),
        author: Author::User,
        room_id: Some("the red one".to_owned()),
        after: None,
    }));
    assert_eq!(code(&case.read(call)), ErrorCode::RoomChanged);
}

#[test]
fn without_a_room_there_is_nobody_to_talk_to() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call(say(chat, "hi"));
    assert_eq!(code(&case.read(call)), ErrorCode::NotInRoom);
    case.pair(chat, 1);
    case.relay(chat, closed(1, CloseReason::Left));
    let call = case.call(say_in(chat, 1, "hi"));
    let reply = case.read(call);
    assert_eq!(code(&reply), ErrorCode::NotInRoom);
    assert_eq!(names(&reply), ["chatroom.found", "partner.disconnected"]);
}

#[test]
fn a_message_that_waits_for_the_relay_stays_with_the_room_it_was_meant_for() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    let sends = case.call(say(chat, "for Bob"));
    let moves = case.call(next(chat));
    case.greet(chat);
    case.relay(chat, left(1));
    case.pair(chat, 2);
    case.read(moves);
    case.skip();
    case.relay(chat, RelayMessage::Pong {});
    assert_eq!(code(&case.read(sends)), ErrorCode::RoomChanged);
    assert!(!case.said.iter().any(|line| line.contains("send")), "{:?}", case.said);
}
