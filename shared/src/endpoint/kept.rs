//! What a relay keeps for the next one: small files beside the socket that nobody else can read or
//! write. Where accounts share the directory, they can see that the files are there.

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

use super::{
    account::own_uid,
    file::{kind, remove},
    path::beside,
};

/// What is in this file, if there is one; else why it cannot be trusted.
pub(super) fn read<const BYTES: usize>(path: &Path) -> Result<Option<[u8; BYTES]>, String> {
    let named = |what: String| format!("{} {what}", path.display());
    let unread = |error: io::Error| named(format!("cannot be read: {error}"));
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => {
            let metadata = fs::symlink_metadata(path).ok();
            let why = metadata.and_then(|metadata| doubt(&metadata, BYTES)).map(named);
            return Err(why.unwrap_or_else(|| unread(error.into())));
        }
    };
    if let Some(why) = doubt(&file.metadata().map_err(unread)?, BYTES) {
        return Err(named(why));
    }
    let mut bytes = [0; BYTES];
    file.read_exact(&mut bytes).map_err(unread)?;
    Ok(Some(bytes))
}

/// Why what is in this file, which should be so many bytes, is not to be trusted.
fn doubt(metadata: &Metadata, wanted: usize) -> Option<String> {
    let (uid, mode, bytes) = (metadata.uid(), metadata.mode() & 0o7777, metadata.len());
    if !metadata.is_file() {
        Some(format!("is {}", kind(metadata)))
    } else if uid != own_uid() {
        Some(format!("belongs to another user (uid {uid})"))
    } else if mode & 0o077 != 0 {
        Some(format!("is open to others (mode {mode:04o}, wanted 0600)"))
    } else if bytes != wanted as u64 {
        Some(format!("has {bytes} bytes instead of {wanted}"))
    } else {
        None
    }
}

/// Puts these bytes into the file, whatever was there; else tells why that cannot be.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    replace(path, bytes).map_err(|error| {
        let what = match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => "is a directory; remove it".to_owned(),
            Ok(_) | Err(_) => format!("cannot be written: {error}"),
        };
        format!("{} {what}", path.display())
    })
}

/// Under a name of its own first: a relay that is killed half-way leaves nothing half.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = &beside(path, "~");
    remove(unfinished)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut file = File::from(open(unfinished, flags, Mode::RUSR | Mode::WUSR)?);
    let written = file.write_all(bytes).and_then(|()| fs::rename(unfinished, path));
    if written.is_err() {
        let _removed = fs::remove_file(unfinished);
    }
    written
}
