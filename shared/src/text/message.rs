//! The size of a message, and whether anything of it can be seen.

use std::borrow::Cow;

use icu_properties::{CodePointSetData, props::WhiteSpace};
use thiserror::Error;

use super::{
    clean::{Cleaned, clean},
    properties::is_ignorable,
};
use crate::limits::{MESSAGE_BYTES, MESSAGE_LINES, MESSAGE_RAW_BYTES};

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MessageError {
    /// Nothing but white space, before cleaning.
    #[error("the message is empty")]
    Empty,
    /// Longer than allowed. The sizes are those after cleaning, or those before it if the text
    /// was already longer than [`MESSAGE_RAW_BYTES`].
    #[error(
        "the message has {bytes} bytes and {lines} lines; \
         at most {max_bytes} bytes and {max_lines} lines are allowed"
    )]
    TooLong {
        /// Its bytes of UTF-8.
        bytes: usize,
        /// The bytes allowed after cleaning.
        max_bytes: usize,
        /// Its lines.
        lines: usize,
        /// The lines allowed after cleaning.
        max_lines: usize,
    },
    /// Nothing visible was left by cleaning.
    #[error("nothing printable is left of the message after cleaning")]
    Unprintable,
}

/// Cleans a message and checks its size. A text is refused whole, never cut.
///
/// # Errors
/// See [`MessageError`].
pub fn message<'a>(
    text: &'a str,
    max_bytes: usize,
    max_lines: usize,
) -> Result<Cleaned<'a>, MessageError> {
    if text.trim().is_empty() {
        return Err(MessageError::Empty);
    }
    let too_long = |text: &str| MessageError::TooLong {
        bytes: text.len(),
        max_bytes,
        lines: text.lines().count(),
        max_lines,
    };
    if text.len() > MESSAGE_RAW_BYTES {
        return Err(too_long(text));
    }
    let cleaned = clean(text);
    if !cleaned.text.chars().any(is_visible) {
        return Err(MessageError::Unprintable);
    }
    if !fits(&cleaned.text, max_bytes, max_lines) {
        return Err(too_long(&cleaned.text));
    }
    Ok(cleaned)
}

fn fits(text: &str, max_bytes: usize, max_lines: usize) -> bool {
    text.len() <= max_bytes && text.lines().count() <= max_lines
}

/// A message of somebody else, cleaned; `None` if it is larger than any relay allows.
#[must_use]
pub fn fitting(text: &str) -> Option<Cleaned<'_>> {
    let cleaned = (text.len() <= MESSAGE_RAW_BYTES).then(|| clean(text));
    cleaned.filter(|cleaned| fits(&cleaned.text, MESSAGE_BYTES, MESSAGE_LINES))
}

/// A message as its receiver takes it: cleaned, and empty if it is larger than any relay allows.
#[must_use]
pub fn received(text: &str) -> Cleaned<'_> {
    fitting(text).unwrap_or_else(|| Cleaned {
        text: Cow::Borrowed(""),
        removed: u32::try_from(text.chars().count()).unwrap_or(u32::MAX),
    })
}

fn is_visible(character: char) -> bool {
    const BRAILLE_PATTERN_BLANK: char = '\u{2800}';
    !(character.is_control()
        || character == BRAILLE_PATTERN_BLANK
        || CodePointSetData::new::<WhiteSpace>().contains(character)
        || is_ignorable(character))
}
