//! Tasks: MCP's extension by which a client looks after a call that takes long, once a second, and
//! wakes its model when there is a result. Only where a request of 2026-07-28 declares it: a client
//! of an `initialize` version that does so means something older.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        ConstString, CreateTaskResult, DetailedTask, ErrorCode, GetTaskResult, InitializeResult,
        JsonObject, ProtocolVersion, TASKS_EXTENSION_ID, Task, TaskPayload,
        TaskStatus as WireStatus,
    },
    service::RequestContext,
};
use serde_json::Value;
use shared::limits;

use crate::{
    render,
    session::{Reply, TaskStatus, TaskView},
};

/// Whether this request may be answered with a task.
pub(crate) fn are_taken(context: &RequestContext<RoleServer>) -> bool {
    let declared = context.client_capabilities().is_some_and(|client| client.supports_tasks());
    declared && is_stateless(context)
}

/// Whether this request may ask for a task.
///
/// # Errors
///
/// When it belongs to an `initialize` session, where there are none.
pub(crate) fn check<Method: ConstString>(
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    if is_stateless(context) {
        return Ok(());
    }
    Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, Method::VALUE, None))
}

/// Whether this request is of a version without sessions.
pub(crate) fn is_stateless(context: &RequestContext<RoleServer>) -> bool {
    let version = context.protocol_version();
    let is_new_enough = version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    is_new_enough && context.peer.peer_info().is_none()
}

/// What an `initialize` session is told of the server: the same without tasks.
pub(crate) fn without(mut server: InitializeResult) -> InitializeResult {
    if let Some(extensions) = &mut server.capabilities.extensions {
        extensions.remove(TASKS_EXTENSION_ID);
    }
    server
}

/// The answer that makes a task known.
pub(crate) fn begun(task: &TaskView) -> CreateTaskResult {
    CreateTaskResult::new(described(task))
}

/// The answer to `tasks/get`.
pub(crate) fn state(task: TaskView) -> GetTaskResult {
    let described = described(&task);
    let payload = match task.status {
        TaskStatus::Working(_) => TaskPayload::Working,
        TaskStatus::Completed { reply, fence } => {
            TaskPayload::Completed { result: result(&reply, fence) }
        }
        TaskStatus::Cancelled => TaskPayload::Cancelled,
    };
    GetTaskResult::new(DetailedTask::new(described, payload))
}

/// The answer to a request for a task that is not there.
pub(crate) fn unknown() -> ErrorData {
    let what = "there is no such task (any more); what it would have brought was kept for the \
                tools of its chat";
    ErrorData::invalid_params(what, None)
}

fn described(task: &TaskView) -> Task {
    let (status, message) = match &task.status {
        TaskStatus::Working(message) => (WireStatus::Working, Some(message)),
        TaskStatus::Completed { .. } => (WireStatus::Completed, None),
        TaskStatus::Cancelled => (WireStatus::Cancelled, None),
    };
    let (created_at, updated_at) = (task.created_at.clone(), task.updated_at.clone());
    let mut described = Task::new(task.task_id.to_string(), status, created_at, updated_at)
        .with_poll_interval_ms(limits::TASK_POLL.as_millis() as u64);
    described.status_message = message.cloned();
    described
}

fn result(reply: &Reply, fence: u32) -> JsonObject {
    let result = render::result(reply, render::fenced_text(reply, fence));
    match serde_json::to_value(result) {
        Ok(Value::Object(result)) => result,
        Ok(_) | Err(_) => JsonObject::new(),
    }
}
