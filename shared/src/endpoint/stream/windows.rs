//! Named pipes.

use std::io;

use interprocess::local_socket::traits::StreamCommon as _;

use crate::endpoint::account::{Peer, own_uid};

pub(in crate::endpoint) type RawStream =
    interprocess::os::windows::named_pipe::local_socket::tokio::Stream;

pub(super) fn peer(stream: &RawStream) -> io::Result<Peer> {
    Ok(Peer { uid: own_uid(), pid: stream.peer_creds()?.pid() })
}
