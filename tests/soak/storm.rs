//! Sessions that talk at the full rate while relays and shims are killed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use tests::{Signal, World, is_running, signal};

use crate::{
    Options,
    ledger::Side,
    session::{Session, Stage},
    shim::Shim,
    tally,
};

/// How long after the last fault everything has to have arrived.
const SETTLE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(2);

/// Returns whether all went well.
pub(crate) fn run(options: &Options) -> bool {
    let kills = Arc::new(AtomicUsize::new(0));
    let worlds: Vec<JoinHandle<bool>> = (0..options.worlds)
        .map(|number| {
            let (options, kills) = (options.clone(), Arc::clone(&kills));
            thread::spawn(move || Storm::new(number, options, kills).run())
        })
        .collect();
    let mut is_well = true;
    for world in worlds {
        is_well &= world.join().unwrap_or(false);
    }
    println!("relays killed in all: {}", kills.load(Ordering::SeqCst));
    is_well
}

struct Storm {
    number: usize,
    options: Options,
    /// Of all worlds.
    kills: Arc<AtomicUsize>,
    own_kills: usize,
    shim_kills: usize,
    world: World,
    stage: Arc<Stage>,
    shims: Vec<(Arc<Shim>, Vec<JoinHandle<()>>)>,
    sessions: usize,
    chats: usize,
}

impl Storm {
    fn new(number: usize, options: Options, kills: Arc<AtomicUsize>) -> Self {
        let chats = options.chats.clamp(1, 16);
        let pairs = (options.sessions / options.worlds / chats / 2).max(1);
        let sessions = pairs * 2 * chats;
        let of_relay = [
            ("message-rate", options.message_rate.as_str()),
            ("max-connections-per-user", "10000"),
            ("pairing-delay", "200ms"),
            ("away-after", "2s"),
            ("grace", options.grace.as_str()),
            ("next-rate", "off"),
            ("idle-exit", "20s"),
        ];
        let world = World::empty(&of_relay);
        let stage = Stage {
            lives: (0..pairs * 2).map(|_| AtomicUsize::new(0)).collect(),
            resumed: (0..sessions).map(|_| AtomicUsize::new(0)).collect(),
            ..Stage::default()
        };
        Self {
            number,
            options,
            kills,
            own_kills: 0,
            shim_kills: 0,
            world,
            stage: Arc::new(stage),
            shims: Vec::new(),
            sessions,
            chats,
        }
    }

    fn run(mut self) -> bool {
        for shim in 0..self.stage.lives.len() {
            let started = self.start(shim);
            self.shims.push(started);
        }
        let is_talking = self.wait_until(SETTLE, |storm| storm.all_talk());
        if !is_talking {
            self.stage.ledger.violation("not all sessions found a partner".to_owned());
        }
        let begun = Instant::now();
        let memory = self.faults(begun);
        let took = begun.elapsed();
        self.stage.quiet.store(true, Ordering::SeqCst);
        let settled = self.wait_until(SETTLE, |storm| {
            let quiet = storm.stage.quiet_sessions.load(Ordering::SeqCst);
            quiet == storm.sessions && storm.unheard().is_empty()
        });
        if !settled {
            for what in self.unheard() {
                self.stage.ledger.violation(what);
            }
        }
        let last_memory = self.relay_memory();
        self.stage.over.store(true, Ordering::SeqCst);
        for (shim, sessions) in self.shims.drain(..) {
            sessions.into_iter().for_each(|session| session.join().unwrap());
            drop(shim);
        }
        self.report(took, memory, last_memory);
        self.stage.ledger.violations() == 0
    }

