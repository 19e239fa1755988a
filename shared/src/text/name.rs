//! Display names and topics.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

use super::nfc;
use crate::limits::{DISPLAY_NAME_CHARS, TOPIC_CHARS};

/// Why a display name or a topic is refused. Its messages name code points, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// No letter and no digit.
    #[error("it needs at least one letter or digit")]
    Empty,
    /// Longer than allowed.
    #[error("it has {chars} characters; at most {max_chars} are allowed")]
    TooLong {
        /// Its characters.
        chars: usize,
        /// The characters allowed.
        max_chars: usize,
    },
    /// A character that is not allowed; the first of them.
    #[error("U+{code_point:04X} is not allowed: only letters, marks, digits, space and - _ . '")]
    Forbidden {
        /// Its code point.
        code_point: u32,
    },
}

/// A display name as a partner will see it: trimmed, in normalisation form C, of 1 to
/// [`DISPLAY_NAME_CHARS`] letters, marks, digits, spaces and `-` `_` `.` `'`.
///
/// # Errors
/// See [`NameError`].
pub fn display_name(name: &str) -> Result<String, NameError> {
    checked(name, DISPLAY_NAME_CHARS)
}

/// A topic as it is shown: of the same characters as a display name, 1 to [`TOPIC_CHARS`].
///
/// # Errors
/// See [`NameError`].
pub fn topic(topic: &str) -> Result<String, NameError> {
    checked(topic, TOPIC_CHARS)
}

/// The form of a topic that is compared: two topics are the same queue if these are equal.
#[must_use]
pub fn fold_topic(topic: &str) -> String {
    // Decomposed first, as Unicode's canonical caseless match asks: folding acts on the parts.
    let decomposed: String = topic.nfd().collect();
    nfc(CaseMapper::new().fold_string(&decomposed)).into_owned()
}

fn checked(text: &str, max_chars: usize) -> Result<String, NameError> {
    let text = nfc(Cow::Borrowed(text.trim()));
    let chars = text.chars().count();
    if chars > max_chars {
        return Err(NameError::TooLong { chars, max_chars });
    }
    if let Some(forbidden) = text.chars().find(|&c| !is_allowed(c)) {
        return Err(NameError::Forbidden { code_point: forbidden.into() });
    }
    if !text.chars().any(|c| LETTER_OR_DIGIT.contains(category(c))) {
        return Err(NameError::Empty);
    }
    Ok(text.into_owned())
}

const LETTER_OR_DIGIT: GeneralCategoryGroup =
    GeneralCategoryGroup::Letter.union(GeneralCategoryGroup::DecimalNumber);

fn is_allowed(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric()
            || matches!(character, ' ' | '-' | '_' | '.' | '\'');
    }
    // Some letters and marks are invisible: Hangul fillers, variation selectors.
    LETTER_OR_DIGIT.union(GeneralCategoryGroup::Mark).contains(category(character))
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

fn category(character: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(character)
}
