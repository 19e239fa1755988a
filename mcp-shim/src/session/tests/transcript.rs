//! What can be read of a chat again.

use shared::limits::TRANSCRIPT_ENTRIES;

use super::*;

fn reading(case: &Case, chat: ChatId) -> Reading {
    case.sessions.reading(chat, case.now.instant).expect("the chat is there")
}

fn lines(reading: &Reading) -> Vec<&str> {
    let line = |line: &'_ Line| match line {
        Line::Said(_) => "said",
        Line::Happened(entry) => entry.event.name(),
    };
    reading.entries.iter().map(line).collect()
}

#[test]
fn it_is_what_was_said_and_what_happened_in_order() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    case.call(say(chat, "mine"));
    case.hears(chat, 1, "theirs");
    case.relay(chat, closed(1, CloseReason::Left));
    let read = reading(&case, chat);
    let all = ["chatroom.found", "said", "message.received", "partner.disconnected"];
    assert_eq!(lines(&read), all);
    let written = serde_json::to_value(&read.entries[1]).unwrap();
    let expected = serde_json::json!({
        "type": "message.sent",
        "at": written["at"],
        "room_id": room(1).to_string(),
        "message_id": own_id(1),
        "from": {"display_name": "Alice"},
        "author": "user",
        "message": "mine",
    });
    assert_eq!(written, expected);
}

#[test]
fn reading_it_hands_out_nothing_and_says_nothing() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "theirs");
    case.skip();
    let deadline = case.sessions.next_deadline();
    assert_eq!(reading(&case, chat), reading(&case, chat));
    assert_eq!(case.sessions.next_deadline(), deadline);
    assert_eq!(case.look(chat).events.len(), 1);
    assert_eq!(lines(&reading(&case, chat)), ["chatroom.found", "message.received"]);
}

#[test]
fn the_notice_stands_beside_words_of_the_partner_only() {
    let mut case = Case::new();
    let chat = case.waiting();
    assert_eq!(reading(&case, chat).notice, None);
    case.relay(chat, dequeued(DequeueReason::NotListening));
    assert_eq!(reading(&case, chat).notice, None);
    let chat = case.chatting();
    assert!(reading(&case, chat).notice.is_some());
    case.relay(chat, closed(1, CloseReason::Left));
    assert!(reading(&case, chat).notice.is_some(), "the name is still there");
}

#[test]
fn only_the_last_entries_are_kept() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    let last = TRANSCRIPT_ENTRIES as u64 + 10;
    for seq in 1..=last {
        case.hears(chat, seq, &seq.to_string());
    }
    let read = reading(&case, chat);
    assert_eq!(read.entries.len(), TRANSCRIPT_ENTRIES);
    let Line::Happened(newest) = read.entries.last().unwrap() else { panic!("a message") };
    assert_eq!(newest.event.text(), Some(last.to_string().as_str()));
}

#[test]
fn a_chat_that_is_over_cannot_be_read() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(leave(chat));
    assert_eq!(case.sessions.reading(chat, case.now.instant), None);
    assert_eq!(case.sessions.versions().count(), 0);
}

#[test]
fn handles_are_parsed_as_they_are_written() {
    let mut case = Case::new();
    let chat = case.waiting();
    assert_eq!(ChatId::parse(&chat.to_string()), Some(chat));
    for no_handle in ["", "current", "abcdefg", "abcdefghi", "abcdefgl", "ABCDEFGH", "äbcdefg"] {
        assert_eq!(ChatId::parse(no_handle), None, "{no_handle}");
    }
}

#[test]
fn a_model_that_news_reaches_is_not_told_to_wait() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.input(Input::NewsReachesModel);
    let says = |case: &mut Case, request| {
        let call = case.call(request);
        case.relay(chat, ack(1, 1, 0));
        case.read(call).next
    };
    let first = [says(&mut case, wait(chat, Duration::ZERO)), says(&mut case, say(chat, "mine"))];
    case.hears(chat, 1, "theirs");
    let told = says(&mut case, status(chat));
    for next in first.into_iter().chain([told]) {
        assert!(next.contains("by itself") && !next.contains("wait_for_events"), "{next}");
    }
}
