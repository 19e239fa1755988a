//! Plays two programs against the relay of [`world`](super::world), and keeps book of what must be.

use std::collections::BTreeSet;

use super::{
    book::Book,
    task_book::TaskBook,
    world::{Key, Relay, Wire},
    *,
};

/// What the client of one program does, or what happens to a wire. Numbers choose among what there
/// is.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Enter { side: usize, new_chat: bool },
    EnterAgain { side: usize, chat: usize },
    Say { side: usize, chat: usize },
    Wait { side: usize, chat: usize, seconds: u64, after: Option<u64> },
    Task { side: usize, chat: usize },
    GetTask { side: usize, task: usize },
    CancelTask { side: usize, task: usize },
    Status { side: usize, chat: usize },
    Next { side: usize, chat: usize },
    Leave { side: usize, chat: usize },
    Cancel { side: usize, call: usize },
    Settle { side: usize, call: usize, written: bool },
    Connect { chat: usize },
    Cut { wire: usize },
    ToRelay { wire: usize },
    ToShim { wire: usize },
    Flow,
    Pass { milliseconds: u64 },
    Sleep { seconds: u64 },
    Expire { chat: usize },
}

pub(super) struct Side {
    pub(super) sessions: Sessions,
    pub(super) calls: u64,
    /// Calls without an answer, and when they have one at the latest.
    pub(super) open: BTreeMap<CallId, (Option<ChatId>, Instant)>,
    /// Answers that are not settled: whose events, and which.
    pub(super) unwritten: BTreeMap<CallId, (Option<ChatId>, Vec<u64>)>,
    pub(super) with_after: BTreeSet<CallId>,
    pub(super) tasks: TaskBook,
}

pub(super) struct Play {
    pub(super) now: Moment,
    pub(super) sides: [Side; 2],
    pub(super) books: BTreeMap<Key, Book>,
    pub(super) wires: Vec<Wire>,
    pub(super) relay: Relay,
    pub(super) limits: Limits,
    texts: u64,
    pub(super) frames: u64,
}

