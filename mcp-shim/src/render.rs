//! The text of a result: says what the structured content says, for people and for clients that
//! show nothing else. Each message of the partner stands in a fence of its own.
//!
//! ```text
//! [words of "Bob" 3f9c2a71]
//! > hello
//! > there
//! [end 3f9c2a71]
//! ```
//!
//! The number is made afresh for each result, every line is quoted, and `&`, `<`, `>` are escaped:
//! whatever the words are, they cannot end their fence or look like anything outside it. Names and
//! topics stand outside, in quotation marks, which they cannot contain.

use std::fmt::Write;

use rmcp::model::{CallToolResult, ContentBlock};
use shared::message::{Author, CloseReason, Presence};

use crate::session::{ChatState, Delivery, Entry, Event, Left, Reply, Spoken};

/// A result: the structured content, and the text that says the same.
pub(crate) fn result(reply: &Reply, text: String) -> CallToolResult {
    let content = vec![ContentBlock::text(text)];
    let mut result = if reply.is_error() {
        CallToolResult::error(content)
    } else {
        CallToolResult::success(content)
    };
    result.structured_content = serde_json::to_value(reply).ok();
    result
}

/// The text of a result.
pub(crate) fn text(reply: &Reply) -> String {
    fenced_text(reply, nonce())
}

/// The text of one event by itself.
pub(crate) fn pushed(entry: &Entry) -> String {
    let mut out = String::new();
    if let Some(notice) = entry.notice() {
        out = format!("{notice}\n");
    }
    match event(&mut out, entry, nonce()) {
        Ok(()) => out.trim_end().to_owned(),
        Err(_) => entry.event.name().to_owned(),
    }
}

fn nonce() -> u32 {
    let mut bytes = [0; 4];
    // Without randomness the fence is still quoted and escaped.
    let _ = getrandom::fill(&mut bytes);
    u32::from_be_bytes(bytes)
}

/// The text of a result that is told more than once, with the number of its fences.
pub(crate) fn fenced_text(reply: &Reply, nonce: u32) -> String {
    write(reply, nonce).unwrap_or_else(|_| reply.next.to_owned())
}

fn write(reply: &Reply, nonce: u32) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    if let Some(error) = &reply.error {
        let code = serde_json::to_value(error.code).ok();
        let code = code.as_ref().and_then(serde_json::Value::as_str).unwrap_or("error");
        writeln!(out, "Error {code}: {}.", error.message)?;
        writeln!(out, "Hint: {}.", error.hint)?;
    }
    headline(&mut out, reply)?;
    outcome(&mut out, reply)?;
    if let Some(notice) = reply.notice {
        writeln!(out, "{notice}")?;
    }
    for entry in reply.chat.iter().flat_map(|chat| &chat.events) {
        event(&mut out, entry, nonce)?;
    }
    if let Some(history) = &reply.history {
        writeln!(out, "The last {} messages:", history.len())?;
        for spoken in history {
            self::spoken(&mut out, spoken, nonce)?;
        }
    }
    for chat in &reply.other_chats {
        let state = state(chat.state);
        let other = if reply.chat.is_some() { "Other chat" } else { "Chat" };
        writeln!(out, "{other} {}: {state}, {} unread.", chat.chat_id, chat.unread)?;
    }
    write!(out, "Next: {}", reply.next)?;
    Ok(out)
}

fn headline(out: &mut String, reply: &Reply) -> std::fmt::Result {
    if let Some(relay) = &reply.relay {
        match (&relay.trouble, relay.others_connected) {
            (Some(trouble), _) => writeln!(out, "The relay cannot be reached: {trouble}.")?,
            (None, others) => writeln!(
                out,
                "The relay answers ({}); {} connected.",
                relay.socket,
                match others.unwrap_or(0) {
                    1 => "1 other session is".to_owned(),
                    others => format!("{others} other sessions are"),
                }
            )?,
        }
        if let Some(uid) = relay.account {
            writeln!(
                out,
                "It is run by another account of this computer (uid {uid}), which could read what \
                 passes through it."
            )?;
        }
    }
    let Some(chat) = &reply.chat else { return Ok(()) };
    write!(out, "Chat {}: {}", chat.chat_id, state(chat.state))?;
    if let Some(room) = &chat.room {
        write!(
            out,
            " with {} ({}{}), topic {}, room {}",
            quoted(&room.partner.display_name),
            presence(room.partner.presence),
            warning(room.partner.mixed_script),
            quoted(&room.topic),
            room.room_id
        )?;
    }
    if let Some(queue) = &chat.queue {
        write!(out, ", topic {}", quoted(&queue.topic))?;
        if let Some(position) = queue.position {
            write!(out, ", position {position} of {}", queue.waiting)?;
            if queue.not_listening > 0 {
                write!(out, " ({} not listening)", queue.not_listening)?;
            }
            if queue.own > 0 {
                write!(out, ", beside {} of this app", queue.own)?;
            }
        }
    }
    writeln!(out, ". Cursor {}.", chat.cursor)
}

