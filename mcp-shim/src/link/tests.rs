use std::os::unix::fs::PermissionsExt as _;

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::UnixListener,
};

use super::*;

const MESSAGES: usize = 1_000;

#[tokio::test]
async fn a_link_that_is_closed_still_writes_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let socket = folder.path().join("relay.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let endpoint = Endpoint::resolve(Some(&socket)).unwrap();
    let route = Arc::new(Route { endpoint, launcher: None, ending: AtomicBool::new(false) });
    let (events, mut news) = mpsc::channel(FRAMES_AHEAD);
    let mut link = Link::open(ChatId::from_number(1), 1, route, events);
    let (stream, _) = listener.accept().await.unwrap();
    let LinkNews::Connected { connection, .. } = news.recv().await.unwrap().news else {
        panic!("it has a connection")
    };
    link.connection = Some(connection);
    for _ in 0..MESSAGES {
        link.write(ToWrite::Message(ClientMessage::Ping {}));
    }
    link.close();

    let mut lines = BufReader::new(stream).lines();
    let mut read = 0;
    while lines.next_line().await.unwrap().is_some() {
        read += 1;
    }
    assert_eq!(read, MESSAGES);
    // And that is its end: nothing is left that could make another connection.
    assert!(news.recv().await.is_none());
}