impl Play {
    pub(super) fn new(limits: Limits) -> Self {
        let side = |number| Side {
            sessions: Sessions::new(Config { seed: [number; 16], autonomous: None, ..config() }),
            calls: 0,
            open: BTreeMap::new(),
            unwritten: BTreeMap::new(),
            with_after: BTreeSet::new(),
            tasks: TaskBook::default(),
        };
        Self {
            now: first_moment(),
            sides: [side(1), side(2)],
            books: BTreeMap::new(),
            wires: Vec::new(),
            relay: Relay::new(limits.clone()),
            limits,
            texts: 0,
            frames: 0,
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Enter { side, new_chat } => {
                self.call(side, None, Enter { new_chat, ..ENTER }.into(), 5 * SECOND);
            }
            Step::EnterAgain { side, chat } => {
                self.call_chat(side, chat, 5 * SECOND, enter_again);
            }
            Step::Say { side, chat } => {
                self.texts += 1;
                let text = format!("text {}", self.texts);
                self.call_chat(side, chat, 6 * SECOND, |chat| say_as_assistant(chat, &text));
            }
            Step::Wait { side, chat, seconds, after } => {
                let timeout = Duration::from_secs(seconds);
                let Some(key) = self.pick(side, chat) else { return };
                let highest = self.books[&key].had.last().copied().unwrap_or(0);
                let request = match after.map(|after| after % (highest + 1)) {
                    Some(after) => {
                        let call = CallId(self.sides[side].calls + 1);
                        self.sides[side].with_after.insert(call);
                        // It says that it has these, whatever became of their results.
                        self.books.get_mut(&key).unwrap().had.extend(1..=after);
                        wait_after(key.1, after, timeout)
                    }
                    None => wait(key.1, timeout),
                };
                self.call(side, Some(key.1), request, timeout);
            }
            Step::Task { side, chat } => self.call_chat(side, chat, Duration::ZERO, wait_by_task),
            Step::GetTask { side, task } => self.get_task(side, task),
            Step::CancelTask { side, task } => self.cancel_task(side, task),
            Step::Status { side, chat } => self.call_chat(side, chat, SECOND, status),
            Step::Next { side, chat } => {
                self.call_chat(side, chat, 5 * SECOND + limits::LEAVE_WAIT, next);
            }
            Step::Leave { side, chat } => self.call_chat(side, chat, limits::LEAVE_WAIT, leave),
            Step::Cancel { side, call } => {
                let calls = self.sides[side].open.iter().map(|(call, (chat, _))| (*call, *chat));
                let Some((call, chat)) = nth(calls, call) else { return };
                self.sides[side].open.remove(&call);
                if let Some(chat) = chat {
                    self.books.get_mut(&(side, chat)).unwrap().forgetful = true;
                }
                self.input(side, Input::Cancelled(call));
            }
            Step::Settle { side, call, written } => {
                let calls = self.sides[side].unwritten.keys().copied();
                if let Some(call) = nth(calls, call) {
                    self.settle(side, call, written);
                }
            }
            Step::Connect { chat } => {
                let lonely = |(key, book): (&Key, &Book)| {
                    (book.wants_link && self.wire_of(*key).is_none()).then_some(*key)
                };
                if let Some(key) = nth(self.books.iter().filter_map(lonely), chat) {
                    self.wires.push(Wire::new(key));
                    self.input(key.0, Input::Connected(key.1));
                }
            }
            Step::Cut { wire } => {
                if let Some(wire) = nth(0..self.wires.len(), wire) {
                    let wire = self.wires.remove(wire);
                    self.relay.lost(&wire, self.now.instant);
                    if wire.is_open {
                        self.input(wire.key.0, Input::Disconnected(wire.key.1));
                    }
                }
            }
            Step::ToRelay { wire } => {
                let ready = |index: &usize| !self.wires[*index].to_relay.is_empty();
                if let Some(index) = nth((0..self.wires.len()).filter(ready), wire) {
                    self.carry_to_relay(index);
                }
            }
            Step::ToShim { wire } => {
                let ready = |index: &usize| !self.wires[*index].to_shim.is_empty();
                if let Some(index) = nth((0..self.wires.len()).filter(ready), wire) {
                    self.carry_to_shim(index);
                }
            }
            Step::Flow => self.flow(),
            Step::Pass { milliseconds } => self.pass(Duration::from_millis(milliseconds)),
            Step::Sleep { seconds } => {
                self.now.instant += Duration::from_secs(seconds);
                for side in 0..2 {
                    // A call of two stages begins the second only now.
                    let late = self.now.instant + limits::RELAY_WAIT;
                    for (_, deadline) in self.sides[side].open.values_mut() {
                        *deadline = late.max(*deadline);
                    }
                    self.input(side, Input::Tick);
                }
                self.relay.expire(&mut self.wires, self.now.instant);
            }
            Step::Expire { chat } => {
                if let Some(key) = nth(self.books.keys().copied(), chat) {
                    self.relay.dequeue(&mut self.wires, key);
                }
            }
        }
    }

    /// Everything that is wanted happens: nothing is cut and everything is read.
    pub(super) fn calm_down(&mut self) {
        // Long enough for whoever is gone to be given up.
        for _ in 0..40 {
            for side in 0..2 {
                while let Some(call) = self.sides[side].unwritten.keys().next().copied() {
                    self.settle(side, call, true);
                }
            }
            for _ in 0..self.books.len() {
                self.step(Step::Connect { chat: 0 });
            }
            self.flow();
            self.pass(2 * SECOND);
        }
        let mut told = usize::MAX;
        // What was read makes room for more.
        while told != self.told() {
            told = self.told();
            for key in self.books.keys().copied().collect::<Vec<_>>() {
                self.read_all(key);
            }
            self.flow();
        }
    }

    fn told(&self) -> usize {
        self.books.values().map(|book| book.told.len()).sum()
    }

    fn read_all(&mut self, key: Key) {
        let mut something = true;
        while something && !self.books[&key].has_ended {
            let call = self.call(key.0, Some(key.1), wait(key.1, Duration::ZERO), Duration::ZERO);
            something = !self.sides[key.0].unwritten[&call].1.is_empty();
            self.settle(key.0, call, true);
        }
    }

