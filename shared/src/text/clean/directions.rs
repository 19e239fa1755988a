//! Direction marks (LRM, RLM, ALM; UAX #9). Mixed Hebrew, Arabic and Latin needs one now and then
//! and never two in a row.

use super::pass::{Fate, Place};

pub(super) fn fate(place: Place<'_>) -> Fate {
    let follows_another = matches!(place.previous(), Some('\u{61c}' | '\u{200e}' | '\u{200f}'));
    place.stays_if(!follows_another)
}
