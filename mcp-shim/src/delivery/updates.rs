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

use super::pace::Pace;
use crate::{
    resources::Address,
    session::{ChatId, Outline},
};

/// The chats that there are, and what stands for the reading of each.
pub(crate) type Outlines = BTreeMap<ChatId, Outline>;

/// What a client can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Followed {
    /// Which resources there are.
    List,
    /// One resource.
    Resource(Address),
}

impl Followed {
    fn is_there(self, outlines: &Outlines) -> bool {
        match self {
            Self::List => true,
            Self::Resource(address) => address.is_known(outlines),
        }
    }

    fn differs(self, before: &Outlines, after: &Outlines) -> bool {
        match self {
            Self::List => only_chat(before).is_some() != only_chat(after).is_some(),
            Self::Resource(Address::Current) => only_chat(before) != only_chat(after),
            Self::Resource(Address::Chat(id)) => before.get(&id) != after.get(&id),
        }
    }
}

/// The chat, where there is exactly one.
pub(crate) fn only_chat(outlines: &Outlines) -> Option<(ChatId, Outline)> {
    let (id, outline) = outlines.first_key_value().filter(|_| outlines.len() == 1)?;
    Some((*id, *outline))
}

/// Whom to tell.
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
    outlines: watch::Receiver<Outlines>,
    seen: Outlines,
    followed: Vec<Followed>,
    pace: Pace<Followed>,
}

impl Following {
    pub(crate) fn new(mut outlines: watch::Receiver<Outlines>, followed: Vec<Followed>) -> Self {
        let seen = outlines.borrow_and_update().clone();
        Self { outlines, seen, followed, pace: Pace::new(limits::UPDATES_EVERY) }
    }

    /// Tells until the server ends or the client takes nothing more; a session also only as long
    /// as what it follows is there.
    pub(crate) async fn run(self, recipient: Recipient) {
        let mut end = self.outlines.clone();
        tokio::select! {
            () = self.tell(recipient) => {}
            // Once input has ended, the SDK leaves a notification waiting for ever.
            () = async { while end.changed().await.is_ok() {} } => {}
        }
    }

    async fn tell(mut self, recipient: Recipient) {
        loop {
            for followed in self.pace.take_due(Instant::now()) {
                if !recipient.tell(followed).await {
                    return;
                }
            }
            let deadline = self.pace.next_deadline();
            let outlives_chats = matches!(recipient, Recipient::Stream(_));
            let is_over = !self.followed.iter().any(|followed| followed.is_there(&self.seen));
            if is_over && deadline.is_none() && !outlives_chats {
                return;
            }
            tokio::select! {
                changed = self.outlines.changed() => match changed {
                    Ok(()) => self.compare(),
                    Err(_) => return,
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now).into()),
                    if deadline.is_some() => {}
            }
        }
    }

    fn compare(&mut self) {
        let after = self.outlines.borrow_and_update().clone();
        let now = Instant::now();
        for followed in &self.followed {
            if followed.differs(&self.seen, &after) {
                self.pace.changed(*followed, now);
            }
        }
        self.seen = after;
    }
}

/// What the client of an `initialize` session follows: no more than there are chats, and two.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    outlines: watch::Receiver<Outlines>,
    open: Mutex<BTreeMap<Followed, CancellationToken>>,
}

impl Subscriptions {
    pub(crate) fn new(outlines: watch::Receiver<Outlines>) -> Self {
        Self { outlines, open: Mutex::default() }
    }

    /// Follows it from now on, if it is not followed already.
    pub(crate) fn open(&self, followed: Followed, peer: Peer<RoleServer>) {
        let mut open = self.lock();
        // Those of chats that are over end by themselves, once that is told.
        open.retain(|followed, _| followed.is_there(&self.outlines.borrow()));
        if open.contains_key(&followed) {
            return;
        }
        let closed = CancellationToken::new();
        open.insert(followed, closed.clone());
        let following = Following::new(self.outlines.clone(), vec![followed]);
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
