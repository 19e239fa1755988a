//! What is known of the partner's presence.

use super::*;

fn partner(presence: Presence, seen_seconds: u64) -> RelayMessage<'static> {
    RelayMessage::Partner { room_id: room(1), presence, seen_seconds }
}

#[test]
fn away_and_back_are_the_connection_and_nothing_else() {
    let mut case = Case::new();
    let chat = case.chatting();
    for (presence, lines) in [
        (Presence::NotListening, None),
        (Presence::Listening, None),
        (Presence::Reconnecting, Some("! 2 partner.away")),
        (Presence::Reconnecting, None),
        (Presence::NotListening, Some("! 3 partner.back")),
        (Presence::Reconnecting, Some("! 4 partner.away")),
        (Presence::Listening, Some("! 5 partner.back")),
    ] {
        case.relay(chat, partner(presence, 0));
        match lines {
            Some(line) => case.expect([line]),
            None => case.expect([]),
        }
        let call = case.call(status(chat));
        let reply = case.unwritten(call);
        assert_eq!(view(&reply).room.as_ref().unwrap().partner.presence, presence);
        case.skip();
    }
}

#[test]
fn a_partner_who_was_away_when_found_can_come_back() {
    let mut case = Case::new();
    let chat = case.waiting();
    let RelayMessage::Paired(paired) = paired(1) else { unreachable!() };
    case.relay(chat, RelayMessage::Paired(Paired { presence: Presence::Reconnecting, ..paired }));
    case.relay(chat, partner(Presence::Listening, 0));
    case.expect(["! 1 chatroom.found", "! 2 partner.back"]);
}

#[test]
fn seconds_since_seen_grow_until_the_partner_is_seen() {
    let mut case = Case::new();
    let chat = case.chatting();
    let seen = |case: &mut Case| {
        let call = case.call(status(chat));
        let reply = case.read(call);
        view(&reply).room.as_ref().unwrap().partner.seconds_since_seen
    };
    assert_eq!(seen(&mut case), 0);
    case.pass(10 * SECOND);
    assert_eq!(seen(&mut case), 10);
    case.relay(chat, partner(Presence::NotListening, 4));
    assert_eq!(seen(&mut case), 4);
    // What is known already is not forgotten.
    case.relay(chat, partner(Presence::Listening, 3_000));
    assert_eq!(seen(&mut case), 4);
    case.hears(chat, 1, "hi");
    assert_eq!(seen(&mut case), 0);
}

#[test]
fn that_of_another_room_is_nothing() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.relay(
        chat,
        RelayMessage::Partner {
            room_id: room(2),
            presence: Presence::Reconnecting,
            seen_seconds: 9,
        },
    );
    case.expect([]);
}

#[test]
fn a_flapping_partner_does_not_fill_the_memory() {
    let mut case = Case::new();
    let chat = case.chatting();
    for _ in 0..3_000 {
        case.relay(chat, partner(Presence::Reconnecting, 0));
        case.relay(chat, partner(Presence::Listening, 0));
    }
    let view = case.look(chat);
    assert_eq!((view.events.len(), view.cursor), (1_000, 6_001));
}
