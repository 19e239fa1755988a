//! The wire, frozen: every message as it stands in `fixtures/v1`, byte for byte. A change that
//! fails here is a new protocol version.
#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

#[path = "fixtures/client.rs"]
mod client;
#[path = "fixtures/relay.rs"]
mod relay;

use std::{collections::BTreeSet, fmt::Debug, fs, path::PathBuf};

use serde::Serialize;
use shared::{
    codec::{DecodeError, decode_client, decode_relay, encode},
    id::{OwnerId, RoomId, SessionId},
};

/// Gives every variant its wire name. A variant that is missing here does not compile, and a
/// name without a case or a fixture fails.
macro_rules! wire_names {
    ($message:ident { $($variant:ident: $name:literal,)* }) => {
        pub(super) const NAMES: &[&str] = &[$($name),*];

        pub(super) fn name(message: &$message<'_>) -> &'static str {
            match message {
                $($message::$variant { .. } => $name,)*
            }
        }
    };
}
use wire_names;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1")
}

fn owner(number: u8) -> OwnerId {
    OwnerId::from_bytes([number; 16])
}

fn room(number: u8) -> RoomId {
    RoomId::from_bytes([number; 16])
}

fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

/// Compares the cases of one type with its fixture, both ways.
fn assert_frozen<M: Serialize + PartialEq + Debug>(
    file: &str,
    cases: &[&M],
    decode: impl for<'f> Fn(&'f str, &M) -> Result<bool, DecodeError>,
) {
    let path = directory().join(file);
    let mut encoded = Vec::new();
    for case in cases {
        encode(*case, &mut encoded);
    }
    let encoded = String::from_utf8(encoded).unwrap();
    let frozen = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; it should hold\n{encoded}", path.display()));
    assert!(!cases.is_empty(), "{file} has no case");
    assert_eq!(encoded, frozen, "{file}");
    for (line, case) in frozen.lines().zip(cases) {
        assert_eq!(decode(line, case), Ok(true), "{file} does not decode to {case:?}");
    }
}

#[test]
fn client_messages_are_as_frozen() {
    let cases = client::cases();
    for name in client::NAMES {
        let of_type: Vec<_> = cases.iter().filter(|case| client::name(case) == *name).collect();
        assert_frozen(&format!("client-{name}.json"), &of_type, |line, case| {
            decode_client(line.as_bytes()).map(|decoded| decoded == *case)
        });
    }
}

#[test]
fn relay_messages_are_as_frozen() {
    let cases = relay::cases();
    for name in relay::NAMES {
        let of_type: Vec<_> = cases.iter().filter(|case| relay::name(case) == *name).collect();
        assert_frozen(&format!("relay-{name}.json"), &of_type, |line, case| {
            decode_relay(line.as_bytes()).map(|decoded| decoded == *case)
        });
    }
}

#[test]
fn every_fixture_is_that_of_a_message() {
    let found: BTreeSet<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = client::NAMES
        .iter()
        .map(|name| format!("client-{name}.json"))
        .chain(relay::NAMES.iter().map(|name| format!("relay-{name}.json")))
        .collect();
    assert_eq!(found, expected);
}

/// The name of a type stands in the frame, so a renamed variant cannot hide behind its fixture.
#[test]
fn every_fixture_has_the_type_of_its_name() {
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let (_, name) = stem.split_once('-').unwrap();
        for line in fs::read_to_string(&path).unwrap().lines() {
            assert!(line.starts_with(&format!("{{\"{name}\":{{")), "{stem}: {line}");
            assert!(line.len() < shared::limits::FRAME_BYTES);
        }
    }
}

#[test]
fn every_example_of_the_readme_is_a_message() {
    let readme = include_str!("../README.md");
    let mut types = BTreeSet::new();
    for line in readme.lines().filter(|line| line.starts_with('{')) {
        if let Ok(message) = decode_client(line.as_bytes()) {
            types.insert(format!("client-{}", client::name(&message)));
        }
        if let Ok(message) = decode_relay(line.as_bytes()) {
            types.insert(format!("relay-{}", relay::name(&message)));
        }
        assert!(decode_client(line.as_bytes()).is_ok() || decode_relay(line.as_bytes()).is_ok());
    }
    assert_eq!(types.len(), client::NAMES.len() + relay::NAMES.len(), "one of each: {types:?}");
}
