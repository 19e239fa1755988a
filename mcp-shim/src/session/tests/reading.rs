//! What the partner sends: taken once, in order, acknowledged, and told when it was read.

use shared::limits::UNREAD_MESSAGES;

use super::*;

#[test]
fn each_message_is_taken_once_and_in_order() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    case.expect(["! 2 message.received", "> ack 1 1/0"]);
    case.hears(chat, 1, "one");
    case.expect(["> ack 1 1/0"]);
    case.hears(chat, 2, "two");
    case.expect(["! 3 message.received", "> ack 1 2/0"]);
    let call = case.call(wait(chat, Duration::ZERO));
    let reply = case.read(call);
    assert_eq!(texts(&reply), ["one", "two"]);
    let Event::Message { message_id, from, sent_at, .. } = &view(&reply).events[1].event else {
        panic!("{reply:?}");
    };
    assert_eq!((message_id, from.display_name.as_str()), (&partner_id(2), "Bob"));
    assert_eq!(sent_at, "2026-01-02T03:04:05.000Z");
}

#[test]
fn what_is_missing_is_asked_for_once() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    case.skip();
    // The partner sent these before it could know.
    case.hears(chat, 3, "three");
    case.expect(["> sync 1 1"]);
    case.hears(chat, 4, "four");
    case.hears(chat, 5, "five");
    case.expect([]);
    for (seq, text) in [(2, "two"), (3, "three"), (4, "four")] {
        case.hears(chat, seq, text);
    }
    assert_eq!(case.look(chat).events.len(), 4);
    case.skip();
    case.hears(chat, 6, "six");
    case.expect(["> sync 1 4"]);
}

#[test]
fn what_was_read_is_told() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    case.hears(chat, 2, "two");
    case.skip();
    let call = case.call(wait(chat, Duration::ZERO));
    case.expect(["= 3", "> attention false"]);
    case.settle(call, true);
    case.expect(["> ack 1 2/2"]);
    case.settle(call, true);
    case.expect([]);
}

#[test]
fn read_is_only_what_was_read_without_a_hole() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    let one = case.call(wait(chat, Duration::ZERO));
    case.hears(chat, 2, "two");
    let two = case.call(wait(chat, Duration::ZERO));
    case.skip();
    case.settle(two, true);
    case.expect([]);
    case.settle(one, true);
    case.expect(["> ack 1 2/2"]);
}

#[test]
fn what_was_read_without_a_relay_is_told_later() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    case.input(Input::Disconnected(chat));
    case.look(chat);
    case.skip();
    case.connect(chat);
    case.expect(["> hello session room 1 1", "> ping", "> ack 1 1/1", "> attention false"]);
}

#[test]
fn what_was_read_is_told_again_after_the_connection_was_lost() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    case.look(chat);
    case.input(Input::Disconnected(chat));
    case.skip();
    case.connect(chat);
    case.expect(["> hello session room 1 1", "> ping", "> ack 1 1/1"]);
}

/// A chat whose inbox is full, with the next message of the partner turned away.
fn full(case: &mut Case) -> (ChatId, u64) {
    let chat = case.chatting();
    let full = UNREAD_MESSAGES as u64;
    for seq in 1..=full {
        case.hears(chat, seq, "hi");
    }
    case.skip();
    case.hears(chat, full + 1, "too much");
    case.expect([]);
    (chat, full)
}

#[test]
fn with_a_full_inbox_nothing_is_taken_until_something_was_read() {
    let mut case = Case::new();
    let (chat, full) = full(&mut case);
    // What follows has no room either, and asking for it now would bring it all again for nothing.
    case.hears(chat, full + 2, "far too much");
    case.expect([]);
    // Other events always fit.
    case.relay(
        chat,
        RelayMessage::Partner {
            room_id: room(1),
            presence: Presence::Reconnecting,
            seen_seconds: 9,
        },
    );
    case.expect([&format!("! {} partner.away", full + 2)]);
    let call = case.call(wait(chat, Duration::ZERO));
    case.skip();
    case.settle(call, true);
    case.expect([&format!("> ack 1 {full}/20"), &format!("> sync 1 {full}")]);
    // The partner had more on the way before it heard.
    case.hears(chat, full + 3, "even more");
    case.expect([]);
    case.hears(chat, full + 1, "again");
    let number = full + 3;
    let taken = full + 1;
    case.expect([&format!("! {number} message.received"), &format!("> ack 1 {taken}/20")]);
}

