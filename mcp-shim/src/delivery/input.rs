//! Standard input, read ahead of the SDK: a request that is no JSON (half an emoji, as JavaScript
//! writes it, is enough) would be passed over there without an answer, and its client would wait.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rmcp::{model::RequestId, transport::async_rw::DEFAULT_MAX_LINE_LENGTH};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::mpsc,
};

/// What is read at once.
const READ_BYTES: usize = 8 * 1024;

/// A reader that takes out the lines that are no JSON, and tells the ids of requests among them.
#[derive(Debug)]
pub(crate) struct Screened<R> {
    inner: R,
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// Lines that are passed on, and how far they were.
    passed: Vec<u8>,
    taken: usize,
    /// The line is longer than any may be: it is passed on, and the SDK drops it.
    oversized: bool,
    unreadable: mpsc::UnboundedSender<RequestId>,
}

impl<R> Screened<R> {
    pub(crate) fn new(inner: R) -> (Self, mpsc::UnboundedReceiver<RequestId>) {
        let (unreadable, ids) = mpsc::unbounded_channel();
        let (line, passed) = (Vec::new(), Vec::new());
        (Self { inner, line, passed, taken: 0, oversized: false, unreadable }, ids)
    }

    fn screen(&mut self, read: &[u8]) {
        for piece in read.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            if self.oversized {
                self.passed.extend_from_slice(piece);
                self.oversized = !ends;
                continue;
            }
            self.line.extend_from_slice(piece);
            if ends {
                self.judge();
            } else if self.line.len() > DEFAULT_MAX_LINE_LENGTH {
                self.passed.append(&mut self.line);
                self.oversized = true;
            }
        }
    }

    fn judge(&mut self) {
        let is_json = serde_json::from_slice::<serde_json::Value>(&self.line).is_ok();
        if is_json || self.line.trim_ascii().is_empty() {
            self.passed.append(&mut self.line);
        } else if let Some(id) = request_id(&self.line) {
            // Nobody hears it only when the server is ending.
            let _ = self.unreadable.send(id);
        }
        self.line.clear();
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Screened<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        while self.taken == self.passed.len() {
            self.passed.clear();
            self.taken = 0;
            let mut bytes = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.screen(read.filled());
        }
        let count = buffer.remaining().min(self.passed.len() - self.taken);
        buffer.put_slice(&self.passed[self.taken..self.taken + count]);
        self.taken += count;
        Poll::Ready(Ok(()))
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
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// What is passed on, and the ids of what is not.
    async fn screened(input: &[u8]) -> (Vec<u8>, Vec<RequestId>) {
        let (mut reader, mut ids) = Screened::new(input);
        let mut passed = Vec::new();
        reader.read_to_end(&mut passed).await.unwrap();
        drop(reader);
        let mut unreadable = Vec::new();
        while let Some(id) = ids.recv().await {
            unreadable.push(id);
        }
        (passed, unreadable)
    }

    #[tokio::test]
    async fn what_is_json_passes_and_what_is_not_is_told_by_its_id() {
        let good = br#"{"id":1,"method":"a"}"#.as_slice();
        let half_emoji = br#"{"params":{"id":7,"t":"\ud83d"},"id":2,"method":"b"}"#;
        let no_utf8 = b"{\"method\":\"c\",\"id\":\"three\",\"t\":\"\xff\"}";
        let answer = br#"{"id":4,"result":"\ud83d"}"#;
        let lines = [good, half_emoji, no_utf8, b"rubbish", b"", answer, good, b""];
        let (passed, ids) = screened(&lines.join(b"\n".as_slice())).await;
        assert_eq!(passed, [good, b"", good, b""].join(b"\n".as_slice()));
        assert_eq!(ids, [RequestId::Number(2), RequestId::String("three".into())]);
    }

    #[tokio::test]
    async fn an_id_inside_a_string_or_an_argument_is_none() {
        let line = br#"{"method":"a","t":"\"id\":9 \ud83d","params":{"id":8}}"#.as_slice();
        let (passed, ids) = screened(&[line, b""].join(b"\n".as_slice())).await;
        assert!(passed.is_empty() && ids.is_empty());
    }
}
