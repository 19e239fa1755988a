//! Blocking and reporting the current partner, or the last one.

use super::*;

fn block(chat: ChatId) -> Departure {
    Departure { block: true, ..departure(chat) }
}

fn report(chat: ChatId) -> Departure {
    Departure { report: Some(ReportCategory::Spam), ..departure(chat) }
}

#[test]
fn the_current_partner_is_blocked_on_leaving() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(Request::LeaveChat(block(chat)));
    case.expect(["> leave 1 block", "= 3"]);
    let noted = case.read(call).noted.unwrap();
    assert!(noted.contains("while both programs run"), "{noted}");
    assert!(noted.contains("nobody is notified"), "{noted}");
}

#[test]
fn the_current_partner_is_reported_with_next() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(Request::NextPartner(report(chat)));
    case.expect(["> next 1 Spam"]);
    case.relay(chat, left(1));
    case.relay(chat, queued(1));
    let noted = case.read(call).noted.unwrap();
    assert!(noted.contains("Reported") && noted.contains("this computer only"), "{noted}");
}

#[test]
fn the_tag_of_a_block_is_presented_at_each_hello() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(Request::LeaveChat(block(chat)));
    for _ in 0..2 {
        case.relay(chat, RelayMessage::Left { room_id: room(1), block_tag: Some("tag-1".into()) });
    }
    case.skip();
    case.call(enter());
    let chat = *case.opened.last().unwrap();
    case.input(Input::Connected(chat));
    case.expect(["2: open", "2: > hello block tag-1"]);
}

#[test]
fn so_many_tags_are_kept() {
    let mut case = Case::unhurried();
    let chat = case.waiting();
    for number in 0..100 {
        case.pair(chat, number);
        let call = case.call(Request::NextPartner(block(chat)));
        let tag = format!("tag-{number}");
        let room_id = room(number);
        case.relay(chat, RelayMessage::Left { room_id, block_tag: Some(tag.into()) });
        case.relay(chat, queued(1));
        case.read(call);
    }
    case.input(Input::Disconnected(chat));
    case.skip();
    case.input(Input::Connected(chat));
    let hello = case.said[0].clone();
    assert_eq!(hello.matches("block").count(), 64);
    assert!(hello.ends_with("block tag-99"), "{hello}");
}

#[test]
fn the_last_partner_can_be_blocked_while_waiting_for_the_next() {
    let mut case = Case::new();
    let chat = case.chatting();
    let call = case.call(next(chat));
    case.relay(chat, left(1));
    case.relay(chat, queued(1));
    case.read(call);
    case.skip();
    let call = case.call(Request::NextPartner(block(chat)));
    case.expect(["> leave 1 block", "= 4", "> attention false"]);
    assert!(case.read(call).noted.unwrap().starts_with("Blocked"));
    case.relay(chat, left(1));
    case.expect([]);
}

#[test]
fn the_last_partner_can_be_reported_on_leaving_for_ten_minutes() {
    let mut case = Case::new();
    let chat = case.idle();
    case.pass(10 * 60 * SECOND - MOMENT);
    let call = case.call(Request::LeaveChat(report(chat)));
    case.expect(["open", &format!("= {}", call.0)]);
    assert!(case.read(call).noted.unwrap().starts_with("Reported"));
    case.greet(chat);
    case.expect(["> hello session leaving 1 Spam", "> ping"]);
    case.relay(chat, left(1));
    case.expect(["close"]);
    assert!(case.sessions.is_done());
}

#[test]
fn after_ten_minutes_there_is_nobody_to_block() {
    let mut case = Case::new();
    let chat = case.idle();
    case.pass(10 * 60 * SECOND);
    let call = case.call(Request::LeaveChat(block(chat)));
    case.expect([&format!("= {}", call.0)]);
    assert!(case.read(call).noted.unwrap().contains("nobody to block"));
    assert!(case.sessions.is_done());
}

#[test]
fn a_block_that_follows_a_leave_is_not_taken_for_it() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.call(next(chat));
    case.relay(chat, queued(1));
    case.call(Request::NextPartner(block(chat)));
    case.relay(chat, left(1));
    case.skip();
    // The answer to the leave came through, that to the block did not.
    case.input(Input::Disconnected(chat));
    case.input(Input::Connected(chat));
    case.expect(["> hello session queue ticket-1 leaving 1 block"]);
}

/// Also by a chat that was there before.
#[test]
fn what_was_blocked_is_presented_with_each_search() {
    let mut case = Case::new();
    let [one, other] = [case.chatting(), case.idle()];
    let call = case.call(Request::LeaveChat(block(one)));
    case.relay(one, RelayMessage::Left { room_id: room(1), block_tag: Some("tag".into()) });
    case.read(call);
    case.skip();
    let call = case.call(Request::NextPartner(departure(other)));
    case.connect(other);
    let searches = case.said.iter().filter(|line| line.contains("enter_queue"));
    assert!(
        searches.clone().count() == 1 && searches.clone().all(|line| line.ends_with("block tag"))
    );
    case.pair(other, 2);
    case.read(call);
    case.skip();
    case.call(Request::NextPartner(departure(other)));
    assert!(case.said.iter().any(|line| line.ends_with("> next 2 block tag")), "{:?}", case.said);
}
