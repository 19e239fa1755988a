//! Custom notifications, named after their events. A client of an `initialize` version always gets
//! them; one of 2026-07-28 only if it declares the extension [`EXTENSION`], because that version
//! forbids notifications that nobody asked for.

use rmcp::{
    RoleServer,
    model::{CustomNotification, ServerNotification},
    service::{Peer, RequestContext},
};
use serde::Serialize;
use tokio::sync::mpsc;

use super::channel;
use crate::session::{ChatId, Entry};

/// A client that declares this, under `extensions` of its capabilities, is notified of events.
pub(crate) const EXTENSION: &str = "dev.mcp-chat/events";

/// Notifications that the client has not taken; more are dropped, being hints.
const AHEAD: usize = 256;

/// Tells the client of events, without ever waiting for it.
#[derive(Debug, Default)]
pub(crate) struct Announcer {
    hints: Option<mpsc::Sender<ServerNotification>>,
    has_channel: bool,
}

#[derive(Serialize)]
struct Params<'a> {
    chat_id: ChatId,
    #[serde(flatten)]
    entry: &'a Entry,
}

impl Announcer {
    /// Who is told from now on. Returns whether there was nobody before.
    pub(crate) fn set_audience(&mut self, peer: Peer<RoleServer>, has_channel: bool) -> bool {
        if self.hints.is_some() {
            return false;
        }
        self.has_channel = has_channel;
        let (hints, mut queue) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            while let Some(notification) = queue.recv().await {
                if peer.send_notification(notification).await.is_err() {
                    break;
                }
            }
        });
        self.hints = Some(hints);
        true
    }

    /// Tells of an event, if there is somebody to tell.
    pub(crate) fn announce(&self, chat_id: ChatId, entry: &Entry) {
        let Some(hints) = &self.hints else { return };
        let Ok(params) = serde_json::to_value(Params { chat_id, entry }) else { return };
        let named = CustomNotification::new(entry.event.name(), Some(params));
        let pushed = self.has_channel.then(|| channel::notification(chat_id, entry)).flatten();
        for notification in [named].into_iter().chain(pushed) {
            if hints.try_send(ServerNotification::CustomNotification(notification)).is_err() {
                tracing::debug!("a notification was dropped: the client does not take them");
            }
        }
    }
}

/// A client that may be told of events unasked.
#[derive(Debug)]
pub(crate) struct Audience {
    pub(crate) peer: Peer<RoleServer>,
    /// It has declared that it takes them; others are told and, as far as is known, look away.
    pub(crate) listens: bool,
    /// It shows its model what it is told.
    pub(crate) has_channel: bool,
}

/// The client of this request, if it may be told of events unasked.
pub(crate) fn audience(
    context: &RequestContext<RoleServer>,
    has_channel: bool,
) -> Option<Audience> {
    let capabilities = context.client_capabilities();
    let extensions = capabilities.and_then(|capabilities| capabilities.extensions);
    let declared = extensions.is_some_and(|extensions| extensions.contains_key(EXTENSION));
    let initialized = context.peer.peer_info().is_some();
    let listens = declared || has_channel;
    (initialized || listens).then(|| Audience { peer: context.peer.clone(), listens, has_channel })
}
