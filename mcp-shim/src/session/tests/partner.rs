//! An honest relay with an honest partner, by hand.

use super::*;

impl Case {
    /// A connection, and a relay that answers `hello`.
    pub(super) fn connect(&mut self, chat: ChatId) {
        self.greet(chat);
        self.relay(chat, RelayMessage::Pong {});
    }

    /// The same, up to where the relay has yet to answer what `hello` claimed.
    pub(super) fn greet(&mut self, chat: ChatId) {
        self.input(Input::Connected(chat));
        let welcome = self.welcome();
        self.relay(chat, welcome);
    }

    pub(super) fn welcome(&self) -> RelayMessage<'static> {
        RelayMessage::Welcome(Welcome {
            version: 1,
            epoch: 1,
            build: "test".into(),
            limits: Box::new(self.limits.clone()),
            session: Some(SessionGrant {
                session_id: SessionId::from_bytes([3; 16]),
                token: "session".into(),
                resumed: true,
            }),
        })
    }

    pub(super) fn pair(&mut self, chat: ChatId, number: u8) {
        self.relay(chat, paired(number));
    }

    /// A chat that waits alone; everything said of it is forgotten.
    pub(super) fn waiting(&mut self) -> ChatId {
        let call = self.call(enter_another());
        let chat = *self.opened.last().expect("a new chat has opened a link");
        self.connect(chat);
        self.relay(chat, queued(1));
        self.read(call);
        self.skip();
        chat
    }

    /// A chat that talks in room 1, of which its client knows.
    pub(super) fn chatting(&mut self) -> ChatId {
        let chat = self.waiting();
        self.pair(chat, 1);
        self.look(chat);
        self.skip();
        chat
    }

    /// A chat whose partner has left room 1, of which its client knows.
    pub(super) fn idle(&mut self) -> ChatId {
        let chat = self.chatting();
        self.relay(chat, closed(1, CloseReason::Left));
        self.look(chat);
        self.skip();
        chat
    }

    /// Everything that is there now, read.
    #[track_caller]
    pub(super) fn look(&mut self, chat: ChatId) -> ChatView {
        let call = self.call(wait(chat, Duration::ZERO));
        self.read(call).chat.expect("it is about a chat")
    }

    /// The partner says so, in room 1.
    pub(super) fn hears(&mut self, chat: ChatId, seq: u64, text: &str) {
        self.relay(chat, message(1, seq, text));
    }
}

pub(super) fn queued(position: usize) -> RelayMessage<'static> {
    RelayMessage::Queued(Queued {
        topic: "open".into(),
        position,
        waiting: position,
        not_listening: 0,
        own: 0,
        ticket: format!("ticket-{position}").into(),
    })
}

/// This side has seat 1, the partner is Bob.
pub(super) fn paired(number: u8) -> RelayMessage<'static> {
    RelayMessage::Paired(Paired {
        room_id: room(number),
        seat: 1,
        topic: "open".into(),
        display_name: "Bob".into(),
        presence: Presence::Listening,
        met_before: false,
        token: format!("room-{number}").into(),
    })
}

pub(super) fn message(number: u8, seq: u64, text: &str) -> RelayMessage<'_> {
    RelayMessage::Message {
        room_id: room(number),
        seq,
        author: Author::User,
        text: text.into(),
        removed: 0,
        sent_at: "2026-01-02T03:04:05Z".into(),
    }
}

pub(super) fn partner_is(presence: Presence) -> RelayMessage<'static> {
    RelayMessage::Partner { room_id: room(1), presence, seen_seconds: 0 }
}

pub(super) fn ack(number: u8, received: u64, read: u64) -> RelayMessage<'static> {
    RelayMessage::Ack { room_id: room(number), received, read }
}

pub(super) fn sync(number: u8, received: u64) -> RelayMessage<'static> {
    RelayMessage::Sync { room_id: room(number), received }
}

pub(super) fn closed(number: u8, reason: CloseReason) -> RelayMessage<'static> {
    RelayMessage::Closed { room_id: room(number), reason, place_kept_ms: None }
}

pub(super) fn left(number: u8) -> RelayMessage<'static> {
    RelayMessage::Left { room_id: room(number), block_tag: None }
}

pub(super) fn dequeued(reason: DequeueReason) -> RelayMessage<'static> {
    RelayMessage::Dequeued { reason }
}

pub(super) fn refused(code: WireError) -> RelayMessage<'static> {
    RelayMessage::Refused { code, message: "too many wait".into(), retry_after_ms: None }
}

