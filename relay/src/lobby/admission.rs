//! Who is admitted: how much one account can take of what there is for all, sessions, topics and
//! places in a topic.

use std::{collections::BTreeSet, time::Instant};

use shared::{id::SessionId, text::DEFAULT_TOPIC};

use super::{
    DisconnectReason, Lobby, Opening, Refusal,
    session::{Contact, Session, State},
};

/// What one account has. It is forgotten with the last of its sessions.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) sessions: BTreeSet<SessionId>,
    /// Topics in which it waits, besides the default one.
    pub(super) topics: usize,
}

impl Lobby {
    /// Takes in a session, unless there are too many. One that was lost and is not in a room gives
    /// way first: its client holds what it needs to be back where it was.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        id: SessionId,
        mut session: Session,
    ) -> Result<(), DisconnectReason> {
        let uid = session.owner.uid;
        let account = self.accounts.get(&uid);
        let is_full = self.sessions.len() >= self.config.sessions;
        let has_all =
            account.is_some_and(|own| own.sessions.len() >= self.config.sessions_per_user);
        if is_full || has_all {
            let of_account = account.and_then(|own| self.dispensable(&own.sessions));
            let of_any = || self.dispensable(self.sessions.keys()).filter(|_| !has_all);
            let Some(dispensable) = of_account.or_else(of_any) else {
                return Err(DisconnectReason::TooManySessions { of_account: has_all });
            };
            self.forget(now, dispensable);
        }
        self.accounts.entry(uid).or_default().sessions.insert(id);
        *self.sessions_by_owner.entry(session.owner).or_default() += 1;
        let [first, last] = [0, u64::MAX].map(|any| (id, Opening { epoch: any, number: any }));
        let spent = self.spent_by_forgotten.greatest(uid, first..=last);
        session.tickets.spent = spent.map(|(_, spent)| spent);
        self.sessions.insert(id, session);
        Ok(())
    }

    /// The one that would miss least: of those without connection and room one that does not wait,
    /// else one that does, and the one that was lost first.
    fn dispensable<'a>(&self, among: impl IntoIterator<Item = &'a SessionId>) -> Option<SessionId> {
        let lost = among.into_iter().filter_map(|&id| {
            let session = self.session(id);
            let Contact::Lost { since, .. } = session.contact else { return None };
            match session.state {
                State::Idle => Some((false, since, id)),
                State::Waiting(_) => Some((true, since, id)),
                State::Chatting(_) => None,
            }
        });
        lost.min().map(|(.., id)| id)
    }

    pub(super) fn expel(&mut self, id: SessionId) {
        let session = self.sessions.remove(&id).expect("a session that is forgotten is known");
        let uid = session.owner.uid;
        let account = self.accounts.get_mut(&uid).expect("who has a session is counted");
        account.sessions.remove(&id);
        if account.sessions.is_empty() {
            self.accounts.remove(&uid);
        }
        let of_owner = self.sessions_by_owner.get_mut(&session.owner).expect("each is counted");
        *of_owner -= 1;
        if *of_owner == 0 {
            self.sessions_by_owner.remove(&session.owner);
            // The client presents them when it comes back.
            self.relations.unblock_all(session.owner);
        }
    }

    /// Whether a session can have a place in this queue, in addition to or in exchange for the one
    /// that it may have in another.
    pub(super) fn admission(&self, id: SessionId, queue: &str) -> Result<(), Refusal> {
        if self.draining {
            return Err(Refusal::Draining);
        }
        let uid = self.session(id).owner.uid;
        let (all, own) = self.places(queue, uid);
        if all >= self.config.waiting_per_topic {
            return Err(Refusal::QueueFull);
        }
        if own >= self.config.waiting_per_user {
            return Err(Refusal::OwnQueueFull);
        }
        if queue == DEFAULT_TOPIC {
            return Ok(());
        }
        let left = self.session(id).waiting().map(|waiting| &*waiting.queue);
        let left = left.filter(|left| *left != DEFAULT_TOPIC).map(|left| self.places(left, uid));
        let (ends, ends_own) = left.map_or((false, false), |(all, own)| (all == 1, own == 1));
        if all == 0 && self.topics() - usize::from(ends) >= self.config.topics {
            return Err(Refusal::TooManyTopics);
        }
        let own_topics = self.accounts[&uid].topics - usize::from(ends_own);
        if own == 0 && own_topics >= self.config.topics_per_user {
            return Err(Refusal::TooManyOwnTopics);
        }
        Ok(())
    }

    /// Topics with somebody waiting, besides the default one.
    pub(super) fn topics(&self) -> usize {
        self.queues.len() - usize::from(self.queues.contains_key(DEFAULT_TOPIC))
    }

    /// Places that are taken in a queue, and how many by this account.
    fn places(&self, queue: &str, uid: u32) -> (usize, usize) {
        self.queues.get(queue).map_or((0, 0), |queue| (queue.len(), queue.places_of(uid)))
    }

    /// To be called when the account has just got its first place in this queue, or lost its last.
    pub(super) fn count_topic(&mut self, uid: u32, queue: &str, count: impl FnOnce(&mut usize)) {
        if queue != DEFAULT_TOPIC {
            let account = self.accounts.get_mut(&uid).expect("who has a session is counted");
            count(&mut account.topics);
        }
    }
}
