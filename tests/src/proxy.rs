//! A socket between a shim and its relay, to say to the shim what a relay would say in situations
//! that cannot be brought about from outside.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// Listens at a socket of its own.
#[derive(Debug)]
pub struct Proxy {
    socket: PathBuf,
    clients: Arc<Mutex<Vec<UnixStream>>>,
}

impl Proxy {
    /// Passes everything on, both ways, between whoever comes to `socket` and the relay.
    #[must_use]
    pub fn between(socket: PathBuf, relay: PathBuf) -> Self {
        Self::listening(socket, move |client| {
            let upstream = UnixStream::connect(&relay)?;
            let (mut from, mut to) = (upstream.try_clone()?, client.try_clone()?);
            std::thread::spawn(move || io::copy(&mut from, &mut to));
            io::copy(&mut &client, &mut &upstream)?;
            upstream.shutdown(std::net::Shutdown::Both)
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

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Says this line to everybody who is connected, and closes.
    pub fn interrupt(&self, line: &str) {
        for mut client in self.clients.lock().unwrap().drain(..) {
            let _ = writeln!(client, "{line}");
            let _ = client.shutdown(std::net::Shutdown::Both);
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
                std::thread::spawn(move || serve(client));
            }
        });
        Self { socket, clients }
    }
}
