//! A key in a file beside the socket that nobody else can read; where accounts share the directory,
//! they can see that it is there.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::Errno,
};

use super::{KEY_BYTES, Key, KeyOrigin};
use crate::endpoint::{account::own_uid, file::kind, path::beside};

pub(in crate::endpoint) use crate::endpoint::file::remove as forget;

/// The key in this file; if there is none, or none that can be trusted, `fresh`, which is then
/// kept there for the next relay.
pub(in crate::endpoint) fn load_or_make(path: &Path, fresh: [u8; KEY_BYTES]) -> Key {
    let found = match read(path) {
        Ok(Some(bytes)) => return Key { bytes, origin: KeyOrigin::Found },
        Ok(None) => None,
        Err(reason) => Some(reason),
    };
    let origin = match (write(path, &fresh), found) {
        (Ok(()), None) => KeyOrigin::Made,
        (Ok(()), Some(reason)) => KeyOrigin::Replaced(reason),
        (Err(error), _) => {
            let what = match fs::symlink_metadata(path) {
                Ok(metadata) if metadata.is_dir() => "is a directory; remove it".to_owned(),
                Ok(_) | Err(_) => format!("cannot be written: {error}"),
            };
            KeyOrigin::Ephemeral(format!("{} {what}", path.display()))
        }
    };
    Key { bytes: fresh, origin }
}

/// The key in this file, if there is one; else why it cannot be trusted.
fn read(path: &Path) -> Result<Option<[u8; KEY_BYTES]>, String> {
    let named = |what: String| format!("{} {what}", path.display());
    let unread = |error: io::Error| named(format!("cannot be read: {error}"));
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => {
            let metadata = fs::symlink_metadata(path).ok();
            let why = metadata.as_ref().and_then(doubt).map(named);
            return Err(why.unwrap_or_else(|| unread(error.into())));
        }
    };
    if let Some(why) = doubt(&file.metadata().map_err(unread)?) {
        return Err(named(why));
    }
    let mut bytes = [0; KEY_BYTES];
    file.read_exact(&mut bytes).map_err(unread)?;
    Ok(Some(bytes))
}

/// Why what is in this file is not to be trusted.
fn doubt(metadata: &Metadata) -> Option<String> {
    let (uid, mode, bytes) = (metadata.uid(), metadata.mode() & 0o7777, metadata.len());
    if !metadata.is_file() {
        Some(format!("is {}", kind(metadata)))
    } else if uid != own_uid() {
        Some(format!("belongs to another user (uid {uid})"))
    } else if mode & 0o077 != 0 {
        Some(format!("is open to others (mode {mode:04o}, wanted 0600)"))
    } else if bytes != KEY_BYTES as u64 {
        Some(format!("has {bytes} bytes instead of {KEY_BYTES}"))
    } else {
        None
    }
}

/// Under a name of its own first: a relay that is killed half-way leaves no half key.
fn write(path: &Path, bytes: &[u8; KEY_BYTES]) -> io::Result<()> {
    let unfinished = &beside(path, "~");
    forget(unfinished)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut file = File::from(open(unfinished, flags, Mode::RUSR | Mode::WUSR)?);
    let written = file.write_all(bytes).and_then(|()| fs::rename(unfinished, path));
    if written.is_err() {
        let _removed = fs::remove_file(unfinished);
    }
    written
}
