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

/// What a line is, if something has to be done about it.
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
mod tests {
    use rmcp::model::JsonRpcMessage;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// The ids of what is passed on, of what is unreadable, and how many lines are invalid.
    async fn read(input: &[u8]) -> (Vec<RequestId>, Vec<RequestId>, usize) {
        let mut input = Input::new(input);
        let (mut passed, mut unreadable, mut invalid) = (Vec::new(), Vec::new(), 0);
        while let Some(line) = input.next().await {
            match line {
                Line::Message(message) => {
                    let JsonRpcMessage::Request(request) = *message else { panic!("no request") };
                    passed.push(request.id);
                }
                Line::Unreadable(id) => unreadable.push(id),
                Line::Invalid(_) => invalid += 1,
            }
        }
        (passed, unreadable, invalid)
    }

    fn ping(id: i64) -> Vec<u8> {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#).into_bytes()
    }

    #[tokio::test]
    async fn what_is_json_passes_and_what_is_not_is_told_by_its_id() {
        let half_emoji = br#"{"params":{"id":7,"t":"\ud83d"},"id":2,"method":"b"}"#;
        let no_utf8 = b"{\"method\":\"c\",\"id\":\"three\",\"t\":\"\xff\"}";
        let answer = br#"{"id":4,"result":"\ud83d"}"#;
        let (first, with_mark) = (ping(1), [BYTE_ORDER_MARK, &ping(5), b"\r"].concat());
        let lines: [&[u8]; 8] =
            [&first, half_emoji, no_utf8, b"rubbish", b"", answer, &with_mark, b""];
        let (passed, unreadable, invalid) = read(&lines.join(b"\n".as_slice())).await;
        assert_eq!(passed, [RequestId::Number(1), RequestId::Number(5)]);
        assert_eq!(unreadable, [RequestId::Number(2), RequestId::String("three".into())]);
        assert_eq!(invalid, 0);
    }

    #[tokio::test]
    async fn an_id_inside_a_string_or_an_argument_is_none() {
        let line = br#"{"method":"a","t":"\"id\":9 \ud83d","params":{"id":8}}"#.as_slice();
        assert_eq!(read(&[line, b""].join(b"\n".as_slice())).await, (vec![], vec![], 0));
    }

    #[tokio::test]
    async fn what_is_no_message_is_told_and_a_notification_never_is() {
        let lines =
            b"[]\n7\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":4}\n";
        assert_eq!(read(lines).await, (vec![], vec![], 2));
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_dropped_and_no_memory_is_kept_for_it() {
        let padded = |padding: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"p":"{padding}"}}}}"#)
        };
        let long = |bytes: usize| padded(&"x".repeat(bytes - padded("").len()));
        for (bytes, passes) in [(LINE_BYTES - 1, true), (LINE_BYTES, false)] {
            let (mut client, server) = tokio::io::duplex(1024 * 1024);
            let line = [long(bytes).as_bytes(), b"\n", &ping(2), b"\n"].concat();
            let writing = tokio::spawn(async move { client.write_all(&line).await });
            let mut input = Input::new(server);
            let mut passed = 0;
            while input.next().await.is_some() {
                passed += 1;
            }
            writing.await.unwrap().unwrap();
            assert_eq!(passed, 1 + usize::from(passes));
            assert!(input.line.capacity() <= KEPT_BYTES, "{} bytes", input.line.capacity());
        }
    }
}
