//! Frames: bytes in, messages out. Pure: no input or output.
//!
//! A frame is one line of UTF-8 that holds one JSON object with one key.

use std::{borrow::Cow, fmt, io, ops::Range};

use memchr::memchr;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IgnoredAny, IntoDeserializer as _, MapAccess, Visitor, value::StrDeserializer},
};
use thiserror::Error;

use crate::{
    limits::FRAME_BYTES,
    message::{ClientMessage, ErrorCode, RelayMessage},
};

/// Cuts a byte stream into frames (lines). Take every frame with
/// [`next_frame`](Self::next_frame) before giving it more with [`extend`](Self::extend): then it
/// holds at most [`FRAME_BYTES`] of one partial frame and the chunk last given, and after the
/// last frame was taken only that partial frame.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// Where the next frame starts; what is before it was taken.
    start: usize,
    /// Up to where there is no line feed.
    searched: usize,
    failed: bool,
}

/// A frame is longer than [`FRAME_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a frame is longer than {FRAME_BYTES} bytes")]
pub struct FrameTooLong;

impl Decoder {
    /// A decoder that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was read: at most [`FRAME_BYTES`] at a time, which bounds the memory. After a
    /// [`FrameTooLong`] it is dropped.
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.failed {
            return;
        }
        let needed = self.bytes.len() + bytes.len();
        if needed > self.bytes.capacity() {
            // Doubling, but not past the bound that the contract above gives.
            let capacity = (2 * self.bytes.capacity()).min(2 * FRAME_BYTES).max(needed);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line, without its line feed and without a carriage return before that.
    /// Empty lines are skipped. `None` if there is no whole line yet.
    ///
    /// # Errors
    /// [`FrameTooLong`], and from then on always: what follows cannot be trusted to be a frame.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameTooLong> {
        if self.failed {
            return Err(FrameTooLong);
        }
        match self.next_line() {
            Ok(Some(line)) => Ok(Some(&self.bytes[line])),
            Ok(None) => {
                self.release();
                Ok(None)
            }
            Err(FrameTooLong) => {
                *self = Self { failed: true, ..Self::default() };
                Err(FrameTooLong)
            }
        }
    }

    /// How many bytes wait to become a frame.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.bytes.len() - self.start
    }

    fn next_line(&mut self) -> Result<Option<Range<usize>>, FrameTooLong> {
        loop {
            let unsearched = &self.bytes[self.searched..];
            let Some(line_feed) = memchr(b'\n', unsearched) else {
                self.searched = self.bytes.len();
                return if self.buffered() < FRAME_BYTES { Ok(None) } else { Err(FrameTooLong) };
            };
            let end = self.searched + line_feed;
            let line = self.start..end;
            self.start = end + 1;
            self.searched = self.start;
            if line.len() >= FRAME_BYTES {
                return Err(FrameTooLong);
            }
            let ends_in_return = self.bytes[line.clone()].ends_with(b"\r");
            let line = line.start..line.end - usize::from(ends_in_return);
            if !line.is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// Keeps the partial frame and gives back the memory of what was taken.
    fn release(&mut self) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        // Not to the last byte, or a frame that trickles in would be copied for every byte.
        if self.bytes.capacity() > 4 * self.bytes.len() {
            self.bytes.shrink_to_fit();
        }
    }
}

/// Why a frame is not a message. Never says what is in the frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Bad UTF-8, bad JSON, a missing or wrong field; says which of these, and where.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// A well-formed message of a type that this version does not know.
    #[error("unsupported message type")]
    Unsupported,
}

impl DecodeError {
    /// What to answer.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::Malformed,
            Self::Unsupported => ErrorCode::Unsupported,
        }
    }
}

/// The message of a client that a frame holds. Borrows every text that has no escape in it.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode_client(frame: &[u8]) -> Result<ClientMessage<'_>, DecodeError> {
    decode(frame)
}

/// The message of a relay that a frame holds. Borrows every text that has no escape in it.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode_relay(frame: &[u8]) -> Result<RelayMessage<'_>, DecodeError> {
    decode(frame)
}

/// Whether a frame is at least a message of some version: a JSON object with one key.
#[must_use]
pub fn is_well_formed(frame: &[u8]) -> bool {
    std::str::from_utf8(frame).is_ok_and(|text| serde_json::from_str::<OnlyKey<'_>>(text).is_ok())
}

/// Appends a message as one frame. Serialising a [`ClientMessage`] or [`RelayMessage`] into
/// memory cannot fail; of anything else that fails, nothing is appended.
pub fn encode<M: Serialize>(message: &M, into: &mut Vec<u8>) {
    let length = into.len();
    if write(message, &mut *into).is_err() {
        into.truncate(length);
    }
}

/// Writes a message as one frame. What it writes of one that fails is for the caller to undo.
pub(crate) fn write<M: Serialize>(message: &M, mut into: impl io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut into, message)?;
    into.write_all(b"\n")
}

