//! The MCP transport, watched: which answers were written, which calls were cancelled, what could
//! not be read, and when the client is gone.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex},
};

use rmcp::{
    ErrorData, RoleServer,
    model::{ClientNotification, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{desk::DeskHandle, session::CallId};

/// Which call answers which request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<HashMap<RequestId, CallId>>>);

impl Ledger {
    /// This request is answered by this call. Returns the call of an earlier request that has the
    /// same id and no answer yet: the client cannot tell the two apart.
    pub(crate) fn enter(&self, request: RequestId, call: CallId) -> Option<CallId> {
        self.0.lock().expect("nothing panics while it holds this lock").insert(request, call)
    }

    /// This request gets no answer.
    pub(crate) fn strike(&self, request: &RequestId) {
        self.take(request);
    }

    fn take(&self, request: &RequestId) -> Option<CallId> {
        self.0.lock().expect("nothing panics while it holds this lock").remove(request)
    }
}

/// A transport that tells the desk what becomes of its answers.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    inner: T,
    ledger: Ledger,
    desk: DeskHandle,
    unreadable: mpsc::UnboundedReceiver<RequestId>,
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

impl<T> Watched<T> {
    /// `unreadable` brings the ids of requests that `inner` does not get to see.
    pub(crate) fn new(
        inner: T,
        ledger: Ledger,
        desk: DeskHandle,
        unreadable: mpsc::UnboundedReceiver<RequestId>,
        ends: Ends,
    ) -> Self {
        Self { inner, ledger, desk, unreadable, ends }
    }
}

impl<T> Transport<RoleServer> for Watched<T>
where
    T: Transport<RoleServer, Error = io::Error>,
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
        let call = request.and_then(|request| self.ledger.take(request));
        let writing = self.inner.send(item);
        let (desk, output) = (self.desk.clone(), self.ends.output.clone());
        async move {
            let written = writing.await;
            if let Some(call) = call {
                desk.settled(call, written.is_ok());
            }
            if written.is_err() {
                output.cancel();
            }
            written
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let message = loop {
            tokio::select! {
                biased;
                Some(id) = self.unreadable.recv() => {
                    let what = "the request cannot be parsed: it is not valid JSON in UTF-8";
                    let error = ErrorData::parse_error(what, None);
                    // Apart, because this method may be dropped half-way.
                    tokio::spawn(self.inner.send(JsonRpcMessage::error(error, Some(id))));
                }
                message = self.inner.receive() => break message,
            }
        };
        match &message {
            // From here on the SDK writes no answer to the cancelled request.
            Some(JsonRpcMessage::Notification(notification)) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(request) = &cancelled.params.request_id
                    && let Some(call) = self.ledger.take(request)
                {
                    self.desk.cancelled(call);
                }
            }
            Some(_) => {}
            None => self.ends.input.cancel(),
        }
        message
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.inner.close().await
    }
}
