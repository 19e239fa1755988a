//! A socket between a shim and its relay: to say to the shim what a relay would say in situations
//! that cannot be brought about from outside, and to let something happen at an exact frame.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use serde_json::Value;

/// Listens at a socket of its own.
#[derive(Debug)]
pub struct Proxy {
    socket: PathBuf,
    clients: Arc<Mutex<Vec<UnixStream>>>,
}

/// Who has sent a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The client.
    Client,
    /// The relay.
    Relay,
}

/// What becomes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on to where it was sent.
    Passed,
    /// So many bytes of it go on, and then both connections end.
    CutAfter(usize),
}

impl Proxy {
    /// Passes everything on, both ways, between whoever comes to `socket` and the relay.
    #[must_use]
    pub fn between(socket: PathBuf, relay: PathBuf) -> Self {
        Self::judging(socket, relay, |_, _| Fate::Passed)
    }

    /// Passes on what `judge` lets pass, frame by frame.
    #[must_use]
    pub fn judging(
        socket: PathBuf,
        relay: PathBuf,
        judge: impl Fn(From, &str) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let judge = Arc::new(judge);
        Self::listening(socket, move |client| {
            // Without a relay it closes at once, which a client takes for "nobody is there".
            let relay = UnixStream::connect(&relay)?;
            let (down, up) = ((relay.try_clone()?, client.try_clone()?), (client, relay));
            let judge_down = Arc::clone(&judge);
            std::thread::spawn(move || pass_on(From::Relay, down, &*judge_down));
            pass_on(From::Client, up, &*judge)
        })
    }

    /// Answers the first line of whoever comes with this line, and closes.
    #[must_use]
    pub fn answering(socket: PathBuf, line: &'static str) -> Self {
        Self::listening(socket, move |client| {
            BufReader::new(&client).read_line(&mut String::new())?;
            writeln!(&client, "{line}")
        })
    }

    /// Answers each line of whoever comes with these lines, as a relay would that is none of ours.
    #[must_use]
    pub fn saying(
        socket: PathBuf,
        say: impl Fn(&Value) -> Vec<Value> + Send + Sync + 'static,
    ) -> Self {
        Self::listening(socket, move |client| {
            for line in BufReader::new(&client).lines() {
                for answer in say(&serde_json::from_str(&line?)?) {
                    writeln!(&client, "{answer}")?;
                }
            }
            Ok(())
        })
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Says this line to everybody who is connected, and closes.
    pub fn interrupt(&self, line: &str) {
        for mut client in self.clients.lock().unwrap().drain(..) {
            let _ = writeln!(client, "{line}");
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    /// Ends the connections of everybody who is connected.
    pub fn cut(&self) {
        for client in self.clients.lock().unwrap().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    fn listening(
        socket: PathBuf,
        serve: impl Fn(UnixStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(&socket).unwrap();
        let clients = Arc::new(Mutex::new(Vec::new()));
        let served = Arc::clone(&clients);
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                served.lock().unwrap().push(client.try_clone().unwrap());
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || {
                    let ended = client.try_clone();
                    let _ = serve(client);
                    let _ = ended.and_then(|client| client.shutdown(Shutdown::Both));
                });
            }
        });
        Self { socket, clients }
    }
}

fn pass_on(
    from: From,
    (source, mut target): (UnixStream, UnixStream),
    judge: &(dyn Fn(From, &str) -> Fate + Send + Sync),
) -> io::Result<()> {
    let mut frames = BufReader::new(source.try_clone()?);
    let mut frame = String::new();
    let passed = loop {
        frame.clear();
        match frames.read_line(&mut frame) {
            Ok(1..) => {}
            ended => break ended.map(|_| ()),
        }
        let sent = match judge(from, &frame) {
            Fate::Passed => target.write_all(frame.as_bytes()),
            Fate::CutAfter(bytes) => {
                target.write_all(&frame.as_bytes()[..bytes.min(frame.len())])?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        };
        if sent.is_err() {
            break sent;
        }
    };
    let _ = source.shutdown(Shutdown::Both);
    let _ = target.shutdown(Shutdown::Both);
    passed
}
