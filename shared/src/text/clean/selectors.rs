//! Variation selectors: one, directly after a character that has such variants. A row of them, or
//! one elsewhere, shows nothing and could carry bytes.

use icu_properties::props::Script;

use super::pass::{Fate, Place};
use crate::text::properties::{is_letter, is_pictograph, script};

const ENCLOSING_KEYCAP: char = '\u{20e3}';

/// Text or emoji presentation, after a pictograph or within a keycap (UTS #51).
pub(super) fn emoji(place: Place<'_>) -> Fate {
    let selects = place.previous().is_some_and(|base| match base {
        '#' | '*' | '0'..='9' => place.next() == Some(ENCLOSING_KEYCAP),
        _ => is_pictograph(base),
    });
    place.stays_if(selects)
}

/// An ideographic variant (UTS #37).
pub(super) fn ideographic(place: Place<'_>) -> Fate {
    place.stays_if(place.previous().is_some_and(|base| script(base) == Script::Han))
}

/// A form of a Mongolian letter, or the vowel separator after one.
pub(super) fn mongolian(place: Place<'_>) -> Fate {
    const VOWEL_SEPARATOR: char = '\u{180e}';

    let is_form = |previous| matches!(previous, '\u{180b}'..='\u{180d}' | '\u{180f}');
    let is_base = |previous| script(previous) == Script::Mongolian && is_letter(previous);
    place.stays_if(place.previous().is_some_and(|previous| {
        is_base(previous) || place.character == VOWEL_SEPARATOR && is_form(previous)
    }))
}
