//! A lock file that somebody else can hold, or that this account cannot.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::PathBuf,
};

use rustix::fs::{FlockOperation, flock};
use shared::endpoint::{Audience::OwnAccount, Endpoint, ListenError};
use tempfile::TempDir;

const SOMEBODY: u32 = 61_001;

/// An endpoint in a directory of our own, and where its lock belongs.
fn private() -> (TempDir, Endpoint, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let socket = directory.path().join("relay.sock");
    let lock = directory.path().join("relay.sock.lock");
    (directory, Endpoint::resolve(Some(&socket)).unwrap(), lock)
}

fn refusal(endpoint: &Endpoint) -> String {
    match endpoint.listen(OwnAccount) {
        Err(ListenError::Insecure(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn one_that_others_can_hold_is_refused_until_it_is_removed() {
    let (_directory, endpoint, lock) = private();
    for mode in [0o666, 0o640, 0o604] {
        drop(endpoint.listen(OwnAccount).unwrap());
        fs::set_permissions(&lock, fs::Permissions::from_mode(mode)).unwrap();
        // Held, it would seem for ever as if a relay ran.
        let held = File::open(&lock).unwrap();
        flock(&held, FlockOperation::LockExclusive).unwrap();
        let reason = refusal(&endpoint);
        assert!(reason.contains(&format!("(mode {mode:04o}, wanted 0600)")), "{reason}");
        assert!(reason.contains(&format!("`rm {}`", lock.display())), "{reason}");
        fs::remove_file(&lock).unwrap();
    }
    endpoint.listen(OwnAccount).unwrap();
}

#[tokio::test]
async fn one_of_another_account_is_refused_until_it_is_removed() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give a file away.
    }
    let (_directory, endpoint, lock) = private();
    drop(endpoint.listen(OwnAccount).unwrap());
    chown(&lock, Some(SOMEBODY), None).unwrap();
    let reason = refusal(&endpoint);
    assert!(reason.contains("belongs to another user (uid 61001)"), "{reason}");
    assert!(reason.contains(&format!("`rm {}`", lock.display())), "{reason}");
    fs::remove_file(&lock).unwrap();
    endpoint.listen(OwnAccount).unwrap();
}

#[tokio::test]
async fn what_is_no_file_is_refused_with_what_to_do() {
    let (directory, endpoint, lock) = private();
    symlink(directory.path().join("elsewhere"), &lock).unwrap();
    let refused = format!("the lock file {} is a symbolic link; remove it", lock.display());
    assert_eq!(refusal(&endpoint), refused);
    assert!(!directory.path().join("elsewhere").exists());
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let refused = format!("the lock file {} is a directory; remove it", lock.display());
    assert_eq!(refusal(&endpoint), refused);
}
