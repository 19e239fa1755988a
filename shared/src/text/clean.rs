//! The cleaning of messages.

use std::borrow::Cow;

use super::nfc;

/// A text after cleaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned<'a> {
    /// The text; borrowed if cleaning changed nothing.
    pub text: Cow<'a, str>,
    /// How many characters were taken out. What was only rewritten (line ends, normalisation)
    /// does not count.
    pub removed: u32,
}

/// Cleans a text: every kind of line end becomes a line feed, other control characters but the
/// tab go, and what remains is brought into normalisation form C.
///
/// Cleaning twice is cleaning once. The time is linear in the length of the text, and nothing is
/// allocated for a text that needs no change.
#[must_use]
pub fn clean(text: &str) -> Cleaned<'_> {
    let (text, removed) = without_controls(text);
    Cleaned { text: nfc(text), removed }
}

fn without_controls(text: &str) -> (Cow<'_, str>, u32) {
    let Some((unchanged, _)) = text.char_indices().find(|&(_, c)| fate(c) != Fate::Stays) else {
        return (Cow::Borrowed(text), 0);
    };
    let mut kept = String::with_capacity(text.len());
    kept.push_str(&text[..unchanged]);
    let mut removed = 0;
    let mut rest = text[unchanged..].chars().peekable();
    while let Some(character) = rest.next() {
        match fate(character) {
            Fate::Stays => kept.push(character),
            Fate::Goes => removed += 1,
            Fate::EndsLine => {
                if character == '\r' {
                    rest.next_if_eq(&'\n');
                }
                kept.push('\n');
            }
        }
    }
    (Cow::Owned(kept), removed)
}

#[derive(PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    EndsLine,
}

fn fate(character: char) -> Fate {
    match character {
        '\t' | '\n' => Fate::Stays,
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Fate::EndsLine,
        _ if character.is_control() => Fate::Goes,
        _ => Fate::Stays,
    }
}
