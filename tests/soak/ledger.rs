//! What was said and heard in every room, by room and direction: the judge of a run.

use std::{collections::BTreeMap, sync::Mutex};

/// A member of a room: which shim process, and which life of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) shim: usize,
    pub(crate) life: usize,
}

#[derive(Debug, Default)]
struct Account {
    sides: Vec<Side>,
    /// What each shim said that was accepted, and what it heard: the last number.
    said: BTreeMap<usize, u64>,
    heard: BTreeMap<usize, u64>,
}

/// All rooms.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rooms: Mutex<BTreeMap<String, Account>>,
    violations: Mutex<Vec<String>>,
}

impl Ledger {
    pub(crate) fn found(&self, room: &str, side: Side) {
        let mut rooms = self.rooms.lock().unwrap();
        let account = rooms.entry(room.to_owned()).or_default();
        if account.sides.contains(&side) || account.sides.len() == 2 {
            self.violation(format!("{room}: {side:?} found it beside {:?}", account.sides));
        }
        account.sides.push(side);
    }

    pub(crate) fn said(&self, room: &str, side: Side, number: u64) {
        self.rooms
            .lock()
            .unwrap()
            .entry(room.to_owned())
            .or_default()
            .said
            .insert(side.shim, number);
    }

    /// Whether this is the next one.
    pub(crate) fn heard(&self, room: &str, side: Side, number: u64) {
        let mut rooms = self.rooms.lock().unwrap();
        let last = rooms.entry(room.to_owned()).or_default().heard.entry(side.shim).or_default();
        if number != *last + 1 {
            let what = if number <= *last { "doubled or late" } else { "lost or early" };
            self.violation(format!("{room}: {side:?} heard {number} after {last}: {what}"));
        }
        *last = number.max(*last);
    }

    /// A room has ended for this side, which is right only if the partner's life has.
    pub(crate) fn ended(
        &self,
        room: &str,
        side: Side,
        reason: &str,
        life_of: impl Fn(usize) -> usize,
    ) {
        let rooms = self.rooms.lock().unwrap();
        let partner = rooms.get(room).and_then(|a| a.sides.iter().find(|other| **other != side));
        if partner.is_some_and(|partner| partner.life == life_of(partner.shim)) {
            self.violation(format!("{room}: a room was lost for {side:?} ({reason})"));
        }
    }

    pub(crate) fn violation(&self, what: String) {
        println!("violation: {what}");
        self.violations.lock().unwrap().push(what);
    }

    /// Whether all that was said between those who live has been heard.
    pub(crate) fn unheard(&self, life_of: impl Fn(usize) -> usize) -> Vec<String> {
        let rooms = self.rooms.lock().unwrap();
        let lives = |side: &Side| side.life == life_of(side.shim);
        let mut unheard = Vec::new();
        for (room, account) in rooms.iter().filter(|(_, account)| account.sides.iter().all(lives)) {
            for side in &account.sides {
                let said = account.said.get(&side.shim).copied().unwrap_or_default();
                let partner = account.sides.iter().find(|other| *other != side);
                let Some(partner) = partner else { continue };
                let heard = account.heard.get(&partner.shim).copied().unwrap_or_default();
                if said != heard {
                    unheard.push(format!("{room}: of {said} said by {side:?} {heard} were heard"));
                }
            }
        }
        unheard
    }

    pub(crate) fn violations(&self) -> usize {
        self.violations.lock().unwrap().len()
    }

    /// Rooms, messages said, messages heard.
    pub(crate) fn totals(&self) -> (usize, u64, u64) {
        let rooms = self.rooms.lock().unwrap();
        let sum = |of: fn(&Account) -> &BTreeMap<usize, u64>| {
            rooms.values().flat_map(|account| of(account).values()).sum()
        };
        (rooms.len(), sum(|account| &account.said), sum(|account| &account.heard))
    }
}
