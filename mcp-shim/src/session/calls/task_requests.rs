//! What is asked of tasks, and what ends them.

use shared::limits;

use super::{
    compose::EMPTY_WAITS,
    pending::Call,
    tasks::{Stage, Task},
};
use crate::session::{
    FENCE, Sessions, TASK_ID,
    chat::Chat,
    context::Context,
    contract::{Answer, TaskRequest},
    ids::{CallId, ChatId, TaskId},
    reply::{Reply, TaskStatus, errors},
};

impl Sessions {
    /// Answers a wait with a task, unless there are too many that are not over.
    pub(super) fn make_task(&mut self, call: Call, cx: &mut Context) -> bool {
        if !self.tasks.make_room() {
            return false;
        }
        self.tasks.made += 1;
        let [id, fence] =
            [TASK_ID, FENCE].map(|purpose| self.unguessable(purpose, self.tasks.made));
        let now = cx.now.instant;
        let task = Task {
            id: TaskId(id),
            chat: call.chat,
            made_by: call.id,
            is_known: false,
            created_at: cx.now.rfc3339(),
            updated_at: cx.now.rfc3339(),
            expires: now + limits::TASK_LIFE,
            polled: now,
            is_watched: true,
            over: None,
            fence: fence as u32,
            stage: Stage::Working,
        };
        let status = TaskStatus::Working(self.chat(call.chat).progress());
        cx.answer(call.id, Answer::Task(task.view(status)));
        self.tasks.kept.push(task);
        true
    }

    /// A task is asked for or given up.
    pub(in crate::session) fn task_request(
        &mut self,
        call: CallId,
        request: TaskRequest,
        cx: &mut Context,
    ) {
        let (TaskRequest::Get(id) | TaskRequest::Update(id) | TaskRequest::Cancel(id)) = &request;
        let Some(index) = self.tasks.find(id) else {
            cx.answer(call, Answer::UnknownTask);
            return;
        };
        let task = &mut self.tasks.kept[index];
        // A client that names a task knows it, even if the answer with its id was not written.
        task.is_known = true;
        match request {
            TaskRequest::Get(_) => {
                self.advance_tasks(cx);
                self.show_task(call, index, cx);
            }
            TaskRequest::Update(_) => cx.answer(call, Answer::Noted),
            TaskRequest::Cancel(_) => {
                match task.stage {
                    Stage::Working | Stage::Over => task.end(Stage::Cancelled, cx.now),
                    Stage::Shown { .. } | Stage::Told(_) | Stage::Cancelled => {}
                }
                cx.answer(call, Answer::Noted);
            }
        }
    }

    fn show_task(&mut self, call: CallId, index: usize, cx: &mut Context) {
        let task = &mut self.tasks.kept[index];
        let (chat, fence) = (task.chat, task.fence);
        task.polled = cx.now.instant;
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
                let reply = Box::new(self.task_result(call, chat, cx));
                let shown = Stage::Shown { to: call, reply: reply.clone(), others: Vec::new() };
                self.tasks.kept[index].stage = shown;
                TaskStatus::Completed { reply, fence }
            }
        };
        cx.answer(call, Answer::Task(self.tasks.kept[index].view(status)));
    }

    /// What a task brings that is over, with events that are lent to this call. Its error is what
    /// has ended it, if that was no event.
    fn task_result(&mut self, call: CallId, id: ChatId, cx: &Context) -> Reply {
        let chat = self.chat(id);
        let error = if chat.is_superseded() && chat.is_living() {
            Some(errors::session_lost())
        } else if chat.has_something(None) {
            None
        } else {
            chat.relay_error(cx.now.instant)
        };
        let reply = Reply { error, ..Reply::default() };
        self.compose(Call { id: call, chat: id, after: None }, reply, cx)
    }

    /// The answer to this call was written, or was not.
    pub(in crate::session) fn task_settled(
        &mut self,
        call: CallId,
        written: bool,
        cx: &mut Context,
    ) {
        self.tasks.settled(call, written);
        let shown_to = |task: &Task| matches!(task.stage, Stage::Shown { to, .. } if to == call);
        let Some(index) = self.tasks.kept.iter().position(shown_to) else { return };
        let task = &mut self.tasks.kept[index];
        let id = task.id;
        // Without the chat nothing can come back: what was shown stays what is told.
        let is_final = written || !self.chats.contains_key(&task.chat);
        let Stage::Shown { reply, others, .. } = std::mem::replace(&mut task.stage, Stage::Over)
        else {
            return;
        };
        if is_final {
            task.stage = Stage::Told(reply);
        }
        for other in others {
            self.task_request(other, TaskRequest::Get(id.to_string()), cx);
        }
    }

    /// Ends every task that has something to bring, and notices which are not looked at any more.
    pub(in crate::session) fn advance_tasks(&mut self, cx: &mut Context) {
        let mut unwatched = Vec::new();
        for task in &mut self.tasks.kept {
            if task.is_watched && task.lapses() <= cx.now.instant {
                task.is_watched = false;
                unwatched.push(task.chat);
            }
            let Some(chat) = self.chats.get_mut(&task.chat).filter(|_| task.is_working()) else {
                continue;
            };
            if chat.has_something(None) || chat.is_out_of_reach() {
                task.end(Stage::Over, cx.now);
            } else if task.expires <= cx.now.instant {
                chat.note_empty_waits(EMPTY_WAITS);
                task.end(Stage::Over, cx.now);
            }
        }
        for id in unwatched {
            let open = self.is_listened_to(id);
            if let Some(chat) = self.chats.get_mut(&id).filter(|_| !open) {
                chat.lapse(cx.now.instant);
            }
        }
    }

    /// Decides what tasks bring before their chat is forgotten.
    pub(in crate::session) fn conclude_tasks(&mut self, cx: &Context) {
        for index in 0..self.tasks.kept.len() {
            let Task { chat, made_by, ref stage, .. } = self.tasks.kept[index];
            let is_open = matches!(stage, Stage::Working | Stage::Over);
            if is_open && self.chats.get(&chat).is_some_and(Chat::is_finished) {
                let reply = Box::new(self.task_result(made_by, chat, cx));
                self.lent.remove(&made_by);
                self.farewells.remove(&made_by);
                let task = &mut self.tasks.kept[index];
                task.over.get_or_insert(cx.now.instant);
                task.stage = Stage::Told(reply);
            }
        }
    }
}
