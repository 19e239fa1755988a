//! Which connections can go on, and whose turn it is: the server waits for all of them with one
//! poll, and a wake-up costs the same with ten thousand connections as with two.
//!
//! Accounts take turns, and so do the connections of each: whoever was served goes to the end.

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
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
    /// A waker that marks this connection of this account as ready.
    #[must_use]
    pub fn waker(&self, uid: u32, connection: ConnectionId) -> Waker {
        let marked = AtomicBool::new(false);
        Waker::from(Arc::new(Mark { uid, connection, marked, queue: Arc::clone(&self.queue) }))
    }

    /// Waits until a connection is ready. Takes nothing, so it is safe to cancel.
    pub async fn any(&self) {
        poll_fn(|cx| {
            let mut waiting = self.queue.lock();
            if waiting.connections > 0 {
                return Poll::Ready(());
            }
            waiting.server = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Whether nobody is ready.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.lock().connections == 0
    }

    /// How many accounts there are to ask for with [`next_account`](Self::next_account), so that
    /// each has one turn.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.queue.lock().accounts.len()
    }

    /// The account whose turn it is; its next turn is after those of all others.
    #[must_use]
    pub fn next_account(&self) -> Option<u32> {
        let mut waiting = self.queue.lock();
        loop {
            let uid = waiting.accounts.pop_front()?;
            match waiting.ready.entry(uid) {
                Entry::Occupied(ready) if ready.get().is_empty() => drop(ready.remove()),
                Entry::Occupied(_) => {
                    waiting.accounts.push_back(uid);
                    return Some(uid);
                }
                Entry::Vacant(_) => {}
            }
        }
    }

    /// Takes the connection of this account that has been ready for longest.
    #[must_use]
    pub fn take(&self, uid: u32) -> Option<ConnectionId> {
        let mut waiting = self.queue.lock();
        let mark = waiting.ready.get_mut(&uid)?.pop_front()?;
        waiting.connections -= 1;
        mark.marked.store(false, Ordering::Release);
        Some(mark.connection)
    }
}

/// A waker must be `Send`, hence lock and atomics; all of it stays on the server's thread.
#[derive(Debug, Default)]
struct Queue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// The ready connections of each account, in the order of their turns.
    ready: BTreeMap<u32, VecDeque<Arc<Mark>>>,
    /// The same accounts, in the order of theirs. One that has nobody ready any more leaves when
    /// its turn comes.
    accounts: VecDeque<u32>,
    /// How many connections are ready.
    connections: usize,
    server: Option<Waker>,
}

#[derive(Debug)]
struct Mark {
    uid: u32,
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
        let mut guard = self.queue.lock();
        let waiting = &mut *guard;
        let ready = waiting.ready.entry(self.uid).or_insert_with(|| {
            waiting.accounts.push_back(self.uid);
            VecDeque::new()
        });
        ready.push_back(Arc::clone(self));
        waiting.connections += 1;
        let server = waiting.server.take();
        drop(guard);
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

    const ALICE: u32 = 1;
    const BOB: u32 = 2;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn take(ready: &ReadySet) -> Vec<u64> {
        let taken = std::iter::from_fn(|| ready.take(ready.next_account()?));
        taken.map(|ConnectionId(number)| number).collect()
    }

    #[test]
    fn each_ready_connection_is_taken_once_in_order() {
        let ready = ReadySet::default();
        let wakers = [0, 1, 2].map(|number| ready.waker(ALICE, ConnectionId(number)));
        for number in [2, 0, 2, 2] {
            wakers[number].wake_by_ref();
        }
        assert!(!ready.is_empty());
        assert_eq!(take(&ready), [2, 0]);
        assert!(ready.is_empty());
        assert_eq!(take(&ready), [] as [u64; 0], "nothing is left");
        wakers[2].wake_by_ref();
        assert_eq!(take(&ready), [2], "a connection can become ready again");
    }

    #[test]
    fn accounts_take_turns_and_each_one_s_connections_too() {
        let ready = ReadySet::default();
        let alice = [0, 1, 2].map(|number| ready.waker(ALICE, ConnectionId(number)));
        let bob = ready.waker(BOB, ConnectionId(7));
        for waker in &alice {
            waker.wake_by_ref();
        }
        bob.wake_by_ref();
        assert_eq!(ready.accounts(), 2);
        let mut served = Vec::new();
        for _ in 0..7 {
            let ConnectionId(number) = ready.take(ready.next_account().unwrap()).unwrap();
            served.push(number);
            // Who has more to say goes to the end.
            let all = [&alice[0], &alice[1], &alice[2], &bob];
            all[usize::try_from(number.min(3)).unwrap()].wake_by_ref();
        }
        assert_eq!(served, [0, 7, 1, 7, 2, 7, 0]);
    }

    #[test]
    fn an_account_that_has_nobody_ready_is_passed_over() {
        let ready = ReadySet::default();
        let [alice, bob] = [ALICE, BOB].map(|uid| ready.waker(uid, ConnectionId(uid.into())));
        alice.wake_by_ref();
        bob.wake_by_ref();
        assert_eq!(ready.take(ALICE), Some(ConnectionId(1)));
        assert_eq!(ready.next_account(), Some(BOB));
        assert_eq!(ready.take(BOB), Some(ConnectionId(2)));
        assert_eq!((ready.next_account(), ready.accounts()), (None, 0));
        alice.wake_by_ref();
        assert_eq!(take(&ready), [1]);
    }

    #[test]
    fn a_ready_connection_wakes_whoever_waits() {
        let ready = ReadySet::default();
        let connection = ready.waker(ALICE, ConnectionId(7));
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
        ready.waker(ALICE, ConnectionId(1)).wake();
        let mut any = pin!(ready.any());
        assert!(any.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}