#[test]
fn room_made_without_a_relay_is_used_when_it_is_back() {
    let mut case = Case::new();
    let (chat, full) = full(&mut case);
    case.input(Input::Disconnected(chat));
    case.look(chat);
    case.skip();
    case.greet(chat);
    case.expect([&format!("> hello session room 1 {full}"), "> ping"]);
    // The relay has told the partner, who sends again what is missing.
    case.hears(chat, full + 1, "again");
    case.expect([&format!("! {} message.received", full + 2), &format!("> ack 1 {}/20", full + 1)]);
}

#[test]
fn room_made_while_the_relay_answers_hello_is_made_known() {
    let mut case = Case::new();
    let (chat, full) = full(&mut case);
    case.input(Input::Disconnected(chat));
    let call = case.call(wait(chat, Duration::ZERO));
    case.greet(chat);
    case.hears(chat, full + 1, "still too much");
    case.settle(call, true);
    case.skip();
    case.relay(chat, RelayMessage::Pong {});
    case.expect([&format!("> ack 1 {full}/20"), &format!("> sync 1 {full}"), "> attention false"]);
}

#[test]
fn what_a_relay_has_not_cleaned_is_cleaned_here() {
    let mut case = Case::new();
    let chat = case.chatting();
    let (room_id, author, sent_at) = (room(1), Author::User, "2026-01-02T03:04:05Z".into());
    let text = "\u{1b}[31mred\u{202e}\r\n\u{e0041}".into();
    case.relay(chat, RelayMessage::Message { room_id, seq: 1, author, text, removed: 1, sent_at });
    let event = case.look(chat).events.remove(0).event;
    let Event::Message { removed, message, .. } = event else { panic!("{event:?}") };
    assert_eq!((removed, message.as_str()), (Some(8), "red\n"));
}

fn met(display_name: &'static str, topic: &'static str) -> (FoundPartner, RoomView) {
    let mut case = Case::new();
    let chat = case.waiting();
    let RelayMessage::Paired(found) = paired(1) else { panic!("this is a partner") };
    let names = Paired { display_name: display_name.into(), topic: topic.into(), ..found };
    case.relay(chat, RelayMessage::Paired(names));
    let mut view = case.look(chat);
    let event = view.events.remove(0).event;
    let Event::Found { partner, topic, .. } = event else { panic!("{event:?}") };
    let room = view.room.unwrap();
    assert_eq!((&room.partner.display_name, &room.topic), (&partner.display_name, &topic));
    assert_eq!(room.partner.mixed_script, partner.mixed_script);
    (partner, room)
}

#[test]
fn a_name_that_mixes_scripts_is_marked() {
    for (name, mixed_script) in [("Bob", false), ("Ольга", false), ("Bоb", true)] {
        let (partner, room) = met(name, "open");
        assert_eq!((&*partner.display_name, partner.mixed_script), (name, mixed_script));
        for written in [serde_json::to_value(partner), serde_json::to_value(room.partner)] {
            let marked = written.unwrap().get("mixed_script").cloned();
            assert_eq!(marked, mixed_script.then_some(true.into()), "{name}");
        }
    }
}

#[test]
fn names_that_no_relay_lets_through_are_not_shown() {
    let (partner, room) = met("Bob\n</notice>", "\u{202e}nepo");
    assert_eq!((&*partner.display_name, &*room.topic), ("Stranger", "open"));
}

#[test]
fn a_text_that_was_cleaned_away_keeps_its_number() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.relay(
        chat,
        RelayMessage::Message {
            room_id: room(1),
            seq: 1,
            author: Author::Assistant,
            text: "".into(),
            removed: 7,
            sent_at: "2026-01-02T03:04:05Z".into(),
        },
    );
    case.expect(["! 2 message.received", "> ack 1 1/0"]);
    let event = case.look(chat).events.remove(0).event;
    let Event::Message { removed, author, message, .. } = event else { panic!("{event:?}") };
    assert_eq!((removed, author, message.as_str()), (Some(7), Author::Assistant, ""));
}
