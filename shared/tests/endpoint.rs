//! Socket, directory and lock, each in a private directory.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::{
    fs, io,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process,
};

use shared::{
    endpoint::{
        Audience::OwnAccount, ConnectError, Endpoint, EndpointError, ListenError, Listener,
        Standing, Stream,
    },
    limits::SOCKET_PATH_BYTES,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A directory of our own and the endpoint `relay.sock` in it.
fn private() -> (TempDir, Endpoint) {
    let directory = tempfile::tempdir().unwrap();
    set_mode(directory.path(), 0o700);
    let endpoint = at(directory.path().join("relay.sock"));
    (directory, endpoint)
}

fn at(path: impl AsRef<Path>) -> Endpoint {
    Endpoint::resolve(Some(path.as_ref())).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

async fn meet(endpoint: &Endpoint, listener: &Listener) -> (Stream, Stream) {
    let (client, server) = tokio::join!(endpoint.connect(), listener.accept());
    (client.unwrap(), server.unwrap())
}

fn refusal(endpoint: &Endpoint) -> String {
    match endpoint.listen(OwnAccount) {
        Err(ListenError::Insecure(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn both_ends_talk_and_know_each_other() {
    let (_directory, endpoint) = private();
    let listener = endpoint.listen(OwnAccount).unwrap();
    assert_eq!(listener.path(), endpoint.path());
    let (mut client, mut server) = meet(&endpoint, &listener).await;

    client.write_all(b"to the relay\n").await.unwrap();
    server.write_all(b"to the client\n").await.unwrap();
    let mut received = [0; 13];
    server.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"to the relay\n");
    let mut received = [0; 14];
    client.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"to the client\n");

    for peer in [client.peer(), server.peer()] {
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        if cfg!(target_os = "linux") {
            assert_eq!(peer.pid, Some(process::id()));
        }
    }
    drop(client);
    assert_eq!(server.read(&mut received).await.unwrap(), 0, "the end of the stream");
}

#[tokio::test]
async fn futures_and_streams_go_to_other_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let (_directory, endpoint) = private();
    let listener = endpoint.listen(OwnAccount).unwrap();
    let (client, server) = tokio::join!(is_send(endpoint.connect()), is_send(listener.accept()));
    is_send((client.unwrap(), server.unwrap(), listener));
}

#[tokio::test]
async fn a_second_relay_learns_who_runs() {
    let (_directory, endpoint) = private();
    let first = endpoint.listen(OwnAccount).unwrap();
    let second = endpoint.listen(OwnAccount).unwrap_err();
    assert!(
        matches!(second, ListenError::AlreadyRunning { pid: Some(pid) } if pid == process::id())
    );
    assert_eq!(second.to_string(), format!("already running (pid {})", process::id()));

    meet(&endpoint, &first).await;
    drop(first);
    let third = endpoint.listen(OwnAccount).unwrap();
    meet(&endpoint, &third).await;
}

#[tokio::test]
async fn nobody_listens() {
    let (directory, endpoint) = private();
    assert!(matches!(endpoint.connect().await, Err(ConnectError::Absent)), "no socket");
    drop(endpoint.listen(OwnAccount).unwrap());
    assert!(endpoint.path().exists(), "a relay that was killed leaves its socket behind");
    assert!(matches!(endpoint.connect().await, Err(ConnectError::Absent)), "a stale socket");
    let nowhere = at(directory.path().join("none/relay.sock"));
    assert!(matches!(nowhere.connect().await, Err(ConnectError::Absent)), "no directory");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_backlog_is_busy_and_not_absent() {
    let (_directory, endpoint) = private();
    let listener = UnixListener::bind(endpoint.path()).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let mut waiting = Vec::new();
    let error = loop {
        match endpoint.connect().await {
            Ok(stream) => waiting.push(stream),
            Err(error) => break error,
        }
        assert!(waiting.len() < 10, "a backlog of 0 takes this many?");
    };
    assert!(matches!(error, ConnectError::Busy), "{error:?}");
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    let (_directory, endpoint) = private();
    drop(UnixListener::bind(endpoint.path()).unwrap());
    // And so is what a relay leaves that is killed between binding and renaming.
    drop(UnixListener::bind(endpoint.path().with_file_name("relay.soc~")).unwrap());
    let listener = endpoint.listen(OwnAccount).unwrap();
    meet(&endpoint, &listener).await;
    assert!(!endpoint.path().with_file_name("relay.soc~").exists());
}

#[tokio::test]
async fn the_directory_is_made_private_and_only_the_last_one() {
    let (directory, _) = private();
    let endpoint = at(directory.path().join("made/relay.sock"));
    let _listener = endpoint.listen(OwnAccount).unwrap();
    let made = fs::metadata(directory.path().join("made")).unwrap();
    assert_eq!(made.mode() & 0o7777, 0o700);
    let lock = fs::metadata(directory.path().join("made/relay.sock.lock")).unwrap();
    assert_eq!(lock.mode() & 0o7777, 0o600);

    let deep = at(directory.path().join("not/made/relay.sock"));
    let error = deep.listen(OwnAccount).unwrap_err();
    assert!(
        matches!(&error, ListenError::Io { error, .. } if error.kind() == io::ErrorKind::NotFound)
    );
    assert!(!directory.path().join("not").exists());
}

#[tokio::test]
async fn a_directory_that_others_can_enter_is_refused_to_a_relay_and_one_that_they_can_change_to_all()
 {
    let (directory, endpoint) = private();
    let listener = endpoint.listen(OwnAccount).unwrap();
    for mode in [0o777, 0o701, 0o710, 0o704] {
        set_mode(directory.path(), mode);
        let reason = refusal(&endpoint);
        assert!(reason.contains(&format!("mode {mode:04o}")), "{reason}");
        let advice = format!("close it with `chmod 0700 {}`", directory.path().display());
        assert!(reason.contains(&advice), "{reason}");
        if mode == 0o777 {
            let error = endpoint.connect().await.unwrap_err();
            assert!(matches!(error, ConnectError::Insecure(why) if why.contains("mode 0777")));
        } else {
            meet(&endpoint, &listener).await;
        }
    }
    set_mode(directory.path(), 0o700);
    meet(&endpoint, &listener).await;
}

#[tokio::test]
async fn a_symbolic_link_to_a_directory_is_refused() {
    let (directory, _) = private();
    let real = directory.path().join("real");
    let link = directory.path().join("link");
    let _listener = at(real.join("relay.sock")).listen(OwnAccount).unwrap();
    symlink(&real, &link).unwrap();
    let through_link = at(link.join("relay.sock"));
    assert!(refusal(&through_link).contains("link is a symbolic link, not a directory"));
    assert!(matches!(through_link.connect().await, Err(ConnectError::Insecure(_))));
}

#[tokio::test]
async fn a_directory_of_somebody_else_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give a directory away.
    }
    let (directory, endpoint) = private();
    std::os::unix::fs::chown(directory.path(), Some(12_345), None).unwrap();
    let reason = refusal(&endpoint);
    assert!(reason.contains("belongs to another user (uid 12345); name a path"), "{reason}");
    assert!(reason.contains("with --socket or MCP_CHAT_SOCKET"), "{reason}");
    assert!(matches!(endpoint.connect().await, Err(ConnectError::AbsentShared(_))));
}

#[tokio::test]
async fn what_is_not_a_socket_is_refused_and_left_alone() {
    let (directory, endpoint) = private();
    let path = endpoint.path();

    fs::write(path, "precious").unwrap();
    assert_eq!(refusal(&endpoint), not_a_socket(path, "a regular file"));
    assert_eq!(fs::read_to_string(path).unwrap(), "precious");
    fs::remove_file(path).unwrap();

    symlink(directory.path().join("elsewhere"), path).unwrap();
    assert_eq!(refusal(&endpoint), not_a_socket(path, "a symbolic link"));
    fs::remove_file(path).unwrap();

    fs::create_dir(path).unwrap();
    assert_eq!(refusal(&endpoint), not_a_socket(path, "a directory"));
    fs::remove_dir(path).unwrap();

    endpoint.listen(OwnAccount).unwrap();
}

fn not_a_socket(path: &Path, kind: &str) -> String {
    format!("{} is {kind}, not a socket; remove it", path.display())
}

fn lock_of(endpoint: &Endpoint) -> PathBuf {
    endpoint.path().with_file_name("relay.sock.lock")
}

#[tokio::test]
async fn the_longest_path_works_and_one_more_byte_is_refused() {
    let (directory, _) = private();
    let room = SOCKET_PATH_BYTES - directory.path().as_os_str().len() - 1;
    let longest = at(directory.path().join("s".repeat(room)));
    assert_eq!(longest.path().as_os_str().len(), SOCKET_PATH_BYTES);
    let listener = longest.listen(OwnAccount).unwrap();
    meet(&longest, &listener).await;

    let error = Endpoint::resolve(Some(&directory.path().join("s".repeat(room + 1)))).unwrap_err();
    assert!(matches!(error, EndpointError::PathTooLong { bytes: 104, max_bytes: 103, .. }));
    assert!(error.to_string().ends_with("has 104 bytes; at most 103 are allowed"), "{error}");
}

#[tokio::test]
async fn names_of_any_length_and_alphabet_have_a_temporary_name() {
    let (directory, _) = private();
    for name in ["s", "~", "a~", "ünïcödé", "😀"] {
        let endpoint = at(directory.path().join(name));
        let listener = endpoint.listen(OwnAccount).unwrap();
        meet(&endpoint, &listener).await;
    }
    let names = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(names, 10, "five sockets, five locks, nothing temporary");
}

#[test]
fn a_path_without_a_name_is_refused() {
    for path in ["/", "/tmp/..", ""] {
        let error = Endpoint::resolve(Some(Path::new(path))).unwrap_err();
        assert!(
            matches!(error, EndpointError::NoFileName { .. } | EndpointError::NotAbsolute { .. }),
            "{path:?}: {error}"
        );
    }
    let relative = at("somewhere/relay.sock");
    assert!(relative.path().is_absolute());
    assert_eq!(at("/tmp/x/relay.sock/").path(), Path::new("/tmp/x/relay.sock"));
}

#[test]
fn the_default_path_depends_on_the_user_alone_and_is_not_made_by_asking() {
    let endpoint = Endpoint::resolve(None).unwrap();
    if std::env::var_os("MCP_CHAT_SOCKET").is_some() {
        return; // Whoever runs the tests has chosen another one.
    }
    let uid = rustix::process::geteuid().as_raw();
    let candidates = [
        format!("/run/user/{uid}/mcp-chat/v1/relay.sock"),
        format!("/tmp/mcp-chat-{uid}/v1/relay.sock"),
    ];
    assert!(candidates.iter().any(|path| endpoint.path() == Path::new(path)), "{endpoint:?}");
    assert_eq!(at(endpoint.path()), endpoint, "naming the default path changes nothing");
}

#[tokio::test]
async fn unlink_takes_only_our_own_socket() {
    let (_directory, endpoint) = private();
    let listener = endpoint.listen(OwnAccount).unwrap();
    let (mut client, mut server) = meet(&endpoint, &listener).await;

    listener.unlink();
    assert!(!endpoint.path().exists());
    listener.unlink();
    assert!(matches!(endpoint.connect().await, Err(ConnectError::Absent)));
    assert!(
        matches!(endpoint.listen(OwnAccount), Err(ListenError::AlreadyRunning { .. })),
        "still locked"
    );
    client.write_all(b"!").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'!', "connections stay");

    let foreign = UnixListener::bind(endpoint.path()).unwrap();
    listener.unlink();
    assert!(endpoint.path().exists());
    drop(foreign);
    drop(listener);
    assert!(endpoint.path().exists(), "dropping a listener removes nothing");
}

#[tokio::test]
async fn a_lost_socket_is_seen_and_bound_again() {
    let (_directory, endpoint) = private();
    let mut listener = endpoint.listen(OwnAccount).unwrap();
    assert_eq!(listener.check(), Standing::Ours);

    fs::remove_file(endpoint.path()).unwrap();
    assert_eq!(listener.check(), Standing::SocketMissing);
    listener.rebind().unwrap();
    assert_eq!(listener.check(), Standing::Ours);
    meet(&endpoint, &listener).await;

    fs::remove_file(endpoint.path()).unwrap();
    let _foreign = UnixListener::bind(endpoint.path()).unwrap();
    assert_eq!(listener.check(), Standing::SocketMissing, "foreign is as bad as missing");
    listener.rebind().unwrap();
    meet(&endpoint, &listener).await;
}

#[tokio::test]
async fn a_lost_lock_is_seen_and_ends_all_claims() {
    let (_directory, endpoint) = private();
    let mut first = endpoint.listen(OwnAccount).unwrap();
    fs::remove_file(lock_of(&endpoint)).unwrap();
    assert_eq!(first.check(), Standing::LockLost);

    let second = endpoint.listen(OwnAccount).unwrap();
    assert_eq!(first.check(), Standing::LockLost, "foreign is as bad as missing");
    first.unlink();
    assert!(matches!(first.rebind(), Err(ListenError::Insecure(_))));
    drop(first);
    assert_eq!(second.check(), Standing::Ours);
    meet(&endpoint, &second).await;
}

#[tokio::test]
async fn an_accept_that_is_given_up_loses_no_connection() {
    let (_directory, endpoint) = private();
    let listener = endpoint.listen(OwnAccount).unwrap();
    tokio::select! {
        biased;
        _ = listener.accept() => panic!("nobody has connected"),
        () = std::future::ready(()) => {}
    }
    meet(&endpoint, &listener).await;
}
