//! The driver: the one task that owns the [`Sessions`], feeds them what happens and does what they
//! say. All other tasks ask it. It decides nothing.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
    time::{Instant, SystemTime},
};

use shared::{
    codec::{self, DecodeError},
    id::OwnerId,
    message::{RelayMessage, Welcome},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::sleep_until,
};

use crate::{
    delivery::custom::{Announcer, Audience},
    link::{FRAMES_AHEAD, Link, LinkEvent, LinkHandle, LinkNews, Route, ToWrite, probe::probe},
    session::{
        Answer, CallId, ChatId, ChatVersions, Config, Input, Moment, Output, Reading, RelayHealth,
        Request, Sessions, TaskRequest,
    },
};

/// How to ask the driver.
///
/// Its channel is unbounded so that giving up a call never waits; what is in it is bounded by the
/// requests that the client has open.
#[derive(Debug, Clone)]
pub(crate) struct DriverHandle(mpsc::UnboundedSender<Command>);

#[derive(Debug)]
enum Command {
    Call(CallId, Request, Client, oneshot::Sender<Answer>),
    Task(CallId, TaskRequest, oneshot::Sender<Answer>),
    Cancelled(CallId),
    Settled { call: CallId, written: bool },
    Progress(CallId, oneshot::Sender<Option<String>>),
    Read(ChatId, oneshot::Sender<Option<Box<Reading>>>),
    Health(RelayHealth),
    Shutdown,
}

/// Who calls a tool.
#[derive(Debug)]
pub(crate) struct Client {
    /// It may be told of events unasked.
    pub(crate) audience: Option<Audience>,
    pub(crate) takes_tasks: bool,
}

impl DriverHandle {
    /// Calls a tool. `None` if the call was cancelled or the driver is gone.
    pub(crate) async fn call(
        &self,
        call: CallId,
        request: Request,
        client: Client,
    ) -> Option<Answer> {
        self.ask(|answer| Command::Call(call, request, client, answer)).await
    }

    /// Asks for a task, or gives it up. `None` as with [`call`](Self::call).
    pub(crate) async fn task(&self, call: CallId, request: TaskRequest) -> Option<Answer> {
        self.ask(|answer| Command::Task(call, request, answer)).await
    }

    /// The client wants no answer to this call any more.
    pub(crate) fn cancelled(&self, call: CallId) {
        self.tell(Command::Cancelled(call));
    }

    /// The answer to this call was written, or could not be.
    pub(crate) fn settled(&self, call: CallId, written: bool) {
        self.tell(Command::Settled { call, written });
    }

    /// What can be read of a chat, if it is there.
    pub(crate) async fn reading(&self, chat: ChatId) -> Option<Box<Reading>> {
        self.ask(|answer| Command::Read(chat, answer)).await.flatten()
    }

    /// What a call waits for, for people.
    pub(crate) async fn progress(&self, call: CallId) -> Option<String> {
        self.ask(|answer| Command::Progress(call, answer)).await.flatten()
    }

    /// Leaves every chat; the driver ends when the relay knows.
    pub(crate) fn shut_down(&self) {
        self.tell(Command::Shutdown);
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.tell(command(sender));
        answer.await.ok()
    }

    fn tell(&self, command: Command) {
        // A driver that is gone has left every chat: nobody is left who could answer.
        let _ = self.0.send(command);
    }
}

/// The driver itself; [`run`](Self::run) is its life.
#[derive(Debug)]
pub(crate) struct Driver {
    sessions: Sessions,
    owner: OwnerId,
    route: Arc<Route>,
    commands: mpsc::UnboundedReceiver<Command>,
    handle: DriverHandle,
    events: mpsc::Receiver<LinkEvent>,
    event_sender: mpsc::Sender<LinkEvent>,
    links: BTreeMap<ChatId, LinkHandle>,
    links_made: u64,
    calls: BTreeMap<CallId, oneshot::Sender<Answer>>,
    /// Calls that wait to hear how the relay is.
    probing: Vec<CallId>,
    announcer: Announcer,
    /// Who follows the chats as resources learns from it that they have changed, or that all ends.
    versions: watch::Sender<ChatVersions>,
    client_listens: bool,
    closing: bool,
}

