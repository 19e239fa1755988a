//! What this shim knows of its chats: a pure, deterministic state machine. Inputs go in, outputs
//! come out; sockets, clocks, randomness and MCP stay outside.
//!
//! [`contract`] is all that goes in and out. Three rooms do the work:
//! - [`chat`]: one chat and its relay. Its place, its room, its inbox.
//! - [`calls`]: the client's calls. What each tool does to a chat, and when it is answered.
//! - [`reply`]: what an answer says. All words that a result chooses.
//!
//! [`Sessions`] holds the chats and the calls, and hands each input to its room.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod calls;
mod chat;
mod context;
mod contract;
mod event;
mod ids;
mod invariants;
mod reply;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use shared::{id, limits};

pub(crate) use self::chat::untrusted::count;
use self::{
    calls::{pending::Pending, tasks::Tasks},
    chat::{Chat, Verdict},
    context::Context,
};
pub use self::{
    chat::{
        reading::{ChatVersion, ChatVersions, Reading, only_chat},
        transcript::{Line, Said},
    },
    contract::{
        Answer, Config, Departure, EnterQueue, Input, Output, Request, SendMessage, TaskRequest,
        Trouble,
    },
    event::{Entry, Event, FoundPartner, Sender},
    ids::{CallId, ChatId, Moment, TaskId},
    reply::{
        ChatState, ChatView, Delivery, ErrorCode, Left, OtherChat, PartnerView, QueueView,
        Receipts, RelayHealth, Reply, RoomView, Spoken, TaskStatus, TaskView, ToolError,
    },
};

/// What the seed is used for.
const CHAT_ID: u8 = 0;
const TASK_ID: u8 = 1;
const FENCE: u8 = 2;

