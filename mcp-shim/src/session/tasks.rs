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
//! written has told nothing. While one is on its way, whoever asks as well waits for its fate.

use std::time::{Duration, Instant};

use shared::limits;

use super::{
    EMPTY_WAITS, Sessions,
    chat::{Chat, Place},
    event::{CallId, ChatId, Moment, Output, TaskId, TaskRequest},
    pending::{relay_error, session_lost},
    reply::{Reply, TaskStatus, TaskView, ToolError},
};

/// The tasks that are kept, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    kept: Vec<Task>,
    made: u64,
}

#[derive(Debug)]
struct Task {
    id: TaskId,
    chat: ChatId,
    made_by: CallId,
    /// The answer that makes it known was written.
    is_known: bool,
    created_at: String,
    updated_at: String,
    expires: Instant,
    polled: Instant,
    /// Its client looked at it lately.
    is_watched: bool,
    /// When it was over, for which gives way first.
    over: Option<Instant>,
    fence: u32,
    stage: Stage,
}

/// There are as many tasks as there can be, and none of them is over.
#[derive(Debug)]
struct Full;

#[derive(Debug)]
enum Stage {
    Working,
    Over,
    Shown { to: CallId, reply: Box<Reply>, others: Vec<CallId> },
    Told(Box<Reply>),
    Cancelled,
}

impl Tasks {
    /// When something about them changes by itself, at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let expiry = self.kept.iter().filter(|task| task.is_working()).map(|task| task.expires);
        let lapse = self.kept.iter().filter(|task| task.counts()).map(Task::lapses);
        expiry.chain(lapse).min()
    }

    /// So much time has passed in which this process did not run, nor could be asked.
    pub(super) fn slept(&mut self, slept: Duration) {
        for task in &mut self.kept {
            task.polled += slept;
            task.expires += slept;
        }
    }

    /// Whether the client would soon hear, by a task, of what happens in this chat.
    pub(super) fn are_watched_for(&self, chat: ChatId) -> bool {
        self.kept.iter().any(|task| task.chat == chat && task.counts())
    }

    /// The client wants no answer to this `get`.
    pub(super) fn give_up(&mut self, call: CallId) {
        for task in &mut self.kept {
            if let Stage::Shown { others, .. } = &mut task.stage {
                others.retain(|other| *other != call);
            }
        }
    }

    fn find(&self, task_id: &str) -> Option<usize> {
        self.kept.iter().position(|task| task.id.to_string() == task_id)
    }

    /// Lets the one go that was over first, if there are as many as there can be. One that is just
    /// being told stays. Returns whose it was, if one had to go, or that none could.
    fn make_room(&mut self) -> Result<Option<ChatId>, Full> {
        if self.kept.len() < limits::TASKS {
            return Ok(None);
        }
        let spare = self.kept.iter().enumerate().filter(|(_, task)| {
            matches!(task.stage, Stage::Over | Stage::Told(_) | Stage::Cancelled)
        });
        match spare.filter_map(|(index, task)| Some((task.over?, index))).min() {
            Some((_, index)) => Ok(Some(self.kept.remove(index).chat)),
            None => Err(Full),
        }
    }
}

impl Task {
    fn is_working(&self) -> bool {
        matches!(self.stage, Stage::Working)
    }

    /// Whether its client is about to ask for what it brings.
    fn counts(&self) -> bool {
        self.is_watched && matches!(self.stage, Stage::Working | Stage::Over)
    }

    fn lapses(&self) -> Instant {
        self.polled + limits::TASK_LISTENING
    }

    fn end(&mut self, stage: Stage, now: Moment) {
        self.stage = stage;
        self.over = Some(now.instant);
        self.updated_at = now.rfc3339();
    }

    fn view(&self, status: TaskStatus) -> Box<TaskView> {
        Box::new(TaskView {
            task_id: self.id,
            created_at: self.created_at.clone(),
            updated_at: self.updated_at.clone(),
            status,
        })
    }
}

