//! Named pipes.

use std::{io, path::Path};

use interprocess::{
    local_socket::{Name, ToFsName as _, traits::StreamCommon as _},
    os::windows::local_socket::NamedPipe,
};

use crate::endpoint::account::{Peer, own_uid};

pub(in crate::endpoint) type RawStream =
    interprocess::os::windows::named_pipe::local_socket::tokio::Stream;

pub(super) fn peer(stream: &RawStream) -> io::Result<Peer> {
    Ok(Peer { uid: own_uid(), pid: stream.peer_creds()?.pid() })
}

pub(in crate::endpoint) fn socket_name(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<NamedPipe>()
}
