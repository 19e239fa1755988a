//! The relay's key, beside its socket.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::PathBuf,
};

use shared::endpoint::{Audience, Endpoint, KEY_BYTES, KeyOrigin, Listener};
use tempfile::TempDir;

const ONE: [u8; KEY_BYTES] = [1; KEY_BYTES];
const TWO: [u8; KEY_BYTES] = [2; KEY_BYTES];

/// A listener in a directory of our own, and where its key belongs.
fn listening() -> (TempDir, Listener, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("v1").join("relay.sock");
    let listener = Endpoint::resolve(Some(&socket)).unwrap().listen(Audience::OwnAccount).unwrap();
    let key = directory.path().join("v1").join("relay.sock.key");
    (directory, listener, key)
}

#[tokio::test]
async fn the_first_relay_makes_it_and_the_next_one_finds_it() {
    let (_directory, listener, path) = listening();
    let made = listener.key(ONE);
    assert_eq!((made.bytes, made.origin), (ONE, KeyOrigin::Made));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let found = listener.key(TWO);
    assert_eq!((found.bytes, found.origin), (ONE, KeyOrigin::Found));
}

#[tokio::test]
async fn one_that_is_forgotten_is_made_anew() {
    let (_directory, listener, path) = listening();
    assert_eq!(listener.key(ONE).origin, KeyOrigin::Made);
    listener.forget_key().unwrap();
    assert!(!path.exists());
    listener.forget_key().unwrap();
    assert_eq!(listener.key(TWO).origin, KeyOrigin::Made);
}

#[tokio::test]
async fn one_that_cannot_be_trusted_is_replaced() {
    type Spoil = fn(&PathBuf);
    let mut spoil: Vec<(Spoil, &str)> = vec![
        (|path| fs::write(path, [7; KEY_BYTES - 1]).unwrap(), "has 31 bytes instead of 32"),
        (|path| fs::write(path, [7; KEY_BYTES + 1]).unwrap(), "has 33 bytes instead of 32"),
        (
            |path| fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap(),
            "is open to others (mode 0640, wanted 0600)",
        ),
        (
            |path| {
                let elsewhere = path.with_extension("elsewhere");
                fs::rename(path, &elsewhere).unwrap();
                symlink(elsewhere, path).unwrap();
            },
            "is a symbolic link",
        ),
    ];
    if rustix::process::geteuid().is_root() {
        spoil.push((|path| chown(path, Some(61_001), None).unwrap(), "belongs to another user"));
    }
    for (spoil, why) in spoil {
        let (_directory, listener, path) = listening();
        assert_eq!(listener.key(ONE).origin, KeyOrigin::Made);
        spoil(&path);
        let replaced = listener.key(TWO);
        let KeyOrigin::Replaced(reason) = replaced.origin else {
            panic!("not replaced: {:?}", replaced.origin);
        };
        assert!(reason.starts_with(&format!("{} {why}", path.display())), "{reason}");
        assert_eq!(replaced.bytes, TWO);
        let found = listener.key(ONE);
        assert_eq!((found.bytes, found.origin), (TWO, KeyOrigin::Found));
    }
}

#[tokio::test]
async fn one_that_cannot_be_kept_serves_this_relay_alone() {
    let (_directory, listener, path) = listening();
    fs::create_dir(&path).unwrap();
    let key = listener.key(ONE);
    let KeyOrigin::Ephemeral(reason) = key.origin else { panic!("kept: {:?}", key.origin) };
    assert_eq!(reason, format!("{} is a directory; remove it", path.display()));
    assert_eq!(key.bytes, ONE);
    assert!(!path.with_extension("key~").exists(), "nothing unfinished is left");
}
