//! The tasks of a play, and what its clients were told by them.

use super::{
    play::{Play, nth},
    *,
};

/// What one client knows of its tasks.
#[derive(Default)]
pub(super) struct TaskBook {
    /// What each brought, if the client was told.
    known: BTreeMap<String, Option<TaskView>>,
    /// What was asked of which, and not yet answered.
    asked: BTreeMap<CallId, String>,
    /// Answers that are not settled.
    shown: BTreeMap<CallId, TaskView>,
}

impl TaskBook {
    pub(super) fn settle(&mut self, call: CallId, written: bool) {
        let Some(task) = self.shown.remove(&call).filter(|_| written) else { return };
        let told = self.known.entry(task.task_id.to_string()).or_default();
        if matches!(task.status, TaskStatus::Completed { .. }) {
            *told = Some(task);
        }
    }

    pub(super) fn is_unknown(&mut self, call: CallId) {
        let task = self.asked.remove(&call).expect("an answer nobody waits for");
        self.known.remove(&task);
    }
}

impl Play {
    pub(super) fn get_task(&mut self, side: usize, task: usize) {
        self.ask_task(side, task, TaskRequest::Get);
    }

    pub(super) fn cancel_task(&mut self, side: usize, task: usize) {
        self.ask_task(side, task, TaskRequest::Cancel);
    }

    fn ask_task(&mut self, side: usize, task: usize, ask: fn(String) -> TaskRequest) {
        let here = &mut self.sides[side];
        let Some(task) = nth(here.tasks.known.keys().cloned(), task) else { return };
        here.calls += 1;
        let call = CallId(here.calls);
        here.tasks.asked.insert(call, task.clone());
        self.input(side, Input::Task(call, ask(task)));
    }

    pub(super) fn show_task(&mut self, side: usize, call: CallId, task: TaskView) {
        let here = &mut self.sides[side];
        let made = here.open.remove(&call).is_some();
        let asked = here.tasks.asked.remove(&call);
        assert!(made != asked.is_some(), "an answer nobody waits for");
        let told = asked.and_then(|task| here.tasks.known[&task].clone());
        // What is fixed because the chat is gone may be on its way twice.
        let same = here.tasks.shown.values().find(|shown| **shown == task);
        let told = told.or_else(|| same.cloned());
        here.tasks.shown.insert(call, task.clone());
        match task.status {
            TaskStatus::Completed { reply, .. } if told.is_none() => {
                self.result(side, call, *reply);
            }
            status @ (TaskStatus::Completed { .. }
            | TaskStatus::Working(_)
            | TaskStatus::Cancelled) => {
                assert!(told.is_none_or(|told| told.status == status), "told differently");
                here.unwritten.insert(call, (None, Vec::new()));
            }
        }
    }
}
