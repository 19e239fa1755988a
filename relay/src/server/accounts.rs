//! What each account has of the server: connections, and memory of their outboxes. Who gives way
//! where there are too many.
//!
//! A connection that carries no session greets, visits or is about to end. Beyond the limits there
//! is room for a few of those, and the oldest gives way, first of all one of the same process: so
//! `relay status` and `relay stop` get through to a relay that is full, and are not pushed out by
//! a program that comes again and again.

use std::collections::{BTreeMap, BTreeSet};

use shared::{
    endpoint,
    limits::{VISITORS, VISITORS_PER_USER},
    message::ErrorCode,
};

use crate::{
    lobby::ConnectionId,
    translate::{Fault, fault},
};

/// All accounts that have a connection.
#[derive(Debug)]
pub(super) struct Accounts {
    /// Connections in all that carry a session.
    most: usize,
    /// The same of one account.
    most_of_user: usize,
    by_uid: BTreeMap<u32, Account>,
    carrying: usize,
    /// All that carry no session, with their accounts.
    others: BTreeMap<ConnectionId, u32>,
}

#[derive(Debug, Default)]
struct Account {
    carrying: BTreeMap<ConnectionId, Process>,
    others: BTreeMap<ConnectionId, Process>,
    others_by_process: BTreeSet<(Process, ConnectionId)>,
    outbox_memory: usize,
}

/// Its number, if the kernel tells it.
type Process = Option<u32>;

impl Account {
    fn len(&self) -> usize {
        self.carrying.len() + self.others.len()
    }

    fn insert_other(&mut self, id: ConnectionId, process: Process) {
        self.others.insert(id, process);
        self.others_by_process.insert((process, id));
    }

    fn remove_other(&mut self, id: ConnectionId) -> Option<Process> {
        let process = self.others.remove(&id)?;
        self.others_by_process.remove(&(process, id));
        Some(process)
    }

    /// The oldest that carries no session, of this process if it has one.
    fn oldest_other(&self, process: Process) -> Option<ConnectionId> {
        let own = self.others_by_process.range((process, ConnectionId(0))..).next();
        let own = own.filter(|(of, _)| *of == process).map(|(_, id)| *id);
        own.or_else(|| self.others.keys().next().copied())
    }
}

/// Whose limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// That of the account: so many.
    Account(usize),
    /// That of all: so many.
    Relay(usize),
}

impl Full {
    /// What its client is told.
    pub(super) fn fault(self) -> Fault {
        let message = match self {
            Self::Account(most) => format!(
                "this account has {most} connections already: leave a chat in another of its clients, or \
                 have the relay started with more --max-connections-per-user"
            ),
            Self::Relay(most) => format!(
                "the relay has {most} connections already: try again when others have left, or have it \
                 started with more --max-connections"
            ),
        };
        fault(ErrorCode::TooMany, message)
    }
}

impl Accounts {
    pub(super) fn new(most: usize, most_of_user: usize) -> Self {
        let (by_uid, others) = (BTreeMap::new(), BTreeMap::new());
        Self { most, most_of_user, by_uid, carrying: 0, others }
    }

    /// The connection that has to end before another one of this account and process can come.
    pub(super) fn gives_way(&self, uid: u32, process: Process) -> Option<ConnectionId> {
        let account = self.by_uid.get(&uid);
        let of_account = account.map_or(0, Account::len);
        let own = account.and_then(|own| own.oldest_other(process));
        if of_account >= self.most_of_user.saturating_add(VISITORS_PER_USER) {
            own
        } else if self.carrying + self.others.len() >= self.most.saturating_add(VISITORS) {
            let is_of_others = |(_, uid): &(_, &u32)| !endpoint::is_in_charge(**uid);
            let of_others = || self.others.iter().find(is_of_others);
            own.or_else(|| of_others().or_else(|| self.others.iter().next()).map(|(id, _)| *id))
        } else {
            None
        }
    }

    /// A connection has come, which carries no session yet.
    pub(super) fn open(&mut self, uid: u32, process: Process, id: ConnectionId) {
        self.by_uid.entry(uid).or_default().insert_other(id, process);
        self.others.insert(id, uid);
    }

    /// This connection is to carry a session.
    pub(super) fn carry(&mut self, uid: u32, id: ConnectionId) -> Result<(), Full> {
        let account = self.by_uid.entry(uid).or_default();
        if account.carrying.len() >= self.most_of_user {
            return Err(Full::Account(self.most_of_user));
        }
        if self.carrying >= self.most {
            return Err(Full::Relay(self.most));
        }
        if let Some(process) = account.remove_other(id) {
            account.carrying.insert(id, process);
            self.others.remove(&id);
            self.carrying += 1;
        }
        Ok(())
    }

    /// This connection carries a session no more.
    pub(super) fn put_down(&mut self, uid: u32, id: ConnectionId) {
        let Some(account) = self.by_uid.get_mut(&uid) else { return };
        if let Some(process) = account.carrying.remove(&id) {
            account.insert_other(id, process);
            self.carrying -= 1;
            self.others.insert(id, uid);
        }
    }

    /// A connection has ended. What its outbox took was counted away before.
    pub(super) fn close(&mut self, uid: u32, id: ConnectionId) {
        self.put_down(uid, id);
        self.others.remove(&id);
        let Some(account) = self.by_uid.get_mut(&uid) else { return };
        account.remove_other(id);
        if account.len() == 0 {
            self.by_uid.remove(&uid);
        }
    }

