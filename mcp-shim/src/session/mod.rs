//! What this shim knows of its chats: a pure, deterministic state machine. Inputs go in, outputs
//! come out; sockets, clocks, randomness and MCP stay outside.
//!
//! [`event`] is the whole contract. [`Sessions`] resolves calls to chats and holds the calls that
//! wait for something; [`tasks`] are waits that outlive their call. A [`chat`] knows its place and
//! its link, [`dialogue`] its relay, [`room`] the sequence numbers, [`inbox`] what the client has
//! not seen, [`transcript`] what can be read again.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod answers;
mod attention;
mod calls;
mod chat;
pub(crate) mod claims;
mod departing;
mod dialogue;
mod entering;
mod event;
mod inbox;
mod invariants;
mod liveness;
mod next;
mod pending;
mod queueing;
mod reply;
mod room;
mod sending;
mod tasks;
#[cfg(test)]
mod tests;
mod transcript;

use std::{
    collections::{BTreeMap, VecDeque},
    hash::Hasher,
    time::Instant,
};

use shared::limits;
use siphasher::{
    sip::SipHasher13,
    sip128::{self, Hasher128},
};

use self::{chat::Chat, pending::Pending, tasks::Tasks};
pub use self::{
    event::{
        CallId, ChatId, Config, Departure, Entry, Event, FoundPartner, Input, Moment, Output,
        Request, Sender, TaskId, TaskRequest, Trouble, TroubleKind,
    },
    reply::{
        ChatState, ChatView, Delivery, ErrorCode, Left, OtherChat, PartnerView, QueueView,
        Receipts, RelayHealth, Reply, RoomView, Spoken, TaskStatus, TaskView, ToolError,
    },
    transcript::{Line, Outline, Reading, Said},
};

/// Waits in a row that brought nothing, after which the model is told to end its turn.
const EMPTY_WAITS: u32 = 3;

/// All chats of this shim.
#[derive(Debug)]
pub struct Sessions {
    config: Config,
    chats: BTreeMap<ChatId, Chat>,
    pending: BTreeMap<CallId, Pending>,
    tasks: Tasks,
    /// Whose events were lent to a call.
    lent: BTreeMap<CallId, ChatId>,
    /// Chats that a call has made: if its answer is not written, nobody knows them.
    introduced: BTreeMap<CallId, ChatId>,
    /// Chats that end once an answer that says so was written and nothing is left to be told.
    farewells: BTreeMap<CallId, ChatId>,
    /// Block tags, presented at each `hello`.
    blocks: VecDeque<String>,
    /// The client takes events without asking.
    client_listens: bool,
    /// The model is shown events without asking.
    news_reaches_model: bool,
    /// A wait wakes the client.
    client_takes_tasks: bool,
    chats_made: u64,
    /// When something happened last.
    awake_at: Option<Instant>,
    /// The client is gone; chats with messages on the way end at this time at the latest.
    closing: Option<Instant>,
}

