//! The way to the relay: one connection per chat, made again whenever it is lost, and a relay
//! started when there is none. What is said on it is decided in [`session`](crate::session).

mod launch;
pub(crate) mod probe;

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use shared::{
    connection::Connection,
    endpoint::{ConnectError, Endpoint, Stream},
    limits,
    message::ClientMessage,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use self::launch::{Launched, of};
pub(crate) use self::launch::{Launcher, find_relay, own_path};
use crate::session::{ChatId, ErrorCode, Trouble};

/// Frames of one link that the driver has not taken; more stay in the socket.
pub(crate) const FRAMES_AHEAD: usize = 64;

/// A connection that has lasted longer was not refused.
const REFUSED_WITHIN: Duration = Duration::from_millis(100);

/// What a link tells the driver.
#[derive(Debug)]
pub(crate) struct LinkEvent {
    pub(crate) chat: ChatId,
    /// Which link of this chat: one that was taken down may still be heard.
    pub(crate) link: u64,
    pub(crate) news: LinkNews,
}

/// What happened to a link.
#[derive(Debug)]
pub(crate) enum LinkNews {
    /// There is a connection.
    Connected {
        /// How to write to it; when this is dropped, the connection is closed once everything is
        /// written.
        connection: mpsc::UnboundedSender<ToWrite>,
        /// The process at its other end, where the system tells it.
        relay: Option<u32>,
    },
    /// The relay said something.
    Frame(Vec<u8>),
    /// Everything is written up to a [`ToWrite::Nothing`].
    Written,
    /// The connection is gone.
    Disconnected,
    /// An attempt to connect has failed.
    Trouble(Trouble),
}

/// What the driver has for a connection.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are the large one")]
pub(crate) enum ToWrite {
    Message(ClientMessage<'static>),
    /// Nothing: the driver wants to know when all before this is written.
    Nothing,
    /// Nothing any more: what comes from the relay is rubbish.
    Hopeless,
}

/// How to reach the relay.
#[derive(Debug)]
pub(crate) struct Route {
    /// Where it listens.
    pub(crate) endpoint: Endpoint,
    /// How to start it; `None` if the user wants to do that.
    pub(crate) launcher: Option<Launcher>,
    /// This shim is ending: a relay would be started only to say goodbye to it.
    pub(crate) ending: AtomicBool,
}

/// One link, for its chat.
#[derive(Debug)]
pub(crate) struct Link {
    chat: ChatId,
    number: u64,
    route: Arc<Route>,
    driver: mpsc::Sender<LinkEvent>,
    /// Trips when the link is to make no other connection. The one that it has ends when nobody can
    /// write to it any more.
    closed: CancellationToken,
}

/// A link, for the driver. When it is dropped, the connection is closed once everything is written.
#[derive(Debug, Default)]
pub(crate) struct LinkHandle {
    pub(crate) number: u64,
    closed: CancellationToken,
    /// How to write to the connection, while there is one.
    pub(crate) connection: Option<mpsc::UnboundedSender<ToWrite>>,
    /// The process of the relay at its other end.
    pub(crate) relay: Option<u32>,
    /// Something that came over the connection was not understood, and the log says so.
    pub(crate) has_warned: bool,
}

impl LinkHandle {
    pub(crate) fn write(&self, what: ToWrite) {
        if let Some(connection) = &self.connection {
            // A connection that is just going down says so next.
            let _ = connection.send(what);
        }
    }

    /// Ends the link once everything is written, and makes no other connection.
    pub(crate) fn close(self) {
        self.closed.cancel();
    }

    /// Ends the link, with whatever is not written yet.
    pub(crate) fn cut(self) {
        self.closed.cancel();
        self.write(ToWrite::Hopeless);
    }
}

/// How a connection came to its end.
enum Ended {
    /// The chat needs it no longer, and everything is written.
    Closed,
    /// It is gone; the relay may have answered before, or not.
    Lost { answered: bool },
    /// There was nobody at its other end to talk to.
    Hopeless,
}

impl Link {
    /// Gives a chat a link; `number` tells it from others of this chat.
    pub(crate) fn open(
        chat: ChatId,
        number: u64,
        route: Arc<Route>,
        driver: mpsc::Sender<LinkEvent>,
    ) -> LinkHandle {
        let closed = CancellationToken::new();
        tokio::spawn(Self { chat, number, route, driver, closed: closed.clone() }.run());
        LinkHandle { number, closed, ..LinkHandle::default() }
    }

    /// Connects, again and again, until the link is closed.
    async fn run(self) {
        let mut pause = Pause::default();
        loop {
            let attempt = tokio::select! {
                biased;
                () = self.closed.cancelled() => return,
                attempt = self.route.connect() => attempt,
            };
            match attempt {
                Ok(stream) => {
                    let began = Instant::now();
                    match self.converse(Connection::new(stream)).await {
                        Ended::Closed => return,
                        Ended::Lost { answered } => {
                            if answered {
                                self.route.answered();
                            }
                            // One that ended at once may have been refused, and would be again.
                            if answered && began.elapsed() > REFUSED_WITHIN {
                                pause = Pause::default();
                            }
                            self.tell(LinkNews::Disconnected).await;
                        }
                        Ended::Hopeless => self.tell(LinkNews::Disconnected).await,
                    }
                }
                Err(trouble) => self.tell(LinkNews::Trouble(trouble)).await,
            }
            tokio::select! {
                biased;
                () = self.closed.cancelled() => return,
                () = pause.wait() => {}
            }
        }
    }

    /// One connection's life.
    ///
    /// What the driver has said is taken before the next frame: of what the driver makes of frames no
    /// more can pile up than it makes of [`FRAMES_AHEAD`].
    async fn converse(&self, mut connection: Connection<Stream>) -> Ended {
        let (sender, mut outgoing) = mpsc::unbounded_channel();
        let relay = connection.get_ref().peer().pid;
        self.tell(LinkNews::Connected { connection: sender, relay }).await;
        let mut answered = false;
        let mut wants_to_know = false;
        loop {
            if wants_to_know && connection.unsent() == 0 {
                wants_to_know = false;
                self.tell(LinkNews::Written).await;
            }
            tokio::select! {
                biased;
                to_write = outgoing.recv() => match to_write {
                    // It is written while the next frame is waited for: two that only write to
                    // each other would wait for ever.
                    Some(ToWrite::Message(message)) => {
                        if connection.queue(&message).is_err() {
                            return Ended::Lost { answered };
                        }
                    }
                    Some(ToWrite::Nothing) => wants_to_know = true,
                    Some(ToWrite::Hopeless) => return Ended::Hopeless,
                    None => {
                        // A relay that does not read what is left will notice by itself.
                        let _ = timeout(limits::LEAVE_WAIT, connection.flush()).await;
                        return Ended::Closed;
                    }
                },
                turn = turn(&mut connection) => match turn {
                    Turn::Written => {}
                    Turn::Frame(frame) => {
                        answered = true;
                        self.tell(LinkNews::Frame(frame)).await;
                    }
                    Turn::End => return Ended::Lost { answered },
                },
            }
        }
    }

    async fn tell(&self, news: LinkNews) {
        let event = LinkEvent { chat: self.chat, link: self.number, news };
        // Without a driver there is nobody left who could want to know.
        let _ = self.driver.send(event).await;
    }
}

impl Route {
    /// One attempt to reach the relay; starts one where there is none.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub(crate) async fn connect(&self) -> Result<Stream, Trouble> {
        let error = match self.endpoint.connect().await {
            Ok(stream) => {
                tracing::trace!(peer = ?stream.peer(), "connected");
                return Ok(stream);
            }
            Err(error) => error,
        };
        let socket = self.socket();
        Err(match error {
            ConnectError::Absent => self.start().await,
            ConnectError::AbsentShared(reason) => {
                passing(format!("no relay listens at {socket}: {reason}"))
            }
            ConnectError::Busy | ConnectError::Io(_) => {
                passing(format!("{error} ({socket}); trying again"))
            }
            ConnectError::Foreign { .. } | ConnectError::Insecure(_) => lasting(error.to_string()),
        })
    }

    async fn start(&self) -> Trouble {
        let socket = self.socket();
        let Some(launcher) = &self.launcher else {
            return passing(format!(
                "no relay listens at {socket}, and --no-autostart is set; start one with `relay serve`"
            ));
        };
        if self.ending.load(Ordering::Relaxed) {
            return lasting("this server is ending".to_owned());
        }
        match launcher.launch().await {
            Ok(Launched::Started) => passing(format!("waiting for the relay at {socket}")),
            Ok(Launched::InVain(said)) => {
                passing(format!("nobody answers at {socket}, but: {said}; trying again"))
            }
            Err(error) => lasting(error.to_string()),
        }
    }

    /// A relay was there: when it is gone, another can be started at once.
    fn answered(&self) {
        if let Some(launcher) = &self.launcher {
            launcher.answered();
        }
    }

    /// What to say of a relay that is there and does not answer.
    pub(crate) fn silence(&self, relay: Option<u32>) -> Trouble {
        let what = format!("the relay at {}{} does not answer", self.socket(), of(relay));
        passing(format!("{what}; trying again, but if that lasts, end that process"))
    }

    /// What to say of something at the socket that is no relay.
    pub(crate) fn rubbish(&self, relay: Option<u32>) -> Trouble {
        let (socket, pid) = (self.socket(), of(relay));
        let what = format!("what listens at {socket}{pid} does not talk like a relay");
        passing(format!("{what}; trying again, but if that lasts, end that process"))
    }

    /// Never starts a relay from now on.
    pub(crate) fn start_none(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// The path of the socket, for people.
    pub(crate) fn socket(&self) -> String {
        self.endpoint.path().display().to_string()
    }
}

/// What comes first on a connection.
enum Turn {
    /// All that waited is written.
    Written,
    Frame(Vec<u8>),
    End,
}

async fn turn(connection: &mut Connection<Stream>) -> Turn {
    poll_fn(|cx| {
        // Of a write that fails the read says more.
        if connection.unsent() > 0 && matches!(connection.poll_flush(cx), Poll::Ready(Ok(()))) {
            return Poll::Ready(Turn::Written);
        }
        pin!(connection.receive_frame()).poll(cx).map(|frame| match frame {
            Ok(Some(frame)) => Turn::Frame(frame),
            Ok(None) | Err(_) => Turn::End,
        })
    })
    .await
}

/// A trouble that may pass by itself.
fn passing(detail: String) -> Trouble {
    Trouble { code: ErrorCode::RelayUnavailable, detail, lasting: false }
}

/// A trouble that lasts until somebody does something.
fn lasting(detail: String) -> Trouble {
    Trouble { lasting: true, ..passing(detail) }
}

/// The pause before the next attempt: doubled each time, with jitter, so that many shims that lost
/// the same relay do not come back all at once.
#[derive(Debug)]
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(limits::RECONNECT.0)
    }
}

impl Pause {
    pub(crate) async fn wait(&mut self) {
        let mut byte = [0];
        // Without randomness there is no jitter, and no harm.
        let _ = getrandom::fill(&mut byte);
        let jittered = self.0 / 2 + self.0.mul_f64(f64::from(byte[0]) / 512.0);
        self.0 = (self.0 * 2).min(limits::RECONNECT.1);
        sleep(jittered).await;
    }
}

#[cfg(all(test, unix))]
mod tests;