    /// An outbox of this account took so much and takes so much now. Returns what all of its
    /// outboxes take.
    pub(super) fn outbox_changed(&mut self, uid: u32, before: usize, after: usize) -> usize {
        let Some(account) = self.by_uid.get_mut(&uid) else { return 0 };
        account.outbox_memory = account.outbox_memory - before + after;
        account.outbox_memory
    }

    /// The connections of an account.
    pub(super) fn connections(&self, uid: u32) -> impl Iterator<Item = ConnectionId> {
        let account = self.by_uid.get(&uid).into_iter();
        account.flat_map(|account| account.carrying.keys().chain(account.others.keys()).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: u32 = 1_000_001;
    const BOB: u32 = 1_000_002;
    const CAROL: u32 = 1_000_003;
    /// Root, who can end any relay.
    const HOST: u32 = 0;

    /// One more connection of this account, as the server takes it in. Returns who gave way.
    fn come(accounts: &mut Accounts, uid: u32, id: u64) -> Option<u64> {
        come_of(accounts, uid, None, id)
    }

    fn come_of(accounts: &mut Accounts, uid: u32, process: Process, id: u64) -> Option<u64> {
        let gone = accounts.gives_way(uid, process);
        if let Some(gone) = gone {
            let of = accounts.others[&gone];
            accounts.close(of, gone);
        }
        accounts.open(uid, process, ConnectionId(id));
        gone.map(|ConnectionId(id)| id)
    }

    fn carry(accounts: &mut Accounts, uid: u32, id: u64) -> Result<(), Full> {
        assert_eq!(come(accounts, uid, id), None);
        accounts.carry(uid, ConnectionId(id))
    }

    #[test]
    fn over_the_limit_of_an_account_its_oldest_visitor_gives_way() {
        let mut accounts = Accounts::new(100, 2);
        assert_eq!(carry(&mut accounts, ALICE, 0), Ok(()));
        assert_eq!(carry(&mut accounts, ALICE, 1), Ok(()));
        assert_eq!(carry(&mut accounts, ALICE, 2), Err(Full::Account(2)));
        let reserve = u64::try_from(VISITORS_PER_USER).unwrap();
        for id in 3..2 + reserve {
            assert_eq!(come(&mut accounts, ALICE, id), None);
        }
        for id in 2 + reserve..40 {
            assert_eq!(come(&mut accounts, ALICE, id), Some(id - reserve));
        }
        assert_eq!(come(&mut accounts, BOB, 40), None, "of another account");
        // Whose session has ended is one of those.
        accounts.put_down(ALICE, ConnectionId(1));
        assert_eq!(come(&mut accounts, ALICE, 41), Some(1));
        assert_eq!(accounts.carry(ALICE, ConnectionId(41)), Ok(()));
    }

    #[test]
    fn where_the_relay_is_full_an_account_s_own_gives_way_first_and_those_in_charge_last() {
        let mut accounts = Accounts::new(2, 100);
        assert_eq!(carry(&mut accounts, ALICE, 0), Ok(()));
        assert_eq!(carry(&mut accounts, BOB, 1), Ok(()));
        assert_eq!(carry(&mut accounts, HOST, 2), Err(Full::Relay(2)));
        let end = 2 + u64::try_from(VISITORS).unwrap();
        for id in 3..end {
            assert_eq!(come(&mut accounts, ALICE, id), None);
        }
        assert_eq!(come(&mut accounts, BOB, 30), Some(3), "not that of the host");
        assert_eq!(come(&mut accounts, BOB, 31), Some(30), "its own");
        assert_eq!(come(&mut accounts, HOST, 32), Some(2), "its own");
        assert_eq!(come(&mut accounts, CAROL, 33), Some(4));
    }

    #[test]
    fn a_program_that_comes_again_and_again_pushes_out_itself_alone() {
        let mut accounts = Accounts::new(100, 1);
        assert_eq!(carry(&mut accounts, ALICE, 0), Ok(()));
        let end = 1 + u64::try_from(VISITORS_PER_USER).unwrap();
        for id in 1..end {
            assert_eq!(come_of(&mut accounts, ALICE, Some(7), id), None);
        }
        assert_eq!(come_of(&mut accounts, ALICE, Some(1), 50), Some(1), "a visitor");
        let mut gone = Vec::new();
        for id in 100..200 {
            gone.extend(come_of(&mut accounts, ALICE, Some(7), id));
        }
        assert_eq!(gone.len(), 100);
        assert!(!gone.contains(&50), "it still visits");
    }

    #[test]
    fn nothing_is_left_of_those_who_are_gone() {
        let mut accounts = Accounts::new(10, 10);
        for id in 0..10 {
            assert_eq!(carry(&mut accounts, ALICE, id), Ok(()));
            assert_eq!(accounts.outbox_changed(ALICE, 0, 100), 100);
            assert_eq!(accounts.outbox_changed(ALICE, 100, 0), 0);
            assert_eq!(accounts.connections(ALICE).count(), 1);
            accounts.close(ALICE, ConnectionId(id));
        }
        assert_eq!((accounts.by_uid.len(), accounts.others.len(), accounts.carrying), (0, 0, 0));
    }
}
