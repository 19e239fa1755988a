//! Identifiers: newtypes over [`Uuid`], so that one kind is never taken for another, and numbers
//! that nobody can foretell.

use std::{fmt, hash::Hasher as _};

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher24};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps 16 bytes, marked as a version 8 (custom) UUID of RFC 9562.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
            }

            /// The 16 bytes of this identifier.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

id! {
    /// One participant as the relay knows it. It outlives its connection.
    SessionId
}
id! {
    /// One pairing of two sessions; new for every match and never reused.
    RoomId
}
id! {
    /// One shim process. Sessions of one owner never meet each other.
    OwnerId
}

/// A number that looks random: a keyed hash (SipHash-2-4). The same arguments make the same number,
/// and nobody without the seed can tell one from another. `purpose` keeps apart what one seed is
/// used for.
#[must_use]
pub fn keyed(seed: &[u8; 16], purpose: u8, number: u64) -> u128 {
    let mut hasher = SipHasher24::new_with_key(seed);
    hasher.write(&[purpose]);
    hasher.write(&number.to_le_bytes());
    hasher.finish128().as_u128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_purpose_and_number_determine_a_keyed_number() {
        let made = [(7, 0, 0), (8, 0, 0), (7, 1, 0), (7, 0, 1), (7, 0, 256)];
        let made = made.map(|(seed, purpose, number)| keyed(&[seed; 16], purpose, number));
        for (index, number) in made.iter().enumerate() {
            assert!(!made[..index].contains(number), "{made:?}");
        }
        assert_eq!(keyed(&[7; 16], 0, 0), made[0]);
    }
}
