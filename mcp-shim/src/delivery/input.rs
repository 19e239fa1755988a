//! Standard input: one message of JSON-RPC a line. The SDK's own reader passes over a request that
//! is no JSON (half an emoji, as JavaScript writes it, is enough) without an answer, so that its
//! client waits, and keeps as much memory as its longest line took.

use std::{io, sync::Arc};

use rmcp::{
    ErrorData, RoleServer, model::RequestId, service::RxJsonRpcMessage,
    transport::async_rw::DEFAULT_MAX_LINE_LENGTH,
};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// The longest line that is read, in bytes; longer ones are dropped.
const LINE_BYTES: usize = DEFAULT_MAX_LINE_LENGTH;
/// As much of the memory of a line is kept for the next one, in bytes.
const KEPT_BYTES: usize = 64 * 1024;
/// RFC 8259, section 8.1: a parser may ignore it.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What a line of the client is.
#[derive(Debug)]
pub(crate) enum Line {
    /// What the SDK takes.
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// A request that is not valid JSON.
    Unreadable(RequestId),
    /// JSON that is neither a request nor an answer nor a notification, and what to say of it.
    Invalid(ErrorData),
}

/// The lines of a client.
#[derive(Debug)]
pub(crate) struct Input<R> {
    reader: BufReader<R>,
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// It is longer than any may be, and the rest of it is dropped.
    is_oversized: bool,
}

impl<R: AsyncRead + Unpin> Input<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { reader: BufReader::new(input), line: Vec::new(), is_oversized: false }
    }

    /// The next line that asks for something, or `None` at the end of input. It may be dropped and
    /// called again.
    pub(crate) async fn next(&mut self) -> Option<Line> {
        loop {
            match self.ends_line().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    tracing::error!(%error, "standard input cannot be read");
                    return None;
                }
            }
            let line = parse(&self.line);
            self.line.clear();
            self.line.shrink_to(KEPT_BYTES);
            if line.is_some() {
                return line;
            }
        }
    }

    /// Reads up to the end of a line. `false` at the end of input.
    async fn ends_line(&mut self) -> io::Result<bool> {
        loop {
            let read = self.reader.fill_buf().await?;
            if read.is_empty() {
                return Ok(false);
            }
            let end = memchr::memchr(b'\n', read).map(|index| index + 1);
            let taken = end.unwrap_or(read.len());
            if self.line.len() + taken > LINE_BYTES {
                self.is_oversized = true;
                self.line = Vec::new();
            }
            if !self.is_oversized {
                self.line.extend_from_slice(&read[..taken]);
            }
            self.reader.consume(taken);
            if end.is_some() {
                if !std::mem::take(&mut self.is_oversized) {
                    return Ok(true);
                }
                tracing::error!("a line of more than {LINE_BYTES} bytes was dropped");
            }
        }
    }
}

/// What a line is, unless it can be passed over.
fn parse(line: &[u8]) -> Option<Line> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return None;
    }
    if let Ok(message) = serde_json::from_slice(line) {
        return Some(Line::Message(Box::new(message)));
    }
    match serde_json::from_slice::<Value>(line) {
        Err(_) => request_id(line).map(Line::Unreadable),
        // A notification is never answered, whatever is wrong with it.
        Ok(json) if json.get("method").is_some() && json.get("id").is_none() => None,
        Ok(_) => Some(Line::Invalid(ErrorData::invalid_request("Invalid request", None))),
    }
}

/// The id of a request that is no JSON as a whole, if its outermost object still shows one.
fn request_id(line: &[u8]) -> Option<RequestId> {
    let (mut depth, mut at) = (0_usize, 0);
    let (mut id, mut is_request) = (None, false);
    while at < line.len() {
        match line[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_string(line, at)?;
                let after = line[end..].trim_ascii_start();
                if depth == 1 && after.first() == Some(&b':') {
                    let value = after[1..].trim_ascii_start();
                    match &line[at..end] {
                        br#""id""# => id = id.or_else(|| value_of_id(value)),
                        br#""method""# => is_request = true,
                        _ => {}
                    }
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    id.filter(|_| is_request)
}

/// Where the string that begins here has ended.
fn end_of_string(line: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin + 1;
    loop {
        match line.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn value_of_id(value: &[u8]) -> Option<RequestId> {
    if value.first() == Some(&b'"') {
        let text: String = serde_json::from_slice(&value[..end_of_string(value, 0)?]).ok()?;
        return Some(RequestId::String(Arc::from(text)));
    }
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
    str::from_utf8(&value[..digits]).ok()?.parse().ok().map(RequestId::Number)
}

#[cfg(test)]
mod tests;
