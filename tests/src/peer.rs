//! A peer of the relay that writes whatever bytes it likes.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
};

use serde_json::Value;

use crate::{PATIENCE, World};

/// A well-formed `hello` of a peer without a session.
pub const HELLO: &str = r#"{"hello":{"min":1,"max":1,"build":"a test"}}"#;

/// A connection to the relay's socket.
#[derive(Debug)]
pub struct Peer {
    stream: BufReader<UnixStream>,
}

impl Peer {
    /// Connects and says nothing.
    #[must_use]
    pub fn open(world: &World) -> Self {
        Self::open_at(&world.socket())
    }

    /// Connects to this socket and says nothing.
    #[must_use]
    pub fn open_at(socket: &Path) -> Self {
        Self::over(UnixStream::connect(socket).unwrap())
    }

    /// One that is connected and has said nothing.
    #[must_use]
    pub fn over(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Connects without a session.
    #[must_use]
    pub fn greeted(world: &World) -> Self {
        let mut peer = Self::open(world);
        peer.write(HELLO);
        assert_eq!(peer.read()["welcome"]["version"], 1);
        peer
    }

    /// Connects with a new session of this owner; returns its token as well.
    #[must_use]
    pub fn carrying(world: &World, owner: &str) -> (Self, String) {
        let mut peer = Self::open(world);
        peer.write(format!(
            r#"{{"hello":{{"min":1,"max":1,"build":"a test","owner":"{owner}"}}}}"#
        ));
        let welcome = peer.read();
        let token = welcome["welcome"]["session"]["token"].as_str();
        let token = token.unwrap_or_else(|| panic!("no session: {welcome}")).to_owned();
        (peer, token)
    }

    /// Writes a line.
    pub fn write(&mut self, line: impl AsRef<[u8]>) {
        self.write_raw(&[line.as_ref(), b"\n"].concat());
    }

    /// Writes bytes. The relay may have closed already.
    pub fn write_raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Says that nothing more will come; what the relay says can still be read.
    pub fn end_writing(&mut self) {
        let _ = self.stream.get_mut().shutdown(Shutdown::Write);
    }

    /// The next message.
    pub fn read(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a message: {line:?}"))
    }

    /// The next message of this type, which must come before any error; returns its content.
    pub fn until(&mut self, kind: &str) -> Value {
        loop {
            let mut message = self.read();
            if let Some(content) = message.get_mut(kind) {
                return content.take();
            }
            assert!(message.get("error").is_none(), "{message} instead of {kind}");
        }
    }

    /// Asserts that one error comes, of this code, and then the end; returns its message.
    pub fn expect_error_and_end(&mut self, code: &str) -> String {
        let message = self.read();
        assert_eq!(message["error"]["code"], code, "{message}");
        self.expect_end();
        message["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Asserts that nothing more comes.
    pub fn expect_end(&mut self) {
        let mut rest = Vec::new();
        // What was sent and not read makes it end with a reset.
        let _ = self.stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "there is more: {}", String::from_utf8_lossy(&rest));
    }
}
