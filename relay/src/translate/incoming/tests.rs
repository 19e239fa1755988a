use shared::{
    id::{RoomId, SessionId},
    message::{self as wire, Author, QueueClaim},
};

use super::*;
use crate::lobby::{Opening, RoomDescriptor};

const TICKET: Opening = Opening { epoch: 1, number: 2 };
const OPENED: Opening = Opening { epoch: 1, number: 3 };

fn member(number: u8) -> Member {
    let owner = Owner { uid: 1000, id: OwnerId::from_bytes([number; 16]) };
    Member { session: SessionId::from_bytes([number + 100; 16]), owner }
}

fn tokens() -> Tokens {
    Tokens::new(&[7; 32])
}

fn descriptor() -> RoomDescriptor {
    let room = RoomId::from_bytes([9; 16]);
    RoomDescriptor { room, members: [member(1), member(2)], opened: OPENED }
}

/// A client that is both in a room and in a queue, with good tokens of this member.
fn resume(holder: Member, room_id: RoomId, now: SystemTime) -> Resume<'static> {
    let room_token: Cow<'_, str> = tokens().room(&descriptor(), now).into();
    let ticket = tokens().ticket(holder, TICKET, "open", now);
    let (display_name, topic) = ("Ann".into(), "open".into());
    Resume {
        token: tokens().session(holder, now).into(),
        room: Some(wire::RoomClaim {
            room_id,
            token: room_token.clone(),
            received: 3,
            display_name: "Ann".into(),
            topic: "open".into(),
        }),
        queue: Some(QueueClaim { ticket: Some(ticket.into()), display_name, topic }),
        leaving: vec![Leave { room_id, token: room_token, block: true, report: None }],
    }
}

fn claim(room: RoomId, descriptor: Option<RoomDescriptor>) -> ClaimedRoom {
    let seeking = Seeking { display_name: "Ann".into(), topic: "open".into() };
    ClaimedRoom { room, descriptor, received: 3, seeking }
}

fn arrive(owner: Owner, session: Resume<'static>, now: SystemTime) -> Result<Arrival, Fault> {
    let (id, build) = (Some(owner.id), "test".into());
    let hello = Hello {
        min: 1,
        max: 1,
        build,
        owner: id,
        session: Some(session),
        blocks: Vec::new(),
        robot: false,
    };
    arrival(&tokens(), owner, &hello, now)
}

#[test]
fn what_good_tokens_vouch_for_arrives() {
    let now = SystemTime::now();
    let (holder, room) = (member(1), descriptor().room);
    let arrival = arrive(holder.owner, resume(holder, room, now), now).unwrap();
    assert_eq!(arrival.session, Some(holder.session));
    assert_eq!(arrival.room, Some(claim(room, Some(descriptor()))));
    let (ticket, seeking) = arrival.queue.unwrap();
    assert_eq!((ticket, seeking.topic.as_str()), (Some(TICKET), "open"));
    assert_eq!(arrival.leaving[0].descriptor, Some(descriptor()));
}

#[test]
fn a_token_of_somebody_or_something_else_vouches_for_nothing() {
    let now = SystemTime::now();
    let (holder, room) = (member(1), descriptor().room);
    let other_uid = Owner { uid: 1001, ..holder.owner };
    let stolen = arrive(other_uid, resume(holder, room, now), now).unwrap();
    assert_eq!((stolen.session, stolen.room), (None, Some(claim(room, None))));
    assert_eq!(stolen.queue.unwrap().0, None);
    assert_eq!(stolen.leaving[0].descriptor, None);

    let no_member = member(3);
    let arrival = arrive(no_member.owner, resume(no_member, room, now), now).unwrap();
    assert_eq!(arrival.session, Some(no_member.session));
    assert_eq!(arrival.room, Some(claim(room, None)));

    let other_room = RoomId::from_bytes([10; 16]);
    let arrival = arrive(holder.owner, resume(holder, other_room, now), now).unwrap();
    assert_eq!(arrival.room, Some(claim(other_room, None)));
    assert_eq!(arrival.leaving[0].descriptor, None);
}

#[test]
fn nobody_brings_more_than_a_client_keeps() {
    let now = SystemTime::now();
    let (holder, room) = (member(1), descriptor().room);
    let mut much = resume(holder, room, now);
    much.leaving = vec![much.leaving[0].clone(); LEAVING_ROOMS + 1];
    assert_eq!(arrive(holder.owner, much, now).unwrap_err().code, ErrorCode::Malformed);
}

#[test]
fn a_text_is_cleaned_whether_or_not_it_was_escaped() {
    for text in [Cow::Borrowed("a\u{1b}b\r\nc"), Cow::Owned("a\u{1b}b\r\nc".to_owned())] {
        let (room_id, author) = (descriptor().room, Author::User);
        let send = ClientMessage::Send { room_id, seq: 1, author, text, removed: u32::MAX };
        let now = SystemTime::UNIX_EPOCH;
        let asked = request(&tokens(), ConnectionId(1), Some(member(1)), send, now).unwrap();
        let ClientRequest::PassOn(_, message) = asked else { panic!("{asked:?}") };
        let expected = RelayMessage::Message {
            room_id,
            seq: 1,
            author,
            text: "ab\nc".into(),
            removed: u32::MAX,
            sent_at: "1970-01-01T00:00:00.000Z".into(),
        };
        assert_eq!(message, expected);
    }
}
