//! A named pipe. It goes with its last handle: nobody can take its name away.

use std::path::Path;

use crate::endpoint::{
    account::Audience,
    bind::{RawListener, bind},
    error::ListenError,
    path::Endpoint,
};

/// There are none but the pipe's own.
#[derive(Debug)]
pub(super) struct Names;

pub(super) fn take_names(
    endpoint: &Endpoint,
    audience: Audience,
) -> Result<(RawListener, Names), ListenError> {
    match audience {
        Audience::OwnAccount => Ok((bind(endpoint.path())?, Names)),
        Audience::EveryAccount => Err(ListenError::OwnAccountOnly),
    }
}

pub(super) fn unlink(_: &Path) {}

impl Names {
    pub(super) fn are_locked(&self) -> bool {
        true
    }

    pub(super) fn lead_to(&self, _: &Path) -> bool {
        true
    }

    pub(super) fn rebind(&mut self, path: &Path, _: Audience) -> Result<RawListener, ListenError> {
        bind(path)
    }
}