impl Driver {
    pub(crate) fn new(config: Config, route: Arc<Route>) -> (Self, DriverHandle) {
        let (sender, commands) = mpsc::unbounded_channel();
        let (event_sender, events) = mpsc::channel(FRAMES_AHEAD);
        let handle = DriverHandle(sender);
        let driver = Self {
            owner: config.owner,
            sessions: Sessions::new(config),
            route,
            commands,
            handle: handle.clone(),
            events,
            event_sender,
            links: BTreeMap::new(),
            links_made: 0,
            calls: BTreeMap::new(),
            probing: Vec::new(),
            announcer: Announcer::default(),
            versions: watch::Sender::default(),
            client_listens: false,
            closing: false,
        };
        (driver, handle)
    }

    /// The chats that there are, now and whenever something of them changes.
    pub(crate) fn versions(&self) -> watch::Receiver<ChatVersions> {
        self.versions.subscribe()
    }

    /// Works until [`DriverHandle::shut_down`] and everything is left.
    pub(crate) async fn run(mut self) {
        loop {
            let deadline = self.sessions.next_deadline();
            tokio::select! {
                biased;
                Some(command) = self.commands.recv() => self.command(command),
                Some(event) = self.events.recv() => self.link_event(event),
                () = sleep_until(deadline.unwrap_or_else(Instant::now).into()),
                    if deadline.is_some() => self.handle(Input::Tick),
            }
            if self.closing && self.sessions.is_done() {
                break;
            }
        }
        // Calls that still wait are not answered.
        self.calls.clear();
        for link in mem::take(&mut self.links).into_values() {
            link.cut();
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Call(call, request, client, reply) => {
                if self.closing {
                    return;
                }
                self.meet(client);
                self.calls.insert(call, reply);
                self.handle(Input::Call(call, request));
            }
            Command::Task(call, request, reply) => {
                if self.closing {
                    return;
                }
                self.calls.insert(call, reply);
                self.handle(Input::Task(call, request));
            }
            Command::Cancelled(call) => {
                self.calls.remove(&call);
                self.handle(Input::Cancelled(call));
            }
            Command::Settled { call, written } => self.handle(Input::Settled { call, written }),
            Command::Progress(call, line) => {
                // A call that was answered meanwhile needs no progress.
                let _ = line.send(self.sessions.progress(call));
            }
            Command::Read(chat, answer) => {
                let reading = self.sessions.reading(chat, Instant::now()).map(Box::new);
                // A client that is gone reads nothing.
                let _ = answer.send(reading);
            }
            Command::Health(health) => {
                for call in mem::take(&mut self.probing) {
                    self.handle(Input::Health(call, health.clone()));
                }
            }
            Command::Shutdown => {
                self.closing = true;
                self.route.start_none();
                self.handle(Input::Shutdown);
            }
        }
    }

    fn meet(&mut self, client: Client) {
        if let Some(Audience { peer, listens, has_channel }) = client.audience {
            if self.announcer.set_audience(peer, has_channel) && has_channel {
                self.handle(Input::NewsReachesModel);
            }
            if listens && !mem::replace(&mut self.client_listens, true) {
                self.handle(Input::ClientListens);
            }
        }
        if client.takes_tasks {
            self.handle(Input::ClientTakesTasks);
        }
    }

    fn link_event(&mut self, event: LinkEvent) {
        let chat = event.chat;
        let Some(link) = self.links.get_mut(&chat).filter(|link| link.number == event.link) else {
            return;
        };
        match event.news {
            LinkNews::Connected { connection, relay } => {
                link.connection = Some(connection);
                link.relay = relay;
                link.has_warned = false;
                self.handle(Input::Connected(chat));
            }
            // Of a connection that was given up there may be some left.
            LinkNews::Frame(_) if link.connection.is_none() => {}
            LinkNews::Frame(frame) => match codec::decode_relay(&frame) {
                Ok(message) => {
                    if let RelayMessage::Welcome(Welcome { session: Some(grant), .. }) = &message {
                        let (session, resumed) = (grant.session_id, grant.resumed);
                        tracing::debug!(%chat, %session, resumed, "the relay has welcomed a chat");
                    }
                    self.handle(Input::Relay(chat, message));
                }
                Err(error) => self.undecodable(chat, &frame, &error),
            },
            LinkNews::Written => self.handle(Input::Written(chat)),
            LinkNews::Disconnected => {
                link.connection = None;
                self.handle(Input::Disconnected(chat));
            }
            LinkNews::Trouble(trouble) => self.handle(Input::Trouble(chat, trouble)),
        }
    }

