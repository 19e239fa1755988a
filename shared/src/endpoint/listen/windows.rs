//! A named pipe. It goes with its last handle: there is no name to bind again or to unlink.

use std::{
    io,
    path::{Path, PathBuf},
};

use interprocess::local_socket::traits::tokio::Listener as _;

use super::Standing;
use crate::endpoint::{
    account::Audience,
    bind::{RawListener, bind},
    error::ListenError,
    key::{self, KEY_BYTES, Key},
    path::Endpoint,
    stream::Stream,
};

impl Endpoint {
    /// Becomes the relay of this endpoint, for this audience.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen(&self, audience: Audience) -> Result<Listener, ListenError> {
        match audience {
            Audience::OwnAccount => {}
            Audience::EveryAccount => return Err(ListenError::OwnAccountOnly),
        }
        Ok(Listener { pipe: bind(&self.path)?, path: self.path.clone() })
    }
}

/// A relay's pipe.
#[derive(Debug)]
pub struct Listener {
    pipe: RawListener,
    path: PathBuf,
}

impl Listener {
    /// The next connection. Safe to cancel: no connection is lost.
    ///
    /// # Errors
    /// What the system says. None of them ends the listener.
    pub async fn accept(&self) -> io::Result<Stream> {
        Stream::new(self.pipe.accept().await?)
    }

    /// The path of the pipe.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key of this relay.
    #[must_use]
    pub fn key(&self, fresh: [u8; KEY_BYTES]) -> Key {
        key::load_or_make(&self.path, fresh)
    }

    /// Takes the key away.
    ///
    /// # Errors
    /// None on this system.
    pub fn forget_key(&self) -> io::Result<()> {
        key::forget(&self.path)
    }

    /// Does nothing: the pipe goes with the listener.
    pub fn unlink(&self) {}

    /// Always [`Standing::Ours`]: nobody can take the name away.
    #[must_use]
    pub fn check(&self) -> Standing {
        Standing::Ours
    }

    /// Does nothing, for [`check`](Self::check) never asks for it.
    ///
    /// # Errors
    /// None.
    pub fn rebind(&mut self) -> Result<(), ListenError> {
        Ok(())
    }
}