/// All chats of this shim.
///
/// Its methods are of three kinds. Its owner calls them in this order, again and again:
/// 1. [`next_deadline`](Self::next_deadline): how long to wait for the next input at most.
/// 2. [`handle`](Self::handle): one [`Input`], which changes everything that changes. The outputs
///    are done in their order, and all of them before the next input.
/// 3. Getters: [`reading`](Self::reading), [`versions`](Self::versions),
///    [`progress`](Self::progress) at any time, [`is_done`](Self::is_done) after
///    [`Input::Shutdown`].
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
    /// Chats that end once the answer that says so was written, if nothing is unread then.
    farewells: BTreeMap<CallId, ChatId>,
    /// Block tags, presented at each `hello` and with each search for a partner.
    blocks: Arc<[String]>,
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
            blocks: Arc::default(),
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
        let cx = &mut Context::new(now);
        self.wake(now.instant);
        match input {
            Input::Call(call, request) => self.call(call, request, cx),
            Input::Task(call, request) => self.task_request(call, request, cx),
            Input::Cancelled(call) => self.cancelled(call, cx),
            Input::ClientListens => self.client_listens = true,
            Input::NewsReachesModel => self.news_reaches_model = true,
            Input::ClientTakesTasks => self.client_takes_tasks = true,
            Input::Settled { call, written } => self.settled(call, written, cx),
            Input::Connected(id) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.connected(&self.config, cx);
                }
            }
            Input::Relay(id, message) => {
                if let Some(chat) = self.chats.get_mut(&id)
                    && let Some(tag) = chat.relay(message, cx)
                {
                    self.keep_block(tag);
                }
            }
            Input::Written(id) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.written(cx);
                }
            }
            Input::Disconnected(id) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.disconnected(cx);
                }
            }
            Input::Trouble(id, trouble) => {
                if let Some(chat) = self.chats.get_mut(&id) {
                    chat.note_trouble(trouble);
                }
            }
            Input::Health(call, health) => self.health(call, health, cx),
            Input::Tick => {}
            Input::Shutdown => self.closing = Some(now.instant + limits::LEAVE_WAIT),
        }
        self.advance(cx);
        std::mem::take(&mut cx.out)
    }

    /// When [`Input::Tick`] is due, at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let calls = self.pending.values().map(|pending| self.due(pending));
        let chats = self.chats.values().filter_map(Chat::deadline);
        let closing = self.closing.filter(|_| self.chats.values().any(|c| c.is_living()));
        // Only a process that looks at the clock now and then notices that it was stopped.
        let grace_runs = self.chats.values().any(|chat| chat.lost_at().is_some());
        let watch = self.awake_at.filter(|_| grace_runs).map(|at| at + limits::SLEPT_AFTER);
        calls.chain(self.tasks.deadline()).chain(chats).chain(closing).chain(watch).min()
    }

    /// What a call waits for, for people: the message of a progress notification.
    #[must_use]
    pub fn progress(&self, call: CallId) -> Option<String> {
        let chat = self.chats.get(&self.pending.get(&call)?.call.chat)?;
        Some(chat.progress())
    }

    /// What can be read of a chat, if tools can name it.
    #[must_use]
    pub fn reading(&self, id: ChatId, now: Instant) -> Option<Reading> {
        self.living().find(|chat| chat.id() == id).map(|chat| chat.reading(now))
    }

    /// Every chat that tools can name, and what stands for its reading.
    pub fn versions(&self) -> impl Iterator<Item = (ChatId, ChatVersion)> {
        self.living().map(|chat| (chat.id(), chat.version()))
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
    fn advance(&mut self, cx: &mut Context) {
        for chat in self.chats.values_mut() {
            chat.expire(cx);
            if let Some(closing) = self.closing
                && chat.is_living()
                && (closing <= cx.now.instant || !chat.has_unacknowledged())
            {
                chat.end(Verdict::default(), cx);
            }
        }
        self.forget_excess(cx);
        self.advance_calls(cx);
        self.advance_tasks(cx);
        self.conclude_tasks(cx);
        self.chats.retain(|_, chat| !chat.is_finished());
        let open: Vec<bool> = self.chats.keys().map(|id| self.is_listened_to(*id)).collect();
        for (chat, open) in self.chats.values_mut().zip(open) {
            chat.set_open(open, cx);
        }
    }

    /// Chats that have ended and hold a link, but for the latest, are given up.
    fn forget_excess(&mut self, cx: &mut Context) {
        let holds = |chat: &Chat| !chat.is_living() && !chat.is_finished();
        let excess = self.chats.values().filter(|chat| holds(chat)).count();
        for _ in limits::ENDED_SESSIONS..excess {
            let held = self.chats.values_mut().filter(|chat| holds(chat));
            if let Some(oldest) = held.min_by_key(|chat| chat.ended_at()) {
                oldest.forget(cx);
            }
        }
    }

    /// The client has, or has not, what was lent to this call.
    fn settled(&mut self, call: CallId, written: bool, cx: &mut Context) {
        let introduced = self.introduced.remove(&call).filter(|_| !written);
        if let Some(chat) = introduced.and_then(|id| self.chats.get_mut(&id)) {
            chat.end(Verdict::default(), cx);
        }
        if let Some(chat) = self.lent.remove(&call).and_then(|id| self.chats.get_mut(&id)) {
            chat.settle(call, written, cx);
        }
        let farewell = self.farewells.remove(&call).filter(|_| written);
        if let Some(chat) = farewell.and_then(|id| self.chats.get_mut(&id))
            && chat.unread() == 0
        {
            chat.end(Verdict::default(), cx);
        }
        self.task_settled(call, written, cx);
    }

    fn keep_block(&mut self, tag: String) {
        if self.blocks.contains(&tag) {
            return;
        }
        let excess = (self.blocks.len() + 1).saturating_sub(limits::BLOCK_TAGS);
        self.blocks = self.blocks.iter().skip(excess).cloned().chain([tag]).collect();
        for chat in self.chats.values_mut() {
            chat.present(&self.blocks);
        }
    }

    /// The chats that tools can name.
    fn living(&self) -> impl Iterator<Item = &Chat> {
        self.chats.values().filter(|chat| chat.is_living())
    }

    fn find(&self, chat_id: &str) -> Option<ChatId> {
        self.living().map(Chat::id).find(|id| id.as_str() == chat_id)
    }

    /// Nobody without the seed can guess it.
    fn unguessable(&self, purpose: u8, number: u64) -> u128 {
        id::keyed(&self.config.seed, purpose, number)
    }

    fn new_chat_id(&mut self) -> ChatId {
        loop {
            self.chats_made += 1;
            let id = ChatId::from_number(self.unguessable(CHAT_ID, self.chats_made) as u64);
            if !self.chats.contains_key(&id) {
                return id;
            }
        }
    }
}
