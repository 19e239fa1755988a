//! A shim: the real sessions, and behind them a client that does things at random.

use std::collections::{BTreeMap, BTreeSet};

use mcp_shim::session::{
    CallId, ChatId, ChatState, Config, Departure, EnterQueue, Event, Reply, Request, SendMessage,
    Sessions, TaskRequest, TaskStatus, TaskView,
};
use shared::{id::OwnerId, limits, message::Author};

use crate::{model::Model, random::Random, rules::Rule, world::WireId};
use std::time::Duration;

const TOPICS: [&str; 2] = ["open", "tea"];

#[derive(Debug)]
pub(crate) struct Shim {
    pub(crate) sessions: Sessions,
    pub(crate) life: u64,
    /// Its process is stopped.
    pub(crate) sleeps_until: Option<Duration>,
    /// It was stopped for so long that others may have given its rooms up.
    pub(crate) overslept: bool,
    pub(crate) links: BTreeMap<ChatId, Link>,
    pub(crate) links_made: u64,
    number: usize,
    calls_made: u64,
    words: u64,
    /// Calls without an answer.
    pub(crate) open: BTreeMap<CallId, Call>,
    /// Answers on their way to the client.
    pub(crate) answers: BTreeMap<CallId, (Call, Reply, u64)>,
    answered: u64,
    /// How tasks were found to stand, on its way to the client.
    looks: BTreeMap<CallId, TaskView>,
    /// What the client was told by its tasks.
    told: BTreeMap<String, TaskView>,
    /// How new what the client knows of a chat is: answers overtake each other.
    newest: BTreeMap<String, u64>,
    /// What the client knows of its chats.
    pub(crate) chats: BTreeMap<String, Known>,
    /// Rooms that the client has seen end, with the reason.
    pub(crate) ended: BTreeMap<(String, String), String>,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) wire: Option<WireId>,
    pub(crate) pause: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) chat: Option<String>,
    pub(crate) words: Option<String>,
    pub(crate) at: Duration,
    pub(crate) departs: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) state: ChatState,
    pub(crate) room: Option<String>,
    pub(crate) topic: Option<String>,
}

impl Shim {
    pub(crate) fn start(number: usize, life: u64, rule: Option<Rule>) -> Self {
        let owner = owner_bytes(number, life);
        let config = Config {
            owner: OwnerId::from_bytes(owner),
            seed: owner,
            display_name: format!("Shim {number}"),
            autonomous: None,
            build: "simulated",
            robot: false,
            closed_rooms: if rule == Some(Rule::ClosedRooms) { 0 } else { limits::CLOSED_ROOMS },
        };
        Self {
            sessions: Sessions::new(config),
            life,
            sleeps_until: None,
            overslept: false,
            links: BTreeMap::new(),
            links_made: 0,
            number,
            calls_made: 0,
            words: 0,
            open: BTreeMap::new(),
            answers: BTreeMap::new(),
            answered: 0,
            looks: BTreeMap::new(),
            told: BTreeMap::new(),
            newest: BTreeMap::new(),
            chats: BTreeMap::new(),
            ended: BTreeMap::new(),
        }
    }

    pub(crate) fn owner(&self) -> OwnerId {
        OwnerId::from_bytes(owner_bytes(self.number, self.life))
    }

    pub(crate) fn who(&self, chat: &str) -> (usize, u64, String) {
        (self.number, self.life, chat.to_owned())
    }

    fn call(&mut self, call: Call) -> CallId {
        self.calls_made += 1;
        let id = CallId(self.calls_made);
        self.open.insert(id, call);
        id
    }

