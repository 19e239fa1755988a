//! Which connections can go on: the server waits for all of them with one poll, and a wake-up
//! costs the same with ten thousand connections as with two.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Poll, Wake, Waker},
};

use crate::lobby::ConnectionId;

/// The connections whose wakers were woken since they were last taken.
#[derive(Debug, Default)]
pub struct ReadySet {
    queue: Arc<Queue>,
}

impl ReadySet {
    /// A waker that marks this connection as ready.
    #[must_use]
    pub fn waker(&self, connection: ConnectionId) -> Waker {
        let marked = AtomicBool::new(false);
        Waker::from(Arc::new(Mark { connection, marked, queue: Arc::clone(&self.queue) }))
    }

    /// Waits until a connection is ready. Takes nothing, so it is safe to cancel.
    pub async fn any(&self) {
        poll_fn(|cx| {
            let mut waiting = self.queue.lock();
            if !waiting.ready.is_empty() {
                return Poll::Ready(());
            }
            waiting.server = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Moves the ready connections to `taken`, each once, in the order in which they became so.
    pub fn take(&self, taken: &mut Vec<ConnectionId>) {
        for mark in self.queue.lock().ready.drain(..) {
            mark.marked.store(false, Ordering::Release);
            taken.push(mark.connection);
        }
    }
}

/// A waker must be `Send`, hence lock and atomics; all of it stays on the server's thread.
#[derive(Debug, Default)]
struct Queue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    ready: Vec<Arc<Mark>>,
    server: Option<Waker>,
}

#[derive(Debug)]
struct Mark {
    connection: ConnectionId,
    /// Whether it is in the queue.
    marked: AtomicBool,
    queue: Arc<Queue>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Mark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.marked.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut waiting = self.queue.lock();
        waiting.ready.push(Arc::clone(self));
        let server = waiting.server.take();
        drop(waiting);
        if let Some(server) = server {
            server.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Wake},
    };

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn take(ready: &ReadySet) -> Vec<u64> {
        let mut taken = Vec::new();
        ready.take(&mut taken);
        taken.into_iter().map(|ConnectionId(number)| number).collect()
    }

    #[test]
    fn each_ready_connection_is_taken_once_in_order() {
        let ready = ReadySet::default();
        let wakers = [0, 1, 2].map(|number| ready.waker(ConnectionId(number)));
        for number in [2, 0, 2, 2] {
            wakers[number].wake_by_ref();
        }
        assert_eq!(take(&ready), [2, 0]);
        assert_eq!(take(&ready), [] as [u64; 0], "nothing is left");
        wakers[2].wake_by_ref();
        assert_eq!(take(&ready), [2], "a connection can become ready again");
    }

    #[test]
    fn a_ready_connection_wakes_whoever_waits() {
        let ready = ReadySet::default();
        let connection = ready.waker(ConnectionId(7));
        let woken = Arc::new(Woken::default());
        let server = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&server);
        let mut any = pin!(ready.any());
        assert!(any.as_mut().poll(&mut cx).is_pending());
        assert!(!woken.0.load(Ordering::Relaxed));
        connection.wake_by_ref();
        assert!(woken.0.load(Ordering::Relaxed));
        assert!(any.poll(&mut cx).is_ready());
        assert_eq!(take(&ready), [7], "waiting takes nothing");
    }

    #[test]
    fn a_connection_that_was_ready_before_is_found_at_once() {
        let ready = ReadySet::default();
        ready.waker(ConnectionId(1)).wake();
        let mut any = pin!(ready.any());
        assert!(any.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}
