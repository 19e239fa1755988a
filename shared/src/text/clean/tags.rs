//! Tag characters, which mirror ASCII and show nothing: only as one of the three flags that
//! Unicode recommends for interchange (UTS #51, RGI emoji tag sequences), and whole.

use super::pass::{Fate, Place};

const BLACK_FLAG: char = '\u{1f3f4}';

/// England, Scotland, Wales; each ends with the cancel tag.
const FLAGS: [&str; 3] = [
    "\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

pub(super) fn fate(place: Place<'_>) -> Fate {
    let mut rests = FLAGS.iter().filter_map(|flag| flag.strip_prefix(place.character));
    match rests.find(|rest| place.after.starts_with(rest)) {
        Some(rest) if place.previous() == Some(BLACK_FLAG) => Fate::Stays { following: rest.len() },
        Some(_) | None => Fate::Goes { following: 0 },
    }
}