fn decode<'a, M: Deserialize<'a>>(frame: &'a [u8]) -> Result<M, DecodeError> {
    // The whole frame, for serde_json does not look into the strings that it skips.
    let text = std::str::from_utf8(frame)
        .map_err(|error| malformed("not UTF-8", error.valid_up_to() + 1))?;
    let message = serde_json::from_str(text).map_err(|error| {
        if is_of_unknown_type::<M>(text) {
            return DecodeError::Unsupported;
        }
        // The error's own text may quote the frame.
        let what = match error.classify() {
            serde_json::error::Category::Data => WRONG_FIELD,
            serde_json::error::Category::Eof => "JSON that ends too early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
        };
        malformed(what, error.column())
    })?;
    // Serde takes a list of values in order for an object with fields.
    let content = text.trim_end().strip_suffix('}').unwrap_or_default().trim_end();
    if content.ends_with('}') { Ok(message) } else { Err(malformed(WRONG_FIELD, content.len())) }
}

const WRONG_FIELD: &str = "a wrong or missing field";

fn malformed(what: &str, column: usize) -> DecodeError {
    DecodeError::Malformed(format!("{what} at byte {column}"))
}

/// Whether the text is a JSON object with exactly one key that names no variant of `M`.
fn is_of_unknown_type<'a, M: Deserialize<'a>>(text: &'a str) -> bool {
    let Ok(OnlyKey(name)) = serde_json::from_str(text) else { return false };
    // Of all that can go wrong with the name alone, only this is about the name.
    let name: StrDeserializer<'_, VariantError> = name.as_ref().into_deserializer();
    matches!(M::deserialize(name), Err(VariantError::UnknownVariant))
}

/// The key of an object that has one.
struct OnlyKey<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for OnlyKey<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneEntry;

        impl<'de> Visitor<'de> for OneEntry {
            type Value = OnlyKey<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one key")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let Some((key, IgnoredAny)) = map.next_entry::<Cow<'de, str>, _>()? else {
                    return Err(de::Error::invalid_length(0, &self));
                };
                if map.next_key::<IgnoredAny>()?.is_some() {
                    return Err(de::Error::invalid_length(2, &self));
                }
                Ok(OnlyKey(key))
            }
        }

        deserializer.deserialize_map(OneEntry)
    }
}

/// What is wrong with the name of a variant that stands alone.
#[derive(Debug, Error)]
enum VariantError {
    #[error("unknown variant")]
    UnknownVariant,
    #[error("no content")]
    Other,
}

impl de::Error for VariantError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::UnknownVariant
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, FRAME_BYTES};

    #[test]
    fn memory_is_bounded_and_given_back() {
        let mut decoder = Decoder::new();
        decoder.extend(&vec![b'x'; FRAME_BYTES - 1]);
        assert_eq!(decoder.next_frame(), Ok(None));
        decoder.extend(&vec![b'\n'; FRAME_BYTES]);
        assert!(decoder.bytes.capacity() <= 2 * FRAME_BYTES);
        assert!(matches!(decoder.next_frame(), Ok(Some(_))));
        assert_eq!(decoder.next_frame(), Ok(None));
        assert_eq!(decoder.bytes.capacity(), 0);

        let mut lines = vec![b'\n'; FRAME_BYTES - 3];
        lines.extend(b"abc");
        decoder.extend(&lines);
        assert_eq!(decoder.next_frame(), Ok(None));
        assert_eq!((decoder.buffered(), &decoder.bytes[..]), (3, &b"abc"[..]));
        assert!(decoder.bytes.capacity() < 100);

        decoder.extend(&vec![b'x'; FRAME_BYTES]);
        assert!(decoder.next_frame().is_err());
        assert_eq!(decoder.bytes.capacity(), 0);
    }

    #[test]
    fn a_frame_that_trickles_in_is_copied_now_and_then_and_not_for_every_byte() {
        let mut decoder = Decoder::new();
        let mut moves = 0;
        for _ in 1..FRAME_BYTES {
            let capacity = decoder.bytes.capacity();
            decoder.extend(b"x");
            assert_eq!(decoder.next_frame(), Ok(None));
            moves += u32::from(decoder.bytes.capacity() != capacity);
        }
        assert!(moves < 40, "{moves}");
    }
}
