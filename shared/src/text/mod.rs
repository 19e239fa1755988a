//! What a message, a name or a topic may contain. Pure: no I/O, no state.
//!
//! A message is cleaned by its sender's shim, by the relay and by its receiver's shim, with the
//! one function [`clean()`]; words are never rewritten. Names and topics are not cleaned but
//! refused, so that what a partner sees is what was chosen.

mod clean;
mod name;

use std::borrow::Cow;

use icu_properties::{
    CodePointSetData,
    props::{DefaultIgnorableCodePoint, WhiteSpace},
};
use thiserror::Error;

use crate::limits::MESSAGE_RAW_BYTES;

pub use clean::{Cleaned, clean};
pub use name::{NameError, display_name, fold_topic, topic};

/// The display name of somebody who chose none.
pub const DEFAULT_DISPLAY_NAME: &str = "Stranger";
/// The topic of somebody who chose none.
pub const DEFAULT_TOPIC: &str = "open";

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
    if cleaned.text.len() > max_bytes || cleaned.text.lines().count() > max_lines {
        return Err(too_long(&cleaned.text));
    }
    Ok(cleaned)
}

fn is_visible(character: char) -> bool {
    const BRAILLE_PATTERN_BLANK: char = '\u{2800}';
    !(character.is_control()
        || character == BRAILLE_PATTERN_BLANK
        || CodePointSetData::new::<WhiteSpace>().contains(character)
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character))
}

/// The text in normalisation form C; borrowed if it already is.
fn nfc(text: Cow<'_, str>) -> Cow<'_, str> {
    use unicode_normalization::{UnicodeNormalization as _, is_nfc};

    if text.is_ascii() || is_nfc(&text) { text } else { Cow::Owned(text.nfc().collect()) }
}