    /// Returns the relay's memory after the first minute.
    fn faults(&mut self, begun: Instant) -> Option<u64> {
        let end = begun + Duration::from_secs_f64(self.options.minutes * 60.0);
        let (mut relay_at, mut shim_at) = (begun, begun);
        let mut memory = None;
        loop {
            let now = Instant::now();
            let is_over = match self.options.kills {
                Some(kills) => self.kills.load(Ordering::SeqCst) >= kills,
                None => now >= end,
            };
            if is_over || self.stage.ledger.violations() > 20 {
                return memory;
            }
            if memory.is_none() && now - begun >= Duration::from_secs(60) {
                memory = self.relay_memory();
            }
            let every = self.options.relay_kills_every.0;
            let is_due = match (self.options.kills, every) {
                (Some(_), _) => self.all_are_back() || now - relay_at > SETTLE,
                (None, Some(every)) => now - relay_at >= every,
                (None, None) => false,
            };
            if is_due {
                // At any moment of the next tenth of a second.
                thread::sleep(Duration::from_micros(random() % 100_000));
                self.kill_relay();
                relay_at = Instant::now();
            }
            if self.options.shim_kills_every.0.is_some_and(|every| now - shim_at >= every) {
                self.kill_a_shim();
                shim_at = Instant::now();
            }
            thread::sleep(SOON);
        }
    }

    fn start(&self, shim: usize) -> (Arc<Shim>, Vec<JoinHandle<()>>) {
        let life = self.stage.lives[shim].fetch_add(1, Ordering::SeqCst) + 1;
        let process = Arc::new(Shim::start(&self.world));
        let sessions = (0..self.chats).map(|chat| {
            let session = Session {
                stage: Arc::clone(&self.stage),
                shim: Arc::clone(&process),
                side: Side { shim, life },
                topic: format!("room {} {chat}", shim / 2),
                index: shim * self.chats + chat,
                chat_id: Value::Null,
                after: 0,
                room: None,
                said: 0,
            };
            thread::spawn(move || session.run())
        });
        let sessions = sessions.collect();
        (process, sessions)
    }

    fn kill_a_shim(&mut self) {
        let shim = usize::try_from(random() % self.shims.len() as u64).unwrap();
        // From now on its rooms may end.
        self.stage.lives[shim].fetch_add(1, Ordering::SeqCst);
        let (process, sessions) = self.shims.remove(shim);
        process.kill();
        sessions.into_iter().for_each(|session| session.join().unwrap());
        self.shim_kills += 1;
        let started = self.start(shim);
        self.shims.insert(shim, started);
    }

    fn kill_relay(&mut self) {
        let Some(pid) = self.relay() else { return };
        let mut kill = self.stage.kill.lock().unwrap();
        signal(pid, Signal::KILL);
        *kill = (kill.0 + 1, Some(Instant::now()));
        drop(kill);
        self.own_kills += 1;
        self.kills.fetch_add(1, Ordering::SeqCst);
    }

    /// The relay that holds the lock.
    fn relay(&self) -> Option<u32> {
        let lock = self.world.directory().join("relay.sock.lock");
        let pid = std::fs::read_to_string(lock).ok()?.trim().parse().ok()?;
        is_running(pid).then_some(pid)
    }

    /// In KiB.
    fn relay_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.relay()?)).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    fn all_talk(&self) -> bool {
        let (rooms, _, heard) = self.stage.ledger.totals();
        rooms >= self.sessions / 2 && heard >= self.sessions as u64
    }

    fn all_are_back(&self) -> bool {
        let kills = self.stage.kill.lock().unwrap().0;
        self.stage.resumed.iter().all(|resumed| resumed.load(Ordering::SeqCst) == kills)
    }

    fn unheard(&self) -> Vec<String> {
        self.stage.ledger.unheard(|shim| self.stage.life_of(shim))
    }

    fn wait_until(&self, limit: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if is_so(self) {
                return true;
            }
            thread::sleep(SOON * 10);
        }
        false
    }

    fn report(&self, took: Duration, memory: Option<u64>, last_memory: Option<u64>) {
        let (rooms, said, heard) = self.stage.ledger.totals();
        let resumes = self.stage.resumes.lock().unwrap().clone();
        println!(
            "world {}: {} sessions for {took:.1?}: {} relays and {} shims killed, {rooms} rooms, \
             {said} messages accepted, {heard} heard, {} calls found no relay, {} violations",
            self.number,
            self.sessions,
            self.own_kills,
            self.shim_kills,
            self.stage.unavailable.load(Ordering::Relaxed),
            self.stage.ledger.violations(),
        );
        println!(
            "world {}: from kill to next message through: {}",
            self.number,
            tally::describe(resumes)
        );
        println!(
            "world {}: relay memory {memory:?} KiB after a minute, {last_memory:?} KiB at the end",
            self.number
        );
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}