    /// What the client does next, at random.
    pub(crate) fn act(
        &mut self,
        random: &mut Random,
        now: Duration,
        model: &mut Model,
    ) -> Option<Act> {
        let chats: Vec<String> = self.chats.keys().cloned().collect();
        if chats.is_empty() || (chats.len() < 2 && random.permille(30)) {
            let topic = TOPICS[random.below(2)];
            let call = self.call(Call { chat: None, words: None, at: now, departs: false });
            return Some(Act::Call(
                call,
                Request::EnterQueue(EnterQueue {
                    display_name: None,
                    topic: Some(topic.to_owned()),
                    chat_id: None,
                    new_chat: true,
                    after: None,
                }),
            ));
        }
        let chat = chats[random.below(chats.len())].clone();
        let known = &self.chats[&chat];
        let chat_id = Some(chat.clone());
        let mut words = None;
        let mut departs = false;
        let request = match random.below(100) {
            0..45 if known.state == ChatState::Chatting => {
                self.words += 1;
                let message = format!("{}.{}.{}", self.number, self.life, self.words);
                model.says(self.who(&chat), message.clone());
                words = Some(message.clone());
                let room_id = known.room.clone().filter(|_| random.permille(500));
                Request::SendMessage(SendMessage {
                    chat_id,
                    message,
                    author: Author::User,
                    room_id,
                    after: None,
                })
            }
            45..53 => {
                departs = true;
                let block = random.permille(30);
                Request::NextPartner(Departure { chat_id, block, report: None, after: None })
            }
            53..56 => {
                departs = true;
                let block = random.permille(30);
                Request::LeaveChat(Departure { chat_id, block, report: None, after: None })
            }
            56..60 if known.state == ChatState::Idle => Request::EnterQueue(EnterQueue {
                display_name: None,
                topic: random.permille(500).then(|| TOPICS[random.below(2)].to_owned()),
                chat_id,
                new_chat: false,
                after: None,
            }),
            60..63 => {
                // Whoever cancels the first call of a chat never knows its id.
                let known = |(_, call): &(&CallId, &Call)| call.chat.is_some();
                let calls: Vec<CallId> =
                    self.open.iter().filter(known).map(|(id, _)| *id).collect();
                if calls.is_empty() {
                    return None;
                }
                let call = calls[random.below(calls.len())];
                if let Some(Call { chat: Some(chat), departs: true, .. }) = self.open.remove(&call)
                {
                    model.excuse(self.who(&chat));
                }
                return Some(Act::Cancel(call));
            }
            _ => {
                let timeout = Duration::from_secs([0, 1, 5, 20][random.below(4)]);
                let task = random.permille(400);
                Request::WaitForEvents { chat_id, after: None, timeout, task }
            }
        };
        let call = self.call(Call { chat: Some(chat), words, at: now, departs });
        Some(Act::Call(call, request))
    }

    /// After the faults: every chat is looked at, again and again.
    pub(crate) fn listen(&mut self, now: Duration) -> Vec<(CallId, Request)> {
        let waiting: BTreeSet<String> =
            self.open.values().filter_map(|call| call.chat.clone()).collect();
        let quiet: Vec<String> =
            self.chats.keys().filter(|chat| !waiting.contains(*chat)).cloned().collect();
        quiet
            .into_iter()
            .map(|chat| {
                let chat_id = Some(chat.clone());
                let call = Call { chat: Some(chat), words: None, at: now, departs: false };
                let timeout = Duration::from_secs(20);
                let wait = Request::WaitForEvents { chat_id, after: None, timeout, task: false };
                (self.call(call), wait)
            })
            .collect()
    }

    /// A call is answered; what the session has decided counts, whether or not the client learns.
    pub(crate) fn answered(&mut self, call: CallId, reply: Reply, model: &mut Model) -> bool {
        let Some(asked) = self.open.remove(&call) else { return false };
        if let Some(words) = &asked.words {
            match &reply.message_id {
                Some(id) => model.accepted(words, id),
                None => model.refused(words),
            }
        }
        if let Some(chat) = &asked.chat
            && asked.departs
        {
            model.undelivered(reply.undelivered.clone().unwrap_or_default());
            if reply.left.is_some() {
                model.gone(self.who(chat));
            }
        }
        self.answered += 1;
        self.answers.insert(call, (asked, reply, self.answered));
        true
    }

    /// The client looks at a task, or now and then gives it up.
    pub(crate) fn look(
        &mut self,
        task: &str,
        random: &mut Random,
        now: Duration,
    ) -> (CallId, TaskRequest) {
        let call = Call { chat: None, words: None, at: now, departs: false };
        let (call, task) = (self.call(call), task.to_owned());
        let gives_up = random.permille(50);
        (call, if gives_up { TaskRequest::Cancel(task) } else { TaskRequest::Get(task) })
    }

