//! A relay for every account of the computer, and how far a directory of another one is trusted.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::{
    fs,
    io::{self, Write as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink},
        net::UnixListener,
    },
    path::Path,
};

use shared::endpoint::{
    Audience::{EveryAccount, OwnAccount},
    ConnectError, Endpoint, KEY_BYTES, ListenError,
};
use tempfile::TempDir;

const SOMEBODY: u32 = 61_001;
const A_THIRD: u32 = 61_002;

/// An endpoint in a directory `shared`, which is there, in one of our own.
fn shared() -> (TempDir, Endpoint) {
    let outer = tempfile::tempdir().unwrap();
    let directory = outer.path().join("shared");
    fs::create_dir(&directory).unwrap();
    set_mode(&directory, 0o711);
    let endpoint = at(&directory.join("relay.sock"));
    (outer, endpoint)
}

fn at(path: &Path) -> Endpoint {
    Endpoint::resolve(Some(path)).unwrap()
}

fn directory(endpoint: &Endpoint) -> &Path {
    endpoint.path().parent().unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn refusal(endpoint: &Endpoint) -> String {
    match endpoint.listen(EveryAccount) {
        Err(ListenError::Insecure(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

async fn insecure(endpoint: &Endpoint) -> String {
    match endpoint.connect().await {
        Err(ConnectError::Insecure(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Only root can give files away, where there is anybody to give them to.
fn is_root() -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    let is_root =
        rustix::process::geteuid().is_root() && chown(file.path(), Some(SOMEBODY), None).is_ok();
    if !is_root {
        io::stderr().write_all(b"skipped, for it needs root: files of other accounts\n").unwrap();
    }
    is_root
}

#[tokio::test]
async fn all_can_reach_the_socket_and_nobody_else_the_lock_and_the_key() {
    let outer = tempfile::tempdir().unwrap();
    let endpoint = at(&outer.path().join("made").join("relay.sock"));
    let listener = endpoint.listen(EveryAccount).unwrap();
    let _key = listener.key([7; KEY_BYTES]);
    let named = |name| mode(&directory(&endpoint).join(name));
    assert_eq!(mode(directory(&endpoint)), 0o711, "made as it has to be");
    assert_eq!(named("relay.sock"), 0o666);
    assert_eq!((named("relay.sock.lock"), named("relay.sock.key")), (0o600, 0o600));

    let (client, server) = tokio::join!(endpoint.connect(), listener.accept());
    assert_eq!(client.unwrap().peer(), server.unwrap().peer(), "our own account is one of all");
}

#[tokio::test]
async fn a_socket_that_is_bound_again_is_for_all_again() {
    let (_outer, endpoint) = shared();
    let mut listener = endpoint.listen(EveryAccount).unwrap();
    fs::remove_file(endpoint.path()).unwrap();
    listener.rebind().unwrap();
    assert_eq!(mode(endpoint.path()), 0o666);
}

#[tokio::test]
async fn others_have_to_be_able_to_enter_and_not_to_write() {
    let (_outer, endpoint) = shared();
    for good in [0o711, 0o755, 0o751, 0o710] {
        set_mode(directory(&endpoint), good);
        drop(endpoint.listen(EveryAccount).unwrap());
    }
    let path = directory(&endpoint).display();
    for (bad, advice) in [
        (0o777, format!("`chmod go-w {path}`")),
        (0o775, format!("`chmod go-w {path}`")),
        (0o1777, format!("`chmod go-w {path}`")),
        (0o757, format!("`chmod go-w {path}`")),
        (0o700, format!("`chmod 0711 {path}`")),
        (0o744, format!("`chmod 0711 {path}`")),
    ] {
        set_mode(directory(&endpoint), bad);
        let reason = refusal(&endpoint);
        assert!(reason.contains(&format!("(mode {bad:04o})")), "{reason}");
        assert!(reason.contains(&advice), "{reason}");
    }
}

#[tokio::test]
async fn who_can_replace_the_directory_makes_it_no_good() {
    let (outer, endpoint) = shared();
    let listener = endpoint.listen(EveryAccount).unwrap();
    set_mode(outer.path(), 0o777);
    let reason = refusal(&endpoint);
    assert!(reason.contains("can replace the directory"), "{reason}");
    assert!(reason.contains("lets others write (mode 0777)"), "{reason}");
    assert_eq!(insecure(&endpoint).await, reason);

    let inner = at(&directory(&endpoint).join("not/made/relay.sock"));
    assert!(matches!(inner.listen(EveryAccount), Err(ListenError::Io { .. })));
    let beside = at(&outer.path().join("beside/relay.sock"));
    assert!(refusal(&beside).contains("can replace the directory"));
    assert!(!outer.path().join("beside").exists(), "nor is one made there");

    set_mode(outer.path(), 0o1777);
    drop(listener);
    drop(endpoint.listen(EveryAccount).unwrap());
}

#[tokio::test]
async fn where_a_symbolic_link_leads_counts_as_well_as_where_it_is() {
    let (outer, endpoint) = shared();
    let directly = outer.path().join("link");
    symlink(directory(&endpoint), &directly).unwrap();
    let through_link = at(&directly.join("relay.sock"));
    assert!(refusal(&through_link).contains("link is a symbolic link, not a directory"));
    assert!(insecure(&through_link).await.contains("link is a symbolic link, not a directory"));

    let elsewhere = tempfile::tempdir().unwrap();
    symlink(outer.path(), elsewhere.path().join("above")).unwrap();
    let above = at(&elsewhere.path().join("above/shared/relay.sock"));
    drop(above.listen(EveryAccount).unwrap());
    for open in [elsewhere.path(), outer.path()] {
        set_mode(open, 0o777);
        let reason = refusal(&above);
        assert!(reason.contains("above it lets others write (mode 0777)"), "{reason}");
        set_mode(open, 0o700);
    }
}

#[tokio::test]
async fn every_directory_that_a_chain_of_links_passes_through_counts() {
    let (outer, endpoint) = shared();
    let (start, open) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    set_mode(open.path(), 0o711);
    symlink(open.path().join("two"), start.path().join("one")).unwrap();
    symlink(outer.path(), open.path().join("two")).unwrap();
    let chained = at(&start.path().join("one/shared/relay.sock"));
    let listener = chained.listen(EveryAccount).unwrap();
    tokio::try_join!(chained.connect(), async { Ok(listener.accept().await.unwrap()) }).unwrap();
    drop(listener);

    set_mode(open.path(), 0o777);
    let reason = refusal(&chained);
    let named = format!("{} above it lets others write (mode 0777)", open.path().display());
    assert!(reason.contains(&named), "{reason}");
    assert_eq!(insecure(&chained).await, reason);
    drop(endpoint.listen(EveryAccount).unwrap());

    // In a sticky directory only the owner can change a link, whoever that is.
    set_mode(open.path(), 0o1777);
    drop(chained.listen(EveryAccount).unwrap());
    if is_root() {
        let link = open.path().join("two");
        lchown(&link, Some(A_THIRD), None).unwrap();
        let reason = refusal(&chained);
        let named =
            format!("the symbolic link {} above it belongs to a third user", link.display());
        assert!(reason.contains(&named), "{reason}");
    }

    // And a circle ends.
    symlink("circle", start.path().join("circle")).unwrap();
    let circular = at(&start.path().join("circle/shared/relay.sock"));
    assert!(circular.listen(EveryAccount).is_err());
    let back = at(&directory(&endpoint).join("..").join("shared").join("relay.sock"));
    drop(back.listen(EveryAccount).unwrap());
}

#[tokio::test]
async fn no_client_starts_a_relay_where_others_can_enter() {
    let (_outer, endpoint) = shared();
    let Err(ConnectError::AbsentShared(reason)) = endpoint.connect().await else {
        panic!("nobody is there, and nobody may be started");
    };
    assert!(reason.contains("is open to others (mode 0711)"), "{reason}");
    assert!(reason.contains("`relay serve --multi-user --socket "), "{reason}");
    assert_eq!(endpoint.started_by_hand(), Some(reason));

    drop(endpoint.listen(EveryAccount).unwrap());
    assert!(endpoint.path().exists());
    assert!(matches!(endpoint.connect().await, Err(ConnectError::AbsentShared(_))), "stale");

    set_mode(directory(&endpoint), 0o700);
    assert_eq!(endpoint.started_by_hand(), None);
    assert!(matches!(endpoint.connect().await, Err(ConnectError::Absent)), "private");
}

#[tokio::test]
async fn no_client_makes_a_directory_where_others_could_have_made_it() {
    let outer = tempfile::tempdir().unwrap();
    let endpoint = at(&outer.path().join("chat/relay.sock"));
    for open in [0o1777, 0o777, 0o775] {
        set_mode(outer.path(), open);
        let Err(ConnectError::AbsentShared(reason)) = endpoint.connect().await else {
            panic!("whose relay this is to be is not said yet");
        };
        let (missing, parent) = (directory(&endpoint).display(), outer.path().display());
        let said =
            format!("{missing} is missing, and others can write to {parent} (mode {open:04o})");
        assert!(reason.contains(&said), "{reason}");
        assert!(reason.contains(&format!("`mkdir -m 0700 {missing}`")), "{reason}");
        assert!(reason.contains("`relay serve --multi-user --socket "), "{reason}");
        assert_eq!(endpoint.started_by_hand(), Some(reason));
    }
    set_mode(outer.path(), 0o755);
    assert!(matches!(endpoint.connect().await, Err(ConnectError::Absent)), "nobody else can");
    assert_eq!(endpoint.started_by_hand(), None);
    set_mode(outer.path(), 0o1777);
    fs::create_dir(directory(&endpoint)).unwrap();
    set_mode(directory(&endpoint), 0o700);
    assert!(matches!(endpoint.connect().await, Err(ConnectError::Absent)), "made as was said");
}

#[tokio::test]
async fn others_have_to_come_through_every_directory_above() {
    let outer = tempfile::tempdir().unwrap();
    let home = outer.path().join("home");
    fs::create_dir(&home).unwrap();
    set_mode(outer.path(), 0o755);
    let endpoint = at(&home.join("chat/relay.sock"));
    for closed in [0o700, 0o744, 0o750] {
        set_mode(&home, closed);
        let reason = refusal(&endpoint);
        let said = format!("{} above it (mode {closed:04o})", home.display());
        assert!(
            reason.contains("cannot reach the directory") && reason.contains(&said),
            "{reason}"
        );
        assert!(reason.contains(&format!("`chmod o+x {}`", home.display())), "{reason}");
    }
    set_mode(&home, 0o711);
    drop(endpoint.listen(EveryAccount).unwrap());
    // A directory for the members of a group may lie in one for the same group.
    set_mode(directory(&endpoint), 0o710);
    set_mode(&home, 0o710);
    drop(endpoint.listen(EveryAccount).unwrap());
    if is_root() {
        chown(&home, None, Some(A_THIRD)).unwrap();
        assert!(refusal(&endpoint).contains("cannot reach the directory"));
    }
}

#[test]
fn the_default_path_is_never_shared() {
    let endpoint = Endpoint::resolve(None).unwrap();
    if std::env::var_os("MCP_CHAT_SOCKET").is_some() {
        return; // Whoever runs the tests has chosen another one.
    }
    assert!(refusal(&endpoint).contains("is for this account alone"));
    assert!(refusal(&at(endpoint.path())).contains("is for this account alone"), "named, too");
}

#[tokio::test]
async fn in_a_directory_of_another_account_only_that_one_can_be_the_relay() {
    if !is_root() {
        return;
    }
    let (outer, endpoint) = shared();
    chown(directory(&endpoint), Some(SOMEBODY), None).unwrap();
    for audience in [OwnAccount, EveryAccount] {
        let refused = endpoint.listen(audience).unwrap_err().to_string();
        assert!(refused.contains("belongs to another user (uid 61001)"), "{refused}");
    }
    let Err(ConnectError::AbsentShared(reason)) = endpoint.connect().await else {
        panic!("nobody is there, and nobody may be started");
    };
    assert!(
        reason.contains("belongs to another user (uid 61001): only that account can start"),
        "{reason}"
    );

    // Root has put a socket there, and then given it away: still root listens.
    let _listener = UnixListener::bind(endpoint.path()).unwrap();
    let refused = endpoint.connect().await;
    assert!(matches!(refused, Err(ConnectError::Foreign { uid: 0 })), "{refused:?}");
    chown(endpoint.path(), Some(SOMEBODY), None).unwrap();
    let refused = endpoint.connect().await;
    assert!(matches!(refused, Err(ConnectError::Foreign { uid: 0 })), "{refused:?}");
    chown(endpoint.path(), Some(A_THIRD), None).unwrap();
    let refused = endpoint.connect().await;
    assert!(matches!(refused, Err(ConnectError::Foreign { uid: A_THIRD })), "{refused:?}");

    fs::remove_file(endpoint.path()).unwrap();
    fs::write(endpoint.path(), "").unwrap();
    assert!(insecure(&endpoint).await.contains("is a regular file, not a socket"));

    chown(outer.path(), Some(A_THIRD), None).unwrap();
    let reason = insecure(&endpoint).await;
    assert!(reason.contains("above it belongs to a third user (uid 61002)"), "{reason}");
}
