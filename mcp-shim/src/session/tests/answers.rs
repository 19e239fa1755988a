//! Errors: with unread events where a chat is named, and never where none is.

use super::*;

fn invalid(chat_id: Option<String>) -> Request {
    let error = ToolError::new(ErrorCode::InvalidArgument, "topic is a number", "correct it");
    Request::Invalid { chat_id, error }
}

/// Each kind of call, for this chat or none.
fn calls(chat_id: Option<String>) -> Vec<Request> {
    let departure = Departure { chat_id: chat_id.clone(), block: false, report: None, after: None };
    vec![
        Request::WaitForEvents {
            chat_id: chat_id.clone(),
            after: None,
            timeout: LONG,
            task: false,
        },
        Request::SendMessage(SendMessage {
            chat_id,
            message: "hi".to_owned(),
            author: Author::User,
            room_id: None,
            after: None,
        }),
        Request::NextPartner(departure.clone()),
        Request::LeaveChat(departure),
    ]
}

#[test]
fn a_call_that_names_no_chat_is_answered_with_the_list() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.skip();
    for request in calls(None) {
        let call = case.call(request);
        case.expect([&format!("= {} ChatRequired", call.0)]);
        let reply = case.read(call);
        assert_eq!((reply.chat, reply.notice), (None, None));
        let other = OtherChat { chat_id: chat, state: ChatState::Chatting, unread: 1 };
        assert_eq!(reply.other_chats, [other]);
    }
}

#[test]
fn a_call_that_names_an_unknown_chat_is_answered_with_the_list() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.skip();
    let unknown = Some("aaaaaaaa".to_owned());
    let others: [Request; 2] = [
        Request::ChatStatus { chat_id: unknown.clone(), history: 0, after: None },
        Request::EnterQueue(EnterQueue {
            display_name: None,
            topic: None,
            chat_id: unknown.clone(),
            new_chat: true,
            after: None,
        }),
    ];
    for request in calls(unknown).into_iter().chain(others) {
        let call = case.call(request);
        case.expect([&format!("= {} UnknownChat", call.0)]);
        let reply = case.read(call);
        assert_eq!((reply.chat, reply.other_chats.len()), (None, 1));
    }
}

#[test]
fn an_argument_that_cannot_be_costs_no_event() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    case.skip();
    for (chat_id, expected) in [
        (None, None),
        (Some("aaaaaaaa".to_owned()), None),
        (Some(chat.to_string()), Some(vec!["hi"])),
    ] {
        let call = case.call(invalid(chat_id));
        case.expect([&format!("= {} InvalidArgument", call.0)]);
        let reply = case.unwritten(call);
        let unread = reply.chat.is_some().then(|| texts(&reply));
        assert_eq!(unread, expected);
        assert_eq!(reply.notice.is_some(), expected.is_some());
        case.settle(call, false);
    }
}

#[test]
fn every_error_of_a_chat_brings_what_is_unread() {
    let mut case = Case::new();
    case.limits.message_rate = Some(limits::Rate::new(0, Duration::from_millis(1_000)));
    case.limits.next_rate = Some(limits::Rate::new(0, Duration::from_millis(1_000)));
    let chat = case.chatting();
    let bad_name = Enter { chat: Some(chat), display_name: Some("<"), ..ENTER };
    let bad_topic = Enter { chat: Some(chat), topic: Some("<"), ..ENTER };
    let failing = [
        (say(chat, ""), ErrorCode::MessageEmpty),
        (say(chat, "hi"), ErrorCode::RateLimited),
        (say_in(chat, 2, "hi"), ErrorCode::RoomChanged),
        (next(chat), ErrorCode::RateLimited),
        (enter_again(chat), ErrorCode::AlreadyQueued),
        (bad_name.into(), ErrorCode::InvalidName),
        (bad_topic.into(), ErrorCode::InvalidTopic),
        (wait_after(chat, 1_000, LONG), ErrorCode::InvalidArgument),
    ];
    for (index, (request, expected)) in failing.into_iter().enumerate() {
        case.hears(chat, index as u64 + 1, "unread");
        let call = case.call(request);
        let reply = case.read(call);
        assert_eq!((code(&reply), texts(&reply)), (expected, vec!["unread"]));
        assert!(reply.is_error());
    }
}

#[test]
fn an_error_as_it_is_written() {
    let mut case = Case::new();
    let call = case.call(wait(ChatId::from_number(1), LONG));
    let reply = serde_json::to_value(case.read(call)).unwrap();
    let error = serde_json::json!({
        "code": "unknown_chat",
        "message": "there is no chat with this chat_id here",
        "hint": "call chat_status without arguments to see the chats of this app",
    });
    assert_eq!(reply["error"], error);
    assert_eq!(reply.as_object().unwrap().len(), 2, "{reply}");
}
