//! `mcp-shim demo --join`: a robot in the real queue, for a first conversation in one's own client.
//! It says that it is a robot, answers three messages, and leaves.

use std::{collections::VecDeque, ffi::OsStr, path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use rmcp::model::ProtocolVersion;
use serde_json::{Value, json};
use shared::text;

use super::{
    client::{Client, words},
    terminal::{Mark, Terminal},
};
use crate::cli::Cli;

const NAME: &str = "Robot";
/// One wait; the robot waits again and again.
const WAIT: Duration = Duration::from_secs(45);
/// Waits for a partner, about half an hour in all.
const WAITS: usize = 40;
/// What the robot answers, in this order.
const ANSWERS: [&str; 3] = [
    "I heard you. I am only the demo robot of mcp-chat, but a person would have heard you as well.",
    "That arrived too. One more, and I go.",
    "Everything works. Now meet a person: say \"next\". Goodbye!",
];

/// Puts the robot into the queue of this topic, and shows what happens.
///
/// # Errors
///
/// When the topic cannot be, or the relay cannot be reached.
pub async fn run(cli: &Cli, topic: &str) -> anyhow::Result<ExitCode> {
    let topic = text::topic(topic).context("this is not a topic")?;
    let terminal = Terminal::new();
    let mut arguments: Vec<&Path> = vec![Path::new("--robot")];
    if let Some(socket) = &cli.socket {
        arguments.extend([Path::new(OsStr::new("--socket")), socket]);
    }
    if cli.no_autostart {
        arguments.push(Path::new("--no-autostart"));
    }
    let version = ProtocolVersion::V_2025_11_25;
    let robot = Client::connect(NAME, version, &arguments, &[]).await?;
    let entered = json!({"display_name": "Demo Robot", "topic": topic});
    let entered = robot.call("enter_queue", entered, Duration::ZERO).await?;
    let chat_id = entered["chat_id"].clone();
    terminal.say(&format!(
        "A robot waits on the topic \"{topic}\". Say in your MCP client: \"find me someone to \
         chat with{}\". Ctrl-C ends the robot.",
        if topic == text::DEFAULT_TOPIC { String::new() } else { format!(" on the topic {topic}") }
    ))?;

    let met = tokio::select! {
        met = hold_conversation(&terminal, &robot, &chat_id, entered) => met?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            false
        }
    };
    robot.disconnect().await?;
    terminal.say(if met {
        "The robot met somebody and left."
    } else {
        "The robot met nobody and left."
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Returns whether somebody came.
async fn hold_conversation(
    terminal: &Terminal,
    robot: &Client,
    chat_id: &Value,
    entered: Value,
) -> anyhow::Result<bool> {
    let mut events = events_of(&entered);
    let mut answers = ANSWERS.iter();
    let mut met = false;
    for _ in 0..WAITS {
        // What a send brings back rides on its result and comes no second time.
        while let Some(event) = events.pop_front() {
            match words(&event["type"]) {
                "chatroom.found" => {
                    met = true;
                    let name = words(&event["partner"]["display_name"]);
                    terminal.line(NAME, Mark::Notified, &format!("met {name}"))?;
                    let hello = "Hello! I am the demo robot of mcp-chat. Say something.";
                    events.extend(say(terminal, robot, chat_id, hello).await?);
                }
                "message.received" => {
                    terminal.line(NAME, Mark::Notified, words(&event["message"]))?;
                    if let Some(answer) = answers.next() {
                        events.extend(say(terminal, robot, chat_id, answer).await?);
                    }
                    if answers.len() == 0 {
                        let leave = json!({"chat_id": chat_id});
                        robot.call("leave_chat", leave, Duration::ZERO).await?;
                        return Ok(true);
                    }
                }
                "partner.disconnected" | "queue.expired" => return Ok(met),
                _ => {}
            }
        }
        let wait = json!({"chat_id": chat_id, "timeout_seconds": WAIT.as_secs()});
        events = events_of(&robot.call("wait_for_events", wait, WAIT).await?);
    }
    Ok(met)
}

async fn say(
    terminal: &Terminal,
    robot: &Client,
    chat_id: &Value,
    line: &str,
) -> anyhow::Result<VecDeque<Value>> {
    terminal.line(NAME, Mark::Call, line)?;
    let message = json!({"chat_id": chat_id, "message": line, "author": "assistant"});
    let sent = robot.try_call("send_message", message, Duration::ZERO).await?;
    let error = &sent["error"];
    // Of a partner who is gone the events tell.
    let is_sent = error.is_null() || error["code"] == "not_in_room";
    ensure!(is_sent, "{}; {}", words(&error["message"]), words(&error["hint"]));
    Ok(events_of(&sent))
}

fn events_of(result: &Value) -> VecDeque<Value> {
    result["events"].as_array().into_iter().flatten().cloned().collect()
}
