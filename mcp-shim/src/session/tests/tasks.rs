//! Tasks: when a wait becomes one, what ends it, what it does to presence.

use super::*;

const SLICE: Duration = Duration::from_secs(20);

impl Case {
    /// A relay that is heard now and then, and wants to hear little.
    fn lenient() -> Self {
        let mut case = Self::new();
        case.answers_pings = true;
        case.limits.keep_alive_ms = limits::KEEP_ALIVE_LONGEST.as_millis() as u64;
        case
    }

    /// A wait for whose answer the client takes a task.
    pub(super) fn call_for_task(&mut self, chat: ChatId) -> CallId {
        self.call(wait_by_task(chat))
    }

    /// A task of which the client knows.
    #[track_caller]
    pub(super) fn task(&mut self, chat: ChatId) -> String {
        let call = self.call_for_task(chat);
        let task = self.tasks.remove(&call).expect("the wait has become a task");
        assert!(matches!(task.status, TaskStatus::Working(_)));
        self.settle(call, true);
        task.task_id.to_string()
    }

    pub(super) fn get(&mut self, task: &str) -> CallId {
        self.ask_task(TaskRequest::Get(task.to_owned()))
    }

    /// How the task stands; the answer counts as written from now on.
    #[track_caller]
    pub(super) fn look_at(&mut self, task: &str) -> TaskView {
        let call = self.get(task);
        let view = self.tasks.remove(&call).expect("the task is there");
        self.settle(call, true);
        view
    }

    /// What the task brings, which has to be over.
    #[track_caller]
    pub(super) fn result(&mut self, task: &str) -> Reply {
        completed(self.look_at(task))
    }

    pub(super) fn cancel(&mut self, task: &str) -> CallId {
        self.ask_task(TaskRequest::Cancel(task.to_owned()))
    }

    #[track_caller]
    fn is_working(&mut self, task: &str) {
        let status = self.look_at(task).status;
        assert!(matches!(status, TaskStatus::Working(_)), "{status:?}");
    }

    /// Lets time pass while the client looks at its task.
    fn pass_watching(&mut self, task: &str, duration: Duration) {
        let end = self.now.instant + duration;
        while self.now.instant + SLICE < end {
            self.pass(SLICE);
            self.look_at(task);
        }
        self.pass(end - self.now.instant);
    }
}

#[track_caller]
pub(super) fn completed(task: TaskView) -> Reply {
    match task.status {
        TaskStatus::Completed { reply, .. } => *reply,
        status @ (TaskStatus::Working(_) | TaskStatus::Cancelled) => panic!("{status:?}"),
    }
}

#[test]
fn an_event_ends_it() {
    let mut case = Case::new();
    let chat = case.waiting();
    let call = case.call_for_task(chat);
    case.expect(["~ 2 working", "> attention true"]);
    let task = case.tasks[&call].task_id.to_string();
    case.settle(call, true);
    case.pass(SECOND);
    let seen = case.look_at(&task);
    case.expect(["~ 3 working"]);
    assert_eq!(seen.status, TaskStatus::Working("waiting for a partner".to_owned()));
    assert_eq!(seen.created_at, seen.updated_at);

    case.pass(SECOND);
    case.pair(chat, 1);
    case.expect(["! 1 chatroom.found"]);
    let seen = case.look_at(&task);
    case.expect(["~ 4 completed"]);
    assert_ne!(seen.created_at, seen.updated_at);
    let reply = completed(seen);
    assert_eq!(names(&reply), ["chatroom.found"]);
    assert_eq!(view(&reply).state, ChatState::Chatting);
    assert_eq!(reply.error, None);
}

fn task_wait(chat: ChatId, timeout: Duration) -> Request {
    let chat_id = Some(chat.to_string());
    Request::WaitForEvents { chat_id, after: None, timeout, task: true }
}

