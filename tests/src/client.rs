//! One MCP client: JSON-RPC at the pipes of one real process.

use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    Era, PATIENCE, Shim, Signal,
    inbox::{Answer, Contents, Inbox},
    result,
    shim::{initialize_params, modern_meta},
    signal, within,
};

/// A client and the server that it has started.
#[derive(Debug)]
pub struct Client {
    name: String,
    era: Era,
    capabilities: Value,
    server: Value,
    child: Mutex<Child>,
    stdin: Mutex<Option<ChildStdin>>,
    inbox: Arc<Inbox>,
    stderr: Arc<Mutex<Vec<u8>>>,
    last_id: AtomicI64,
}

/// A request that was made and not yet answered.
#[derive(Debug)]
pub struct Pending {
    id: i64,
    what: String,
}

impl Pending {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }
}

impl Client {
    pub(crate) fn start(shim: Shim) -> Self {
        let Shim { name, mut command, era, capabilities } = shim;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            name: format!("{name} {}", child.id()),
            era,
            capabilities,
            server: Value::Null,
            stdin: Mutex::new(child.stdin.take()),
            inbox: Inbox::reading(child.stdout.take().unwrap()),
            stderr: collect(child.stderr.take().unwrap()),
            child: Mutex::new(child),
            last_id: AtomicI64::new(0),
        }
    }

    pub(crate) fn greet(&mut self) {
        self.server = match self.era {
            Era::Initialize(version) => {
                let params = initialize_params(version, &self.capabilities);
                let server = self.request("initialize", params).unwrap();
                assert_eq!(server["protocolVersion"], version);
                self.notify("notifications/initialized", json!({}));
                server
            }
            Era::Modern => self.request("server/discover", json!({})).unwrap(),
            Era::Sdk => self.request("connection", json!({})).unwrap(),
        };
    }

    /// What the server has said of itself when it was greeted.
    #[must_use]
    pub fn server(&self) -> &Value {
        &self.server
    }

    /// The process of the server.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child().id()
    }

    /// Makes a request and waits for the answer.
    ///
    /// # Errors
    /// The answer is an error of JSON-RPC.
    pub fn request(&self, method: &str, params: Value) -> Result<Value, Value> {
        let pending = self.start_request(method, params);
        self.answer(&pending)
    }

    /// Makes a request.
    pub fn start_request(&self, method: &str, mut params: Value) -> Pending {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let what = format!("{method} {params}");
        if self.era == Era::Modern {
            let own_meta = params["_meta"].take();
            params["_meta"] = modern_meta(&self.capabilities);
            for (key, value) in own_meta.as_object().into_iter().flatten() {
                params["_meta"][key] = value.clone();
            }
        }
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        Pending { id, what }
    }

    /// What [`write_line`](Self::write_line) has asked, under an id of its own.
    #[must_use]
    pub fn asked(&self, id: i64) -> Pending {
        Pending { id, what: format!("the line with id {id}") }
    }

    /// Waits for the answer to a request.
    ///
    /// # Errors
    /// The answer is an error of JSON-RPC.
    pub fn answer(&self, pending: &Pending) -> Result<Value, Value> {
        self.wait(&pending.what, |inbox| inbox.answers.remove(&pending.id))
    }

    /// The answer to a request, if it is there already.
    #[must_use]
    pub fn answer_so_far(&self, pending: &Pending) -> Option<Answer> {
        self.inbox.contents().answers.remove(&pending.id)
    }

    /// Tells something that is not answered.
    pub fn notify(&self, method: &str, params: Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Calls a tool and waits for its result, which is checked for what is true of all.
    pub fn call(&self, tool: &str, arguments: Value) -> Value {
        let pending = self.start_call(tool, arguments);
        self.finish(&pending)
    }

    /// Calls a tool.
    pub fn start_call(&self, tool: &str, arguments: Value) -> Pending {
        self.start_request("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Calls a tool and wants to hear of its progress.
    pub fn start_call_with_progress(&self, tool: &str, arguments: Value, token: &str) -> Pending {
        let params = json!({
            "name": tool,
            "arguments": arguments,
            "_meta": { "progressToken": token },
        });
        self.start_request("tools/call", params)
    }

    /// Waits for the result of a tool.
    pub fn finish(&self, pending: &Pending) -> Value {
        self.checked(self.answer(pending), &pending.what)
    }

    /// Waits for whichever comes first, and takes it out of the list.
    pub fn finish_first(&self, pending: &mut Vec<Pending>) -> Value {
        let (index, answer) = self.wait("one of several answers", |inbox| {
            let index = pending.iter().position(|one| inbox.answers.contains_key(&one.id))?;
            Some((index, inbox.answers.remove(&pending[index].id)?))
        });
        let finished = pending.remove(index);
        self.checked(answer, &finished.what)
    }

    /// Says that an answer is not wanted any more.
    pub fn cancel(&self, pending: &Pending) {
        self.notify("notifications/cancelled", json!({ "requestId": pending.id }));
    }

    /// Waits for a notification and takes its parameters out of the queue.
    pub fn expect_notification(&self, method: &str) -> Value {
        self.wait(&format!("the notification {method}"), |inbox| {
            let mut queue = inbox.notifications.iter();
            let index = queue.position(|message| message["method"] == method)?;
            Some(inbox.notifications.remove(index)?["params"].take())
        })
    }

    /// The notifications that came and were not yet taken.
    #[must_use]
    pub fn notifications(&self) -> Vec<Value> {
        self.inbox.contents().notifications.iter().cloned().collect()
    }

    /// Errors of JSON-RPC that name no request.
    #[must_use]
    pub fn unaddressed_errors(&self) -> usize {
        self.inbox.contents().unaddressed_errors
    }

    /// Writes to stdin whatever it is.
    pub fn write_line(&self, line: &str) {
        self.inbox.contents().transcript.push(format!("-> {line}"));
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        let stdin = stdin.as_mut().expect("stdin is open");
        if let Err(error) = writeln!(stdin, "{line}").and_then(|()| stdin.flush()) {
            panic!("{} does not read its stdin: {error}\n{}", self.name, self.stderr());
        }
    }

    /// Ends its stdin, which is how a client says goodbye.
    pub fn close_stdin(&self) {
        self.stdin.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Sends a signal to the server.
    pub fn signal(&self, which: Signal) {
        signal(self.pid(), which);
    }

    /// Waits for the end of the server.
    pub fn wait_exit(&self, limit: Duration) -> ExitStatus {
        within(limit, &format!("the end of {}", self.name), || self.child().try_wait().unwrap())
    }

    /// Ends the server by the end of its input, and gives all that it has written on stderr; what
    /// it has told unasked is complete then, too.
    #[must_use]
    pub fn last_words(&self) -> String {
        self.close_stdin();
        self.wait_exit(PATIENCE);
        self.inbox.wait_for_end(PATIENCE).unwrap_or_else(|why| panic!("{}: {why}", self.name));
        // Its reader has let go of it.
        let is_read = || (Arc::strong_count(&self.stderr) == 1).then_some(());
        within(PATIENCE, &format!("the end of what {} has to say", self.name), is_read);
        self.stderr()
    }

    /// What came on stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&stderr).into_owned()
    }

    fn write(&self, message: &Value) {
        self.write_line(&message.to_string());
    }

    fn checked(&self, answer: Answer, what: &str) -> Value {
        let result = answer.unwrap_or_else(|error| panic!("{}: {what}: {error}", self.name));
        result::check(&result);
        result
    }

    fn wait<T>(&self, what: &str, look: impl FnMut(&mut Contents) -> Option<T>) -> T {
        self.inbox.wait(PATIENCE, look).unwrap_or_else(|reason| {
            panic!("{}: waiting for {what}: {reason}", self.name);
        })
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut child = self.child();
        if self.era == Era::Sdk {
            // Or the shim behind the driver would be left alone.
            self.close_stdin();
            let deadline = Instant::now() + PATIENCE;
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        if let Ok(None) = child.try_wait() {
            let _ = child.kill();
            let _ = child.wait();
        }
        drop(child);
        let end = self.inbox.wait_for_end(PATIENCE);
        if std::thread::panicking() {
            let transcript = self.inbox.contents().transcript.join("\n");
            eprintln!("--- {}\n{transcript}\n--- its stderr\n{}", self.name, self.stderr());
            return;
        }
        end.unwrap_or_else(|reason| panic!("{}: {reason}", self.name));
        if let Some(fault) = &self.inbox.contents().fault {
            panic!("{}: {fault}", self.name);
        }
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> Arc<Mutex<Vec<u8>>> {
    let collected = Arc::new(Mutex::new(Vec::new()));
    let filled = Arc::clone(&collected);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            filled.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..length]);
        }
    });
    collected
}