impl Sessions {
    /// Answers a wait with a task, unless there are too many that are not over.
    pub(super) fn make_task(
        &mut self,
        call: CallId,
        chat: ChatId,
        now: Moment,
        out: &mut Vec<Output>,
    ) -> bool {
        match self.tasks.make_room() {
            Ok(None) => {}
            Ok(Some(of)) => self.update_attention(of, out),
            Err(Full) => return false,
        }
        self.tasks.made += 1;
        let [id, fence] = [0, 1].map(|use_of| self.unguessable(use_of, self.tasks.made));
        let task = Task {
            id: TaskId(id),
            chat,
            made_by: call,
            is_known: false,
            created_at: now.rfc3339(),
            updated_at: now.rfc3339(),
            expires: now.instant + limits::TASK_LIFE,
            polled: now.instant,
            is_watched: true,
            over: None,
            fence: fence as u32,
            stage: Stage::Working,
        };
        let status = TaskStatus::Working(self.chat(chat).progress());
        out.push(Output::Task(call, task.view(status)));
        self.tasks.kept.push(task);
        self.update_attention(chat, out);
        true
    }

    /// A task is asked for or given up.
    pub(super) fn task_request(
        &mut self,
        call: CallId,
        request: TaskRequest,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        let (TaskRequest::Get(id) | TaskRequest::Update(id) | TaskRequest::Cancel(id)) = &request;
        let Some(index) = self.tasks.find(id) else {
            out.push(Output::UnknownTask(call));
            return;
        };
        // Whoever names a task knows it, whatever became of the answer that was to make it known.
        self.tasks.kept[index].is_known = true;
        match request {
            TaskRequest::Get(_) => {
                self.advance_tasks(now, out);
                self.show_task(call, index, now, out);
            }
            TaskRequest::Update(_) => out.push(Output::TaskNoted(call)),
            TaskRequest::Cancel(_) => {
                let task = &mut self.tasks.kept[index];
                match task.stage {
                    Stage::Working | Stage::Over => task.end(Stage::Cancelled, now),
                    Stage::Shown { .. } | Stage::Told(_) | Stage::Cancelled => {}
                }
                let chat = task.chat;
                self.update_attention(chat, out);
                out.push(Output::TaskNoted(call));
            }
        }
    }

    fn show_task(&mut self, call: CallId, index: usize, now: Moment, out: &mut Vec<Output>) {
        let task = &mut self.tasks.kept[index];
        let (chat, fence) = (task.chat, task.fence);
        task.polled = now.instant;
        task.is_watched = true;
        let status = match &mut task.stage {
            Stage::Working => TaskStatus::Working(self.chats[&chat].progress()),
            Stage::Cancelled => TaskStatus::Cancelled,
            Stage::Told(reply) => TaskStatus::Completed { reply: reply.clone(), fence },
            Stage::Shown { others, .. } => {
                others.push(call);
                return;
            }
            Stage::Over => {
                let reply = Box::new(self.task_result(call, chat, now));
                let shown = Stage::Shown { to: call, reply: reply.clone(), others: Vec::new() };
                self.tasks.kept[index].stage = shown;
                TaskStatus::Completed { reply, fence }
            }
        };
        out.push(Output::Task(call, self.tasks.kept[index].view(status)));
        self.update_attention(chat, out);
    }

    /// What a task brings that is over, with events that are lent to this call.
    fn task_result(&mut self, call: CallId, chat: ChatId, now: Moment) -> Reply {
        let mut reply = Reply::new("");
        reply.error = task_error(&self.chats[&chat], now.instant);
        self.compose(call, chat, None, reply, now)
    }

