//! Scenarios: what comes in, and everything that goes out because of it.

mod after;
mod answers;
mod any_message;
mod any_relay;
mod attention;
mod book;
mod carrying;
mod closing;
mod delivery;
mod departing;
mod enter_queue;
mod false_relay;
mod flood;
mod guidance;
mod keep_alive;
mod lending;
mod partner;
mod play;
mod presence;
mod properties;
mod reading;
mod reconnecting;
mod room_guard;
mod sending;
mod shutdown;
mod status;
mod task_book;
mod task_bounds;
mod task_results;
mod tasks;
mod transcript;
mod verdicts;
mod wait;
mod world;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use shared::{
    id::{OwnerId, RoomId, SessionId},
    limits::{self, Limits},
    message::{
        Author, ClientMessage, CloseReason, DequeueReason, ErrorCode as WireError, Hello, Leave,
        Paired, Presence, Queued, RelayMessage, ReportCategory, SessionGrant, Welcome,
    },
};

use self::partner::*;
use super::*;

const MOMENT: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(45);

/// Some chats with a clock that only the test moves, and everything that they said since the test
/// last asked.
struct Case {
    sessions: Sessions,
    now: Moment,
    calls: u64,
    said: Vec<String>,
    replies: BTreeMap<CallId, Reply>,
    tasks: BTreeMap<CallId, TaskView>,
    opened: Vec<ChatId>,
    limits: Limits,
    /// As time passes, every relay is heard now and then.
    answers_pings: bool,
}

fn config() -> Config {
    Config {
        owner: OwnerId::from_bytes([9; 16]),
        seed: [7; 16],
        display_name: "Alice".to_owned(),
        autonomous: Some(20),
        build: "test",
        robot: false,
        closed_rooms: limits::CLOSED_ROOMS,
    }
}

#[expect(clippy::disallowed_methods, reason = "some time has to be the first")]
fn first_moment() -> Moment {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
    Moment { instant: Instant::now(), wall }
}

impl Case {
    fn new() -> Self {
        Self::with(config())
    }

    fn with(config: Config) -> Self {
        Self {
            sessions: Sessions::new(config),
            now: first_moment(),
            calls: 0,
            said: Vec::new(),
            replies: BTreeMap::new(),
            tasks: BTreeMap::new(),
            opened: Vec::new(),
            limits: Limits::default(),
            answers_pings: false,
        }
    }

    /// No limit on the rates of messages and of `next`.
    fn unhurried() -> Self {
        let mut case = Self::new();
        case.limits = Limits { message_rate: None, next_rate: None, ..Limits::default() };
        case
    }

    fn input(&mut self, input: Input<'_>) {
        let before = self.readings();
        for output in self.sessions.handle(self.now, input) {
            if let Output::Open(chat) = &output
                && !self.opened.contains(chat)
            {
                self.opened.push(*chat);
            }
            let line = self.summary(&output);
            self.said.push(line);
            match output {
                Output::Answer(call, Answer::Result(reply)) => {
                    let before = self.replies.insert(call, *reply);
                    assert!(before.is_none(), "{call:?} is answered twice");
                }
                Output::Answer(call, Answer::Task(task)) => {
                    let before = self.tasks.insert(call, *task);
                    assert!(before.is_none(), "{call:?} is answered twice");
                }
                Output::Answer(_, Answer::Noted | Answer::UnknownTask)
                | Output::Open(_)
                | Output::Transmit(..)
                | Output::TellWritten(_)
                | Output::Reconnect(_)
                | Output::Close(_)
                | Output::Notify(..)
                | Output::Probe(_) => {}
            }
        }
        if let Some(deadline) = self.sessions.next_deadline() {
            assert!(deadline > self.now.instant, "a deadline has passed and nothing was done");
        }
        for (chat, after) in self.readings() {
            let Some(before) = before.get(&chat).filter(|before| before.1 != after.1) else {
                continue;
            };
            assert_ne!(before.0, after.0, "who follows {chat} would not learn that it has changed");
        }
    }

    /// What can be read of each chat, but for how long ago the partner was seen.
    fn readings(&self) -> BTreeMap<ChatId, (ChatVersion, Reading)> {
        let readings = self.sessions.versions().filter_map(|(chat, version)| {
            let mut reading = self.sessions.reading(chat, self.now.instant)?;
            if let Some(room) = &mut reading.room {
                room.partner.seconds_since_seen = 0;
            }
            Some((chat, (version, reading)))
        });
        readings.collect()
    }

