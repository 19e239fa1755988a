//! Line ends, control characters and escape sequences (ECMA-48). Every kind of line end becomes a
//! line feed; the tab stays; every other control character goes.
//!
//! A control sequence (CSI) goes as a whole, because its parameters mean nothing to a reader. Of
//! what begins a control *string* (OSC, DCS, SOS, PM, APC) only the introducer goes: a terminal
//! would swallow all that follows up to a terminator, and here nothing is hidden behind one that
//! never comes. The same is true of a control sequence without an end.

use super::pass::{Fate, Place};

const ESCAPE: char = '\u{1b}';
const CONTROL_SEQUENCE_INTRODUCER: char = '\u{9b}';

pub(super) fn fate(place: Place<'_>) -> Fate {
    match place.character {
        '\t' | '\n' => place.stays_if(true),
        '\r' if place.after.starts_with('\n') => Fate::Becomes { new: '\n', following: 1 },
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => place.becomes('\n'),
        ESCAPE => match place.next() {
            Some('[') => Fate::Goes { following: 1 + sequence_bytes(&place.after[1..]) },
            // DCS, SOS, OSC, PM, APC, and ST, which ends them.
            Some('P' | 'X' | ']' | '^' | '_' | '\\') => Fate::Goes { following: 1 },
            Some(_) | None => Fate::Goes { following: 0 },
        },
        CONTROL_SEQUENCE_INTRODUCER => Fate::Goes { following: sequence_bytes(place.after) },
        character => place.stays_if(!character.is_control()),
    }
}

/// The length of what belongs to a control sequence after its introducer; 0 if it has no end.
fn sequence_bytes(after: &str) -> usize {
    let is_parameter = |byte: &u8| matches!(byte, b'0'..=b'?');
    let is_intermediate = |byte: &u8| matches!(byte, b' '..=b'/');
    let bytes = after.as_bytes();
    let parameters = bytes.iter().take_while(|byte| is_parameter(byte)).count();
    let intermediates = bytes[parameters..].iter().take_while(|byte| is_intermediate(byte)).count();
    match bytes.get(parameters + intermediates) {
        Some(b'@'..=b'~') => parameters + intermediates + 1,
        Some(_) | None => 0,
    }
}
