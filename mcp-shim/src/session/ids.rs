//! What names a call, a chat and a task, and the two clocks of a moment.

use std::{
    fmt,
    time::{Instant, SystemTime},
};

use serde::{Serialize, Serializer};

/// Now, by both clocks: one for deadlines, one for display.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For deadlines.
    pub instant: Instant,
    /// For display.
    pub wall: SystemTime,
}

impl Moment {
    /// For display, in RFC 3339.
    pub(crate) fn rfc3339(self) -> String {
        humantime::format_rfc3339_millis(self.wall).to_string()
    }
}

/// One request of the client, numbered by the caller, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// The short handle of a session, which tools take and show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChatId([u8; 8]);

impl ChatId {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

    /// The handle that 40 bits of `number` spell.
    pub(crate) fn from_number(number: u64) -> Self {
        let mut characters = [0; 8];
        for (index, character) in characters.iter_mut().enumerate() {
            *character = Self::ALPHABET[(number >> (5 * index)) as usize % 32];
        }
        Self(characters)
    }

    /// The handle that is written so, if one can be.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let characters: [u8; 8] = text.as_bytes().try_into().ok()?;
        characters.iter().all(|one| Self::ALPHABET.contains(one)).then_some(Self(characters))
    }

    /// Its 8 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }
}

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ChatId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The handle of a task: nobody can guess it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TaskId(pub(super) u128);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
