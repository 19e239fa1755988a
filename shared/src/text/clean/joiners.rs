//! Zero width joiner, non-joiner and space: only where one changes what is seen or where lines
//! break. Everywhere else they could spell something that only programs read.
//!
//! The context rules of RFC 5892, appendix A, and two that it lacks: a joiner between a letter and
//! a virama (Bengali ya-phalaa), a non-joiner before a virama. Emoji sequences are those of
//! UTS #51, loosely: any two pictographs can be glued.

use icu_properties::props::JoiningType;

use super::pass::{Fate, Place};
use crate::limits::JOINER_LOOK_AROUND;
use crate::text::properties::{
    is_letter, is_mark, is_pictograph, is_skin_tone, is_south_east_asian, is_virama, joining_type,
};

const EMOJI_PRESENTATION: char = '\u{fe0f}';

/// As emoji glue, after a virama, or between a letter and a virama.
pub(super) fn zero_width_joiner(place: Place<'_>) -> Fate {
    let after_virama = place.previous().is_some_and(is_virama);
    let between = || place.previous().is_some_and(is_letter) && place.next().is_some_and(is_virama);
    place.stays_if(after_virama || between() || is_glue(&place))
}

fn is_glue(place: &Place<'_>) -> bool {
    let mut before = place.before.chars().rev().take(JOINER_LOOK_AROUND);
    let left = before.find(|&nearest| nearest != EMOJI_PRESENTATION && !is_skin_tone(nearest));
    left.is_some_and(is_pictograph) && place.next().is_some_and(is_pictograph)
}

/// By RFC 5892, A.1: after a virama, or where it breaks a cursive connection; or before a virama.
pub(super) fn zero_width_non_joiner(place: Place<'_>) -> Fate {
    let after_virama = place.previous().is_some_and(is_virama);
    let before_virama = || {
        place.previous().is_some_and(|previous| is_letter(previous) || is_mark(previous))
            && place.next().is_some_and(is_virama)
    };
    place.stays_if(after_virama || before_virama() || breaks_connection(&place))
}

fn breaks_connection(place: &Place<'_>) -> bool {
    let left = nearest_that_joins(place.before.chars().rev());
    let right = || nearest_that_joins(place.after.chars());
    matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right(), Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

fn nearest_that_joins(characters: impl Iterator<Item = char>) -> Option<JoiningType> {
    let mut types = characters.take(JOINER_LOOK_AROUND).map(joining_type);
    types.find(|&joining_type| joining_type != JoiningType::Transparent)
}

/// Between words of scripts that write no space there.
pub(super) fn zero_width_space(place: Place<'_>) -> Fate {
    let left = place.previous().is_some_and(is_south_east_asian);
    let right = |next| is_south_east_asian(next) && is_letter(next);
    place.stays_if(left && place.next().is_some_and(right))
}
