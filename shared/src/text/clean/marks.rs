//! Combining marks: a stack of them may be as high as a script needs, not as high as a page.

use super::pass::{Fate, Place};
use crate::limits::MARKS_PER_BASE;
use crate::text::properties::is_mark;

/// The marks of the last base. Joiners, selectors and direction marks between them do not begin
/// another stack.
#[derive(Debug, Default)]
pub(super) struct Stack {
    marks: usize,
}

impl Stack {
    /// The fate of a character that is either a base or a mark.
    pub(super) fn fate(&mut self, place: Place<'_>) -> Fate {
        if place.character.is_ascii() || !is_mark(place.character) {
            self.marks = 0;
            return place.stays_if(true);
        }
        self.marks += 1;
        place.stays_if(self.marks <= MARKS_PER_BASE)
    }
}
