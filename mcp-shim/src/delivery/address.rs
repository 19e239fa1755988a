//! The URIs of the chats as resources.

use crate::session::{ChatId, ChatVersions};

/// Names the chat, while there is exactly one.
pub(crate) const CURRENT: &str = "chat://current";
const SCHEME: &str = "chat://";

/// What a URI of this server names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Address {
    /// The chat, while there is exactly one.
    Current,
    /// This chat.
    Chat(ChatId),
}

impl Address {
    pub(crate) fn parse(uri: &str) -> Option<Self> {
        if uri == CURRENT {
            return Some(Self::Current);
        }
        uri.strip_prefix(SCHEME).and_then(ChatId::parse).map(Self::Chat)
    }

    pub(crate) fn uri(self) -> String {
        match self {
            Self::Current => CURRENT.to_owned(),
            Self::Chat(id) => format!("{SCHEME}{id}"),
        }
    }

    /// Whether it can be followed: [`Self::Current`] also while no chat or several are open.
    pub(crate) fn is_known(self, versions: &ChatVersions) -> bool {
        match self {
            Self::Current => true,
            Self::Chat(id) => versions.contains_key(&id),
        }
    }
}
