//! Whatever a relay says and whatever a client does meanwhile: nothing that must be true breaks,
//! nothing grows without bound, and no input brings more than so much output.

use proptest::prelude::*;

use super::{
    any_message::{number, relay_message, words},
    *,
};

/// What happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    Enter,
    Call { request: Request, chat: usize, is_named: bool },
    Task { request: TaskRequest, task: usize },
    Settle { call: usize, written: bool },
    Cancel { call: usize },
    Says { chat: usize, message: RelayMessage<'static> },
    Connected { chat: usize },
    Disconnected { chat: usize },
    Written { chat: usize },
    Trouble { chat: usize, lasting: bool },
    Client(u8),
    Pass { milliseconds: u64 },
    Sleep { seconds: u64 },
}

/// Its chat is filled in when it is made.
fn request() -> impl Strategy<Value = Request> {
    let after = || prop_oneof![4 => Just(None), 1 => number().prop_map(Some)];
    let timeout = (0..170_u64).prop_map(Duration::from_secs);
    let departure = || {
        (any::<bool>(), any::<bool>(), after()).prop_map(|(block, reports, after)| Departure {
            chat_id: None,
            block,
            report: reports.then_some(ReportCategory::Spam),
            after,
        })
    };
    prop_oneof![
        1 => after().prop_map(|after| Request::EnterQueue(EnterQueue {
            display_name: None,
            topic: None,
            chat_id: None,
            new_chat: true,
            after,
        })),
        4 => (after(), timeout, any::<bool>()).prop_map(|(after, timeout, task)| {
            Request::WaitForEvents { chat_id: None, after, timeout, task }
        }),
        8 => (words(), after()).prop_map(|(message, after)| Request::SendMessage(SendMessage {
            chat_id: None,
            message: message.into_owned(),
            author: Author::User,
            room_id: None,
            after,
        })),
        2 => departure().prop_map(Request::NextPartner),
        1 => departure().prop_map(Request::LeaveChat),
        2 => (0..60_usize, after()).prop_map(|(history, after)| Request::ChatStatus {
            chat_id: None,
            history,
            after,
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let any_of = || 0..8_usize;
    let chat = || prop_oneof![6 => Just(0_usize), 1 => 0..20_usize];
    let task = prop_oneof![
        Just(TaskRequest::Get(String::new())),
        Just(TaskRequest::Update(String::new())),
        Just(TaskRequest::Cancel(String::new())),
    ];
    prop_oneof![
        2 => Just(Step::Enter),
        10 => (request(), chat(), prop::bool::weighted(0.95))
            .prop_map(|(request, chat, is_named)| Step::Call { request, chat, is_named }),
        2 => (task, any_of()).prop_map(|(request, task)| Step::Task { request, task }),
        6 => (any_of(), prop::bool::weighted(0.8))
            .prop_map(|(call, written)| Step::Settle { call, written }),
        1 => any_of().prop_map(|call| Step::Cancel { call }),
        30 => (chat(), relay_message()).prop_map(|(chat, message)| Step::Says { chat, message }),
        4 => chat().prop_map(|chat| Step::Connected { chat }),
        1 => chat().prop_map(|chat| Step::Disconnected { chat }),
        2 => chat().prop_map(|chat| Step::Written { chat }),
        1 => (chat(), any::<bool>()).prop_map(|(chat, lasting)| Step::Trouble { chat, lasting }),
        1 => (0..3_u8).prop_map(Step::Client),
        3 => (1..20_000_u64).prop_map(|milliseconds| Step::Pass { milliseconds }),
        1 => (1..10_000_u64).prop_map(|seconds| Step::Sleep { seconds }),
    ]
}

fn named(request: Request, name: Option<String>) -> Request {
    match request {
        Request::EnterQueue(EnterQueue { display_name, topic, new_chat, after, .. }) => {
            let new_chat = new_chat && name.is_none();
            Request::EnterQueue(EnterQueue { display_name, topic, chat_id: name, new_chat, after })
        }
        Request::WaitForEvents { after, timeout, task, .. } => {
            Request::WaitForEvents { chat_id: name, after, timeout, task }
        }
        Request::SendMessage(SendMessage { message, author, room_id, after, .. }) => {
            Request::SendMessage(SendMessage { chat_id: name, message, author, room_id, after })
        }
        Request::NextPartner(departure) => {
            Request::NextPartner(Departure { chat_id: name, ..departure })
        }
        Request::LeaveChat(departure) => {
            Request::LeaveChat(Departure { chat_id: name, ..departure })
        }
        Request::ChatStatus { history, after, .. } => {
            Request::ChatStatus { chat_id: name, history, after }
        }
        Request::Invalid { error, .. } => Request::Invalid { chat_id: name, error },
    }
}

fn nth<T: Clone>(of: &[T], number: usize) -> Option<T> {
    (!of.is_empty()).then(|| of[number % of.len()].clone())
}

impl Case {
    fn happens(&mut self, step: Step) {
        let chat = |case: &Self, number| nth(&case.opened, number);
        match step {
            Step::Enter => {
                self.call(enter());
            }
            Step::Call { request, chat: number, is_named } => {
                let name = chat(self, number).filter(|_| is_named).map(|chat| chat.to_string());
                self.call(named(request, name));
            }
            Step::Task { request, task } => {
                let ids: Vec<String> =
                    self.tasks.values().map(|task| task.task_id.to_string()).collect();
                let id = nth(&ids, task).unwrap_or_default();
                self.ask_task(match request {
                    TaskRequest::Get(_) => TaskRequest::Get(id),
                    TaskRequest::Update(_) => TaskRequest::Update(id),
                    TaskRequest::Cancel(_) => TaskRequest::Cancel(id),
                });
            }
            Step::Settle { call, written } => {
                let answered = self.replies.keys().chain(self.tasks.keys()).copied();
                if let Some(call) = nth(&answered.collect::<Vec<_>>(), call) {
                    self.replies.remove(&call);
                    self.settle(call, written);
                }
            }
            Step::Cancel { call } => {
                let call = CallId(self.calls.saturating_sub(call as u64));
                if !self.replies.contains_key(&call) {
                    self.input(Input::Cancelled(call));
                }
            }
            Step::Says { chat: number, message } => {
                if let Some(chat) = chat(self, number) {
                    self.relay(chat, message);
                }
            }
            Step::Connected { chat: number } => {
                if let Some(chat) = chat(self, number) {
                    self.input(Input::Connected(chat));
                }
            }
            Step::Disconnected { chat: number } => {
                if let Some(chat) = chat(self, number) {
                    self.input(Input::Disconnected(chat));
                }
            }
            Step::Written { chat: number } => {
                if let Some(chat) = chat(self, number) {
                    self.input(Input::Written(chat));
                }
            }
            Step::Trouble { chat: number, lasting } => {
                let detail = "trouble".to_owned();
                if let Some(chat) = chat(self, number) {
                    let code = ErrorCode::RelayUnavailable;
                    self.input(Input::Trouble(chat, Trouble { code, detail, lasting }));
                }
            }
            Step::Client(0) => self.input(Input::ClientListens),
            Step::Client(1) => self.input(Input::ClientTakesTasks),
            Step::Client(_) => self.input(Input::NewsReachesModel),
            Step::Pass { milliseconds } => {
                let end = self.now.instant + Duration::from_millis(milliseconds);
                while let Some(due) = self.sessions.next_deadline().filter(|at| *at <= end) {
                    self.advance_to(due);
                    self.skip();
                    self.input(Input::Tick);
                }
                self.advance_to(end);
            }
            Step::Sleep { seconds } => {
                self.advance_to(self.now.instant + Duration::from_secs(seconds));
                self.input(Input::Tick);
            }
        }
    }

    /// What one input has brought is no more than a window, the leaves of a `hello`, and little
    /// else for each call and each chat.
    fn check_bounds(&mut self, calls: usize) {
        self.sessions.check_invariants();
        let most = limits::WINDOW_MESSAGES + limits::LEAVING_ROOMS + 8;
        let written = self.said.iter().filter(|line| line.contains("> ")).count();
        assert!(written <= most * self.opened.len().max(1), "{written} to the relay");
        let told = self.said.len() - written;
        assert!(told <= 4 * self.opened.len() + calls + 4, "{told} to the client");
        self.skip();
    }
}

proptest! {
    #![proptest_config(histories())]

    #[test]
    fn nothing_that_a_relay_says_breaks_anything(
        steps in prop::collection::vec(step(), 1..150),
        is_met in any::<bool>(),
    ) {
        let mut case = Case::new();
        if is_met {
            case.chatting();
        }
        for step in steps {
            let calls = case.sessions.pending.len() + limits::TASKS + 2;
            case.happens(step);
            case.check_bounds(calls);
        }
        case.input(Input::Shutdown);
        case.check_bounds(case.calls as usize + limits::TASKS);
        case.skip();
        case.pass(limits::GRACE_LONGEST + limits::LEAVE_WAIT);
        assert!(case.sessions.is_done(), "it does not end");
    }
}
