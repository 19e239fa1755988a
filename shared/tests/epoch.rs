//! The highest epoch, beside the relay's key.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
};

use shared::endpoint::{Audience, Endpoint, KEY_BYTES, Listener};
use tempfile::TempDir;

/// A listener in a directory of our own, and where its epoch belongs.
fn listening() -> (TempDir, Listener, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("v1").join("relay.sock");
    let listener = Endpoint::resolve(Some(&socket)).unwrap().listen(Audience::OwnAccount).unwrap();
    let epoch = directory.path().join("v1").join("relay.sock.epoch");
    (directory, listener, epoch)
}

#[tokio::test]
async fn one_that_is_kept_is_found_until_the_key_is_forgotten() {
    let (_directory, listener, path) = listening();
    assert_eq!(listener.kept_epoch(), Ok(None));
    for epoch in [1, u64::MAX, 7] {
        listener.keep_epoch(epoch).unwrap();
        assert_eq!(listener.kept_epoch(), Ok(Some(epoch)));
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let _made = listener.key([1; KEY_BYTES]);
    listener.forget_key().unwrap();
    assert!(!path.exists());
    assert_eq!(listener.kept_epoch(), Ok(None));
    listener.forget_key().unwrap();
}

#[tokio::test]
async fn one_that_cannot_be_trusted_is_told_and_can_be_replaced() {
    type Spoil = fn(&Path);
    let mut spoil: Vec<(Spoil, &str)> = vec![
        (|path| fs::write(path, [0; 7]).unwrap(), "has 7 bytes instead of 8"),
        (|path| fs::write(path, [0; 9]).unwrap(), "has 9 bytes instead of 8"),
        (
            |path| fs::set_permissions(path, fs::Permissions::from_mode(0o620)).unwrap(),
            "is open to others (mode 0620, wanted 0600)",
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
        listener.keep_epoch(5).unwrap();
        spoil(&path);
        let reason = listener.kept_epoch().unwrap_err();
        assert!(reason.starts_with(&format!("{} {why}", path.display())), "{reason}");
        listener.keep_epoch(6).unwrap();
        assert_eq!(listener.kept_epoch(), Ok(Some(6)));
    }
}

#[tokio::test]
async fn a_directory_in_its_place_is_left_and_told() {
    let (_directory, listener, path) = listening();
    fs::create_dir(&path).unwrap();
    let is_one = format!("{} is a directory", path.display());
    assert_eq!(listener.kept_epoch(), Err(is_one.clone()));
    assert_eq!(listener.keep_epoch(5), Err(format!("{is_one}; remove it")));
    assert!(!path.with_extension("epoch~").exists(), "nothing unfinished is left");
}
