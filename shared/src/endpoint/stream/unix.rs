//! Unix domain sockets.

use std::{io, path::Path};

use interprocess::{
    local_socket::{Name, ToFsName as _, traits::StreamCommon as _},
    os::unix::local_socket::FilesystemUdSocket,
};

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

pub(in crate::endpoint) fn socket_name(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<FilesystemUdSocket>()
}
