//! What entering a queue costs, and the places that are kept for those who were left at once.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use shared::{
    id::SessionId,
    limits::{ENTERING_OWNERS, KEPT_PLACES, PLACE_KEPT_TIMES, Rate, SESSIONS_PER_SHIM},
    rate::Bucket,
};

use super::event::{Opening, Owner};

/// How often each of many has done something lately: a token bucket each, of one rate. Of those
/// whose bucket is full nothing is remembered.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    rate: Option<Rate>,
    by_key: BTreeMap<K, Bucket>,
    by_full: BTreeSet<(Instant, K)>,
}

impl<K: Copy + Ord> Buckets<K> {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self { rate, by_key: BTreeMap::new(), by_full: BTreeSet::new() }
    }

    /// How long until there is a token, if there is none.
    pub(super) fn wait(&self, now: Instant, key: K) -> Option<Duration> {
        self.by_key.get(&key).and_then(|bucket| bucket.wait(now))
    }

    /// Takes a token, if there is one.
    pub(super) fn charge(&mut self, now: Instant, key: K) {
        if self.rate.is_none() {
            return;
        }
        let mut bucket = self.by_key.remove(&key).unwrap_or_else(|| Bucket::new(self.rate));
        if let Some(at) = bucket.full_at() {
            self.by_full.remove(&(at, key));
        }
        let _has_one = bucket.charge(now);
        if let Some(at) = bucket.full_at() {
            self.by_full.insert((at, key));
            self.by_key.insert(key, bucket);
        }
        while let Some(&(at, first)) = self.by_full.first()
            && (at <= now || self.by_full.len() > ENTERING_OWNERS)
        {
            self.by_full.pop_first();
            self.by_key.remove(&first);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn check(&self) {
        assert!(self.by_full.len() <= ENTERING_OWNERS);
        assert_eq!(self.by_full.len(), self.by_key.len());
    }
}

/// A place in a queue, as somebody entered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) place: Opening,
    pub(super) queue: String,
    /// How often this place was kept after a match.
    pub(super) kept_times: u32,
}

/// The places that are kept for those whose partners have left at once. Each is its owner's: a
/// client may enter again with another session.
#[derive(Debug, Default)]
pub(super) struct KeptPlaces {
    by_session: BTreeMap<(Owner, SessionId), (Instant, Entered)>,
    /// Until when they are kept, in this order. One that was taken may still be here.
    in_order: VecDeque<(Instant, (Owner, SessionId))>,
}

impl KeptPlaces {
    /// Keeps a place, unless it was kept as often as can be. Tells whether it does.
    pub(super) fn keep(
        &mut self,
        now: Instant,
        kept_for: Duration,
        whose: (Owner, SessionId),
        entered: Entered,
    ) -> bool {
        let until = now.checked_add(kept_for).filter(|_| entered.kept_times < PLACE_KEPT_TIMES);
        let Some(until) = until else { return false };
        self.by_session.insert(whose, (until, entered));
        self.in_order.push_back((until, whose));
        while let Some(&(until, first)) = self.in_order.front()
            && (until <= now || self.in_order.len() > KEPT_PLACES)
        {
            self.in_order.pop_front();
            if self.by_session.get(&first).is_some_and(|(of_last, _)| *of_last == until) {
                self.by_session.remove(&first);
            }
        }
        true
    }

    /// The session of this owner for which a place in this queue is kept: this one, or another.
    pub(super) fn find(
        &self,
        now: Instant,
        (owner, session): (Owner, SessionId),
        queue: &str,
    ) -> Option<SessionId> {
        let is_kept = |whose: SessionId| {
            let kept = self.by_session.get(&(owner, whose));
            kept.is_some_and(|(until, entered)| now < *until && entered.queue == queue)
        };
        let no_one = SessionId::from_bytes([0; 16]);
        let of_owner = self.by_session.range((owner, no_one)..).map(|(&whose, _)| whose);
        let of_owner = of_owner.take_while(|(of, _)| *of == owner).map(|(_, whose)| whose);
        let others = of_owner.take(SESSIONS_PER_SHIM);
        [session].into_iter().chain(others).find(|&whose| is_kept(whose))
    }

    /// For how long a place is still kept for this session.
    pub(super) fn left(&self, now: Instant, whose: (Owner, SessionId)) -> Option<Duration> {
        let (until, _) = self.by_session.get(&whose)?;
        until.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Nobody could enter for so long.
    pub(super) fn sleep(&mut self, duration: Duration) {
        let kept = self.by_session.values_mut().map(|(until, _)| until);
        for until in kept.chain(self.in_order.iter_mut().map(|(until, _)| until)) {
            *until = until.checked_add(duration).unwrap_or(*until);
        }
    }

    /// Gives the place that was found.
    pub(super) fn take(&mut self, whose: (Owner, SessionId)) -> Option<Entered> {
        self.by_session.remove(&whose).map(|(_, entered)| entered)
    }

    pub(super) fn check(&self) {
        assert!(self.in_order.len() <= KEPT_PLACES);
        assert!(self.by_session.len() <= self.in_order.len());
    }
}