    pub(super) fn wire_of(&self, key: Key) -> Option<usize> {
        self.wires.iter().position(|wire| wire.key == key && wire.is_open)
    }

    fn pick(&self, side: usize, chat: usize) -> Option<Key> {
        let living = self.books.iter().filter(|(key, book)| key.0 == side && !book.has_ended);
        nth(living.map(|(key, _)| *key), chat)
    }

    pub(super) fn call_chat(
        &mut self,
        side: usize,
        chat: usize,
        patience: Duration,
        request: impl FnOnce(ChatId) -> Request,
    ) {
        if let Some(key) = self.pick(side, chat) {
            self.call(side, Some(key.1), request(key.1), patience);
        }
    }

    fn call(
        &mut self,
        side: usize,
        chat: Option<ChatId>,
        request: Request,
        patience: Duration,
    ) -> CallId {
        self.sides[side].calls += 1;
        let call = CallId(self.sides[side].calls);
        let deadline = self.now.instant + patience;
        self.sides[side].open.insert(call, (chat, deadline));
        self.input(side, Input::Call(call, request));
        call
    }

    fn settle(&mut self, side: usize, call: CallId, written: bool) {
        let (chat, cursors) = self.sides[side].unwritten.remove(&call).unwrap();
        if written && let Some(chat) = chat {
            self.books.get_mut(&(side, chat)).unwrap().had.extend(cursors);
        }
        self.sides[side].tasks.settle(call, written);
        self.input(side, Input::Settled { call, written });
    }

    pub(super) fn input(&mut self, side: usize, input: Input<'_>) {
        let outputs = self.sides[side].sessions.handle(self.now, input);
        for output in outputs {
            self.output(side, output);
        }
        self.check(side);
    }

    fn output(&mut self, side: usize, output: Output) {
        match output {
            Output::Answer(call, Answer::Result(reply)) => self.reply(side, call, *reply),
            Output::Answer(call, Answer::Task(task)) => self.show_task(side, call, *task),
            Output::Answer(_, Answer::Noted) => {}
            Output::Answer(call, Answer::UnknownTask) => self.sides[side].tasks.is_unknown(call),
            Output::Open(chat) => {
                let book = self.books.entry((side, chat)).or_default();
                assert!(!std::mem::replace(&mut book.wants_link, true), "opened twice");
            }
            Output::Close(chat) => {
                let book = self.books.get_mut(&(side, chat)).unwrap();
                assert!(std::mem::take(&mut book.wants_link), "closed twice");
                self.hang_up((side, chat));
            }
            Output::Reconnect(chat) => self.hang_up((side, chat)),
            Output::Transmit(chat, message) => self.transmit((side, chat), message),
            Output::TellWritten(chat) => {
                let index = self.wire_of((side, chat)).expect("nothing is written without one");
                self.wires[index].tells_written = true;
            }
            Output::Notify(chat, entry) => {
                let told = &mut self.books.get_mut(&(side, chat)).unwrap().told;
                assert_eq!(entry.cursor, told.len() as u64 + 1);
                told.push(entry.clone());
                if let Event::Disconnected { undelivered, .. } = entry.event {
                    self.books.get_mut(&(side, chat)).unwrap().undelivered.extend(undelivered);
                }
            }
            Output::Probe(_) => unreachable!("nobody asks for the health of the relay"),
        }
    }

    fn pass(&mut self, duration: Duration) {
        let end = self.now.instant + duration;
        let next = |play: &Self, side: usize| play.sides[side].sessions.next_deadline();
        loop {
            let due = (0..2).filter_map(|side| Some((next(self, side)?, side))).min();
            let Some((at, side)) = due.filter(|(at, _)| *at <= end) else { break };
            self.now.instant = self.now.instant.max(at);
            self.input(side, Input::Tick);
        }
        self.now.instant = end;
        self.relay.expire(&mut self.wires, end);
    }
}

pub(super) fn nth<T>(of: impl Iterator<Item = T>, number: usize) -> Option<T> {
    let mut all: Vec<T> = of.collect();
    if all.is_empty() { None } else { Some(all.swap_remove(number % all.len())) }
}
