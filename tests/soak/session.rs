//! One session: says the next number, hears the partner's, and rejoins when the partner is gone.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    ledger::{Ledger, Side},
    shim::Shim,
};

/// What all sessions of a world share.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    pub(crate) ledger: Ledger,
    /// No more is said; everybody listens.
    pub(crate) quiet: AtomicBool,
    /// How many sessions have noticed that.
    pub(crate) quiet_sessions: AtomicUsize,
    pub(crate) over: AtomicBool,
    /// How often each shim was started.
    pub(crate) lives: Vec<AtomicUsize>,
    /// The last kill of the relay: how many there were, and when.
    pub(crate) kill: Mutex<(usize, Option<Instant>)>,
    /// How long each session needed to get a message through after a kill.
    pub(crate) resumes: Mutex<Vec<Duration>>,
    /// The number of the last kill after which each session has got a message through.
    pub(crate) resumed: Vec<AtomicUsize>,
    pub(crate) unavailable: AtomicUsize,
}

impl Stage {
    pub(crate) fn life_of(&self, shim: usize) -> usize {
        self.lives[shim].load(Ordering::SeqCst)
    }
}

pub(crate) struct Session {
    pub(crate) stage: Arc<Stage>,
    pub(crate) shim: Arc<Shim>,
    pub(crate) side: Side,
    pub(crate) topic: String,
    /// Which of the world's sessions.
    pub(crate) index: usize,
    pub(crate) chat_id: Value,
    pub(crate) after: i64,
    pub(crate) room: Option<String>,
    pub(crate) said: u64,
}

impl Session {
    /// Lives until the end, or that of its shim.
    pub(crate) fn run(mut self) {
        while self.chat_id.is_null() && !self.is_over() {
            let arguments = json!({ "topic": self.topic, "new_chat": true });
            let Some(entered) = self.shim.call("enter_queue", &arguments) else { return };
            if entered.get("error").is_none() {
                self.chat_id = entered["chat_id"].clone();
                self.take(&entered);
            } else {
                self.stage.unavailable.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mut is_quiet = false;
        while !self.is_over() {
            if !is_quiet && self.stage.quiet.load(Ordering::SeqCst) {
                is_quiet = true;
                self.stage.quiet_sessions.fetch_add(1, Ordering::SeqCst);
            }
            if self.turn().is_none() {
                return;
            }
        }
    }

    fn is_over(&self) -> bool {
        self.stage.over.load(Ordering::SeqCst)
    }

    fn turn(&mut self) -> Option<()> {
        match self.room.clone() {
            Some(room) if !self.stage.quiet.load(Ordering::SeqCst) => self.say(&room),
            _ => self.listen(),
        }
    }

    fn say(&mut self, room: &str) -> Option<()> {
        let number = self.said + 1;
        let begun = Instant::now();
        let message = format!("{room} {number}");
        let arguments = json!({ "message": message, "room_id": room });
        // Heard first: the answer may bring the partner's answer to it.
        let result = self.call("send_message", arguments)?;
        match result["error"]["code"].as_str() {
            None => {
                self.said = number;
                self.stage.ledger.said(room, self.side, number);
                if result["delivery"] == "delivered" {
                    self.got_through(begun);
                }
            }
            Some("rate_limited") => {
                let pause = result["error"]["retry_after_ms"].as_u64().unwrap_or(100);
                std::thread::sleep(Duration::from_millis(pause));
            }
            Some("window_full") => std::thread::sleep(Duration::from_millis(50)),
            Some("not_in_room" | "room_changed") => {}
            Some("relay_unavailable") => {
                self.stage.unavailable.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(50));
            }
            Some(other) => {
                self.stage.ledger.violation(format!("{room}: {other} on sending: {result}"));
            }
        }
        self.take(&result)
    }

    fn listen(&mut self) -> Option<()> {
        let result = self.call("wait_for_events", json!({ "timeout_seconds": 1 }))?;
        if result.get("error").is_some() {
            std::thread::sleep(Duration::from_millis(50));
        }
        self.take(&result)
    }

    fn call(&self, tool: &str, mut arguments: Value) -> Option<Value> {
        arguments["chat_id"] = self.chat_id.clone();
        if self.after > 0 {
            arguments["after"] = self.after.into();
        }
        self.shim.call(tool, &arguments)
    }

    /// A message that was sent after the last kill has arrived.
    fn got_through(&self, begun: Instant) {
        let (kills, at) = *self.stage.kill.lock().unwrap();
        let resumed = &self.stage.resumed[self.index];
        if let Some(at) = at.filter(|at| *at <= begun)
            && resumed.swap(kills, Ordering::SeqCst) != kills
        {
            self.stage.resumes.lock().unwrap().push(at.elapsed());
        }
    }

    fn take(&mut self, result: &Value) -> Option<()> {
        let stage = Arc::clone(&self.stage);
        for event in result["events"].as_array().into_iter().flatten() {
            let cursor = event["cursor"].as_i64().unwrap();
            if cursor != self.after + 1 {
                stage
                    .ledger
                    .violation(format!("{}: cursor {cursor} after {}", self.chat_id, self.after));
            }
            self.after = cursor;
            let room = event["room_id"].as_str().unwrap_or_default();
            match event["type"].as_str().unwrap() {
                "chatroom.found" => {
                    stage.ledger.found(room, self.side);
                    self.room = Some(room.to_owned());
                    self.said = 0;
                }
                "message.received" => {
                    let text = event["message"].as_str().unwrap();
                    let number = text.strip_prefix(room).and_then(|rest| rest.trim().parse().ok());
                    match number {
                        Some(number) => stage.ledger.heard(room, self.side, number),
                        None => stage.ledger.violation(format!("{room}: heard {text:?}")),
                    }
                }
                "partner.disconnected" => {
                    let reason = event["reason"].as_str().unwrap();
                    stage.ledger.ended(room, self.side, reason, |shim| stage.life_of(shim));
                    self.room = None;
                }
                "queue.expired" => stage.ledger.violation(format!("{}: expired", self.chat_id)),
                _ => {}
            }
        }
        if result["state"] == "idle" && self.room.is_none() && result["more"] != true {
            let again = self.call("next_partner", json!({}))?;
            if again["error"]["code"] == "rate_limited" {
                std::thread::sleep(Duration::from_millis(500));
            }
            return self.take_once(&again);
        }
        Some(())
    }

    fn take_once(&mut self, result: &Value) -> Option<()> {
        let mut waiting = result.clone();
        waiting["state"] = "waiting".into();
        self.take(&waiting)
    }
}
