//! The chats as resources, to read and to follow. Reading hands out nothing and starts
//! nothing. Names and descriptions are fixed: no word of a stranger's is in them.

use std::collections::BTreeSet;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Resource,
        ResourceContents, ResourceTemplate, SubscriptionFilter,
    },
    service::{RequestContext, SubscriptionContext},
};
use serde_json::json;
use shared::limits;
use tokio::sync::{Semaphore, watch};

use super::{
    address::{Address, CURRENT},
    updates::{Followed, Following, Recipient, Subscriptions},
};
use crate::{
    driver::DriverHandle,
    session::{ChatId, ChatVersions, only_chat},
};

const TEMPLATE: &str = "chat://{chat_id}";
const MIME_TYPE: &str = "application/json";

/// Answers every request about resources.
#[derive(Debug)]
pub(crate) struct Resources {
    driver: DriverHandle,
    versions: watch::Receiver<ChatVersions>,
    subscriptions: Subscriptions,
    listens: Semaphore,
}

impl Resources {
    /// `versions` tells which chats there are, and of each change.
    pub(crate) fn new(driver: DriverHandle, versions: watch::Receiver<ChatVersions>) -> Self {
        let subscriptions = Subscriptions::new(versions.clone());
        Self { driver, versions, subscriptions, listens: Semaphore::new(limits::LISTENS) }
    }

    /// From then on an `initialize` session is told when the list changes.
    pub(crate) fn list(&self, context: &RequestContext<RoleServer>) -> ListResourcesResult {
        if context.peer.peer_info().is_some() {
            self.subscriptions.open(Followed::List, context.peer.clone());
        }
        let current = Resource::new(CURRENT, "current chat")
            .with_title("The chat")
            .with_description("State and transcript of the chat, while there is exactly one")
            .with_mime_type(MIME_TYPE);
        let is_there = only_chat(&self.versions.borrow()).is_some();
        ListResourcesResult::with_all_items(is_there.then_some(current).into_iter().collect())
    }

    pub(crate) fn templates() -> ListResourceTemplatesResult {
        let chat = ResourceTemplate::new(TEMPLATE, "chat")
            .with_title("A chat")
            .with_description("State and transcript of the chat with this chat_id")
            .with_mime_type(MIME_TYPE);
        ListResourceTemplatesResult::with_all_items(vec![chat])
    }

    pub(crate) async fn read(&self, uri: &str) -> Result<ReadResourceResult, ErrorData> {
        let id = self.chat_at(uri)?;
        let reading = self.driver.reading(id).await.ok_or_else(|| not_found(uri))?;
        let text = serde_json::to_string(&reading)
            .map_err(|_| ErrorData::internal_error("the chat cannot be written as JSON", None))?;
        let contents = ResourceContents::text(text, uri).with_mime_type(MIME_TYPE);
        Ok(ReadResourceResult::new(vec![contents]))
    }

    fn chat_at(&self, uri: &str) -> Result<ChatId, ErrorData> {
        match Address::parse(uri) {
            None => Err(not_found(uri)),
            Some(Address::Chat(id)) => Ok(id),
            Some(Address::Current) => {
                let versions = self.versions.borrow();
                only_chat(&versions).map(|(id, _)| id).ok_or_else(|| not_one(&versions))
            }
        }
    }

    /// `resources/subscribe`.
    pub(crate) fn subscribe(
        &self,
        uri: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let known = Address::parse(uri).filter(|address| address.is_known(&self.versions.borrow()));
        let address = known.ok_or_else(|| not_found(uri))?;
        self.subscriptions.open(Followed::Resource(address), context.peer.clone());
        Ok(())
    }

    /// `resources/unsubscribe`: of what is not followed, there is nothing to do.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        if let Some(address) = Address::parse(uri) {
            self.subscriptions.close(Followed::Resource(address));
        }
    }

    /// The part of a filter that names something to follow.
    pub(crate) fn accepted(&self, requested: &SubscriptionFilter) -> SubscriptionFilter {
        let mut accepted = SubscriptionFilter::new();
        if self.listens.available_permits() == 0 {
            return accepted;
        }
        let versions = self.versions.borrow();
        let is_known = |uri: &&String| Address::parse(uri).is_some_and(|it| it.is_known(&versions));
        accepted.resources_list_changed = requested.resources_list_changed;
        accepted.resource_subscriptions = requested.resource_subscriptions.as_ref().map(|uris| {
            let known: BTreeSet<&String> = uris.iter().filter(is_known).collect();
            known.into_iter().cloned().collect()
        });
        accepted
    }

    /// `subscriptions/listen`, until its client ends it or the server does.
    pub(crate) async fn listen(&self, stream: &SubscriptionContext) -> Result<(), ErrorData> {
        let Ok(_permit) = self.listens.try_acquire() else {
            let what = format!("{} subscriptions are open; end one of them first", limits::LISTENS);
            return Err(ErrorData::invalid_request(what, None));
        };
        let accepted = stream.accepted();
        let uris = accepted.resource_subscriptions.iter().flatten();
        let addresses = uris.filter_map(|uri| Address::parse(uri)).map(Followed::Resource);
        let list = (accepted.resources_list_changed == Some(true)).then_some(Followed::List);
        let following =
            Following::new(self.versions.clone(), list.into_iter().chain(addresses).collect());
        tokio::select! {
            () = stream.cancelled() => {}
            () = following.run(Recipient::Stream(stream.sink().clone())) => {}
        }
        Ok(())
    }
}

/// Its code is that of 2025-11-25; for a client of 2026-07-28 the SDK writes the one of that version.
fn not_found(uri: &str) -> ErrorData {
    ErrorData::resource_not_found("there is no such chat", Some(json!({ "uri": uri })))
}

fn not_one(versions: &ChatVersions) -> ErrorData {
    let what = match versions.len() {
        0 => "there is no chat; the tool enter_queue starts one",
        _ => "there are several chats; read the one that is meant",
    };
    let chats: Vec<String> = versions.keys().map(|id| Address::Chat(*id).uri()).collect();
    ErrorData::resource_not_found(what, Some(json!({ "uri": CURRENT, "chats": chats })))
}
