//! What a process says on stdout, sorted as it comes: answers by id, notifications in order. A
//! line that is not a message of JSON-RPC 2.0 is a fault, which fails whoever waits next.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value;

/// An answer: a result, or the error of JSON-RPC.
pub(crate) type Answer = Result<Value, Value>;

#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) answers: BTreeMap<i64, Answer>,
    pub(crate) notifications: VecDeque<Value>,
    /// Errors that name no request.
    pub(crate) unaddressed_errors: usize,
    /// Both directions, for whoever has to find out why a test failed.
    pub(crate) transcript: Vec<String>,
    pub(crate) fault: Option<String>,
    pub(crate) is_closed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Inbox {
    contents: Mutex<Contents>,
    changed: Condvar,
}

impl Inbox {
    /// Reads in a thread of its own until the end.
    pub(crate) fn reading(stdout: impl Read + Send + 'static) -> Arc<Self> {
        let inbox = Arc::new(Self::default());
        let filled = Arc::clone(&inbox);
        std::thread::spawn(move || filled.read_all(BufReader::new(stdout)));
        inbox
    }

    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` finds something.
    pub(crate) fn wait<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&mut Contents) -> Option<T>,
    ) -> Result<T, String> {
        let deadline = Instant::now() + limit;
        let mut contents = self.contents();
        loop {
            if let Some(fault) = &contents.fault {
                return Err(fault.clone());
            }
            if let Some(found) = look(&mut contents) {
                return Ok(found);
            }
            if contents.is_closed {
                return Err("stdout was closed before that".to_owned());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("it did not come within {limit:?}"));
            }
            contents =
                self.changed.wait_timeout(contents, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for the end of stdout.
    pub(crate) fn wait_for_end(&self, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        let mut contents = self.contents();
        while !contents.is_closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(
                    "stdout is still open: another process must have inherited it".to_owned()
                );
            }
            contents =
                self.changed.wait_timeout(contents, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    fn read_all(&self, mut stdout: impl BufRead) {
        let mut line = Vec::new();
        while stdout.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let mut contents = self.contents();
            contents.transcript.push(format!("<- {}", String::from_utf8_lossy(&line).trim_end()));
            if let Err(reason) = contents.sort(&line) {
                let line = String::from_utf8_lossy(&line).into_owned();
                contents.fault.get_or_insert(format!("{reason}; the line was {line:?}"));
            }
            drop(contents);
            self.changed.notify_all();
            line.clear();
        }
        self.contents().is_closed = true;
        self.changed.notify_all();
    }
}

impl Contents {
    fn sort(&mut self, line: &[u8]) -> Result<(), String> {
        let text = line.strip_suffix(b"\n").ok_or("stdout ended within a line")?;
        let message: Value =
            serde_json::from_slice(text).map_err(|error| format!("stdout is not JSON: {error}"))?;
        if message["jsonrpc"] != "2.0" {
            return Err("stdout is not JSON-RPC 2.0".to_owned());
        }
        let id = message.get("id").filter(|id| !id.is_null());
        let answer = match (message.get("result"), message.get("error")) {
            (Some(result), None) => Some(Ok(result.clone())),
            (None, Some(error)) => Some(Err(error.clone())),
            (None, None) => None,
            (Some(_), Some(_)) => return Err("an answer with both result and error".to_owned()),
        };
        match (message.get("method"), id, answer) {
            (Some(Value::String(_)), None, None) => self.notifications.push_back(message),
            (Some(_), Some(_), _) => return Err("a request that no client allowed".to_owned()),
            (None, Some(id), Some(answer)) => {
                let id = id.as_i64().ok_or("an answer to a request that nobody made")?;
                if self.answers.insert(id, answer).is_some() {
                    return Err(format!("a second answer to request {id}"));
                }
            }
            (None, None, Some(Err(_))) => self.unaddressed_errors += 1,
            _ => return Err("neither an answer nor a notification".to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Contents, Inbox};
    use crate::PATIENCE;

    fn after_reading(stdout: &'static str) -> Contents {
        let inbox = Inbox::reading(stdout.as_bytes());
        inbox.wait_for_end(PATIENCE).unwrap();
        std::mem::take(&mut inbox.contents())
    }

    #[test]
    fn answers_and_notifications_are_sorted() {
        let contents = after_reading(concat!(
            r#"{"jsonrpc":"2.0","id":2,"error":{"code":-1}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","method":"message.received","params":{}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            "\n",
        ));
        assert_eq!(contents.fault, None);
        assert!(contents.answers[&1].is_ok() && contents.answers[&2].is_err());
        assert_eq!(contents.notifications.len(), 1);
    }

    #[test]
    fn whatever_else_is_on_stdout_is_a_fault() {
        for stdout in [
            "\n",
            "starting up\n",
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            concat!(r#"{"id":1,"result":{}}"#, "\n"),
            concat!(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "\n"),
            concat!(r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, "\n"),
            concat!(r#"{"jsonrpc":"2.0","id":"1","result":{}}"#, "\n"),
            concat!(r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#, "\n"),
        ] {
            assert!(after_reading(stdout).fault.is_some(), "{stdout:?}");
        }
    }
}