    /// The answer to this call was written, or was not.
    pub(super) fn task_settled(
        &mut self,
        call: CallId,
        written: bool,
        now: Moment,
        out: &mut Vec<Output>,
    ) {
        self.task_made(call, written, out);
        let shown_to = |task: &Task| matches!(task.stage, Stage::Shown { to, .. } if to == call);
        let Some(index) = self.tasks.kept.iter().position(shown_to) else { return };
        let task = &mut self.tasks.kept[index];
        let (id, chat) = (task.id, task.chat);
        // Without the chat nothing can come back: what was shown stays what is told.
        let is_final = written || !self.chats.contains_key(&chat);
        let others = match std::mem::replace(&mut task.stage, Stage::Over) {
            Stage::Shown { reply, others, .. } => {
                if is_final {
                    task.stage = Stage::Told(reply);
                }
                others
            }
            stage @ (Stage::Working | Stage::Over | Stage::Told(_) | Stage::Cancelled) => {
                task.stage = stage;
                Vec::new()
            }
        };
        self.update_attention(chat, out);
        for other in others {
            self.task_request(other, TaskRequest::Get(id.to_string()), now, out);
        }
    }

    /// A task of which its client has not heard is none.
    fn task_made(&mut self, call: CallId, written: bool, out: &mut Vec<Output>) {
        let Some(index) = self.tasks.kept.iter().position(|task| task.made_by == call) else {
            return;
        };
        let task = &mut self.tasks.kept[index];
        task.is_known |= written;
        if !task.is_known {
            let chat = task.chat;
            self.tasks.kept.remove(index);
            self.update_attention(chat, out);
        }
    }

    /// Ends every task that has something to bring, and notices which are not looked at any more.
    pub(super) fn advance_tasks(&mut self, now: Moment, out: &mut Vec<Output>) {
        let mut unwatched = Vec::new();
        for task in &mut self.tasks.kept {
            if task.is_watched && task.lapses() <= now.instant {
                task.is_watched = false;
                unwatched.push(task.chat);
            }
            let Some(chat) = self.chats.get_mut(&task.chat).filter(|_| task.is_working()) else {
                continue;
            };
            let has_something = chat.inbox.has_news(None) || matches!(chat.place, Place::Idle);
            if has_something || chat.is_out_of_reach() {
                task.end(Stage::Over, now);
            } else if task.expires <= now.instant {
                chat.empty_waits = EMPTY_WAITS;
                task.end(Stage::Over, now);
            }
        }
        for id in unwatched {
            let open = self.is_listened_to(id);
            if let Some(chat) = self.chats.get_mut(&id).filter(|_| !open) {
                chat.lapse_attention(out);
            }
        }
    }

    /// Decides what the tasks bring whose chat is about to be forgotten.
    pub(super) fn conclude_tasks(&mut self, now: Moment) {
        for index in 0..self.tasks.kept.len() {
            let Task { chat, made_by, ref stage, .. } = self.tasks.kept[index];
            let is_open = matches!(stage, Stage::Working | Stage::Over);
            if is_open && self.chats.get(&chat).is_some_and(Chat::is_finished) {
                let reply = Box::new(self.task_result(made_by, chat, now));
                self.lent.remove(&made_by);
                self.farewells.remove(&made_by);
                let task = &mut self.tasks.kept[index];
                task.over.get_or_insert(now.instant);
                task.stage = Stage::Told(reply);
            }
        }
    }
}

impl Chat {
    /// Whether waiting is useless until its user does something, or for ever.
    fn is_out_of_reach(&self) -> bool {
        let lasting = self.trouble.as_ref().is_some_and(|trouble| trouble.lasting);
        self.superseded || (lasting && self.down_since().is_some())
    }
}

/// What has ended a task, if it was no event.
fn task_error(chat: &Chat, now: Instant) -> Option<ToolError> {
    if chat.superseded && chat.ended.is_none() {
        return Some(session_lost());
    }
    let has_something = chat.inbox.has_news(None) || matches!(chat.place, Place::Idle);
    if has_something { None } else { relay_error(chat, now) }
}
