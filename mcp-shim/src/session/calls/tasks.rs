//! Tasks: waits that outlive their call, for clients that take MCP's extension of that name.
//!
//! ```text
//! working -- an event, nobody to wait for, time --> over -- get --> shown -- written --> told
//!    |                                             |  ^               |
//!    +-- cancel --> cancelled <-- cancel ----------+  +- not written -+
//! ```
//!
//! What a task brings is decided when its client asks for it: until then every other result may
//! take the events. Once a client was told, it is told the same each time; an answer that was not
//! written has told nothing. While one is on its way, other requests for it wait.

use std::time::{Duration, Instant};

use shared::limits;

use crate::session::{
    ids::{CallId, ChatId, Moment, TaskId},
    reply::{Reply, TaskStatus, TaskView},
};

/// The tasks that are kept, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    pub(super) kept: Vec<Task>,
    pub(super) made: u64,
}

#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) chat: ChatId,
    pub(super) made_by: CallId,
    /// The answer that makes it known was written.
    pub(super) is_known: bool,
    pub(super) created_at: String,
    pub(super) updated_at: String,
    pub(super) expires: Instant,
    pub(super) polled: Instant,
    /// Its client looked at it lately.
    pub(super) is_watched: bool,
    /// When it was over. The one that was over first gives way first.
    pub(super) over: Option<Instant>,
    pub(super) fence: u32,
    pub(super) stage: Stage,
}

#[derive(Debug)]
pub(super) enum Stage {
    Working,
    Over,
    Shown { to: CallId, reply: Box<Reply>, others: Vec<CallId> },
    Told(Box<Reply>),
    Cancelled,
}

impl Tasks {
    /// When something about them changes by itself, at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let expiry = self.kept.iter().filter(|task| task.is_working()).map(|task| task.expires);
        let lapse = self.kept.iter().filter(|task| task.counts()).map(Task::lapses);
        expiry.chain(lapse).min()
    }

    /// So much time has passed in which this process did not run, nor could be asked.
    pub(crate) fn slept(&mut self, slept: Duration) {
        for task in &mut self.kept {
            task.polled += slept;
            task.expires += slept;
        }
    }

    /// Whether the client would soon hear, by a task, of what happens in this chat.
    pub(crate) fn are_watched_for(&self, chat: ChatId) -> bool {
        self.kept.iter().any(|task| task.chat == chat && task.counts())
    }

    /// The client wants no answer to this `get`.
    pub(crate) fn give_up(&mut self, call: CallId) {
        for task in &mut self.kept {
            if let Stage::Shown { others, .. } = &mut task.stage {
                others.retain(|other| *other != call);
            }
        }
    }

    pub(super) fn find(&self, task_id: &str) -> Option<usize> {
        self.kept.iter().position(|task| task.id.to_string() == task_id)
    }

    /// Lets the one go that was over first, if there are as many as there can be. One that is just
    /// being told stays. Returns whether there is room.
    pub(super) fn make_room(&mut self) -> bool {
        if self.kept.len() < limits::TASKS {
            return true;
        }
        let spare = self.kept.iter().enumerate().filter(|(_, task)| {
            matches!(task.stage, Stage::Over | Stage::Told(_) | Stage::Cancelled)
        });
        let oldest = spare.filter_map(|(index, task)| Some((task.over?, index))).min();
        oldest.map(|(_, index)| self.kept.remove(index)).is_some()
    }

    /// A task of which its client has not heard is none.
    pub(super) fn settled(&mut self, call: CallId, written: bool) {
        for task in self.kept.iter_mut().filter(|task| task.made_by == call) {
            task.is_known |= written;
        }
        self.kept.retain(|task| task.made_by != call || task.is_known);
    }
}

impl Task {
    pub(super) fn is_working(&self) -> bool {
        matches!(self.stage, Stage::Working)
    }

    /// Whether its client is about to ask for what it brings.
    fn counts(&self) -> bool {
        self.is_watched && matches!(self.stage, Stage::Working | Stage::Over)
    }

    pub(super) fn lapses(&self) -> Instant {
        self.polled + limits::TASK_LISTENING
    }

    pub(super) fn end(&mut self, stage: Stage, now: Moment) {
        self.stage = stage;
        self.over = Some(now.instant);
        self.updated_at = now.rfc3339();
    }

    pub(super) fn view(&self, status: TaskStatus) -> Box<TaskView> {
        Box::new(TaskView {
            task_id: self.id,
            created_at: self.created_at.clone(),
            updated_at: self.updated_at.clone(),
            status,
        })
    }
}
