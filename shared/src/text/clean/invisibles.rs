//! Characters that go wherever they stand, because nobody can see them: default-ignorable ones
//! (Unicode's own list, unassigned ones included), but for those that other rules know a place
//! for; embeddings, overrides and isolates, which show a text in another order than it has
//! (UAX #9; Boucher and Anderson, "Trojan Source", 2021); interlinear annotation; noncharacters.
//!
//! Private use has no meaning that both sides know, but may have a picture: it becomes U+FFFD.

use icu_properties::props::GeneralCategory;

use super::pass::{Fate, Place};
use crate::text::properties::{category, is_ignorable, is_noncharacter};

pub(super) fn fate(place: Place<'_>) -> Fate {
    let character = place.character;
    if character.is_ascii() {
        return place.stays_if(true);
    }
    if category(character) == GeneralCategory::PrivateUse {
        return place.becomes(char::REPLACEMENT_CHARACTER);
    }
    let goes = match character {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}' => true,
        _ if has_a_place(character) => false,
        _ => is_ignorable(character) || is_noncharacter(character),
    };
    place.stays_if(!goes)
}

/// What the rules for joiners, direction marks, selectors and tags judge.
fn has_a_place(character: char) -> bool {
    matches!(
        character,
        '\u{200b}'..='\u{200f}'
            | '\u{61c}'
            | '\u{180b}'..='\u{180f}'
            | '\u{fe0e}' | '\u{fe0f}'
            | '\u{e0020}'..='\u{e007f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}
