//! The path of the socket.

#[cfg_attr(unix, path = "path/unix.rs")]
#[cfg_attr(windows, path = "path/windows.rs")]
mod system;

use std::{
    env,
    path::{Path, PathBuf},
};

use super::error::{EndpointError, SOCKET_VARIABLE};

/// A place where a relay can listen and clients can find it. Naming one touches no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) path: PathBuf,
    /// Whether it is a default path of this account, which is never shared. Named or not, it means
    /// the same: a relay is handed the path that its shim has found.
    pub(super) is_default: bool,
}

impl Endpoint {
    /// The endpoint of the path given, else of `$MCP_CHAT_SOCKET`, else the default one of this
    /// user.
    ///
    /// # Errors
    /// The path is longer than [`SOCKET_PATH_BYTES`](crate::limits::SOCKET_PATH_BYTES) or names no
    /// file.
    pub fn resolve(explicit: Option<&Path>) -> Result<Self, EndpointError> {
        let variable = env::var_os(SOCKET_VARIABLE).filter(|value| !value.is_empty());
        let path = match (explicit, &variable) {
            (Some(explicit), _) => system::checked(explicit)?,
            (None, Some(variable)) => system::checked(Path::new(variable))
                .map_err(|error| EndpointError::InVariable(Box::new(error)))?,
            (None, None) => system::default_path(),
        };
        let is_default = system::is_default(&path);
        Ok(Self { path, is_default })
    }

    /// The path of the socket, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(unix)]
impl Endpoint {
    /// The directory of the socket.
    pub(super) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// The directories of our own above the socket, the outermost first.
    pub(super) fn directories(&self) -> impl Iterator<Item = &Path> {
        // Of the default path these are `mcp-chat` and `v1`.
        let own = if self.is_default { 2 } else { 1 };
        let innermost_first = self.path.ancestors().skip(1).take(own);
        innermost_first.collect::<Vec<_>>().into_iter().rev()
    }
}

/// The path of a file that belongs to this one, the socket for instance: the same with this ending.
#[must_use]
pub fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = file.to_owned().into_os_string();
    path.push(ending);
    path.into()
}
