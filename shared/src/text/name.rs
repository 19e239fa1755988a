//! Display names and topics: a narrow set of characters (UTS #39 calls for one in names), so that
//! none needs quoting and none can pass for what stands around it.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_properties::props::{GeneralCategoryGroup, Script};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::MixedScript as _;

use super::properties::{category, is_ignorable, is_mark, nfc, script};
use crate::limits::{DISPLAY_NAME_CHARS, MARKS_PER_BASE, TOPIC_CHARS};

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
    /// A mark on something other than a letter or digit, or one too many on it.
    #[error(
        "U+{code_point:04X} is not allowed there: a mark follows a letter or digit, \
         and at most {MARKS_PER_BASE} marks do"
    )]
    Misplaced {
        /// Its code point.
        code_point: u32,
    },
}

/// A display name as a partner will see it: trimmed, in normalisation form C, of 1 to
/// [`DISPLAY_NAME_CHARS`] letters, marks, digits, spaces and `-` `_` `.` `'`; each mark on a letter
/// or digit.
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

/// Whether a name mixes scripts in a way that nobody's language does, as look-alikes need it: it is
/// neither of a single script (UTS #39, resolved script sets), nor Latin with Chinese, Japanese or
/// Korean ("highly restrictive").
///
/// The restriction level of `unicode-security` cannot be asked: it calls every name with a space,
/// and every name in a script of few users, unrestricted.
#[must_use]
pub fn is_mixed_script(name: &str) -> bool {
    if name.is_ascii() || name.is_single_script() {
        return false;
    }
    let is_latin = |&c: &char| script(c) == Script::Latin;
    let others: String = name.chars().filter(|c| !is_latin(c)).collect();
    let others = others.resolve_script_set();
    !(others.hanb || others.jpan || others.kore)
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
    if !text.chars().any(is_letter_or_digit) {
        return Err(NameError::Empty);
    }
    if let Some(misplaced) = misplaced_mark(&text) {
        return Err(NameError::Misplaced { code_point: misplaced.into() });
    }
    Ok(text.into_owned())
}

/// The first mark that would change how something outside the name looks: what stands before it,
/// or the lines above and below.
fn misplaced_mark(text: &str) -> Option<char> {
    let mut room = 0;
    text.chars().find(|&character| {
        if !is_mark(character) {
            room = if is_letter_or_digit(character) { MARKS_PER_BASE } else { 0 };
            return false;
        }
        let misplaced = room == 0;
        room = room.saturating_sub(1);
        misplaced
    })
}

fn is_letter_or_digit(character: char) -> bool {
    LETTER_OR_DIGIT.contains(category(character))
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
        && !is_ignorable(character)
}