#[test]
fn there_is_none_where_the_answer_is_there_already() {
    let mut case = Case::new();
    let chat = case.chatting();
    // Only looking.
    let call = case.call(task_wait(chat, Duration::ZERO));
    assert!(view(&case.read(call)).events.is_empty());
    // Something unread.
    case.hears(chat, 1, "hi");
    let call = case.call_for_task(chat);
    assert_eq!(texts(&case.read(call)), ["hi"]);
    // An error.
    let call = case.call(Request::WaitForEvents {
        chat_id: Some(chat.to_string()),
        after: Some(99),
        timeout: LONG,
        task: true,
    });
    assert_eq!(code(&case.read(call)), ErrorCode::InvalidArgument);
    // Nobody to wait for.
    case.relay(chat, closed(1, CloseReason::Left));
    case.look(chat);
    let call = case.call_for_task(chat);
    assert_eq!(view(&case.read(call)).state, ChatState::Idle);
    // No relay.
    let chat = case.chatting();
    case.input(Input::Disconnected(chat));
    case.pass(5 * SECOND);
    let call = case.call_for_task(chat);
    assert_eq!(code(&case.read(call)), ErrorCode::RelayUnavailable);
}

#[test]
fn its_time_limit_is_not_that_of_the_call() {
    let mut case = Case::lenient();
    let chat = case.chatting();
    let task = case.task(chat);
    case.pass_watching(&task, limits::TASK_LIFE - MOMENT);
    case.is_working(&task);
    case.pass(MOMENT);
    let reply = case.result(&task);
    assert!(view(&reply).events.is_empty());
    assert!(reply.next.contains("end your turn"), "{}", reply.next);
}

#[test]
fn an_event_after_its_time_is_still_brought() {
    let mut case = Case::lenient();
    let chat = case.chatting();
    let task = case.task(chat);
    case.pass(limits::TASK_LIFE);
    case.hears(chat, 1, "late");
    let reply = case.result(&task);
    assert_eq!(texts(&reply), ["late"]);
    assert!(!reply.next.contains("end your turn"), "{}", reply.next);
}

#[test]
fn cancelled_it_consumes_nothing() {
    let mut case = Case::new();
    let chat = case.chatting();
    let [one, two] = [case.task(chat), case.task(chat)];
    case.skip();
    case.cancel(&one);
    case.expect(["~ 5 noted"]);
    // The other one goes on, and what it has not told yet it can still be spared.
    case.hears(chat, 1, "hi");
    case.skip();
    case.cancel(&two);
    case.expect(["~ 6 noted"]);
    for task in [&one, &two] {
        assert_eq!(case.look_at(task).status, TaskStatus::Cancelled);
        case.cancel(task);
        assert_eq!(case.look_at(task).status, TaskStatus::Cancelled);
    }
    assert_eq!(case.look(chat).events.len(), 1);
}

#[test]
fn what_was_told_cannot_be_cancelled() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.hears(chat, 1, "hi");
    let told = case.result(&task);
    case.skip();
    case.cancel(&task);
    case.expect(["~ 5 noted"]);
    assert_eq!(case.result(&task), told);
}

#[test]
fn one_of_which_the_client_has_not_heard_is_none() {
    let mut case = Case::new();
    let chat = case.chatting();
    for cancelled in [true, false] {
        let call = case.call_for_task(chat);
        let task = case.tasks[&call].task_id.to_string();
        case.skip();
        if cancelled {
            case.input(Input::Cancelled(call));
        } else {
            case.settle(call, false);
        }
        case.pass(limits::ATTENTION_LINGER);
        case.expect(["> attention false"]);
        let get = case.get(&task);
        case.expect([&*format!("~ {} unknown", get.0)]);
    }
}

#[test]
fn a_client_that_stops_looking_does_not_listen_any_more() {
    let mut case = Case::lenient();
    let chat = case.chatting();
    let task = case.task(chat);
    case.expect(["~ 3 working", "> attention true"]);
    case.pass(limits::TASK_LISTENING - MOMENT);
    case.look_at(&task);
    case.skip();
    case.pass(limits::TASK_LISTENING - MOMENT);
    case.expect([]);
    case.pass(MOMENT);
    case.expect(["> attention false lapsed"]);
    // It is back.
    case.look_at(&task);
    case.expect([&*format!("~ {} working", case.calls), "> attention true"]);
}

