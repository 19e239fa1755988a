//! What a message, a name or a topic may contain. Pure: no I/O, no state.
//!
//! A message is cleaned by its sender's shim, by the relay and by its receiver's shim, with the
//! one function [`clean()`]; words are never rewritten. Names and topics are not cleaned but
//! refused, so that what a partner sees is what was chosen.
//!
//! What stays is what somebody can see, and what a script or an emoji needs to be seen rightly.
//! What goes could speak to programs behind a person's back, steer a terminal, or show words in
//! another order than they have:
//!
//! - Every line end (CR, CRLF, NEL, VT, FF, U+2028, U+2029) becomes LF. The tab stays; other C0
//!   and C1 controls go, a control sequence (CSI) as a whole, of a control string (OSC, DCS, …)
//!   only the introducer.
//! - Embeddings, overrides and isolates go; a direction mark (LRM, RLM, ALM) stays if it does not
//!   follow another.
//! - ZWJ stays as emoji glue, after a virama, and between a letter and a virama; ZWNJ as RFC 5892
//!   allows it, and before a virama; ZWSP between letters of South-East Asia.
//! - A variation selector stays directly after what it can select a form of: VS15 and VS16 after a
//!   pictograph or in a keycap, U+E0100 to U+E01EF after Han, Mongolian ones after Mongolian.
//! - Tag characters stay as the flags of England, Scotland and Wales, whole.
//! - At most [`MARKS_PER_BASE`](crate::limits::MARKS_PER_BASE) marks stay on a base.
//! - Private use becomes U+FFFD. Every other default-ignorable character, interlinear annotation
//!   and noncharacters go.
//! - The result is in normalisation form C.
//!
//! Sources: UAX #9 (directions), UAX #15 (normalisation), UTS #37 (ideographic variants), UTS #39
//! (names), UTS #51 (emoji), RFC 5892 appendix A (joiners), ECMA-48 (control sequences), Boucher
//! and Anderson, "Trojan Source: Invisible Vulnerabilities" (2021), and the properties of the
//! Unicode character database as `icu_properties` has them.

mod clean;
mod name;

use std::borrow::Cow;

use icu_properties::{
    CodePointSetData,
    props::{DefaultIgnorableCodePoint, WhiteSpace},
};
use thiserror::Error;

use crate::limits::{MESSAGE_BYTES, MESSAGE_LINES, MESSAGE_RAW_BYTES};

pub use clean::{Cleaned, clean};
pub use name::{NameError, display_name, fold_topic, is_mixed_script, topic};

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
    if !fits(&cleaned.text, max_bytes, max_lines) {
        return Err(too_long(&cleaned.text));
    }
    Ok(cleaned)
}

fn fits(text: &str, max_bytes: usize, max_lines: usize) -> bool {
    text.len() <= max_bytes && text.lines().count() <= max_lines
}

/// A message as its receiver takes it, whoever passed it on: cleaned, and with nothing left of one
/// that [`message()`] would have refused for its size.
#[must_use]
pub fn received(text: &str) -> Cleaned<'_> {
    let cleaned = (text.len() <= MESSAGE_RAW_BYTES).then(|| clean(text));
    let fitting = cleaned.filter(|cleaned| fits(&cleaned.text, MESSAGE_BYTES, MESSAGE_LINES));
    fitting.unwrap_or_else(|| Cleaned {
        text: Cow::Borrowed(""),
        removed: u32::try_from(text.chars().count()).unwrap_or(u32::MAX),
    })
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
