//! What the relay vouches for and a client brings back: the session, its place in a queue, its room,
//! the owners that its owner has blocked. The relay itself keeps none of it across a restart.
//!
//! A token is base64url of what AES-SIV (RFC 5297) makes of a payload of bytes: clients, among them
//! the partner, cannot read it or change a bit of it. Without a nonce, which is what SIV is made for:
//! of two tokens it can be told only whether they are the same. A payload begins with its kind, so
//! that none passes for another, names whose it is, and is as long as all of its kind.

use std::time::{SystemTime, UNIX_EPOCH};

use aes_siv::{KeyInit as _, siv::Aes128Siv};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{endpoint::KEY_BYTES, id::SessionId, limits::TOKEN_AGE};
use uuid::Uuid;

use crate::lobby::{Member, Opening, Owner, RoomDescriptor};

/// The secret under which tokens are made. SIV itself makes two keys of it: the first half
/// authenticates, the second encrypts.
pub type Key = [u8; KEY_BYTES];

/// What is sealed along, so that nothing else that was ever made under this key passes for a token.
const PURPOSE: &[u8] = b"mcp-chat token 2";

/// Makes tokens and checks them.
pub struct Tokens {
    key: Key,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Tokens under this key.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self { key: *key }
    }

    /// That this session is this owner's.
    #[must_use]
    pub fn session(&self, holder: Member, now: SystemTime) -> String {
        self.seal(Kind::Session, member_bytes(holder), now)
    }

    /// That this session has this place in the queue of this topic, which is case-folded.
    #[must_use]
    pub fn ticket(&self, holder: Member, ticket: Opening, topic: &str, now: SystemTime) -> String {
        let content = [member_bytes(holder), opening_bytes(ticket)].concat();
        self.seal_for(&[PURPOSE, topic.as_bytes()], Kind::Ticket, content, now)
    }

    /// That this room has these members.
    #[must_use]
    pub fn room(&self, descriptor: &RoomDescriptor, now: SystemTime) -> String {
        let RoomDescriptor { room, members: [one, two], opened } = *descriptor;
        let room = room.as_bytes().to_vec();
        let content = [room, member_bytes(one), member_bytes(two), opening_bytes(opened)].concat();
        self.seal(Kind::Room, content, now)
    }

    /// That this owner has blocked that one.
    #[must_use]
    pub fn block(&self, owner: Owner, blocked: Owner, now: SystemTime) -> String {
        self.seal(Kind::Block, [owner_bytes(owner), owner_bytes(blocked)].concat(), now)
    }

    /// The session that a token of [`session`](Self::session) vouches for.
    #[must_use]
    pub fn read_session(&self, token: &str, owner: Owner, now: SystemTime) -> Option<SessionId> {
        let holder = self.open(Kind::Session, token, now)?.member()?;
        (holder.owner == owner).then_some(holder.session)
    }

    /// The place that a token of [`ticket`](Self::ticket) vouches for, in the queue of this topic.
    #[must_use]
    pub fn read_ticket(
        &self,
        token: &str,
        holder: Member,
        topic: &str,
        now: SystemTime,
    ) -> Option<Opening> {
        let headers = [PURPOSE, topic.as_bytes()];
        let mut content = self.open_for(&headers, Kind::Ticket, token, now)?;
        if content.member()? == holder { content.opening() } else { None }
    }

    /// The room that a token of [`room`](Self::room) vouches for, if it has this member.
    #[must_use]
    pub fn read_room(
        &self,
        token: &str,
        member: Member,
        now: SystemTime,
    ) -> Option<RoomDescriptor> {
        let mut content = self.open(Kind::Room, token, now)?;
        let (room, members) = (content.id()?.into(), [content.member()?, content.member()?]);
        let descriptor = RoomDescriptor { room, members, opened: content.opening()? };
        members.contains(&member).then_some(descriptor)
    }

    /// The owner that a token of [`block`](Self::block) names as blocked.
    #[must_use]
    pub fn read_block(&self, token: &str, owner: Owner, now: SystemTime) -> Option<Owner> {
        let mut content = self.open(Kind::Block, token, now)?;
        if content.owner()? == owner { content.owner() } else { None }
    }

    fn seal(&self, kind: Kind, content: Vec<u8>, now: SystemTime) -> String {
        self.seal_for(&[PURPOSE], kind, content, now)
    }

    /// The same under these headers: who opens it has to know them.
    fn seal_for(&self, headers: &[&[u8]], kind: Kind, content: Vec<u8>, now: SystemTime) -> String {
        let payload = [&[kind as u8], &content[..], &seconds(now).to_be_bytes()].concat();
        let sealed = self.cipher().encrypt(headers, &payload);
        URL_SAFE_NO_PAD.encode(sealed.expect("headers are few, and there is memory for the rest"))
    }

    /// What a token of this kind holds, unless it is too old.
    fn open(&self, kind: Kind, token: &str, now: SystemTime) -> Option<Content> {
        self.open_for(&[PURPOSE], kind, token, now)
    }

    fn open_for(
        &self,
        headers: &[&[u8]],
        kind: Kind,
        token: &str,
        now: SystemTime,
    ) -> Option<Content> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let payload = self.cipher().decrypt(headers, &sealed).ok()?;
        let Some(([found, content @ ..], made_at)) = payload.split_last_chunk() else {
            return None;
        };
        let age_seconds = seconds(now).saturating_sub(u64::from_be_bytes(*made_at));
        // A block is promised for as long as both programs run, and an owner is one program.
        let is_valid = kind == Kind::Block || age_seconds <= TOKEN_AGE.as_secs();
        (*found == kind as u8 && is_valid).then(|| Content(content.to_vec()))
    }

    fn cipher(&self) -> Aes128Siv {
        Aes128Siv::new(&self.key.into())
    }
}

