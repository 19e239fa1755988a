//! Turns the arguments of a tool call into a [`Request`]; whether it makes sense is not decided here.
//! `null` is absent; any other value of the wrong type is an error that names the field.

use std::time::Duration;

use rmcp::model::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::{limits, message::Author};

use crate::session::{Departure, EnterQueue, ErrorCode, Request, SendMessage, ToolError};

/// The request that a call means, or `None` if there is no such tool.
pub(crate) fn parse(tool: &str, arguments: JsonObject) -> Option<Request> {
    let arguments = Arguments(arguments);
    let request = match tool {
        "enter_queue" => arguments.enter_queue(),
        "wait_for_events" => arguments.wait_for_events(),
        "send_message" => arguments.send_message(),
        "next_partner" => arguments.departure().map(Request::NextPartner),
        "leave_chat" => arguments.departure().map(Request::LeaveChat),
        "chat_status" => arguments.chat_status(),
        _ => return None,
    };
    Some(request.unwrap_or_else(|error| {
        let chat_id = arguments.text("chat_id").ok().flatten();
        Request::Invalid { chat_id, error }
    }))
}

struct Arguments(JsonObject);

impl Arguments {
    fn enter_queue(&self) -> Result<Request, ToolError> {
        Ok(Request::EnterQueue(EnterQueue {
            display_name: self.text("display_name")?,
            topic: self.text("topic")?,
            chat_id: self.text("chat_id")?,
            new_chat: self.flag("new_chat")?,
            after: self.cursor()?,
        }))
    }

    fn wait_for_events(&self) -> Result<Request, ToolError> {
        let longest = limits::EVENT_WAIT_LONGEST.as_secs();
        let timeout = self.number("timeout_seconds", longest)?.map(Duration::from_secs);
        Ok(Request::WaitForEvents {
            chat_id: self.text("chat_id")?,
            after: self.cursor()?,
            timeout: timeout.unwrap_or(limits::EVENT_WAIT),
            task: false,
        })
    }

    fn send_message(&self) -> Result<Request, ToolError> {
        let author = self.choice("author", "user, assistant")?;
        let chat_id = self.text("chat_id")?;
        let Some(message) = self.text("message")? else {
            return Err(wrong("message", "is missing", "put what your user wants to say there"));
        };
        Ok(Request::SendMessage(SendMessage {
            chat_id,
            message,
            author: author.unwrap_or(Author::Assistant),
            room_id: self.text("room_id")?,
            after: self.cursor()?,
        }))
    }

    fn departure(&self) -> Result<Departure, ToolError> {
        let report = self.choice("report", "spam, harassment, injection, other")?;
        Ok(Departure {
            chat_id: self.text("chat_id")?,
            block: self.flag("block")?,
            report,
            after: self.cursor()?,
        })
    }

    fn chat_status(&self) -> Result<Request, ToolError> {
        let history = self.number("history", limits::HISTORY_ENTRIES as u64)?;
        Ok(Request::ChatStatus {
            chat_id: self.text("chat_id")?,
            history: history.unwrap_or(0) as usize,
            after: self.cursor()?,
        })
    }

    fn cursor(&self) -> Result<Option<u64>, ToolError> {
        self.number("after", i64::MAX as u64)
    }

    fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    fn text(&self, field: &'static str) -> Result<Option<String>, ToolError> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(wrong_kind(field, "a string", other)),
        }
    }

    fn flag(&self, field: &'static str) -> Result<bool, ToolError> {
        match self.get(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(wrong_kind(field, "true or false", other)),
        }
    }

    fn number(&self, field: &'static str, most: u64) -> Result<Option<u64>, ToolError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let Value::Number(number) = value else {
            return Err(wrong_kind(field, "an integer", value));
        };
        // Some clients write whole numbers as 45.0.
        let whole = number.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0 && *n < 2f64.powi(53));
        match number.as_u64().or(whole.map(|n| n as u64)) {
            Some(number) if number <= most => Ok(Some(number)),
            Some(_) | None => {
                let hint = format!("{field} is an integer from 0 to {most}");
                Err(wrong(field, "is out of range", hint))
            }
        }
    }

    /// One of the values of an enum, as the wire writes them.
    fn choice<T: DeserializeOwned>(
        &self,
        field: &'static str,
        choices: &str,
    ) -> Result<Option<T>, ToolError> {
        let Some(name) = self.text(field)? else { return Ok(None) };
        serde_json::from_value(name.into()).map(Some).map_err(|_| {
            wrong(field, "is not one of the known values", format!("use one of {choices}"))
        })
    }
}

fn wrong_kind(field: &str, wanted: &str, found: &Value) -> ToolError {
    let found = match found {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    wrong(field, format!("is {found}"), format!("{field} must be {wanted}"))
}

fn wrong(field: &str, problem: impl std::fmt::Display, hint: impl Into<String>) -> ToolError {
    let message = format!("{field} {problem}; nothing was changed");
    ToolError::new(ErrorCode::InvalidArgument, message, hint.into())
}
