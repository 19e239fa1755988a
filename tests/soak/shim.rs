//! One shim process and a client that keeps nothing: a long run must not fill the memory with
//! transcripts.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
};

use serde_json::{Value, json};
use tests::{BINARIES, World};

type Waiting = Arc<Mutex<Option<BTreeMap<i64, mpsc::Sender<Value>>>>>;

/// A shim and the calls that wait for its answers.
pub(crate) struct Shim {
    child: Mutex<Child>,
    stdin: Mutex<ChildStdin>,
    /// Nobody, once its output has ended.
    waiting: Waiting,
    last_id: AtomicI64,
}

impl Shim {
    /// Starts one and greets it.
    pub(crate) fn start(world: &World) -> Self {
        let mut command = world.command(&BINARIES.shim);
        command.args(["--autonomous", "off"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let waiting = Waiting::new(Mutex::new(Some(BTreeMap::new())));
        let (stdout, answered) = (child.stdout.take().unwrap(), Arc::clone(&waiting));
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Ok(mut message) = serde_json::from_str::<Value>(&line) else { break };
                let Some(id) = message["id"].as_i64() else { continue };
                let caller = answered.lock().unwrap().as_mut().and_then(|all| all.remove(&id));
                if let Some(caller) = caller {
                    let _ = caller.send(message["result"].take());
                }
            }
            answered.lock().unwrap().take();
        });
        let stdin = Mutex::new(child.stdin.take().unwrap());
        let shim = Self { child: Mutex::new(child), stdin, waiting, last_id: AtomicI64::new(0) };
        let greeting = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "soak", "version": "1" },
        });
        shim.request("initialize", &greeting).unwrap();
        shim
    }

    /// Calls a tool; `None` if the shim is dead.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Option<Value> {
        let mut result =
            self.request("tools/call", &json!({ "name": tool, "arguments": arguments }))?;
        Some(result["structuredContent"].take())
    }

    /// Kills it.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }

    fn request(&self, method: &str, params: &Value) -> Option<Value> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let (caller, answer) = mpsc::channel();
        self.waiting.lock().unwrap().as_mut()?.insert(id, caller);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        writeln!(self.stdin.lock().unwrap(), "{request}").ok()?;
        answer.recv().ok()
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        self.kill();
    }
}
