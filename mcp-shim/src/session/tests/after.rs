//! `after`: what the client says it has, and what it wants to see again.

use super::*;

#[test]
fn it_repeats_what_was_handed_out() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    case.hears(chat, 2, "two");
    case.look(chat);
    case.hears(chat, 3, "three");
    for after in [1, 1, 2] {
        let call = case.call(wait_after(chat, after, LONG));
        let reply = case.read(call);
        let expected: Vec<u64> = (after + 1..=4).collect();
        assert_eq!((cursors(&reply), view(&reply).since), (expected, after));
    }
}

#[test]
fn beyond_what_was_handed_out_it_is_wrong() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.skip();
    let call = case.call(wait_after(chat, 2, LONG));
    case.expect(["= 3 InvalidArgument"]);
    let reply = case.unwritten(call);
    assert!(reply.error.as_ref().unwrap().message.contains("after"));
    assert_eq!(texts(&reply), ["hi"]);
    // Lent is not handed out.
    let call = case.call(wait_after(chat, 2, LONG));
    assert_eq!(code(&case.read(call)), ErrorCode::InvalidArgument);
    case.settle(CallId(3), true);
    let call = case.call(wait_after(chat, 2, LONG));
    case.is_pending(call);
}

#[test]
fn it_settles_what_the_client_has() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    let one = case.call(wait(chat, Duration::ZERO));
    case.hears(chat, 2, "two");
    let two = case.call(wait(chat, Duration::ZERO));
    case.settle(two, true);
    case.skip();
    // The client has the second result, so it must have had the first.
    let call = case.call(wait_after(chat, 3, Duration::ZERO));
    case.expect(["> ack 1 2/2", "= 5", "> attention false"]);
    assert!(view(&case.read(call)).events.is_empty());
    case.settle(one, false);
    assert!(case.look(chat).events.is_empty());
}

#[test]
fn it_leaves_out_what_another_result_has_borrowed_and_all_that_follows() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    let one = case.call(wait(chat, Duration::ZERO));
    case.hears(chat, 2, "two");
    let call = case.call(wait_after(chat, 0, Duration::ZERO));
    let reply = case.read(call);
    assert_eq!((cursors(&reply), view(&reply).more), (vec![1], true));

    let waits = case.call(wait_after(chat, 1, LONG));
    case.is_pending(waits);
    case.settle(one, false);
    assert_eq!(texts(&case.read(waits)), ["one", "two"]);
}

#[test]
fn a_message_keeps_the_after_of_its_call_while_it_waits_for_the_relay() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.look(chat);
    case.input(Input::Disconnected(chat));
    let call = case.call(Request::SendMessage(SendMessage {
        chat_id: Some(chat.to_string()),
        message: "hello".to_owned(),
        author: Author::User,
        room_id: None,
        after: Some(0),
    }));
    case.is_pending(call);
    case.connect(chat);
    case.relay(chat, ack(1, 1, 0));
    assert_eq!(cursors(&case.read(call)), [1, 2]);
}

#[test]
fn every_tool_takes_it() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    let after = Some(0);
    let chat_id = Some(chat.to_string());
    let stay = Departure { after, ..departure(chat) };
    let calls = [
        Request::ChatStatus { chat_id: chat_id.clone(), history: 0, after },
        Request::SendMessage(SendMessage {
            chat_id,
            message: " ".to_owned(),
            author: Author::User,
            room_id: None,
            after,
        }),
        Enter { chat: Some(chat), after, ..ENTER }.into(),
        Request::LeaveChat(stay),
    ];
    for request in calls {
        let call = case.call(request.clone());
        assert_eq!(cursors(&case.read(call)), [1], "{request:?}");
    }
}
