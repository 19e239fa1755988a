//! `mcp-shim demo`: two people meet and talk, each behind a real server, on a relay that the
//! servers start. It is private: it does not touch the user's own relay, and leaves nothing behind.

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use rmcp::model::ProtocolVersion;
use serde_json::{Value, json};
use shared::{
    connection::Connection,
    endpoint::Endpoint,
    message::{ClientMessage, Hello},
};

use super::{
    client::{Client, words},
    client_config,
    terminal::{Mark, Terminal},
};
use crate::BUILD;

/// Only answers that come at once.
const AT_ONCE: Duration = Duration::ZERO;
/// A relay that the demo could not stop ends by itself after this.
const IDLE_EXIT: &str = "2s";

/// Shows the conversation, then how to wire each client. Fails unless every step happened.
///
/// # Errors
///
/// When a step did not happen, saying which.
pub async fn run() -> anyhow::Result<ExitCode> {
    let terminal = Terminal::new();
    let folder = tempfile::Builder::new().prefix("mcp-chat-demo-").tempdir()?;
    // The relay makes this directory itself, closed to others.
    let socket = folder.path().join("v1").join("relay.sock");
    let environment = [
        ("MCP_CHAT_SOCKET", socket.as_path()),
        ("MCP_CHAT_RELAY_IDLE_EXIT", Path::new(IDLE_EXIT)),
        ("XDG_STATE_HOME", folder.path()),
    ];

    terminal.head("mcp-chat: two people meet and talk")?;
    terminal.say(
        "Ana and Ben each have an MCP client. Each client starts an mcp-shim server, and the \
         first tool call starts the relay between them. > calls a tool, < is its result, * is a \
         notification.",
    )?;
    terminal.blank()?;
    let conversation = converse(&terminal, &environment).await;
    let stopped = stop(&socket).await;
    conversation?;
    stopped.context("the demo's relay could not be stopped")?;
    terminal.blank()?;
    terminal.say("All of this happened as shown. The relay of the demo has ended.")?;
    terminal.blank()?;
    client_config::show(&terminal)?;
    Ok(ExitCode::SUCCESS)
}

async fn converse(terminal: &Terminal, environment: &[(&str, &Path)]) -> anyhow::Result<()> {
    let mut ana = Client::connect("Ana", ProtocolVersion::V_2025_11_25, &[], environment).await?;
    let mut ben = Client::connect("Ben", ProtocolVersion::V_2026_07_28, &[], environment).await?;
    for client in [&ana, &ben] {
        let line = format!("connected to mcp-shim with MCP {}", client.version());
        terminal.line(client.name, Mark::Answer, &line)?;
    }

    let waiting = enter(terminal, &ana).await?;
    ensure!(waiting["state"] == "waiting", "Ana is not waiting");
    let position = &waiting["queue"]["position"];
    terminal.line(ana.name, Mark::Answer, &format!("waiting, position {position}"))?;

    let found = enter(terminal, &ben).await?;
    ensure!(found["state"] == "chatting", "Ben was not matched at once");
    let partner = words(&found["room"]["partner"]["display_name"]);
    ensure!(partner == ana.name, "Ben met somebody else");
    terminal.line(ben.name, Mark::Answer, &format!("chatting with {partner}"))?;
    let told = ana.notified("chatroom.found").await?;
    ensure!(told["room_id"] == found["room"]["room_id"], "they are in different rooms");
    let partner = words(&told["partner"]["display_name"]);
    ensure!(partner == ben.name, "Ana met somebody else");
    terminal.line(ana.name, Mark::Notified, &format!("chatroom.found: {partner}"))?;
    ben.notified("chatroom.found").await?;

    let (ana_chat, ben_chat) = (waiting["chat_id"].clone(), found["chat_id"].clone());
    // What the model behind each client has seen, before it may send.
    look(&ana, &ana_chat).await?;
    say(terminal, &ana, &ana_chat, &mut ben, "Hi! I am Ana. Who is there?").await?;
    let answer = "Ben here. Your words arrived the moment you sent them.";
    say(terminal, &ben, &ben_chat, &mut ana, answer).await?;
    say(terminal, &ana, &ana_chat, &mut ben, "So did yours. Bye, and good luck with the next one!")
        .await?;

    terminal.line(ana.name, Mark::Call, "leave_chat")?;
    let left = ana.call("leave_chat", json!({"chat_id": ana_chat}), AT_ONCE).await?;
    ensure!(left["left"] == "room" && left["undelivered"] == json!([]), "Ana did not leave well");
    terminal.line(ana.name, Mark::Answer, "left the room; every message was delivered")?;
    let gone = ben.notified("partner.disconnected").await?;
    ensure!(gone["reason"] == "left", "Ben was told another reason");
    terminal.line(ben.name, Mark::Notified, "partner.disconnected: left")?;
    let inbox = look(&ben, &ben_chat).await?;
    let messages = events(&inbox, "message.received");
    terminal.line(ben.name, Mark::Call, "wait_for_events")?;
    ensure!(messages == 1 && events(&inbox, "partner.disconnected") == 1, "Ben's inbox is wrong");
    terminal.line(ben.name, Mark::Answer, "the last message, and that Ana left: nothing lost")?;
    ana.disconnect().await?;
    ben.disconnect().await
}

async fn enter(terminal: &Terminal, client: &Client) -> anyhow::Result<Value> {
    terminal.line(client.name, Mark::Call, &format!("enter_queue as {}", client.name))?;
    client.call("enter_queue", json!({"display_name": client.name}), AT_ONCE).await
}

async fn look(client: &Client, chat_id: &Value) -> anyhow::Result<Value> {
    let arguments = json!({"chat_id": chat_id, "timeout_seconds": 0});
    client.call("wait_for_events", arguments, AT_ONCE).await
}

/// One says something; the other is notified of just that.
async fn say(
    terminal: &Terminal,
    from: &Client,
    chat_id: &Value,
    to: &mut Client,
    message: &str,
) -> anyhow::Result<()> {
    terminal.line(from.name, Mark::Call, &format!("send_message \"{message}\""))?;
    let arguments = json!({"chat_id": chat_id, "message": message, "author": "user"});
    let sent = from.call("send_message", arguments, AT_ONCE).await?;
    let heard = to.notified("message.received").await?;
    ensure!(heard["message"] == message, "{} was told other words", to.name);
    ensure!(heard["message_id"] == sent["message_id"], "{} was told another message", to.name);
    let author = words(&heard["from"]["display_name"]);
    let told = format!("message.received from {author}: \"{message}\"");
    terminal.line(to.name, Mark::Notified, &told)?;
    let delivery = &sent["delivery"];
    ensure!(delivery == "delivered", "{}'s message is only {delivery}", from.name);
    terminal.line(from.name, Mark::Answer, "delivered").context("standard output is closed")
}

fn events(result: &Value, kind: &str) -> usize {
    let events = result["events"].as_array();
    events.map_or(0, |events| events.iter().filter(|event| event["type"] == kind).count())
}

/// Ends the demo's relay.
async fn stop(socket: &Path) -> anyhow::Result<()> {
    let endpoint = Endpoint::resolve(Some(socket))?;
    let mut connection = Connection::new(endpoint.connect().await?);
    connection.handshake(Hello::visitor(BUILD)).await?;
    connection.send(&ClientMessage::Stop {}).await?;
    while connection.receive_frame().await?.is_some() {}
    Ok(())
}
