//! What a relay claims, taken for no more than it can be: it may be another account's, and lie.
//! Its words are never repeated, its numbers fit what clients read, its tokens fit a frame.

use std::{borrow::Cow, time::Duration};

use shared::{limits, message::Leave};

use crate::session::ids::Moment;

/// A number, as clients can read it.
pub(crate) fn count(number: usize) -> usize {
    number.min(usize::try_from(limits::LARGEST_NUMBER).unwrap_or(usize::MAX))
}

/// The same, of milliseconds.
pub(super) fn milliseconds(number: u64) -> u64 {
    number.min(limits::LARGEST_NUMBER)
}

/// A token, if it can be one. It is written into a frame as it is.
pub(super) fn token(token: Cow<'_, str>) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let can_be = (1..=limits::TOKEN_BYTES).contains(&token.len()) && token.bytes().all(is_plain);
    can_be.then(|| token.into_owned())
}

/// When a message was passed on; if that is no time, when it came.
pub(super) fn sent_at(claimed: &str, now: Moment) -> String {
    match humantime::parse_rfc3339(claimed) {
        Ok(wall) => Moment { wall, ..now }.rfc3339(),
        Err(_) => now.rfc3339(),
    }
}

/// Characters that cleaning took out before: not more than could be sent.
pub(super) fn removed(claimed: u32) -> u32 {
    claimed.min(u32::try_from(limits::MESSAGE_RAW_BYTES).unwrap_or(u32::MAX))
}

/// For how long a place is kept.
pub(super) fn place_kept(claimed_ms: u64) -> Duration {
    Duration::from_millis(claimed_ms).min(limits::PLACE_KEPT_LONGEST)
}

/// The block tags for `hello` and each search, the oldest first: the newest that fit.
pub(super) fn presented_blocks(tags: &[String]) -> Vec<Cow<'static, str>> {
    let newest = newest_that_fit(tags.iter().rev(), |tag| tag.len());
    newest.map(|tag| Cow::Owned(tag.clone())).rev().collect()
}

/// The leaves for `hello`, likewise. The others follow once `hello` is answered.
pub(super) fn presented_leaves<'a>(
    leaves: impl Iterator<Item = &'a Leave<'static>>,
) -> Vec<Leave<'static>> {
    let newest = newest_that_fit(leaves, |leave| leave.token.len());
    newest.cloned().rev().collect()
}

fn newest_that_fit<'a, T: 'a>(
    newest_first: impl Iterator<Item = &'a T>,
    token_bytes: impl Fn(&T) -> usize,
) -> std::vec::IntoIter<&'a T> {
    let mut left = limits::HELLO_TOKENS_BYTES;
    let fitting = newest_first.map_while(|one| {
        left = left.checked_sub(token_bytes(one))?;
        Some(one)
    });
    fitting.collect::<Vec<_>>().into_iter()
}
