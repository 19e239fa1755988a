//! A client that is quicker than the write of its answer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    future,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use rmcp::model::ServerResult;
use shared::{endpoint::Endpoint, id::OwnerId};
use tokio::sync::Notify;

use super::*;
use crate::{driver::Driver, link::Route, session::Config};

/// The client has each answer at once; the write returns when that is allowed.
#[derive(Default)]
struct SlowToReturn {
    begun: Arc<AtomicUsize>,
    client_has_it: Arc<Notify>,
    may_return: Arc<Notify>,
}

impl Transport<RoleServer> for SlowToReturn {
    type Error = io::Error;

    fn send(
        &mut self,
        _: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let (client_has_it, may_return) = (self.client_has_it.clone(), self.may_return.clone());
        self.begun.fetch_add(1, Ordering::Relaxed);
        async move {
            client_has_it.notify_one();
            may_return.notified().await;
            Ok(())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        future::pending().await
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        Ok(())
    }
}

fn driver() -> DriverHandle {
    let endpoint = Endpoint::resolve(Some("/nowhere/relay.sock".as_ref())).unwrap();
    let route = Route { endpoint, launcher: None, ending: AtomicBool::new(false) };
    let config = Config {
        owner: OwnerId::from_bytes([1; 16]),
        seed: [1; 16],
        display_name: "Test".into(),
        autonomous: None,
        build: "test",
        robot: false,
        closed_rooms: 1,
    };
    Driver::new(config, Arc::new(route)).1
}

#[tokio::test]
async fn a_request_is_done_when_the_answers_before_it_are_known_to_be_written() {
    let (inner, ledger) = (SlowToReturn::default(), Ledger::default());
    let (client_has_it, may_return) = (inner.client_has_it.clone(), inner.may_return.clone());
    let input = Input::new(tokio::io::empty());
    let mut transport = Watched::new(inner, input, ledger.clone(), driver(), Ends::default());
    let [first, second] = [1, 2].map(RequestId::Number);
    for id in [&first, &second] {
        ledger.arrive(id.clone()).unwrap();
    }
    assert!(ledger.enter(&first, CallId(1)).await);
    let answer = JsonRpcMessage::response(ServerResult::empty(()), first);
    let sending = tokio::spawn(transport.send(answer));
    client_has_it.notified().await;

    let mut entering = pin!(ledger.enter(&second, CallId(2)));
    let mut ending = pin!(ledger.caught_up());
    tokio::select! {
        biased;
        _ = &mut entering => panic!("the first answer may not be known to the driver"),
        () = &mut ending => panic!("a request waits for its turn"),
        () = future::ready(()) => {}
    }
    may_return.notify_one();
    assert!(entering.await);
    ending.await;
    sending.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_writes_rubbish_and_reads_nothing_has_one_answer_waiting() {
    let (output, rubbish) = (SlowToReturn::default(), b"[]\n".repeat(100));
    let (begun, may_return) = (output.begun.clone(), output.may_return.clone());
    let input = Input::new(rubbish.as_slice());
    let mut transport = Watched::new(output, input, Ledger::default(), driver(), Ends::default());
    for answers in 1..=3 {
        // Dropped half-way, as the SDK does, it goes on where it was.
        for _ in 0..5 {
            tokio::select! {
                biased;
                _ = transport.receive() => panic!("there is no message"),
                () = future::ready(()) => {}
            }
        }
        assert_eq!(begun.load(Ordering::Relaxed), answers);
        may_return.notify_one();
    }
}