    /// What a later version may say is passed over; over rubbish a connection is given up, and the
    /// next try is as far away as if there had been none.
    fn undecodable(&mut self, chat: ChatId, frame: &[u8], error: &DecodeError) {
        let Some(link) = self.links.get_mut(&chat) else { return };
        let is_rubbish = !codec::is_well_formed(frame);
        if !mem::replace(&mut link.has_warned, true) {
            tracing::warn!(%error, is_rubbish, "the relay was not understood");
        }
        if is_rubbish && let Some(connection) = link.connection.take() {
            // One that is just going down says so next.
            let _ = connection.send(ToWrite::Hopeless);
            let trouble = self.route.rubbish(link.relay);
            self.handle(Input::Disconnected(chat));
            self.handle(Input::Trouble(chat, trouble));
        }
    }

    /// What follows from doing what the sessions say is handled after all of that is done.
    fn handle(&mut self, input: Input<'_>) {
        let mut inputs = self.step(input);
        while let Some(input) = inputs.pop_front() {
            inputs.extend(self.step(input));
        }
        self.versions.send_if_modified(|known| {
            let is_new = |(id, version)| known.get(&id) != Some(&version);
            let has_changed = self.sessions.versions().count() != known.len()
                || self.sessions.versions().any(is_new);
            if has_changed {
                *known = self.sessions.versions().collect();
            }
            has_changed
        });
    }

    fn step(&mut self, input: Input<'_>) -> VecDeque<Input<'static>> {
        let now = Moment { instant: Instant::now(), wall: SystemTime::now() };
        let outputs = self.sessions.handle(now, input);
        outputs.into_iter().filter_map(|output| self.perform(output)).collect()
    }

    /// Does it, and returns what follows from that.
    fn perform(&mut self, output: Output) -> Option<Input<'static>> {
        match output {
            Output::Answer(call, answer) => {
                let taken = self.calls.remove(&call).map(|caller| caller.send(answer));
                let is_taken = matches!(taken, Some(Ok(())));
                return (!is_taken).then_some(Input::Settled { call, written: false });
            }
            Output::Open(chat) => self.open(chat),
            Output::Transmit(chat, message) => self.write(chat, ToWrite::Message(message)),
            Output::TellWritten(chat) => self.write(chat, ToWrite::Nothing),
            Output::Reconnect(chat) => {
                let link = self.links.remove(&chat)?;
                let trouble = self.route.silence(link.relay);
                link.cut();
                self.open(chat);
                return Some(Input::Trouble(chat, trouble));
            }
            Output::Close(chat) => {
                if let Some(link) = self.links.remove(&chat) {
                    link.close();
                }
            }
            Output::Notify(chat, entry) => self.announcer.announce(chat, &entry),
            Output::Probe(call) => self.probe(call),
        }
        None
    }

    fn write(&self, chat: ChatId, what: ToWrite) {
        if let Some(link) = self.links.get(&chat) {
            link.write(what);
        }
    }

    /// Finds out how the relay is, once for all who ask meanwhile.
    fn probe(&mut self, call: CallId) {
        self.probing.push(call);
        if self.probing.len() > 1 {
            return;
        }
        let (route, owner) = (Arc::clone(&self.route), self.owner);
        let driver = self.handle.clone();
        tokio::spawn(async move { driver.tell(Command::Health(probe(&route, owner).await)) });
    }

    fn open(&mut self, chat: ChatId) {
        self.links_made += 1;
        let (route, events) = (Arc::clone(&self.route), self.event_sender.clone());
        self.links.insert(chat, Link::open(chat, self.links_made, route, events));
    }
}