#[test]
fn while_the_process_is_stopped_no_time_of_a_task_passes() {
    let mut case = Case::lenient();
    let chat = case.chatting();
    let task = case.task(chat);
    case.skip();
    let morning = case.now.instant + 3_600 * SECOND;
    case.advance_to(morning);
    case.input(Input::Tick);
    case.expect(["> ping"]);
    assert!(matches!(case.look_at(&task).status, TaskStatus::Working(_)));
}

#[test]
fn it_goes_on_while_the_relay_is_gone_and_ends_with_the_room() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.input(Input::Disconnected(chat));
    case.pass_watching(&task, limits::GRACE - SECOND);
    let status = case.look_at(&task).status;
    let trying = "the relay does not answer; trying to reach it".to_owned();
    assert_eq!(status, TaskStatus::Working(trying));
    case.pass(SECOND);
    let reply = case.result(&task);
    assert_eq!((names(&reply), &reply.error), (vec!["partner.disconnected"], &None));
}

#[test]
fn it_ends_when_waiting_has_become_useless() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.input(Input::Disconnected(chat));
    case.input(Input::Trouble(chat, trouble(true)));
    assert_eq!(code(&case.result(&task)), ErrorCode::RelayUnavailable);

    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.relay(chat, error(WireError::Superseded));
    assert_eq!(code(&case.result(&task)), ErrorCode::SessionLost);
    let call = case.call(status(chat));
    assert_eq!(code(&case.read(call)), ErrorCode::UnknownChat);
}

#[test]
fn it_ends_with_its_chat() {
    let mut case = Case::new();
    let chat = case.chatting();
    let [early, late, later] = [(); 3].map(|()| case.task(chat));
    let call = case.call(leave(chat));
    case.read(call);
    assert_eq!(view(&case.result(&early)).state, ChatState::Ended);
    case.relay(chat, left(1));
    assert!(case.sessions.is_done(), "a task keeps no chat alive");
    for task in [&late, &later] {
        let reply = case.result(task);
        assert_eq!((view(&reply).state, view(&reply).events.len()), (ChatState::Ended, 0));
        assert!(reply.next.contains("over"), "{}", reply.next);
    }
    assert_eq!(case.sessions.next_deadline(), None);
}

#[test]
fn what_nobody_was_told_of_an_ended_chat_is_told_by_one_task() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    let [one, two] = [case.task(chat), case.task(chat)];
    for seq in 1..=21 {
        case.hears(chat, seq, "hi");
    }
    let call = case.call(leave(chat));
    assert!(view(&case.read(call)).more);
    case.relay(chat, left(1));
    assert!(case.sessions.is_done());
    assert_eq!(cursors(&case.result(&one)), [22]);
    assert!(cursors(&case.result(&two)).is_empty());
}

#[test]
fn a_task_does_not_keep_the_shim_from_ending() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.task(chat);
    case.input(Input::Shutdown);
    case.relay(chat, left(1));
    assert!(case.sessions.is_done());
    assert_eq!(case.sessions.next_deadline(), None);
}

#[test]
fn a_client_that_takes_tasks_is_told_that_a_wait_wakes_it() {
    let mut case = Case::new();
    let chat = case.waiting();
    let mut says = |takes_tasks: bool| {
        if takes_tasks {
            case.input(Input::ClientTakesTasks);
        }
        case.relay(chat, queued(2));
        let call = case.call(wait(chat, Duration::ZERO));
        case.read(call).next
    };
    let [asks, is_woken] = [says(false), says(true)];
    assert!(asks.contains("only when you call a tool"), "{asks}");
    assert!(is_woken.contains("wakes you"), "{is_woken}");
    case.pair(chat, 1);
    case.look(chat);
    let call = case.call(wait(chat, Duration::ZERO));
    let next = case.read(call).next;
    assert!(next.contains("wakes you"), "{next}");
}