impl Sessions {
    /// No chats yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            chats: BTreeMap::new(),
            pending: BTreeMap::new(),
            tasks: Tasks::default(),
            lent: BTreeMap::new(),
            introduced: BTreeMap::new(),
            farewells: BTreeMap::new(),
            blocks: VecDeque::new(),
            client_listens: false,
            news_reaches_model: false,
            client_takes_tasks: false,
            chats_made: 0,
            awake_at: None,
            closing: None,
        }
    }

    /// Takes one input and says what to do.
    pub fn handle(&mut self, now: Moment, input: Input<'_>) -> Vec<Output> {
        let mut out = Vec::new();
        self.wake(now.instant);
        match input {
            Input::Call(call, request) => self.call(call, request, now, &mut out),
            Input::Task(call, request) => self.task_request(call, request, now, &mut out),
            Input::Cancelled(call) => self.cancelled(call, now, &mut out),
            Input::ClientListens => self.client_listens(&mut out),
            Input::NewsReachesModel => self.news_reaches_model = true,
            Input::ClientTakesTasks => self.client_takes_tasks = true,
            Input::Settled { call, written } => self.settled(call, written, now, &mut out),
            Input::Connected(id) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.heard = now.instant;
                    chat.connected(&self.config, &self.blocks, &mut out);
                }
            }
            Input::Relay(id, message) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.heard = now.instant;
                    if let Some(tag) = chat.relay(message, now, &mut out) {
                        self.keep_block(tag);
                    }
                }
            }
            Input::Written(id) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.written(&mut out);
                }
            }
            Input::Disconnected(id) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.disconnected(now.instant, &mut out);
                }
            }
            Input::Trouble(id, trouble) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.trouble = Some(trouble);
                }
            }
            Input::Health(call, health) => self.health(call, health, &mut out),
            Input::Tick => {}
            Input::Shutdown => self.closing = Some(now.instant + limits::LEAVE_WAIT),
        }
        self.advance(now, &mut out);
        for output in &out {
            if let Output::Transmit(id, _) = output
                && let Some(chat) = self.chats.get_mut(id)
            {
                chat.spoke = now.instant;
            }
        }
        out
    }

    /// When [`Input::Tick`] is due, at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let calls = self.pending.values().filter_map(|pending| self.due(pending));
        let chats = self.chats.values().filter_map(Chat::deadline);
        let closing = self.closing.filter(|_| self.chats.values().any(|c| c.ended.is_none()));
        // Whoever looks at the clock now and then notices that it was stopped.
        let grace_runs = self.chats.values().any(|chat| chat.lost_at().is_some());
        let watch = self.awake_at.filter(|_| grace_runs).map(|at| at + limits::SLEPT_AFTER);
        calls.chain(self.tasks.deadline()).chain(chats).chain(closing).chain(watch).min()
    }

    /// What a call waits for, for people: the message of a progress notification.
    #[must_use]
    pub fn progress(&self, call: CallId) -> Option<String> {
        let chat = self.chats.get(&self.pending.get(&call)?.chat)?;
        Some(chat.progress())
    }

    /// After [`Input::Shutdown`]: whether every chat is left and its relay knows.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.chats.is_empty()
    }

    /// After a stop of the machine or the process, nobody is found to have been silent meanwhile,
    /// and no grace has passed.
    fn wake(&mut self, now: Instant) {
        let late = self.next_deadline().map(|due| now.saturating_duration_since(due));
        let awake_at = self.awake_at.replace(now).unwrap_or(now);
        if late.is_some_and(|late| late > limits::SLEPT_AFTER) {
            let slept = now.saturating_duration_since(awake_at);
            for chat in self.chats.values_mut() {
                chat.slept(slept);
            }
            self.tasks.slept(slept);
        }
    }

    /// Lets everything happen that can happen now.
    fn advance(&mut self, now: Moment, out: &mut Vec<Output>) {
        for chat in self.chats.values_mut() {
            chat.expire(now, out);
            let waits_for_acks = chat.room().is_some_and(|room| !room.all_acknowledged());
            if let Some(closing) = self.closing
                && chat.ended.is_none()
                && (closing <= now.instant || !waits_for_acks)
            {
                chat.end(chat::Verdict::default(), now, out);
            }
        }
        self.forget_excess(out);
        self.advance_calls(now, out);
        self.advance_tasks(now, out);
        self.conclude_tasks(now);
        self.chats.retain(|_, chat| !chat.is_finished());
    }

    /// Chats that have ended and hold a link, but for the latest, are given up.
    fn forget_excess(&mut self, out: &mut Vec<Output>) {
        let holds = |chat: &Chat| chat.ended.is_some() && !chat.is_finished();
        let excess = self.chats.values().filter(|chat| holds(chat)).count();
        for _ in limits::ENDED_SESSIONS..excess {
            let held = self.chats.values_mut().filter(|chat| holds(chat));
            if let Some(oldest) = held.min_by_key(|chat| chat.ended) {
                oldest.forget(out);
            }
        }
    }

    /// The client has, or has not, what was lent to this call.
    fn settled(&mut self, call: CallId, written: bool, now: Moment, out: &mut Vec<Output>) {
        let introduced = self.introduced.remove(&call).filter(|_| !written);
        if let Some(chat) = introduced.and_then(|id| self.chats.get_mut(&id)) {
            chat.end(chat::Verdict::default(), now, out);
        }
        if let Some(chat) = self.lent.remove(&call).and_then(|id| self.chats.get_mut(&id)) {
            chat.inbox.settle(call, written);
            chat.handed_out(out);
        }
        let farewell = self.farewells.remove(&call).filter(|_| written);
        if let Some(chat) = farewell.and_then(|id| self.chats.get_mut(&id))
            && chat.inbox.unread() == 0
        {
            chat.end(chat::Verdict::default(), now, out);
        }
        self.task_settled(call, written, now, out);
    }

    fn client_listens(&mut self, out: &mut Vec<Output>) {
        self.client_listens = true;
        for chat in self.chats.values_mut() {
            chat.set_attentive(true, out);
        }
    }

    fn keep_block(&mut self, tag: String) {
        if self.blocks.contains(&tag) {
            return;
        }
        if self.blocks.len() == limits::BLOCK_TAGS {
            self.blocks.pop_front();
        }
        self.blocks.push_back(tag);
    }

    /// The chats that tools can name.
    fn living(&self) -> impl Iterator<Item = &Chat> {
        self.chats.values().filter(|chat| chat.ended.is_none())
    }

    fn find(&self, chat_id: &str) -> Option<ChatId> {
        self.living().map(|chat| chat.id).find(|id| id.as_str() == chat_id)
    }

    /// A number that nobody can guess who does not know the seed.
    fn unguessable(&self, use_of: u8, number: u64) -> u128 {
        let mut hasher = sip128::SipHasher13::new_with_key(&self.config.seed);
        hasher.write_u8(use_of);
        hasher.write_u64(number);
        hasher.finish128().as_u128()
    }

    fn new_chat_id(&mut self) -> ChatId {
        loop {
            self.chats_made += 1;
            let mut hasher = SipHasher13::new_with_key(&self.config.seed);
            hasher.write_u64(self.chats_made);
            let id = ChatId::from_number(hasher.finish());
            if !self.chats.contains_key(&id) {
                return id;
            }
        }
    }
}
