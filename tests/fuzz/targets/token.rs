//! Tokens that a client presents: nothing but what was sealed opens anything.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use relay::{
    lobby::{Member, Opening, Owner, RoomDescriptor},
    token::Tokens,
};
use shared::id::{OwnerId, RoomId, SessionId};

/// Where bytes of a good token change, or what stands in its place.
#[derive(Debug, arbitrary::Arbitrary)]
enum Input {
    Changed { kind: u8, changes: Vec<(u16, u8)> },
    Made(String),
}

fuzz_target!(|input: Input| {
    let tokens = Tokens::new(&[7; 32]);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let sealed = one_of_each_kind(&tokens, now);
    let token = match input {
        Input::Made(token) => token,
        Input::Changed { kind, changes } => {
            let mut token = sealed[usize::from(kind) % sealed.len()].clone().into_bytes();
            for (at, change) in changes {
                let at = usize::from(at) % token.len();
                token[at] ^= change;
            }
            let Ok(token) = String::from_utf8(token) else { return };
            token
        }
    };
    let opened = [
        tokens.read_session(&token, member(1).owner, now).is_some(),
        tokens.read_ticket(&token, member(1), "open", now).is_some(),
        tokens.read_room(&token, member(1), now).is_some(),
        tokens.read_block(&token, member(1).owner, now).is_some(),
    ];
    let expected = sealed.map(|sealed| sealed == token);
    assert_eq!(opened, expected, "{token}");
});

fn one_of_each_kind(tokens: &Tokens, now: SystemTime) -> [String; 4] {
    let opened = Opening { epoch: 3, number: 4 };
    let room = RoomId::from_bytes([9; 16]);
    let descriptor = RoomDescriptor { room, members: [member(1), member(2)], opened };
    [
        tokens.session(member(1), now),
        tokens.ticket(member(1), Opening { epoch: 3, number: 4 }, "open", now),
        tokens.room(&descriptor, now),
        tokens.block(member(1).owner, member(2).owner, now),
    ]
}

fn member(number: u8) -> Member {
    let owner = Owner { uid: 1000, id: OwnerId::from_bytes([number; 16]) };
    Member { session: SessionId::from_bytes([number; 16]), owner }
}
