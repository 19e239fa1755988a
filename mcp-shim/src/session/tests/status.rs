//! `chat_status`: of one chat, and of all.

use shared::limits::HISTORY_ENTRIES;

use super::*;

fn all() -> Request {
    Request::ChatStatus { chat_id: None, history: 0, after: None }
}

fn health(connected: bool) -> RelayHealth {
    RelayHealth {
        connected,
        socket: "relay.sock".to_owned(),
        version: connected.then(|| "0.1.0".to_owned()),
        others_connected: connected.then_some(3),
        account: None,
        trouble: (!connected).then(|| "no relay is there".to_owned()),
    }
}

#[test]
fn without_a_chat_it_tells_the_health_of_the_relay() {
    let mut case = Case::new();
    for connected in [true, false] {
        let call = case.call(all());
        case.expect([&format!("probe {}", call.0)]);
        case.input(Input::Health(call, health(connected)));
        case.expect([&format!("= {}", call.0)]);
        let reply = case.read(call);
        assert_eq!(reply.relay, Some(health(connected)));
        assert_eq!((reply.error, reply.chat), (None, None));
    }
}

#[test]
fn without_a_chat_it_lists_them_and_hands_out_nothing() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "hi");
    let call = case.call(all());
    case.input(Input::Health(call, health(true)));
    let reply = case.read(call);
    let other = OtherChat { chat_id: chat, state: ChatState::Chatting, unread: 1 };
    assert_eq!(reply.other_chats, [other]);
    assert_eq!(case.look(chat).events.len(), 1);
}

#[test]
fn of_one_that_waits_it_asks_for_fresh_numbers() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call(status(chat));
    case.expect(["> attention false"]);
    case.relay(chat, queued(4));
    case.expect(["= 2"]);
    let reply = case.read(call);
    assert_eq!(view(&reply).queue.as_ref().unwrap().position, Some(4));

    let call = case.call(status(chat));
    case.pass(SECOND);
    assert_eq!(view(&case.read(call)).state, ChatState::Waiting);
}

#[test]
fn of_one_that_waits_without_a_relay_it_tells_what_is_known() {
    let mut case = Case::new();
    let chat = case.waiting();
    case.input(Input::Disconnected(chat));
    case.pass(5 * SECOND);
    let call = case.call(status(chat));
    let reply = case.read(call);
    assert_eq!((reply.error.as_ref(), view(&reply).state), (None, ChatState::Waiting));
}

#[test]
fn history_is_the_last_words_of_both() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    for seq in 1..=40 {
        case.call(say(chat, &format!("mine {seq}")));
        case.relay(chat, ack(1, seq, 0));
        case.hears(chat, seq, &format!("theirs {seq}"));
    }
    let mut last = |history| {
        let call = case.call(Request::ChatStatus {
            chat_id: Some(chat.to_string()),
            history,
            after: None,
        });
        case.read(call)
    };
    let reply = last(3);
    let spoken = reply.history.unwrap();
    let words: Vec<_> = spoken.iter().map(|said| (said.from, said.message.as_str())).collect();
    assert_eq!(words, [("partner", "theirs 39"), ("you", "mine 40"), ("partner", "theirs 40")]);
    assert_eq!(spoken[1].message_id, own_id(40));
    assert!(reply.notice.is_some());
    assert_eq!(last(HISTORY_ENTRIES).history.unwrap().len(), HISTORY_ENTRIES);
    assert_eq!(last(0).history, None);
}

#[test]
fn a_history_of_ones_own_words_has_no_notice() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(say(chat, "mine"));
    case.relay(chat, closed(1, CloseReason::Left));
    case.look(chat);
    let request = Request::ChatStatus { chat_id: Some(chat.to_string()), history: 5, after: None };
    let call = case.call(request);
    let reply = case.read(call);
    assert_eq!((reply.history.unwrap().len(), reply.notice), (1, None));
}

#[test]
fn one_as_it_is_written() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(status(chat));
    let reply = serde_json::to_value(case.read(call)).unwrap();
    let next = reply["next"].clone();
    let expected = serde_json::json!({
        "next": next,
        "notice": event::NOTICE,
        "chat_id": chat.to_string(),
        "state": "chatting",
        "room": {
            "room_id": room(1).to_string(),
            "topic": "open",
            "partner": {"display_name": "Bob", "presence": "listening", "seconds_since_seen": 0},
            "met_before": false,
        },
        "events": [],
        "since": 1,
        "cursor": 1,
        "more": false,
        "receipts": {"sent": 0, "delivered": 0, "read": 0},
    });
    assert_eq!(reply, expected);
}
