//! Standard output, watched: a client that takes nothing more is gone, also while there is nothing
//! to write to it.

/// Returns when the other end of standard output is closed, where that can be seen: if it is a
/// pipe, on Linux. Elsewhere the next write shows it.
#[cfg(target_os = "linux")]
pub(crate) async fn closed() {
    use rustix::fs::{FileType, Mode, OFlags, fstat, open};
    use tokio::{io::Interest, net::unix::pipe::Sender};

    // Opened anew: the inherited descriptor must stay blocking.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let watched = open("/proc/self/fd/1", flags, Mode::empty()).ok().filter(|file| {
        fstat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
    });
    let Some(pipe) = watched.and_then(|file| Sender::from_owned_fd(file).ok()) else {
        return std::future::pending().await;
    };
    while let Ok(ready) = pipe.ready(Interest::ERROR).await {
        if ready.is_error() || ready.is_write_closed() {
            return;
        }
    }
    std::future::pending().await
}

/// Never returns: the next write shows whether the other end is closed.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn closed() {
    std::future::pending().await
}
