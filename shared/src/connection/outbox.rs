//! What waits to be sent, in pieces: what was sent is given back piece by piece, however the other
//! side reads, and nothing is moved or kept twice.

use std::{collections::VecDeque, io, mem};

use serde::Serialize;

use crate::codec;

/// The first room of an outbox: most messages fit without growing.
const LEAST_BYTES: usize = 256;
/// An empty outbox above this is given back: ten thousand idle connections shall stay small.
const KEPT_BYTES: usize = 512;
/// One piece. An outbox takes no more memory than what waits and two of them.
pub(super) const PIECE_BYTES: usize = 16 * 1024;

/// Frames in the order in which they go out. A frame can lie across pieces.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The pieces before the last one, full.
    full: VecDeque<Vec<u8>>,
    last: Vec<u8>,
    /// How much of the first piece was sent.
    sent: usize,
    /// Whether what was sent ends inside a frame.
    inside_frame: bool,
}

impl Outbox {
    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.full.len() * PIECE_BYTES + self.last.len() - self.sent
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        self.full.len() * PIECE_BYTES + self.last.capacity()
    }

    /// Appends a message as one frame, unless more than `most` bytes would wait then. Returns
    /// whether it did.
    pub(super) fn push(&mut self, message: &impl Serialize, most: usize) -> bool {
        let before = self.len();
        let is_whole = codec::write(message, &mut *self).is_ok();
        let fits = self.len() <= most;
        if !(is_whole && fits) {
            self.truncate(before);
        }
        fits
    }

    /// Gives up what waits, but for the rest of a frame that was sent in part.
    pub(super) fn keep_begun_frame(&mut self) {
        let mut kept = 0;
        if self.inside_frame {
            let mut waiting = self.pieces().flatten();
            kept = waiting.position(|byte| *byte == b'\n').map_or(self.len(), |end| end + 1);
        }
        self.truncate(kept);
    }

    /// What is to be sent next; empty only if nothing waits.
    pub(super) fn next(&self) -> &[u8] {
        self.pieces().next().unwrap_or_default()
    }

    /// So much of [`next`](Self::next) was sent.
    pub(super) fn advance(&mut self, sent: usize) {
        let Some(last_sent) = sent.checked_sub(1) else { return };
        self.inside_frame = self.next()[last_sent] != b'\n';
        self.sent += sent;
        if self.sent == PIECE_BYTES && self.full.pop_front().is_some() {
            self.sent = 0;
        }
        if self.len() == 0 {
            self.sent = 0;
            self.last.clear();
            if self.last.capacity() > KEPT_BYTES {
                *self = Self { inside_frame: self.inside_frame, ..Self::default() };
            }
        }
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let all = self.full.iter().chain([&self.last]).map(Vec::as_slice);
        let mut sent = self.sent;
        all.map(move |piece| &piece[mem::take(&mut sent)..])
    }

    /// Takes away the newest, until so many bytes wait.
    fn truncate(&mut self, length: usize) {
        let end = self.sent + length;
        while end < self.full.len() * PIECE_BYTES {
            self.last = self.full.pop_back().unwrap_or_default();
        }
        self.last.truncate(end - self.full.len() * PIECE_BYTES);
        if self.len() == 0 {
            self.sent = 0;
            self.full = VecDeque::new();
            self.last = Vec::new();
        }
    }
}

impl io::Write for Outbox {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.last.len() == PIECE_BYTES {
            let next = Vec::with_capacity(PIECE_BYTES);
            self.full.push_back(mem::replace(&mut self.last, next));
        }
        let bytes = &bytes[..bytes.len().min(PIECE_BYTES - self.last.len())];
        let needed = self.last.len() + bytes.len();
        if needed > self.last.capacity() {
            let doubled = (2 * self.last.capacity()).clamp(LEAST_BYTES, PIECE_BYTES);
            self.last.reserve_exact(doubled.max(needed) - self.last.len());
        }
        self.last.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.last.capacity() - self.last.len() >= bytes.len() {
            self.last.extend_from_slice(bytes);
            return Ok(());
        }
        while !bytes.is_empty() {
            bytes = &bytes[self.write(bytes)?..];
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn text(outbox: &Outbox) -> Vec<u8> {
        outbox.pieces().flatten().copied().collect()
    }

    #[test]
    fn memory_is_what_waits_and_two_pieces_however_it_is_read() {
        const MOST: usize = 100_000;
        // Frames that fit into pieces and such that do not, read in sips and in gulps.
        for (frame, read) in [(10, 7), (1_000, 4_096), (1_021, 1_024), (60_000, PIECE_BYTES)] {
            let mut outbox = Outbox::default();
            let message = "x".repeat(frame);
            let mut before = 0;
            while before < 5 * MOST {
                while outbox.push(&message, MOST) {}
                let part = read.min(outbox.next().len());
                outbox.advance(part);
                before += part;
                let (waiting, memory) = (outbox.len(), outbox.memory());
                assert!(waiting <= MOST && memory <= waiting + 2 * PIECE_BYTES, "{memory} bytes");
            }
        }
    }

    #[test]
    fn what_goes_in_comes_out_across_pieces_and_what_is_refused_leaves_no_trace() {
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        let mut sent = Vec::new();
        for number in 0..200_usize {
            let message = number.to_string().repeat(number);
            let most = outbox.len() + if number % 3 == 0 { 0 } else { usize::from(u16::MAX) };
            if outbox.push(&message, most) {
                codec::encode(&message, &mut expected);
            }
            let next = outbox.next();
            let part = &next[..next.len().min(150)];
            sent.extend_from_slice(part);
            let part = part.len();
            outbox.advance(part);
            assert_eq!([&sent[..], &text(&outbox)].concat(), expected, "at {number}");
            assert_eq!(outbox.len(), text(&outbox).len());
        }
        while outbox.len() > 0 {
            let next = outbox.next();
            sent.extend_from_slice(next);
            let next = next.len();
            outbox.advance(next);
        }
        assert_eq!(sent, expected);
        assert_eq!(outbox.memory(), 0, "a large one is given back");
        assert!(outbox.next().is_empty());
    }

    #[test]
    fn of_a_begun_frame_the_rest_is_kept_wherever_pieces_end() {
        for (frame, sent) in [(10, 1), (PIECE_BYTES, 3), (3 * PIECE_BYTES, PIECE_BYTES), (5, 6)] {
            let mut outbox = Outbox::default();
            let line = [&vec![b'x'; frame][..], b"\n"].concat();
            outbox.write_all(&line).unwrap();
            outbox.write_all(&line).unwrap();
            outbox.advance(sent);
            outbox.keep_begun_frame();
            assert_eq!(text(&outbox), line[sent..], "after {sent} of {frame}");
            outbox.keep_begun_frame();
            assert_eq!(text(&outbox), line[sent..]);
        }
    }
}
