//! What keeps two owners apart: blocks, and having met lately.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use shared::limits::{BLOCKS, RECENT_OWNERS, RECENT_PARTNER_FOR, RECENT_PARTNERS};

use super::{event::Owner, fair_set::FairSet};

/// What two owners are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    Blocked,
    /// They have met lately.
    Recent,
    Strangers,
}

#[derive(Debug, Default)]
pub(super) struct Relations {
    /// Blocker and blocked; kept for the blocker's account.
    blocks: FairSet<(Owner, Owner), BLOCKS>,
    /// One account can push out what others remember: it costs them that they are given each
    /// other again sooner, no more.
    partners: BTreeMap<Owner, Partners>,
    /// Owners by their latest meeting: the first in this order is dropped first.
    by_meeting: BTreeMap<u64, Owner>,
    meetings: u64,
}

#[derive(Debug, Default)]
struct Partners {
    last_meeting: u64,
    /// Latest last.
    met: VecDeque<(Owner, Instant)>,
}

impl Relations {
    pub(super) fn between(&self, now: Instant, one: Owner, other: Owner) -> Relation {
        let is_recent =
            |met_at: Instant| now.saturating_duration_since(met_at) < RECENT_PARTNER_FOR;
        let relation = self.ever_between(one, other);
        if relation == Relation::Recent && !self.last_met(one, other).is_some_and(is_recent) {
            return Relation::Strangers;
        }
        relation
    }

    /// The same, if a meeting never ceased to be recent.
    pub(super) fn ever_between(&self, one: Owner, other: Owner) -> Relation {
        if one == other {
            Relation::Same
        } else if self.has_blocked(one, other) || self.has_blocked(other, one) {
            Relation::Blocked
        } else if self.have_met(one, other) {
            Relation::Recent
        } else {
            Relation::Strangers
        }
    }

    pub(super) fn have_met(&self, one: Owner, other: Owner) -> bool {
        self.last_met(one, other).is_some()
    }

    pub(super) fn block(&mut self, one: Owner, other: Owner) {
        if one != other {
            self.blocks.insert(one.uid, (one, other));
        }
    }

    fn has_blocked(&self, one: Owner, other: Owner) -> bool {
        self.blocks.contains(one.uid, (one, other))
    }

    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Two owners have met, or part only now.
    pub(super) fn note_meeting(&mut self, now: Instant, one: Owner, other: Owner) {
        self.note_partner(now, one, other);
        self.note_partner(now, other, one);
    }

    fn note_partner(&mut self, now: Instant, of: Owner, partner: Owner) {
        self.meetings += 1;
        let partners = self.partners.entry(of).or_default();
        self.by_meeting.remove(&partners.last_meeting);
        partners.last_meeting = self.meetings;
        self.by_meeting.insert(self.meetings, of);

        partners.met.retain(|&(owner, _)| owner != partner);
        partners.met.push_back((partner, now));
        if partners.met.len() > RECENT_PARTNERS {
            partners.met.pop_front();
        }
        if self.partners.len() > RECENT_OWNERS
            && let Some((_, oldest)) = self.by_meeting.pop_first()
        {
            self.partners.remove(&oldest);
        }
    }

    /// Either may have met too many others since to remember.
    fn last_met(&self, one: Owner, other: Owner) -> Option<Instant> {
        let remembered = |of: Owner, partner: Owner| {
            let met = &self.partners.get(&of)?.met;
            met.iter().find(|&&(owner, _)| owner == partner).map(|&(_, at)| at)
        };
        remembered(one, other).max(remembered(other, one))
    }

    pub(super) fn check(&self) {
        assert!(self.blocks.len() <= BLOCKS);
        assert!(self.partners.len() <= RECENT_OWNERS);
        assert_eq!(self.partners.len(), self.by_meeting.len());
        assert!(self.partners.values().all(|partners| partners.met.len() <= RECENT_PARTNERS));
    }
}