fn outcome(out: &mut String, reply: &Reply) -> std::fmt::Result {
    match reply.delivery {
        Some(Delivery::Delivered) => writeln!(out, "The partner's client has the message.")?,
        Some(Delivery::Pending) => writeln!(
            out,
            "The message is accepted and on its way; do not send it again. If it cannot arrive, \
             partner.disconnected lists it."
        )?,
        None => {}
    }
    if let Some(id) = &reply.message_id {
        writeln!(out, "Its id is {id}.")?;
    }
    match reply.left {
        Some(Left::Room) => writeln!(out, "The room is left.")?,
        Some(Left::Queue) => writeln!(out, "The queue is left.")?,
        Some(Left::None) | None => {}
    }
    if let Some(undelivered) = reply.undelivered.as_ref().filter(|messages| !messages.is_empty()) {
        writeln!(out, "The partner may not have these messages: {}.", undelivered.join(", "))?;
    }
    if let Some(noted) = reply.noted {
        writeln!(out, "{noted}")?;
    }
    if let Some(receipts) = reply.receipts {
        let (sent, delivered, read) = (receipts.sent, receipts.delivered, receipts.read);
        writeln!(out, "Sent {sent}, delivered {delivered}, read {read}.")?;
    }
    Ok(())
}

fn event(out: &mut String, entry: &Entry, nonce: u32) -> std::fmt::Result {
    let cursor = entry.cursor;
    match &entry.event {
        Event::Found { partner, topic, met_before, .. } => {
            let name = quoted(&partner.display_name);
            let again = if *met_before { "; you have met before" } else { "" };
            let (topic, presence) = (quoted(topic), presence(partner.presence));
            let warning = warning(partner.mixed_script);
            write!(out, "{cursor}. Found a partner: {name} ({presence}{warning})")?;
            writeln!(out, ", topic {topic}{again}.")
        }
        Event::Message { from, author, message, removed, .. } => {
            let (name, by) = (quoted(&from.display_name), by(*author));
            writeln!(out, "{cursor}. Partner {name} wrote{by}:")?;
            fence(out, &from.display_name, message, nonce)?;
            match removed {
                Some(count) => writeln!(out, "({count} unsafe characters were taken out)"),
                None => Ok(()),
            }
        }
        Event::Away { .. } => writeln!(out, "{cursor}. The partner's connection is down."),
        Event::Back { .. } => writeln!(out, "{cursor}. The partner's connection is back."),
        Event::Disconnected { reason, undelivered, .. } => {
            let reason = match reason {
                CloseReason::Left => "has left",
                CloseReason::Timeout => "was gone for too long",
                CloseReason::Idle => "and you did not write for too long",
                CloseReason::RelayLost => "is lost: the relay went down",
            };
            writeln!(out, "{cursor}. The partner {reason}.")?;
            if !undelivered.is_empty() {
                writeln!(
                    out,
                    "   These messages may not have arrived: {}.",
                    undelivered.join(", ")
                )?;
            }
            Ok(())
        }
        Event::Expired { reason } => {
            writeln!(out, "{cursor}. The place in the queue is gone ({reason}).")
        }
    }
}

fn spoken(out: &mut String, spoken: &Spoken, nonce: u32) -> std::fmt::Result {
    if spoken.from == "you" {
        writeln!(out, "Your own message{}:", by(spoken.author))?;
        return quote(out, &spoken.message);
    }
    writeln!(out, "Partner {} wrote{}:", quoted(&spoken.display_name), by(spoken.author))?;
    fence(out, &spoken.display_name, &spoken.message, nonce)
}

fn fence(out: &mut String, name: &str, words: &str, nonce: u32) -> std::fmt::Result {
    writeln!(out, "[words of {} {nonce:08x}]", quoted(name))?;
    quote(out, words)?;
    writeln!(out, "[end {nonce:08x}]")
}

fn quote(out: &mut String, words: &str) -> std::fmt::Result {
    words.split('\n').try_for_each(|line| writeln!(out, "> {}", escape(line)))
}

/// In quotation marks, without anything that ends the quotation, the line or the order of reading.
fn quoted(name: &str) -> String {
    let cleaned = shared::text::clean(name);
    let kept = cleaned.text.chars().filter(|one| !one.is_control() && *one != '"');
    format!("\"{}\"", escape(&kept.collect::<String>()))
}

fn warning(mixed_script: bool) -> &'static str {
    if mixed_script { "; the name mixes scripts, as look-alikes do" } else { "" }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn by(author: Author) -> &'static str {
    match author {
        Author::User => "",
        Author::Assistant => " (by an assistant)",
    }
}

fn state(state: ChatState) -> &'static str {
    match state {
        ChatState::Waiting => "waiting",
        ChatState::Chatting => "chatting",
        ChatState::Idle => "idle",
        ChatState::Ended => "ended",
    }
}

fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Listening => "listening",
        Presence::NotListening => "not listening",
        Presence::Reconnecting => "reconnecting",
    }
}

#[cfg(test)]
mod tests;
