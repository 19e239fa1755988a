//! The MCP transport, watched: which answers were written, which calls were cancelled, what could
//! not be read, and when the client is gone. The SDK writes; what comes is read by [`Input`].

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, hash_map},
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use rmcp::{
    ErrorData, RoleServer,
    model::{ClientNotification, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use tokio::{io::AsyncRead, sync::Mutex as FairMutex};
use tokio_util::sync::CancellationToken;

use super::input::{Input, Line};
use crate::{driver::DriverHandle, session::CallId};

/// The requests that have no answer yet, and whose turn it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// By the client's id.
    entries: Arc<Mutex<HashMap<RequestId, Entry>>>,
    /// Whatever is written has it until the driver knows what became of that, and each request before
    /// it is done, in the order in which they came.
    turn: Arc<FairMutex<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Arrived,
    /// It is answered by this call.
    Call(CallId),
    /// Another request came with the same id: the client could not tell their answers apart, so
    /// that neither is done.
    Clash,
}

impl Ledger {
    /// Whether this request, which has arrived, may be answered by this call: it was not cancelled
    /// meanwhile, and its id is its own.
    ///
    /// Waits until the driver knows of each answer whose writing has begun: a quick client asks in
    /// the knowledge of it, before the write has returned.
    pub(crate) async fn enter(&self, request: &RequestId, call: CallId) -> bool {
        let _turn = self.turn.lock().await;
        let mut entries = self.lock();
        match entries.get_mut(request) {
            Some(entry @ Entry::Arrived) => {
                *entry = Entry::Call(call);
                true
            }
            Some(Entry::Call(_) | Entry::Clash) | None => false,
        }
    }

    /// Waits until every request that waits for its turn has had it.
    pub(crate) async fn caught_up(&self) {
        drop(self.turn.lock().await);
    }

    /// Takes note of a request. If there is one with the same id, whose call is returned, they
    /// clash, and the new one gets no answer of its own.
    fn arrive(&self, request: RequestId) -> Result<(), Option<CallId>> {
        match self.lock().entry(request) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert(Entry::Arrived);
                Ok(())
            }
            hash_map::Entry::Occupied(mut entry) => match entry.insert(Entry::Clash) {
                Entry::Call(call) => Err(Some(call)),
                Entry::Arrived | Entry::Clash => Err(None),
            },
        }
    }

    fn take(&self, request: &RequestId) -> Option<Entry> {
        self.lock().remove(request)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, Entry>> {
        self.entries.lock().expect("nothing panics while it holds this lock")
    }
}

/// A transport that tells the driver what becomes of its answers.
pub(crate) struct Watched<T, R> {
    output: T,
    /// The answer to a line that is no request. No other line is read before it is written: a
    /// client that does not read gets no more of them.
    refusal: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send>>>,
    input: Input<R>,
    ledger: Ledger,
    driver: DriverHandle,
    ends: Ends,
}

/// How the client can be gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ends {
    /// It says nothing more; what it has asked is still answered.
    pub(crate) input: CancellationToken,
    /// It takes no answers.
    pub(crate) output: CancellationToken,
}

impl<T, R> Watched<T, R> {
    /// `output` is only written to.
    pub(crate) fn new(
        output: T,
        input: Input<R>,
        ledger: Ledger,
        driver: DriverHandle,
        ends: Ends,
    ) -> Self {
        Self { output, refusal: None, input, ledger, driver, ends }
    }

    /// Whether the id of this request is its own.
    fn arrives(&self, request: &RequestId) -> bool {
        let clash = self.ledger.arrive(request.clone());
        if let Err(Some(call)) = clash {
            self.driver.cancelled(call);
        }
        clash.is_ok()
    }
}

/// What a request is told that is not done.
pub(crate) fn unanswered() -> ErrorData {
    let why = "the call was cancelled, its id was in use, or the server is ending";
    ErrorData::internal_error(why, None)
}

impl<T, R> Transport<RoleServer> for Watched<T, R>
where
    T: Transport<RoleServer, Error = io::Error>,
    R: AsyncRead + Unpin + Send,
{
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let request = match &item {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        let entry = request.and_then(|request| Some((request.clone(), self.ledger.take(request)?)));
        let (item, call) = match entry {
            Some((_, Entry::Call(call))) => (item, Some(call)),
            // What was composed before they clashed is given back.
            Some((id, Entry::Clash)) => (JsonRpcMessage::error(unanswered(), Some(id)), None),
            Some((_, Entry::Arrived)) | None => (item, None),
        };
        let writing = self.output.send(item);
        let (driver, output) = (self.driver.clone(), self.ends.output.clone());
        let turn = self.ledger.turn.clone();
        async move {
            let _turn = turn.lock().await;
            let written = writing.await;
            if let Some(call) = call {
                driver.settled(call, written.is_ok());
            }
            if written.is_err() {
                output.cancel();
            }
            written
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let message = loop {
            if let Some(refusal) = &mut self.refusal {
                // A client that takes nothing more shows it at the next answer.
                let _ = refusal.await;
                self.refusal = None;
            }
            let error = match self.input.next().await {
                None => break None,
                Some(Line::Message(message)) => {
                    if let JsonRpcMessage::Request(request) = &*message
                        && !self.arrives(&request.id)
                    {
                        continue;
                    }
                    break Some(*message);
                }
                Some(Line::Unreadable(id)) => {
                    if !self.arrives(&id) {
                        continue;
                    }
                    self.ledger.take(&id);
                    let what = "the request cannot be parsed: it is not valid JSON in UTF-8";
                    JsonRpcMessage::error(ErrorData::parse_error(what, None), Some(id))
                }
                Some(Line::Invalid(error)) => JsonRpcMessage::error(error, None),
            };
            // Kept, because this method may be dropped half-way.
            self.refusal = Some(Box::pin(self.output.send(error)));
        };
        match &message {
            // From here on the SDK writes no answer to the cancelled request.
            Some(JsonRpcMessage::Notification(notification)) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(request) = &cancelled.params.request_id
                    && let Some(Entry::Call(call)) = self.ledger.take(request)
                {
                    self.driver.cancelled(call);
                }
            }
            Some(_) => {}
            None => self.ends.input.cancel(),
        }
        message
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.output.close().await
    }
}
