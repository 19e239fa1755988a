//! The world between shims and relay: slow, lossy, and now and then deadly.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant, SystemTime},
};

use mcp_shim::session::{Answer, CallId, ChatId, Input, Moment, Output};
use shared::{codec, message::ClientMessage};

use crate::{
    model::{Model, Who},
    places::Places,
    random::Random,
    relay::{Clock, Item, Relay, Run},
    rules::Rule,
    shim::{Act, Shim},
    tally::Tally,
    wires::Wire,
};

pub(crate) type WireId = u64;

/// With faults, then without: long enough for every period of grace to pass.
const TROUBLED: Duration = Duration::from_secs(90);
const HEALED: Duration = Duration::from_secs(180);
/// So that the wall clock can be set back.
pub(crate) const WALL_AHEAD: Duration = Duration::from_secs(100 * 24 * 60 * 60);
/// Of the greetings that impostors can repeat.
const HELLOS: usize = 32;

#[derive(Debug)]
pub(crate) enum Happening {
    Connect { shim: usize, chat: ChatId, link: u64 },
    ToRelay(WireId),
    ToShim(WireId),
    Act(usize),
    Listen(usize),
    Answer { shim: usize, life: u64, call: CallId, written: bool },
    Look { shim: usize, life: u64, task: String },
    Fault,
    StartRelay,
    WakeRelay,
    StartShim(usize),
    WakeShim { shim: usize, life: u64 },
    Silent(WireId),
    Written(WireId),
}

pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) rule: Option<Rule>,
    pub(crate) now: Duration,
    pub(crate) start: Clock,
    /// What the wall clock is ahead of time as it passes.
    pub(crate) wall_ahead: Duration,
    /// From then on everything works.
    pub(crate) heals_at: Duration,
    /// The machine sleeps until then, or has.
    pub(crate) suspended_until: Option<Duration>,
    pub(crate) order: u64,
    pub(crate) agenda: BTreeMap<(Duration, u64), Happening>,
    pub(crate) relay: Option<Relay>,
    pub(crate) relays_started: u64,
    /// While no relay runs.
    pub(crate) places: Places,
    pub(crate) relay_is_due: bool,
    pub(crate) relay_sleeps_since: Duration,
    pub(crate) relay_sleeps_until: Option<Duration>,
    pub(crate) key: [u8; 32],
    /// In this world no key is lost.
    pub(crate) keys_last: bool,
    pub(crate) key_is_new: bool,
    /// The highest epoch under this key.
    pub(crate) kept_epoch: Option<u64>,
    pub(crate) wires: BTreeMap<WireId, Wire>,
    pub(crate) wires_made: u64,
    pub(crate) shims: Vec<Option<Shim>>,
    pub(crate) lives: u64,
    pub(crate) model: Model,
    pub(crate) renumbered: BTreeMap<(usize, ChatId, String), u64>,
    pub(crate) left: BTreeSet<(usize, ChatId, String)>,
    /// What was said to relays at first: whose, and the frame. Bounded, the oldest dropped.
    pub(crate) hellos: VecDeque<(Who, ChatId, Vec<u8>)>,
    /// Chats whose session somebody else has claimed.
    pub(crate) robbed: BTreeSet<Who>,
    pub(crate) tally: Tally,
    pub(crate) trace: bool,
}

