//! Rung 3: tells a client of the resources that have changed, if it has asked for that, and no
//! more often than is useful.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use rmcp::{
    RoleServer,
    model::ResourceUpdatedNotificationParam,
    service::{Peer, SubscriptionSink},
};
use shared::limits;
use tokio::{sync::watch, time::sleep_until};
use tokio_util::sync::CancellationToken;

use super::{address::Address, throttle::Throttle};
use crate::session::{ChatVersions, only_chat};

/// What a client can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Followed {
    /// Which resources there are.
    List,
    /// One resource.
    Resource(Address),
}

impl Followed {
    fn is_there(self, versions: &ChatVersions) -> bool {
        match self {
            Self::List => true,
            Self::Resource(address) => address.is_known(versions),
        }
    }

    fn differs(self, before: &ChatVersions, after: &ChatVersions) -> bool {
        match self {
            Self::List => only_chat(before).is_some() != only_chat(after).is_some(),
            Self::Resource(Address::Current) => only_chat(before) != only_chat(after),
            Self::Resource(Address::Chat(id)) => before.get(&id) != after.get(&id),
        }
    }
}

/// Who is told.
#[derive(Debug)]
pub(crate) enum Recipient {
    /// A stream of 2026-07-28, which lives until its client ends it.
    Stream(SubscriptionSink),
    /// A session of an `initialize` version.
    Session(Peer<RoleServer>),
}

impl Recipient {
    /// Returns when it is written: a client that does not read is told less often.
    async fn tell(&self, followed: Followed) -> bool {
        match (self, followed) {
            (Self::Stream(sink), Followed::List) => {
                sink.notify_resource_list_changed().await.is_ok()
            }
            (Self::Stream(sink), Followed::Resource(address)) => {
                sink.notify_resource_updated(address.uri()).await.is_ok()
            }
            (Self::Session(peer), Followed::List) => {
                peer.notify_resource_list_changed().await.is_ok()
            }
            (Self::Session(peer), Followed::Resource(address)) => {
                let updated = ResourceUpdatedNotificationParam::new(address.uri());
                peer.notify_resource_updated(updated).await.is_ok()
            }
        }
    }
}

/// Some things that are followed, from the moment that this was made.
#[derive(Debug)]
pub(crate) struct Following {
    versions: watch::Receiver<ChatVersions>,
    seen: ChatVersions,
    followed: Vec<Followed>,
    throttle: Throttle<Followed>,
}

impl Following {
    pub(crate) fn new(
        mut versions: watch::Receiver<ChatVersions>,
        followed: Vec<Followed>,
    ) -> Self {
        let seen = versions.borrow_and_update().clone();
        Self { versions, seen, followed, throttle: Throttle::new(limits::UPDATES_EVERY) }
    }

    /// Tells until the server ends or the client takes nothing more; a session also only as long
    /// as what it follows is there.
    pub(crate) async fn run(self, recipient: Recipient) {
        let mut end = self.versions.clone();
        tokio::select! {
            () = self.tell(recipient) => {}
            // Once input has ended, the SDK leaves a notification waiting for ever.
            () = async { while end.changed().await.is_ok() {} } => {}
        }
    }

    async fn tell(mut self, recipient: Recipient) {
        loop {
            for followed in self.throttle.take_due(Instant::now()) {
                if !recipient.tell(followed).await {
                    return;
                }
            }
            let deadline = self.throttle.next_deadline();
            let outlives_chats = matches!(recipient, Recipient::Stream(_));
            let is_over = !self.followed.iter().any(|followed| followed.is_there(&self.seen));
            if is_over && deadline.is_none() && !outlives_chats {
                return;
            }
            tokio::select! {
                changed = self.versions.changed() => match changed {
                    Ok(()) => self.compare(),
                    Err(_) => return,
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now).into()),
                    if deadline.is_some() => {}
            }
        }
    }

    fn compare(&mut self) {
        let after = self.versions.borrow_and_update().clone();
        let now = Instant::now();
        for followed in &self.followed {
            if followed.differs(&self.seen, &after) {
                self.throttle.changed(*followed, now);
            }
        }
        self.seen = after;
    }
}

/// What the client of an `initialize` session follows: no more than there are chats, and two.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    versions: watch::Receiver<ChatVersions>,
    open: Mutex<BTreeMap<Followed, CancellationToken>>,
}

impl Subscriptions {
    pub(crate) fn new(versions: watch::Receiver<ChatVersions>) -> Self {
        Self { versions, open: Mutex::default() }
    }

    /// Follows it from now on, if it is not followed already.
    pub(crate) fn open(&self, followed: Followed, peer: Peer<RoleServer>) {
        let mut open = self.lock();
        // Those of chats that are over end by themselves, once that is told.
        open.retain(|followed, _| followed.is_there(&self.versions.borrow()));
        if open.contains_key(&followed) {
            return;
        }
        let closed = CancellationToken::new();
        open.insert(followed, closed.clone());
        let following = Following::new(self.versions.clone(), vec![followed]);
        tokio::spawn(async move {
            tokio::select! {
                () = closed.cancelled() => {}
                () = following.run(Recipient::Session(peer)) => {}
            }
        });
    }

    /// Follows it no more.
    pub(crate) fn close(&self, followed: Followed) {
        if let Some(closed) = self.lock().remove(&followed) {
            closed.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Followed, CancellationToken>> {
        self.open.lock().expect("nothing panics while it holds this lock")
    }
}
