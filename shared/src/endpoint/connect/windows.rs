//! A pipe that only its own user can open.

use std::io;

use interprocess::local_socket::ConnectOptions;

use crate::endpoint::{
    error::ConnectError,
    path::Endpoint,
    stream::{RawStream, Stream, socket_name},
};

impl Endpoint {
    /// Connects to the relay.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(&self) -> Result<Stream, ConnectError> {
        const ERROR_PIPE_BUSY: i32 = 231;
        let name = socket_name(&self.path).map_err(ConnectError::Io)?;
        let options = ConnectOptions::new().name(name);
        let connected = options.connect_tokio_as::<RawStream>().await;
        let raw = connected.map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                ConnectError::Absent
            } else if error.raw_os_error() == Some(ERROR_PIPE_BUSY) {
                ConnectError::Busy
            } else {
                ConnectError::Io(error)
            }
        })?;
        Stream::new(raw).map_err(|_| ConnectError::Busy)
    }

    /// Always `None`: clients may start a relay here.
    #[must_use]
    pub fn started_by_hand(&self) -> Option<String> {
        None
    }
}