/// Plays one seed to its end; panics if a promise is broken.
pub(crate) fn play(seed: u64, rule: Option<Rule>, trace: bool) -> Tally {
    let mut random = Random::new(seed);
    let shims = 2 + random.below(4);
    let keys_last = !random.permille(150);
    #[expect(clippy::disallowed_methods, reason = "some time has to be the first")]
    let start = Clock { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut world = World {
        random,
        rule,
        now: Duration::ZERO,
        start,
        wall_ahead: WALL_AHEAD,
        heals_at: TROUBLED,
        suspended_until: None,
        order: 0,
        agenda: BTreeMap::new(),
        relay: None,
        relays_started: 0,
        places: Places::default(),
        relay_is_due: false,
        relay_sleeps_since: Duration::ZERO,
        relay_sleeps_until: None,
        key: [7; 32],
        keys_last,
        key_is_new: true,
        kept_epoch: None,
        wires: BTreeMap::new(),
        wires_made: 0,
        shims: Vec::new(),
        lives: 0,
        model: Model::default(),
        renumbered: BTreeMap::new(),
        left: BTreeSet::new(),
        hellos: VecDeque::new(),
        robbed: BTreeSet::new(),
        tally: Tally::default(),
        trace,
    };
    for number in 0..shims {
        world.shims.push(None);
        world.start_shim(number);
    }
    world.later(1, 500, Happening::Fault);
    // A suspend puts the end of the faults off.
    while !world.healed() {
        world.run(world.heals_at);
    }
    world.heal();
    world.run(world.heals_at + HEALED);
    world.judge();
    world.tally
}

impl World {
    pub(crate) fn clock(&self) -> Clock {
        let wall = self.start.wall + self.wall_ahead + self.now;
        Clock { instant: self.start.instant + self.now, wall }
    }

    pub(crate) fn moment(&self) -> Moment {
        let Clock { instant, wall } = self.clock();
        Moment { instant, wall }
    }

    pub(crate) fn later(&mut self, from: u64, to: u64, happening: Happening) {
        let at = self.now + self.random.millis(from, to);
        self.at(at, happening);
    }

    pub(crate) fn at(&mut self, at: Duration, happening: Happening) {
        self.order += 1;
        self.agenda.insert((at, self.order), happening);
    }

    pub(crate) fn healed(&self) -> bool {
        self.now >= self.heals_at
    }

    fn run(&mut self, until: Duration) {
        loop {
            let offset = |at: Instant| at.saturating_duration_since(self.start.instant);
            let awake = self.relay.as_ref().filter(|_| self.relay_sleeps_until.is_none());
            let relay = awake.and_then(|relay| relay.lobby.next_deadline());
            let awake = self.shims.iter().flatten().filter(|shim| shim.sleeps_until.is_none());
            let shims = awake.filter_map(|shim| shim.sessions.next_deadline());
            let tick = shims.chain(relay).map(offset).min();
            let next = self.agenda.keys().next().map(|(at, _)| *at);
            let Some(at) = next.into_iter().chain(tick).min().filter(|at| *at <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(at);
            if tick.is_some_and(|tick| tick <= self.now) {
                self.tick();
            }
            if let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= self.now)
            {
                let happening = entry.remove();
                self.happen(happening);
            }
        }
    }

    fn tick(&mut self) {
        let (clock, moment) = (self.clock(), self.moment());
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= clock.instant);
        if let Some(relay) = self.relay.as_mut()
            && self.relay_sleeps_until.is_none()
            && is_due(relay.lobby.next_deadline())
        {
            let outgoing = relay.tick(clock);
            assert!(!is_due(relay.lobby.next_deadline()), "the lobby ticks for ever");
            self.send_out(outgoing);
        }
        for number in 0..self.shims.len() {
            let Some(shim) = self.shims[number].as_mut() else { continue };
            if shim.sleeps_until.is_none() && is_due(shim.sessions.next_deadline()) {
                let outputs = shim.sessions.handle(moment, Input::Tick);
                assert!(!is_due(shim.sessions.next_deadline()), "the sessions tick for ever");
                self.perform(number, outputs);
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        if self.trace {
            eprintln!("{:>9.3} {happening:?}", self.now.as_secs_f64());
        }
        if let Some(wakes) = self.sleeper(&happening) {
            return self.at(wakes, happening);
        }
        match happening {
            Happening::Connect { shim, chat, link } => self.connect(shim, chat, link),
            Happening::ToRelay(wire) => self.arrive_at_relay(wire),
            Happening::ToShim(wire) => self.arrive_at_shim(wire),
            Happening::Act(number) => self.act(number),
            Happening::Listen(number) => self.listen(number),
            Happening::Answer { shim, life, call, written } => {
                self.answer(shim, life, call, written);
            }
            Happening::Look { shim, life, task } => self.look(shim, life, &task),
            Happening::Fault => self.fault(),
            Happening::StartRelay => self.start_relay(),
            Happening::WakeRelay => self.wake_relay(),
            Happening::StartShim(number) => self.start_shim(number),
            Happening::WakeShim { shim, life } => self.wake_shim(shim, life),
            Happening::Silent(wire) => self.silent(wire),
            Happening::Written(wire) => self.written(wire),
        }
    }

    fn start_relay(&mut self) {
        self.relay_is_due = false;
        if self.relay.is_none() {
            self.relays_started += 1;
            let clock = self.clock();
            let epoch = relay::epoch::next(self.kept_epoch, clock.wall);
            let keeps = self.rule != Some(Rule::RisingEpoch);
            self.kept_epoch = Some(epoch).filter(|_| keeps);
            let replaces = !std::mem::take(&mut self.key_is_new);
            let run = Run { number: self.relays_started, epoch, chance: self.random.next() };
            let places = std::mem::take(&mut self.places);
            let relay = Relay::start(run, &self.key, replaces, clock.instant, places, self.rule);
            self.relay = Some(relay);
        }
    }

    fn start_shim(&mut self, number: usize) {
        if self.shims[number].is_none() {
            self.lives += 1;
            self.shims[number] = Some(Shim::start(number, self.lives, self.rule));
            self.later(1, 2_000, Happening::Act(number));
        }
    }

    fn act(&mut self, number: usize) {
        if self.healed() {
            return;
        }
        self.later(20, 2_500, Happening::Act(number));
        let (moment, now) = (self.moment(), self.now);
        let Some(shim) = self.shims[number].as_mut() else { return };
        let Some(act) = shim.act(&mut self.random, now, &mut self.model) else { return };
        if self.trace {
            eprintln!("{:>9.3} {number} {act:?}", now.as_secs_f64());
        }
        let outputs = match act {
            Act::Call(call, request) => shim.sessions.handle(moment, Input::Call(call, request)),
            Act::Cancel(call) => shim.sessions.handle(moment, Input::Cancelled(call)),
        };
        self.perform(number, outputs);
    }

    fn listen(&mut self, number: usize) {
        self.later(500, 3_000, Happening::Listen(number));
        let (moment, now) = (self.moment(), self.now);
        let Some(shim) = self.shims[number].as_mut() else { return };
        for (call, request) in shim.listen(now) {
            let Some(shim) = self.shims[number].as_mut() else { return };
            let outputs = shim.sessions.handle(moment, Input::Call(call, request));
            self.perform(number, outputs);
        }
    }

    fn answer(&mut self, number: usize, life: u64, call: CallId, written: bool) {
        let moment = self.moment();
        let Some(shim) = self.shims[number].as_mut().filter(|shim| shim.life == life) else {
            return;
        };
        if written {
            self.tally.tasks += u64::from(shim.shows_a_result(call));
            shim.learn(call, &mut self.model);
        } else {
            shim.missed(call, &mut self.model);
        }
        let look = shim.looks_again(call, written);
        let outputs = shim.sessions.handle(moment, Input::Settled { call, written });
        self.perform(number, outputs);
        if let Some(task) = look {
            // Now and then a client forgets, or asks twice.
            for _ in 0..[0, 1, 1, 1, 1, 1, 1, 2][self.random.below(8)] {
                let task = task.clone();
                let pause = if self.healed() { 6_000 } else { 1_500 };
                self.later(200, pause, Happening::Look { shim: number, life, task });
            }
        }
    }

    fn look(&mut self, number: usize, life: u64, task: &str) {
        let (moment, now) = (self.moment(), self.now);
        let Some(shim) = self.shims[number].as_mut().filter(|shim| shim.life == life) else {
            return;
        };
        let (call, request) = shim.look(task, &mut self.random, now);
        let outputs = shim.sessions.handle(moment, Input::Task(call, request));
        self.perform(number, outputs);
    }

    fn answer_later(&mut self, shim: usize, life: u64, call: CallId, wanted: bool) {
        let written = wanted && (self.healed() || !self.random.permille(40));
        self.later(0, 40, Happening::Answer { shim, life, call, written });
    }

    pub(crate) fn perform(&mut self, number: usize, outputs: Vec<Output>) {
        if let Some(shim) = &self.shims[number] {
            shim.sessions.check_invariants();
        }
        for output in outputs {
            if self.trace && !matches!(output, Output::Answer(_, Answer::Result(_))) {
                eprintln!("{:>9.3} {number} {output:?}", self.now.as_secs_f64());
            }
            let Some(shim) = self.shims[number].as_mut() else { return };
            match output {
                Output::Answer(call, Answer::Result(reply)) => {
                    let life = shim.life;
                    let wanted = shim.answered(call, *reply, &mut self.model);
                    self.answer_later(number, life, call, wanted);
                }
                Output::Answer(call, Answer::Task(task)) => {
                    let life = shim.life;
                    let wanted = shim.looked(call, *task, &mut self.model);
                    self.answer_later(number, life, call, wanted);
                }
                Output::Answer(call, Answer::Noted | Answer::UnknownTask) => shim.noted(call),
                Output::Open(chat) => self.open(number, chat),
                Output::Transmit(chat, message) => {
                    let mut frame = Vec::new();
                    codec::encode(&message, &mut frame);
                    frame.pop();
                    if matches!(message, ClientMessage::Hello(_)) {
                        let who = shim.who(chat.as_str());
                        self.hellos.push_back((who, chat, frame.clone()));
                        if self.hellos.len() > HELLOS {
                            self.hellos.pop_front();
                        }
                    }
                    if let Some(wire) = shim.links.get(&chat).and_then(|link| link.wire) {
                        self.send_to_relay(wire, Item::Frame(frame));
                    }
                }
                Output::TellWritten(chat) => {
                    if let Some(wire) = shim.links.get(&chat).and_then(|link| link.wire) {
                        self.later(0, 30, Happening::Written(wire));
                    }
                }
                Output::Reconnect(chat) => {
                    self.hang_up(number, chat);
                    self.open(number, chat);
                }
                Output::Close(chat) => self.hang_up(number, chat),
                Output::Notify(..) | Output::Probe(_) => {}
            }
        }
    }
}
