//! Unix domain sockets.

use std::io;

use interprocess::local_socket::traits::StreamCommon as _;

use crate::endpoint::account::Peer;

pub(in crate::endpoint) type RawStream = interprocess::os::unix::uds_local_socket::tokio::Stream;

pub(super) fn peer(stream: &RawStream) -> io::Result<Peer> {
    let credentials = stream.peer_creds()?;
    let unknown = || io::Error::new(io::ErrorKind::Unsupported, "the peer's user id is unknown");
    Ok(Peer {
        uid: credentials.euid().ok_or_else(unknown)?,
        pid: credentials.pid().and_then(|pid| pid.try_into().ok()),
    })
}
