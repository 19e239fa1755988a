//! One walk over a text, from its start to its end, that asks for the fate of each character.

use std::borrow::Cow;

/// A character and what is around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// All that was kept before it.
    pub(super) before: &'a str,
    pub(super) character: char,
    /// All that stands after it, not yet judged.
    pub(super) after: &'a str,
}

impl Place<'_> {
    /// The last character that was kept.
    pub(super) fn previous(&self) -> Option<char> {
        self.before.chars().next_back()
    }

    /// The next character.
    pub(super) fn next(&self) -> Option<char> {
        self.after.chars().next()
    }

    /// The fate of the character alone: whether it stays.
    pub(super) fn stays_if(&self, stays: bool) -> Fate {
        if stays { Fate::Stays { following: 0 } } else { Fate::Goes { following: 0 } }
    }

    /// The character becomes another.
    pub(super) fn becomes(&self, new: char) -> Fate {
        Fate::Becomes { new, following: 0 }
    }
}

/// What becomes of a character, and of so many bytes that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays { following: usize },
    Goes { following: usize },
    Becomes { new: char, following: usize },
}

/// The text after a walk, and how many characters went. Allocates at the first change.
pub(super) fn pass<'a>(
    text: Cow<'a, str>,
    mut fate: impl FnMut(Place<'_>) -> Fate,
) -> (Cow<'a, str>, u32) {
    let mut kept: Option<String> = None;
    let mut removed = 0;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let before = kept.as_deref().unwrap_or(&text[..at]);
        let after = &text[at + character.len_utf8()..];
        let fate = fate(Place { before, character, after });
        let (Fate::Stays { following }
        | Fate::Goes { following }
        | Fate::Becomes { following, .. }) = fate;
        let end = at + character.len_utf8() + following;
        match fate {
            Fate::Stays { .. } => {
                if let Some(kept) = &mut kept {
                    kept.push_str(&text[at..end]);
                }
            }
            Fate::Goes { .. } => {
                kept.get_or_insert_with(|| beginning(&text, at));
                removed += text[at..end].chars().map(|_| 1).sum::<u32>();
            }
            Fate::Becomes { new, .. } => kept.get_or_insert_with(|| beginning(&text, at)).push(new),
        }
        at = end;
    }
    (kept.map_or(text, Cow::Owned), removed)
}

fn beginning(text: &str, length: usize) -> String {
    let mut beginning = String::with_capacity(text.len());
    beginning.push_str(&text[..length]);
    beginning
}
