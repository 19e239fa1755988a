//! `mcp-shim demo`: two people meet and talk, each behind a real server, on a relay that the
//! servers start themselves. Private: nothing of it touches the user's own relay, and nothing stays.

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
    person::{Person, words},
    screen::{Mark, Screen},
    wiring,
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
    let screen = Screen::new();
    let folder = tempfile::Builder::new().prefix("mcp-chat-demo-").tempdir()?;
    // The relay makes this directory itself, closed to others.
    let socket = folder.path().join("v1").join("relay.sock");
    let environment = [
        ("MCP_CHAT_SOCKET", socket.as_path()),
        ("MCP_CHAT_RELAY_IDLE_EXIT", Path::new(IDLE_EXIT)),
        ("XDG_STATE_HOME", folder.path()),
    ];

    screen.head("mcp-chat: two people meet and talk")?;
    screen.say(
        "Each has an MCP client with an mcp-shim server of its own; the first call starts the \
         relay between them. > a tool is called, < it answers, * the client is notified unasked.",
    )?;
    screen.blank()?;
    let conversation = converse(&screen, &environment).await;
    let stopped = stop(&socket).await;
    conversation?;
    stopped.context("the demo's relay could not be stopped")?;
    screen.blank()?;
    screen.say("Every step happened. The demo's relay is gone again.")?;
    screen.blank()?;
    wiring::show(&screen)?;
    Ok(ExitCode::SUCCESS)
}

async fn converse(screen: &Screen, environment: &[(&str, &Path)]) -> anyhow::Result<()> {
    let mut ana = Person::connect("Ana", ProtocolVersion::V_2025_11_25, &[], environment).await?;
    let mut ben = Person::connect("Ben", ProtocolVersion::V_2026_07_28, &[], environment).await?;
    for person in [&ana, &ben] {
        let line = format!("connected to mcp-shim, MCP {}", person.version());
        screen.line(person.name, Mark::Answer, &line)?;
    }

    let waiting = enter(screen, &ana).await?;
    ensure!(waiting["state"] == "waiting", "Ana does not wait alone");
    let position = &waiting["queue"]["position"];
    screen.line(ana.name, Mark::Answer, &format!("waiting, position {position}"))?;

    let found = enter(screen, &ben).await?;
    ensure!(found["state"] == "chatting", "Ben was not matched at once");
    let partner = words(&found["room"]["partner"]["display_name"]);
    ensure!(partner == ana.name, "Ben met somebody else");
    screen.line(ben.name, Mark::Answer, &format!("chatting with {partner}"))?;
    let told = ana.notified("chatroom.found").await?;
    ensure!(told["room_id"] == found["room"]["room_id"], "they are in different rooms");
    let partner = words(&told["partner"]["display_name"]);
    ensure!(partner == ben.name, "Ana met somebody else");
    screen.line(ana.name, Mark::Notified, &format!("chatroom.found: {partner}"))?;
    ben.notified("chatroom.found").await?;

    let (ana_chat, ben_chat) = (waiting["chat_id"].clone(), found["chat_id"].clone());
    // What the model behind each client has seen, before it may send.
    look(&ana, &ana_chat).await?;
    say(screen, &ana, &ana_chat, &mut ben, "Hi! I am Ana. Who is there?").await?;
    say(
        screen,
        &ben,
        &ben_chat,
        &mut ana,
        "Ben here. Your words arrived the moment you sent them.",
    )
    .await?;
    say(screen, &ana, &ana_chat, &mut ben, "So did yours. Bye, and good luck with the next one!")
        .await?;

    screen.line(ana.name, Mark::Call, "leave_chat")?;
    let left = ana.call("leave_chat", json!({"chat_id": ana_chat}), AT_ONCE).await?;
    ensure!(left["left"] == "room" && left["undelivered"] == json!([]), "Ana did not leave well");
    screen.line(ana.name, Mark::Answer, "left the room, nothing undelivered")?;
    let gone = ben.notified("partner.disconnected").await?;
    ensure!(gone["reason"] == "left", "Ben was told another reason");
    screen.line(ben.name, Mark::Notified, "partner.disconnected: left")?;
    let inbox = look(&ben, &ben_chat).await?;
    let messages = events(&inbox, "message.received");
    screen.line(ben.name, Mark::Call, "wait_for_events")?;
    ensure!(messages == 1 && events(&inbox, "partner.disconnected") == 1, "Ben's inbox is wrong");
    screen.line(ben.name, Mark::Answer, "the last message and that Ana left: nothing was lost")?;
    ana.disconnect().await?;
    ben.disconnect().await
}

async fn enter(screen: &Screen, person: &Person) -> anyhow::Result<Value> {
    screen.line(person.name, Mark::Call, &format!("enter_queue as {}", person.name))?;
    person.call("enter_queue", json!({"display_name": person.name}), AT_ONCE).await
}

async fn look(person: &Person, chat_id: &Value) -> anyhow::Result<Value> {
    let arguments = json!({"chat_id": chat_id, "timeout_seconds": 0});
    person.call("wait_for_events", arguments, AT_ONCE).await
}

/// One says something; the other is notified of just that.
async fn say(
    screen: &Screen,
    from: &Person,
    chat_id: &Value,
    to: &mut Person,
    message: &str,
) -> anyhow::Result<()> {
    screen.line(from.name, Mark::Call, &format!("send_message \"{message}\""))?;
    let arguments = json!({"chat_id": chat_id, "message": message, "author": "user"});
    let sent = from.call("send_message", arguments, AT_ONCE).await?;
    let heard = to.notified("message.received").await?;
    ensure!(heard["message"] == message, "{} was told other words", to.name);
    ensure!(heard["message_id"] == sent["message_id"], "{} was told another message", to.name);
    let author = words(&heard["from"]["display_name"]);
    screen.line(
        to.name,
        Mark::Notified,
        &format!("message.received from {author}: \"{message}\""),
    )?;
    ensure!(
        sent["delivery"] == "delivered",
        "{}'s message is only {}",
        from.name,
        sent["delivery"]
    );
    screen.line(from.name, Mark::Answer, "delivered").context("standard output is closed")
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
