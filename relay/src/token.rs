//! What the relay vouches for and a client brings back: who a session is, its place in a queue,
//! its room, whom its owner has blocked. The relay itself keeps none of it across a restart.
//!
//! A token is base64url of an HMAC-SHA256 and the JSON that it is over. Every kind of token has a
//! tag of its own in there, so that none passes for another, and names whose it is.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use shared::{
    id::{OwnerId, RoomId, SessionId},
    limits::TOKEN_AGE,
};

use crate::lobby::{Member, Opening, Owner, RoomDescriptor, Ticket};

/// The secret under which tokens are made.
pub type Key = [u8; 32];

const MAC_BYTES: usize = 32;

/// Makes tokens and checks them.
pub struct Tokens {
    keyed: Hmac<Sha256>,
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
        // HMAC itself fills a short key up with zeros to the block of its hash.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        Self { keyed: Hmac::new(&block.into()) }
    }

    /// That this session is this owner's.
    #[must_use]
    pub fn session(&self, holder: Member, now: SystemTime) -> String {
        self.seal(&Content::Session { holder: holder.into() }, now)
    }

    /// That this session has this place.
    #[must_use]
    pub fn ticket(&self, holder: Member, ticket: Ticket, now: SystemTime) -> String {
        let Ticket { epoch, number } = ticket;
        self.seal(&Content::Ticket { holder: holder.into(), epoch, number }, now)
    }

    /// That this room has these members.
    #[must_use]
    pub fn room(&self, descriptor: &RoomDescriptor, now: SystemTime) -> String {
        let members = descriptor.members.map(Seat::from);
        let Opening { epoch, number } = descriptor.opened;
        self.seal(&Content::Room { room: descriptor.room, members, epoch, number }, now)
    }

    /// That this owner has blocked that one.
    #[must_use]
    pub fn block(&self, owner: Owner, blocked: Owner, now: SystemTime) -> String {
        self.seal(&Content::Block { owner: owner.into(), blocked: blocked.into() }, now)
    }

    /// The session that a token of [`session`](Self::session) vouches for.
    #[must_use]
    pub fn read_session(&self, token: &str, owner: Owner, now: SystemTime) -> Option<SessionId> {
        match self.open(token, now)? {
            Content::Session { holder } => {
                let holder = Member::from(holder);
                (holder.owner == owner).then_some(holder.session)
            }
            Content::Ticket { .. } | Content::Room { .. } | Content::Block { .. } => None,
        }
    }

    /// The place that a token of [`ticket`](Self::ticket) vouches for.
    #[must_use]
    pub fn read_ticket(&self, token: &str, holder: Member, now: SystemTime) -> Option<Ticket> {
        match self.open(token, now)? {
            Content::Ticket { holder: named, epoch, number } => {
                (Member::from(named) == holder).then_some(Ticket { epoch, number })
            }
            Content::Session { .. } | Content::Room { .. } | Content::Block { .. } => None,
        }
    }

    /// The room that a token of [`room`](Self::room) vouches for, if it has this member.
    #[must_use]
    pub fn read_room(
        &self,
        token: &str,
        member: Member,
        now: SystemTime,
    ) -> Option<RoomDescriptor> {
        match self.open(token, now)? {
            Content::Room { room, members, epoch, number } => {
                let members = members.map(Member::from);
                let opened = Opening { epoch, number };
                members.contains(&member).then_some(RoomDescriptor { room, members, opened })
            }
            Content::Session { .. } | Content::Ticket { .. } | Content::Block { .. } => None,
        }
    }

    /// Whom the owner has blocked, by a token of [`block`](Self::block).
    #[must_use]
    pub fn read_block(&self, token: &str, owner: Owner, now: SystemTime) -> Option<Owner> {
        match self.open(token, now)? {
            Content::Block { owner: named, blocked } => {
                (Owner::from(named) == owner).then_some(blocked.into())
            }
            Content::Session { .. } | Content::Ticket { .. } | Content::Room { .. } => None,
        }
    }

    fn seal(&self, content: &Content, now: SystemTime) -> String {
        let payload = Payload { issued: seconds(now), content: *content };
        let json = serde_json::to_vec(&payload).unwrap_or_default();
        let mut sealed = self.keyed.clone().chain_update(&json).finalize().into_bytes().to_vec();
        sealed.extend_from_slice(&json);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    fn open(&self, token: &str, now: SystemTime) -> Option<Content> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mac, json) = sealed.split_at_checked(MAC_BYTES)?;
        self.keyed.clone().chain_update(json).verify_slice(mac).ok()?;
        let payload: Payload = serde_json::from_slice(json).ok()?;
        let age_seconds = seconds(now).saturating_sub(payload.issued);
        let expires = match payload.content {
            Content::Session { .. } | Content::Ticket { .. } | Content::Room { .. } => true,
            // A block is promised for as long as both programs run, and an owner is one program.
            Content::Block { .. } => false,
        };
        (!expires || age_seconds <= TOKEN_AGE.as_secs()).then_some(payload.content)
    }
}

#[derive(Serialize, Deserialize)]
struct Payload {
    issued: u64,
    #[serde(flatten)]
    content: Content,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Content {
    Session { holder: Seat },
    Ticket { holder: Seat, epoch: u64, number: u64 },
    Room { room: RoomId, members: [Seat; 2], epoch: u64, number: u64 },
    Block { owner: Account, blocked: Account },
}

/// `(uid, owner, session)`
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Seat(u32, OwnerId, SessionId);

/// `(uid, owner)`
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Account(u32, OwnerId);

impl From<Member> for Seat {
    fn from(Member { session, owner }: Member) -> Self {
        Self(owner.uid, owner.id, session)
    }
}

impl From<Seat> for Member {
    fn from(Seat(uid, id, session): Seat) -> Self {
        Self { session, owner: Owner { uid, id } }
    }
}

impl From<Owner> for Account {
    fn from(Owner { uid, id }: Owner) -> Self {
        Self(uid, id)
    }
}

impl From<Account> for Owner {
    fn from(Account(uid, id): Account) -> Self {
        Self { uid, id }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    const TICKET: Ticket = Ticket { epoch: 3, number: u64::MAX };

    /// What a token gives when it is read as each kind, by member 1.
    fn kinds(tokens: &Tokens, token: &str, now: SystemTime) -> [bool; 4] {
        let holder = member(1);
        [
            tokens.read_session(token, holder.owner, now).is_some(),
            tokens.read_ticket(token, holder, now).is_some(),
            tokens.read_room(token, holder, now).is_some(),
            tokens.read_block(token, holder.owner, now).is_some(),
        ]
    }

    fn one_of_each_kind(tokens: &Tokens, now: SystemTime) -> [String; 4] {
        [
            tokens.session(member(1), now),
            tokens.ticket(member(1), TICKET, now),
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
        assert_eq!(tokens.read_ticket(&ticket, holder, now), Some(TICKET));
        assert_eq!(tokens.read_room(&room, holder, now), Some(descriptor()));
        assert_eq!(tokens.read_room(&room, member(2), now), Some(descriptor()));
        assert_eq!(tokens.read_block(&block, holder.owner, now), Some(member(2).owner));
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
            assert_eq!(tokens.read_ticket(&ticket, stranger, now), None);
        }
        for stranger in [member(3), other_uid, other_session] {
            assert_eq!(tokens.read_room(&room, stranger, now), None);
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
