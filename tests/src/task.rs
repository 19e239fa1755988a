//! A wait that has become a task of its client.

use serde_json::{Value, json};

use crate::{Chat, Client, eventually, result};

/// A client and one of its tasks.
#[derive(Debug)]
pub struct Task<'c> {
    /// The client.
    pub client: &'c Client,
    /// The handle of the task.
    pub id: String,
    /// The answer that made it known.
    pub seed: Value,
}

impl<'c> Chat<'c> {
    /// Waits for events by a task.
    #[must_use]
    pub fn task(&self) -> Task<'c> {
        let seed = self.client.answer(&self.start_wait()).unwrap();
        assert_eq!(seed["resultType"], "task", "{seed:#}");
        let id = seed["taskId"].as_str().expect("a task has an id").to_owned();
        Task { client: self.client, id, seed }
    }
}

impl Task<'_> {
    /// `tasks/get`, which has to find it.
    #[must_use]
    pub fn get(&self) -> Value {
        let state = self.ask("tasks/get").unwrap();
        assert_eq!(state["taskId"], self.id);
        assert_eq!(state["resultType"], "complete");
        assert_eq!(state.get("result").is_some(), state["status"] == "completed", "{state:#}");
        if let Some(result) = state.get("result") {
            result::check(result);
        }
        state
    }

    /// Looks at it until it is over; the structured content of what it brings.
    #[must_use]
    pub fn result(&self) -> Value {
        let result = eventually("the task is over", || self.get().get("result").cloned());
        result::structured(&result).clone()
    }

    /// `tasks/cancel`
    ///
    /// # Errors
    /// The answer is an error of JSON-RPC.
    pub fn cancel(&self) -> Result<Value, Value> {
        self.ask("tasks/cancel")
    }

    /// Asks something about it.
    ///
    /// # Errors
    /// The answer is an error of JSON-RPC.
    pub fn ask(&self, method: &str) -> Result<Value, Value> {
        let mut params = json!({ "taskId": self.id });
        if method == "tasks/update" {
            params["inputResponses"] = json!({});
        }
        self.client.request(method, params)
    }
}
