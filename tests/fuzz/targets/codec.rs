//! Bytes of a peer: the same frames however they come, and what decodes encodes to the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::{
    codec::{Decoder, decode_client, decode_relay, encode},
    limits::FRAME_BYTES,
};

fuzz_target!(|bytes: &[u8]| {
    let whole = frames(bytes, FRAME_BYTES);
    let piece = bytes.first().map_or(1, |&first| usize::from(first % 32) + 1);
    assert_eq!(frames(bytes, piece), whole);
    for frame in whole.0 {
        if let Ok(message) = decode_client(&frame) {
            let again = line(&message);
            assert_eq!(decode_client(&again).unwrap(), message);
        }
        if let Ok(message) = decode_relay(&frame) {
            let again = line(&message);
            assert_eq!(decode_relay(&again).unwrap(), message);
        }
    }
});

/// The frames, and whether all of it could be one.
fn frames(bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
    let mut decoder = Decoder::new();
    let mut frames = Vec::new();
    for bytes in bytes.chunks(piece) {
        decoder.extend(bytes);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(_) => return (frames, false),
            }
        }
    }
    (frames, true)
}

fn line<M: serde::Serialize>(message: &M) -> Vec<u8> {
    let mut line = Vec::new();
    encode(message, &mut line);
    assert_eq!(line.pop(), Some(b'\n'));
    line
}