    fn call(&mut self, request: Request) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        self.input(Input::Call(call, request));
        call
    }

    fn ask_task(&mut self, request: TaskRequest) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        self.input(Input::Task(call, request));
        call
    }

    fn relay(&mut self, chat: ChatId, message: RelayMessage<'_>) {
        self.input(Input::Relay(chat, message));
    }

    fn settle(&mut self, call: CallId, written: bool) {
        self.input(Input::Settled { call, written });
    }

    /// Lets time pass, with each tick in time.
    #[track_caller]
    fn pass(&mut self, duration: Duration) {
        let end = self.now.instant + duration;
        while let Some(deadline) = self.sessions.next_deadline().filter(|at| *at <= end) {
            self.advance_to(deadline);
            self.input(Input::Tick);
            if self.answers_pings {
                for chat in self.opened.clone() {
                    self.relay(chat, RelayMessage::Pong {});
                }
            }
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, instant: Instant) {
        self.now.wall += instant - self.now.instant;
        self.now.instant = instant;
    }

    /// Asserts everything that was said since the last time, in order.
    #[track_caller]
    fn expect<const N: usize>(&mut self, lines: [&str; N]) {
        let said = std::mem::take(&mut self.said);
        assert_eq!(said, lines.to_vec());
    }

    /// Forgets what was said.
    fn skip(&mut self) {
        self.said.clear();
    }

    /// The answer to a call, which has to be there and counts as written from now on.
    #[track_caller]
    fn read(&mut self, call: CallId) -> Reply {
        let reply = self.unwritten(call);
        self.settle(call, true);
        reply
    }

    /// The answer to a call, which has to be there and is not written yet.
    #[track_caller]
    fn unwritten(&mut self, call: CallId) -> Reply {
        self.replies.remove(&call).expect("the call is answered")
    }

    #[track_caller]
    fn is_pending(&mut self, call: CallId) {
        assert!(!self.replies.contains_key(&call), "{call:?} is answered");
    }

    /// One line for one output: `chat` is left out for the first one that was opened.
    fn summary(&self, output: &Output) -> String {
        let name = |chat: &ChatId| match self.opened.iter().position(|opened| opened == chat) {
            Some(0) | None => String::new(),
            Some(index) => format!("{}: ", index + 1),
        };
        match output {
            Output::Answer(CallId(call), Answer::Result(reply)) => match &reply.error {
                Some(error) => format!("= {call} {:?}", error.code),
                None => format!("= {call}"),
            },
            Output::Answer(CallId(call), Answer::Task(task)) => match &task.status {
                TaskStatus::Working(_) => format!("~ {call} working"),
                TaskStatus::Completed { .. } => format!("~ {call} completed"),
                TaskStatus::Cancelled => format!("~ {call} cancelled"),
            },
            Output::Answer(CallId(call), Answer::Noted) => format!("~ {call} noted"),
            Output::Answer(CallId(call), Answer::UnknownTask) => format!("~ {call} unknown"),
            Output::Open(chat) => format!("{}open", name(chat)),
            Output::Close(chat) => format!("{}close", name(chat)),
            Output::Reconnect(chat) => format!("{}reconnect", name(chat)),
            Output::Notify(chat, entry) => {
                format!("{}! {} {}", name(chat), entry.cursor, entry.event.name())
            }
            Output::Probe(CallId(call)) => format!("probe {call}"),
            Output::Transmit(chat, message) => format!("{}> {}", name(chat), wire(message)),
            Output::TellWritten(chat) => format!("{}> ?", name(chat)),
        }
    }
}

/// For properties of whole histories, which take long to shrink.
fn histories() -> proptest::prelude::ProptestConfig {
    proptest::prelude::ProptestConfig {
        cases: 256,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Default::default()
    }
}

/// A message to the relay in short, without what differs from run to run.
fn wire(message: &ClientMessage<'_>) -> String {
    match message {
        ClientMessage::Hello(hello) => greeting(hello),
        ClientMessage::EnterQueue { display_name, topic, ticket, blocks } => {
            let again = ticket.as_ref().map(|ticket| format!(" {ticket}")).unwrap_or_default();
            format!("enter_queue {display_name} {topic}{again}{}", blocking(blocks))
        }
        ClientMessage::LeaveQueue {} => "leave_queue".to_owned(),
        ClientMessage::Next { leave, blocks, .. } => match leave {
            Some(leave) => format!("next {}{}", departing_from(leave), blocking(blocks)),
            None => format!("next{}", blocking(blocks)),
        },
        ClientMessage::Leave(leave) => format!("leave {}", departing_from(leave)),
        ClientMessage::Send { room_id, seq, text, .. } => {
            let text: String = text.chars().take(20).collect();
            format!("send {}.{seq} {text}", short(room_id))
        }
        ClientMessage::Ack { room_id, received, read } => {
            format!("ack {} {received}/{read}", short(room_id))
        }
        ClientMessage::Sync { room_id, received } => format!("sync {} {received}", short(room_id)),
        ClientMessage::Attention { open, lapsed: false } => format!("attention {open}"),
        ClientMessage::Attention { open, lapsed: true } => format!("attention {open} lapsed"),
        ClientMessage::Ping {} => "ping".to_owned(),
        ClientMessage::Status { .. } => "status".to_owned(),
        ClientMessage::Stop {} => "stop".to_owned(),
    }
}

fn greeting(hello: &Hello<'_>) -> String {
    let mut line = "hello".to_owned();
    if let Some(session) = &hello.session {
        line += &format!(" {}", session.token);
        if let Some(room) = &session.room {
            line += &format!(" room {} {}", short(&room.room_id), room.received);
        }
        if let Some(queue) = &session.queue {
            line += &format!(" queue {}", queue.ticket.as_deref().unwrap_or("-"));
        }
        for leave in &session.leaving {
            line += &format!(" leaving {}", departing_from(leave));
        }
    }
    line + &blocking(&hello.blocks)
}

fn blocking(tags: &[Cow<'_, str>]) -> String {
    tags.iter().map(|tag| format!(" block {tag}")).collect()
}

fn departing_from(leave: &Leave<'_>) -> String {
    let mut line = short(&leave.room_id);
    if leave.block {
        line += " block";
    }
    if let Some(category) = leave.report {
        line += &format!(" {category:?}");
    }
    line
}

/// The number of a room of [`room`].
fn short(room: &RoomId) -> String {
    room.as_bytes()[0].to_string()
}

fn room(number: u8) -> RoomId {
    RoomId::from_bytes([number; 16])
}
