//! What keeps two owners apart: blocks, and having met lately.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use shared::limits::{BLOCK_TAGS, RECENT_OWNERS, RECENT_PARTNER_FOR, RECENT_PARTNERS};

use super::event::Owner;

/// What two owners are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    Blocked,
    /// They have met lately.
    Recent,
    Strangers,
}

#[derive(Debug)]
pub(super) struct Relations {
    /// What each owner has blocked, latest last. Nobody but the owner adds to it or takes from it.
    blocks: BTreeMap<Owner, VecDeque<Owner>>,
    meetings: Meetings<Owner>,
    /// By user id; `None` where all are of one account.
    account_meetings: Option<Meetings<u32>>,
}

impl Relations {
    /// `accounts_meet`: whether accounts that have met lately avoid each other as well.
    pub(super) fn new(accounts_meet: bool) -> Self {
        Self {
            blocks: BTreeMap::new(),
            meetings: Meetings::default(),
            account_meetings: accounts_meet.then(Meetings::default),
        }
    }

    pub(super) fn between(&self, now: Instant, one: Owner, other: Owner) -> Relation {
        self.relation(one, other, |met_at| {
            now.saturating_duration_since(met_at) < RECENT_PARTNER_FOR
        })
    }

    /// The same, if a meeting never ceased to be recent.
    pub(super) fn ever_between(&self, one: Owner, other: Owner) -> Relation {
        self.relation(one, other, |_| true)
    }

    fn relation(&self, one: Owner, other: Owner, is_recent: impl Fn(Instant) -> bool) -> Relation {
        let of_accounts = self.account_meetings.as_ref().filter(|_| one.uid != other.uid);
        let of_accounts = || of_accounts.and_then(|met| met.last(one.uid, other.uid));
        if one == other {
            Relation::Same
        } else if self.has_blocked(one, other) || self.has_blocked(other, one) {
            Relation::Blocked
        } else if self.meetings.last(one, other).is_some_and(&is_recent)
            || of_accounts().is_some_and(&is_recent)
        {
            Relation::Recent
        } else {
            Relation::Strangers
        }
    }

    pub(super) fn have_met(&self, one: Owner, other: Owner) -> bool {
        self.meetings.last(one, other).is_some()
    }

    pub(super) fn block(&mut self, one: Owner, other: Owner) {
        if one == other {
            return;
        }
        let blocked = self.blocks.entry(one).or_default();
        blocked.retain(|known| *known != other);
        blocked.push_back(other);
        if blocked.len() > BLOCK_TAGS {
            blocked.pop_front();
        }
    }

    pub(super) fn block_all(&mut self, one: Owner, others: Vec<Owner>) {
        for other in others {
            self.block(one, other);
        }
    }

    /// Forgets what this owner has blocked.
    pub(super) fn unblock_all(&mut self, owner: Owner) {
        self.blocks.remove(&owner);
    }

    fn has_blocked(&self, one: Owner, other: Owner) -> bool {
        self.blocks.get(&one).is_some_and(|blocked| blocked.contains(&other))
    }

    pub(super) fn blocks(&self) -> usize {
        self.blocks.values().map(VecDeque::len).sum()
    }

    pub(super) fn blockers(&self) -> impl Iterator<Item = &Owner> {
        self.blocks.keys()
    }

    /// Two owners have met, or part only now.
    pub(super) fn note_meeting(&mut self, now: Instant, one: Owner, other: Owner) {
        self.meetings.note(now, one, other);
        if let Some(meetings) = self.account_meetings.as_mut().filter(|_| one.uid != other.uid) {
            meetings.note(now, one.uid, other.uid);
        }
    }

    pub(super) fn check(&self) {
        assert!(self.blocks.values().all(|blocked| (1..=BLOCK_TAGS).contains(&blocked.len())));
        self.meetings.check();
        self.account_meetings.iter().for_each(Meetings::check);
    }
}

/// Who has met whom lately.
///
/// One account can push out what others remember: it costs them that they are given each other
/// again sooner, no more.
#[derive(Debug)]
struct Meetings<K> {
    partners: BTreeMap<K, Partners<K>>,
    /// By their latest meeting: the first in this order is dropped first.
    in_order: BTreeMap<u64, K>,
    count: u64,
}

#[derive(Debug)]
struct Partners<K> {
    last_meeting: u64,
    /// Latest last.
    met: VecDeque<(K, Instant)>,
}

impl<K> Default for Meetings<K> {
    fn default() -> Self {
        Self { partners: BTreeMap::new(), in_order: BTreeMap::new(), count: 0 }
    }
}

impl<K: Copy + Ord> Meetings<K> {
    fn note(&mut self, now: Instant, one: K, other: K) {
        self.note_partner(now, one, other);
        self.note_partner(now, other, one);
    }

    fn note_partner(&mut self, now: Instant, of: K, partner: K) {
        self.count += 1;
        let partners = self.partners.entry(of);
        let partners =
            partners.or_insert_with(|| Partners { last_meeting: 0, met: VecDeque::new() });
        self.in_order.remove(&partners.last_meeting);
        partners.last_meeting = self.count;
        self.in_order.insert(self.count, of);

        partners.met.retain(|&(known, _)| known != partner);
        partners.met.push_back((partner, now));
        if partners.met.len() > RECENT_PARTNERS {
            partners.met.pop_front();
        }
        if self.partners.len() > RECENT_OWNERS
            && let Some((_, oldest)) = self.in_order.pop_first()
        {
            self.partners.remove(&oldest);
        }
    }

    /// Either may have met too many others since to remember.
    fn last(&self, one: K, other: K) -> Option<Instant> {
        let remembered = |of: K, partner: K| {
            let met = &self.partners.get(&of)?.met;
            met.iter().find(|&&(known, _)| known == partner).map(|&(_, at)| at)
        };
        remembered(one, other).max(remembered(other, one))
    }

    fn check(&self) {
        assert!(self.partners.len() <= RECENT_OWNERS);
        assert_eq!(self.partners.len(), self.in_order.len());
        assert!(self.partners.values().all(|partners| partners.met.len() <= RECENT_PARTNERS));
    }
}