pub(super) fn error(code: WireError) -> RelayMessage<'static> {
    RelayMessage::Error { code, message: "it cannot be".into(), newest: None }
}

pub(super) fn trouble(lasting: bool) -> Trouble {
    Trouble { code: ErrorCode::RelayUnavailable, detail: "no relay is there".to_owned(), lasting }
}

/// `enter_queue` with these changes.
pub(super) struct Enter {
    pub(super) display_name: Option<&'static str>,
    pub(super) topic: Option<&'static str>,
    pub(super) chat: Option<ChatId>,
    pub(super) new_chat: bool,
    pub(super) after: Option<u64>,
}

pub(super) const ENTER: Enter =
    Enter { display_name: None, topic: None, chat: None, new_chat: false, after: None };

impl From<Enter> for Request {
    fn from(enter: Enter) -> Self {
        Self::EnterQueue(EnterQueue {
            display_name: enter.display_name.map(str::to_owned),
            topic: enter.topic.map(str::to_owned),
            chat_id: enter.chat.map(|chat| chat.to_string()),
            new_chat: enter.new_chat,
            after: enter.after,
        })
    }
}

pub(super) fn enter() -> Request {
    ENTER.into()
}

pub(super) fn enter_again(chat: ChatId) -> Request {
    Enter { chat: Some(chat), ..ENTER }.into()
}

pub(super) fn enter_another() -> Request {
    Enter { new_chat: true, ..ENTER }.into()
}

pub(super) fn wait(chat: ChatId, timeout: Duration) -> Request {
    Request::WaitForEvents { chat_id: Some(chat.to_string()), after: None, timeout, task: false }
}

pub(super) fn wait_after(chat: ChatId, after: u64, timeout: Duration) -> Request {
    Request::WaitForEvents {
        chat_id: Some(chat.to_string()),
        after: Some(after),
        timeout,
        task: false,
    }
}

/// A wait for whose answer the client takes a task.
pub(super) fn wait_by_task(chat: ChatId) -> Request {
    let chat_id = Some(chat.to_string());
    Request::WaitForEvents { chat_id, after: None, timeout: LONG, task: true }
}

pub(super) fn say(chat: ChatId, text: &str) -> Request {
    Request::SendMessage(SendMessage {
        chat_id: Some(chat.to_string()),
        message: text.to_owned(),
        author: Author::User,
        room_id: None,
        after: None,
    })
}

pub(super) fn say_as_assistant(chat: ChatId, text: &str) -> Request {
    Request::SendMessage(SendMessage {
        chat_id: Some(chat.to_string()),
        message: text.to_owned(),
        author: Author::Assistant,
        room_id: None,
        after: None,
    })
}

pub(super) fn say_in(chat: ChatId, number: u8, text: &str) -> Request {
    Request::SendMessage(SendMessage {
        chat_id: Some(chat.to_string()),
        message: text.to_owned(),
        author: Author::User,
        room_id: Some(room(number).to_string()),
        after: None,
    })
}

pub(super) fn departure(chat: ChatId) -> Departure {
    Departure { chat_id: Some(chat.to_string()), block: false, report: None, after: None }
}

pub(super) fn next(chat: ChatId) -> Request {
    Request::NextPartner(departure(chat))
}

pub(super) fn leave(chat: ChatId) -> Request {
    Request::LeaveChat(departure(chat))
}

pub(super) fn status(chat: ChatId) -> Request {
    Request::ChatStatus { chat_id: Some(chat.to_string()), history: 0, after: None }
}

/// The id of this side's message in room 1.
pub(super) fn own_id(seq: u64) -> String {
    format!("01010101.1.{seq}")
}

/// The id of the partner's message in room 1.
pub(super) fn partner_id(seq: u64) -> String {
    format!("01010101.2.{seq}")
}

pub(super) fn code(reply: &Reply) -> ErrorCode {
    reply.error.as_ref().expect("the call has failed").code
}

/// What a result says of its chat.
pub(super) fn view(reply: &Reply) -> &ChatView {
    reply.chat.as_ref().expect("it is about a chat")
}

pub(super) fn cursors(reply: &Reply) -> Vec<u64> {
    view(reply).events.iter().map(|entry| entry.cursor).collect()
}

pub(super) fn names(reply: &Reply) -> Vec<&'static str> {
    view(reply).events.iter().map(|entry| entry.event.name()).collect()
}

pub(super) fn texts(reply: &Reply) -> Vec<&str> {
    view(reply).events.iter().filter_map(|entry| entry.event.text()).collect()
}