/// What a token is for: the first byte of what is sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session = 1,
    Ticket = 2,
    Room = 3,
    Block = 4,
}

fn owner_bytes(Owner { uid, id }: Owner) -> Vec<u8> {
    [&uid.to_be_bytes()[..], id.as_bytes()].concat()
}

fn member_bytes(Member { session, owner }: Member) -> Vec<u8> {
    [&owner_bytes(owner)[..], session.as_bytes()].concat()
}

fn opening_bytes(Opening { epoch, number }: Opening) -> Vec<u8> {
    [epoch, number].map(u64::to_be_bytes).concat()
}

/// What is left to be read of what was sealed.
struct Content(Vec<u8>);

impl Content {
    fn member(&mut self) -> Option<Member> {
        let owner = self.owner()?;
        Some(Member { session: self.id()?.into(), owner })
    }

    fn owner(&mut self) -> Option<Owner> {
        let uid = u32::from_be_bytes(self.take()?);
        Some(Owner { uid, id: self.id()?.into() })
    }

    fn opening(&mut self) -> Option<Opening> {
        Some(Opening { epoch: self.number()?, number: self.number()? })
    }

    fn id(&mut self) -> Option<Uuid> {
        self.take().map(Uuid::from_bytes)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn take<const BYTES: usize>(&mut self) -> Option<[u8; BYTES]> {
        let taken = *self.0.first_chunk()?;
        self.0.drain(..BYTES);
        Some(taken)
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::id::{OwnerId, RoomId};

    use super::*;

    const KEY: Key = [7; 32];

    fn member(number: u8) -> Member {
        let owner = Owner { uid: 1000, id: OwnerId::from_bytes([number; 16]) };
        Member { session: SessionId::from_bytes([number + 100; 16]), owner }
    }

    fn descriptor() -> RoomDescriptor {
        let room = RoomId::from_bytes([9; 16]);
        let opened = Opening { epoch: 1, number: 2 };
        RoomDescriptor { room, members: [member(1), member(2)], opened }
    }

    const TICKET: Opening = Opening { epoch: 3, number: u64::MAX };
    const TOPIC: &str = "chess";

    /// What a token gives when it is read as each kind, by member 1.
    fn kinds(tokens: &Tokens, token: &str, now: SystemTime) -> [bool; 4] {
        let holder = member(1);
        [
            tokens.read_session(token, holder.owner, now).is_some(),
            tokens.read_ticket(token, holder, TOPIC, now).is_some(),
            tokens.read_room(token, holder, now).is_some(),
            tokens.read_block(token, holder.owner, now).is_some(),
        ]
    }

    fn one_of_each_kind(tokens: &Tokens, now: SystemTime) -> [String; 4] {
        [
            tokens.session(member(1), now),
            tokens.ticket(member(1), TICKET, TOPIC, now),
            tokens.room(&descriptor(), now),
            tokens.block(member(1).owner, member(2).owner, now),
        ]
    }

    #[test]
    fn each_kind_says_what_was_sealed_and_passes_for_no_other() {
        let (tokens, now) = (Tokens::new(&KEY), SystemTime::now());
        let made = one_of_each_kind(&tokens, now);
        for (index, token) in made.iter().enumerate() {
            let mut expected = [false; 4];
            expected[index] = true;
            assert_eq!(kinds(&tokens, token, now), expected, "kind {index}");
        }
        let [session, ticket, room, block] = made;
        let holder = member(1);
        assert_eq!(tokens.read_session(&session, holder.owner, now), Some(holder.session));
        assert_eq!(tokens.read_ticket(&ticket, holder, TOPIC, now), Some(TICKET));
        assert_eq!(tokens.read_room(&room, holder, now), Some(descriptor()));
        assert_eq!(tokens.read_room(&room, member(2), now), Some(descriptor()));
        assert_eq!(tokens.read_block(&block, holder.owner, now), Some(member(2).owner));
    }

    #[test]
    fn a_token_shows_neither_what_was_sealed_nor_how_long_it_is() {
        let (tokens, now) = (Tokens::new(&KEY), SystemTime::now());
        let shows = |sealed: &[u8], what: &[u8]| sealed.windows(what.len()).any(|at| at == what);
        for token in one_of_each_kind(&tokens, now) {
            let sealed = URL_SAFE_NO_PAD.decode(&token).unwrap();
            for Member { session, owner } in [member(1), member(2)] {
                let ids = [*owner.id.as_bytes(), *session.as_bytes()];
                assert!(ids.iter().all(|id| !shows(&sealed, id)), "an id in {token}");
                let texts = [owner.uid.to_string(), owner.id.to_string(), session.to_string()];
                assert!(texts.iter().all(|text| !shows(&sealed, text.as_bytes())), "{token}");
                let uid = owner.uid;
                assert!(!shows(&sealed, &uid.to_be_bytes()) && !shows(&sealed, &uid.to_le_bytes()));
            }
        }
        let of_uid = |uid| {
            let member = Member { owner: Owner { uid, ..member(1).owner }, ..member(1) };
            let room = RoomDescriptor { members: [member; 2], ..descriptor() };
            let sealed = [tokens.room(&room, now), tokens.block(member.owner, member.owner, now)];
            sealed.map(|token| token.len())
        };
        assert_eq!(of_uid(0), of_uid(u32::MAX));
    }

    #[test]
    fn a_token_with_any_bit_changed_is_refused() {
        let (tokens, now) = (Tokens::new(&KEY), SystemTime::now());
        for token in one_of_each_kind(&tokens, now) {
            let sealed = URL_SAFE_NO_PAD.decode(&token).unwrap();
            for bit in 0..sealed.len() * 8 {
                let mut tampered = sealed.clone();
                tampered[bit / 8] ^= 1 << (bit % 8);
                let tampered = URL_SAFE_NO_PAD.encode(tampered);
                assert_eq!(kinds(&tokens, &tampered, now), [false; 4], "bit {bit}");
            }
            for length in 0..token.len() {
                assert_eq!(kinds(&tokens, &token[..length], now), [false; 4]);
            }
        }
    }

    #[test]
    fn a_token_is_good_for_its_holder_alone() {
        let (tokens, now) = (Tokens::new(&KEY), SystemTime::now());
        let [session, ticket, room, block] = one_of_each_kind(&tokens, now);
        let mut other_uid = member(1);
        other_uid.owner.uid += 1;
        let other_session = Member { session: member(3).session, ..member(1) };
        for stranger in [member(3), other_uid] {
            assert_eq!(tokens.read_session(&session, stranger.owner, now), None);
            assert_eq!(tokens.read_block(&block, stranger.owner, now), None);
        }
        for stranger in [member(2), other_uid, other_session] {
            assert_eq!(tokens.read_ticket(&ticket, stranger, TOPIC, now), None);
        }
        for stranger in [member(3), other_uid, other_session] {
            assert_eq!(tokens.read_room(&room, stranger, now), None);
        }
    }

    #[test]
    fn a_ticket_is_good_for_its_topic_alone() {
        let (tokens, now) = (Tokens::new(&KEY), SystemTime::now());
        let ticket = tokens.ticket(member(1), TICKET, TOPIC, now);
        assert_eq!(tokens.read_ticket(&ticket, member(1), TOPIC, now), Some(TICKET));
        for other in ["open", "", "Chess", "ches", "chess "] {
            assert_eq!(tokens.read_ticket(&ticket, member(1), other, now), None, "{other:?}");
        }
    }

    #[test]
    fn a_token_expires_but_a_block_does_not() {
        let (tokens, now) = (Tokens::new(&KEY), SystemTime::now());
        let made = one_of_each_kind(&tokens, now);
        let late = now + TOKEN_AGE;
        let too_late = late + Duration::from_secs(1);
        for (index, token) in made.iter().enumerate() {
            assert!(kinds(&tokens, token, late)[index]);
            assert_eq!(kinds(&tokens, token, too_late)[index], index == 3);
        }
        let before = now - Duration::from_secs(60);
        assert!(kinds(&tokens, &made[0], before)[0], "a clock that was set back harms nobody");
    }

    #[test]
    fn another_key_opens_nothing() {
        let now = SystemTime::now();
        let other = Tokens::new(&[8; 32]);
        for token in one_of_each_kind(&Tokens::new(&KEY), now) {
            assert_eq!(kinds(&other, &token, now), [false; 4]);
        }
        for nonsense in ["", "=", "AAAA", "né", &"A".repeat(43), &"A".repeat(60_000)] {
            assert_eq!(kinds(&other, nonsense, now), [false; 4]);
        }
    }
}