    /// A task was made or looked at. Returns whether the client wants to know.
    pub(crate) fn looked(&mut self, call: CallId, task: TaskView, model: &mut Model) -> bool {
        let wanted = match &task.status {
            TaskStatus::Completed { reply, .. } => {
                if let Some(asked) = self.open.get_mut(&call) {
                    asked.chat = reply.chat.as_ref().map(|view| view.chat_id.to_string());
                }
                self.answered(call, (**reply).clone(), model)
            }
            TaskStatus::Working(_) | TaskStatus::Cancelled => self.open.remove(&call).is_some(),
        };
        self.looks.insert(call, task);
        wanted
    }

    /// A request of which the client only wants to know that it was answered.
    pub(crate) fn noted(&mut self, call: CallId) {
        self.open.remove(&call);
    }

    /// Whether this answer has what a task brings. Once told it is the same each time, and the
    /// client takes it once.
    pub(crate) fn shows_a_result(&mut self, call: CallId) -> bool {
        let Some(task) = self.looks.get(&call) else { return false };
        if !matches!(task.status, TaskStatus::Completed { .. }) {
            return false;
        }
        match self.told.insert(task.task_id.to_string(), task.clone()) {
            Some(before) => {
                assert_eq!(before, *task, "a task tells something else");
                self.answers.remove(&call);
                false
            }
            None => true,
        }
    }

    /// The task that the client looks at again, because it did not learn what it brings.
    pub(crate) fn looks_again(&mut self, call: CallId, written: bool) -> Option<String> {
        let task = self.looks.remove(&call)?;
        let again = !written || matches!(task.status, TaskStatus::Working(_));
        again.then(|| task.task_id.to_string())
    }

    /// The answer has not reached the client: a chat that it was to make known is over.
    pub(crate) fn missed(&mut self, call: CallId, model: &mut Model) {
        let Some((asked, reply, _)) = self.answers.remove(&call) else { return };
        if let (None, Some(view)) = (asked.chat, reply.chat) {
            model.gone(self.who(view.chat_id.as_str()));
        }
    }

    /// The answer has reached the client.
    pub(crate) fn learn(&mut self, call: CallId, model: &mut Model) {
        let Some((asked, reply, order)) = self.answers.remove(&call) else { return };
        let Some(view) = reply.chat else {
            // What the chat was left with did not reach the client.
            if let Some(chat) = asked.chat {
                self.chats.remove(&chat);
            }
            return;
        };
        let chat = view.chat_id.to_string();
        let who = self.who(&chat);
        for entry in &view.events {
            model.handed(&who, entry.cursor);
            match &entry.event {
                Event::Found { room_id, .. } => model.joined(&who, room_id),
                Event::Message { room_id, message_id, message, .. } => {
                    model.hears(&who, entry.cursor, room_id, message_id, message);
                }
                Event::Disconnected { room_id, reason, undelivered } => {
                    model.undelivered(undelivered.iter().cloned());
                    let reason = format!("{reason:?}");
                    self.ended.insert((chat.clone(), room_id.clone()), reason);
                }
                Event::Away { .. } | Event::Back { .. } | Event::Expired { .. } => {}
            }
        }
        let newest = self.newest.entry(chat.clone()).or_default();
        if order < *newest {
            return;
        }
        *newest = order;
        if view.state == ChatState::Ended {
            self.chats.remove(&chat);
            return;
        }
        let known = Known {
            state: view.state,
            room: view.room.map(|room| room.room_id),
            topic: view.queue.map(|queue| queue.topic),
        };
        self.chats.insert(chat, known);
    }
}

fn owner_bytes(number: usize, life: u64) -> [u8; 16] {
    let mut owner = [0; 16];
    owner[0] = number as u8;
    owner[8..].copy_from_slice(&life.to_be_bytes());
    owner
}

#[derive(Debug)]
pub(crate) enum Act {
    Call(CallId, Request),
    Cancel(CallId),
}
