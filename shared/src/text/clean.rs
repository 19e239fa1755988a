//! The cleaning of messages, rule by rule:
//!
//! - [`controls`]: line ends, control characters, escape sequences
//! - [`invisibles`]: what goes wherever it stands, and private use
//! - [`joiners`]: ZWJ, ZWNJ and ZWSP, where a script or an emoji needs them
//! - [`selectors`]: variation selectors, once after what they can select a form of
//! - [`tags`]: the flags of England, Scotland and Wales
//! - [`directions`]: single direction marks
//! - [`marks`]: how many marks a base may bear
//!
//! The first two judge a character by itself, and go first. The others judge it in its place: by
//! what was kept before it and what stands after it. One pass nearly settles them. But what went
//! may have stood between marks, whose order normalisation then settles anew, and that may part a
//! joiner from its virama; or the virama went, one mark too many. So this is repeated until nothing
//! goes. Each repetition but the last takes a joiner out of a stack of at most
//! [`MARKS_PER_BASE`](crate::limits::MARKS_PER_BASE) marks, and all stacks are done at once: there
//! are only a few, however long the text is.

mod controls;
mod directions;
mod invisibles;
mod joiners;
mod marks;
mod pass;
mod selectors;
mod tags;

use std::borrow::Cow;

use self::{
    marks::Stack,
    pass::{Fate, Place, pass},
};
use super::properties::nfc;

/// A text after cleaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned<'a> {
    /// The text; borrowed if cleaning changed nothing.
    pub text: Cow<'a, str>,
    /// How many characters were taken out. What was only rewritten (line ends, private use,
    /// normalisation) does not count.
    pub removed: u32,
}

/// Cleans a text by the rules of [`text`](super), and brings it into normalisation form C.
///
/// Cleaning twice is cleaning once. The time is linear in the length of the text, and a text that
/// needs no change is not copied; for plain ASCII one scan is all. The result has at most three times the bytes of the
/// text: no character has more than three times its bytes when it is decomposed (U+1D160 has),
/// and nothing else here makes a text longer.
#[must_use]
pub fn clean(text: &str) -> Cleaned<'_> {
    if is_plain(text) {
        return Cleaned { text: Cow::Borrowed(text), removed: 0 };
    }
    cleaned_in_rounds(text).0
}

/// Also says how many rounds it took.
fn cleaned_in_rounds(text: &str) -> (Cleaned<'_>, u32) {
    let (text, controls) = pass(Cow::Borrowed(text), controls::fate);
    let (text, invisibles) = pass(text, invisibles::fate);
    let mut cleaned = Cleaned { text, removed: controls + invisibles };
    let mut rounds = 0;
    loop {
        rounds += 1;
        let mut stack = Stack::default();
        let (text, removed) = pass(nfc(cleaned.text), |place| fate_in_place(place, &mut stack));
        cleaned = Cleaned { text, removed: cleaned.removed + removed };
        if removed == 0 {
            return (cleaned, rounds);
        }
    }
}

fn fate_in_place(place: Place<'_>, stack: &mut Stack) -> Fate {
    match place.character {
        '\u{200b}' => joiners::zero_width_space(place),
        '\u{200c}' => joiners::zero_width_non_joiner(place),
        '\u{200d}' => joiners::zero_width_joiner(place),
        '\u{61c}' | '\u{200e}' | '\u{200f}' => directions::fate(place),
        '\u{180b}'..='\u{180f}' => selectors::mongolian(place),
        '\u{fe0e}' | '\u{fe0f}' => selectors::emoji(place),
        '\u{e0100}'..='\u{e01ef}' => selectors::ideographic(place),
        '\u{e0020}'..='\u{e007f}' => tags::fate(place),
        _ => stack.fate(place),
    }
}

/// Whether this is printable ASCII, line feeds and tabs. Looks at all of it, because the compiler
/// can do that with many bytes at once.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & matches!(byte, b'\t' | b'\n' | b' '..=b'~'))
}

#[cfg(test)]
mod tests;
