//! The codec over any stream, the same for the relay and its clients: bytes that were read become
//! frames, messages become bytes of an outbox that goes out as the stream takes it.
//!
//! One struct reads and writes, without locks, halves or tasks. The relay drives the `poll_*`
//! methods; clients have the `async` ones. However the other side reads, a connection takes no more
//! memory than the bytes that may wait, and [`BESIDES_OUTBOUND_BYTES`].

mod outbox;

use std::{
    borrow::Cow,
    future::poll_fn,
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    codec::{self, DecodeError, Decoder, FrameTooLong},
    limits::{FRAME_BYTES, OUTBOUND_BYTES},
    message::{ClientMessage, ErrorCode, Hello, RelayMessage, SessionGrant, Welcome},
};

use outbox::{Outbox, PIECE_BYTES};

/// What a connection takes at most besides what waits to be sent: both ends of its outbox, a frame
/// that turns out to be too much for it, and one that has come in part with what was read behind it.
pub const BESIDES_OUTBOUND_BYTES: usize = 2 * PIECE_BYTES + 3 * FRAME_BYTES;
/// What a client reads at once.
const READ_BYTES: usize = 8 * 1024;

/// The other side leaves too much unread. The message was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("over {outbound_bytes} bytes wait to be read by the other side")]
pub struct SlowReader {
    /// How much may wait.
    pub outbound_bytes: usize,
}

/// Why [`Connection::send`], [`Connection::receive_frame`] or [`Connection::handshake`] failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The other side does not read.
    #[error(transparent)]
    SlowReader(#[from] SlowReader),
    /// The other side sent a frame over the limit.
    #[error(transparent)]
    TooLong(#[from] FrameTooLong),
    /// The stream failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The answer to `hello` is no message of this protocol.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The connection was closed without an answer to `hello`.
    #[error("the relay closed the connection before it answered")]
    Closed,
    /// The relay answered `hello` with an error.
    #[error("{}", .0.advice(*.1))]
    Refused(ErrorCode, Option<u32>),
    /// The relay answered `hello` with something else.
    #[error("the relay did not answer `hello` with `welcome`")]
    OutOfOrder,
}

/// One stream with its unfinished input and its unsent output.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    input: Decoder,
    outbox: Outbox,
    outbound_bytes: usize,
}

impl<S> Connection<S> {
    /// Wraps a connected stream, which may leave [`OUTBOUND_BYTES`] unread.
    #[must_use]
    pub fn new(stream: S) -> Self {
        Self::with_outbound(stream, OUTBOUND_BYTES)
    }

    /// The same with another limit.
    #[must_use]
    pub fn with_outbound(stream: S, outbound_bytes: usize) -> Self {
        Self { stream, input: Decoder::default(), outbox: Outbox::default(), outbound_bytes }
    }

    /// The stream.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream, to do something to it that is no message.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Bytes that wait to be sent.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.outbox.len()
    }

    /// The memory that they take.
    #[must_use]
    pub fn outbox_memory(&self) -> usize {
        self.outbox.memory()
    }

    /// Appends a message to the outbox; [`poll_flush`](Self::poll_flush) sends it.
    ///
    /// # Errors
    /// [`SlowReader`]: the outbox is full. The message is not in it.
    pub fn queue(&mut self, message: &impl Serialize) -> Result<(), SlowReader> {
        let outbound_bytes = self.outbound_bytes;
        let fits = self.outbox.push(message, outbound_bytes);
        if fits { Ok(()) } else { Err(SlowReader { outbound_bytes }) }
    }

    /// Makes `message` the last one: what waits is given up, but for the rest of a frame that was
    /// sent in part.
    pub fn queue_last(&mut self, message: &impl Serialize) {
        self.outbox.keep_begun_frame();
        self.outbox.push(message, usize::MAX);
    }

    /// Takes what was read away, so that its frames can be borrowed while this connection is
    /// written to; to be brought back with [`put_input`](Self::put_input) before the next read.
    #[must_use]
    pub fn take_input(&mut self) -> Decoder {
        mem::take(&mut self.input)
    }

    /// Brings back what [`take_input`](Self::take_input) took.
    pub fn put_input(&mut self, input: Decoder) {
        self.input = input;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Reads once through `scratch`. `0` is the end of the stream.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        self.input.extend(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Sends what waits. Ready once nothing does.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx, usize::MAX)
    }

    /// Sends what waits. Ready once nothing does, or about so many bytes were sent.
    pub fn poll_send(&mut self, cx: &mut Context<'_>, bytes: usize) -> Poll<io::Result<()>> {
        let enough = self.outbox.len().saturating_sub(bytes);
        while self.outbox.len() > enough {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, self.outbox.next()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.outbox.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// What the stream says.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Queues a message and sends it with all that waits. If this is dropped half-way, the rest
    /// goes out with the next call.
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub async fn send(&mut self, message: &ClientMessage<'_>) -> Result<(), ConnectionError> {
        self.queue(message)?;
        Ok(self.flush().await?)
    }

    /// The next frame, or `None` at the end of the stream; decode it with [`crate::codec`].
    /// Nothing is lost if this is dropped while it waits. What is queued is sent meanwhile.
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub async fn receive_frame(&mut self) -> Result<Option<Vec<u8>>, ConnectionError> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// Says `hello` and takes the answer. The caller limits the time
    /// ([`HANDSHAKE`](crate::limits::HANDSHAKE)).
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub async fn handshake(
        &mut self,
        hello: Hello<'_>,
    ) -> Result<Welcome<'static>, ConnectionError> {
        // A relay that refuses may close before it has read `hello`: what it said counts then.
        let sent = self.send(&ClientMessage::Hello(hello)).await;
        let Some(frame) = self.receive_frame().await? else {
            return Err(sent.err().unwrap_or(ConnectionError::Closed));
        };
        let message = codec::decode_relay(&frame)?;
        if let RelayMessage::Welcome(welcome) = message {
            return Ok(into_owned(welcome));
        }
        if let RelayMessage::Error { code, newest, .. } = message {
            return Err(ConnectionError::Refused(code, newest));
        }
        Err(ConnectionError::OutOfOrder)
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Vec<u8>>, ConnectionError>> {
        // A failed write is no reason to stop reading: why the other side closed may be there.
        if let Poll::Ready(Err(_)) = self.poll_flush(cx) {
            self.outbox = Outbox::default();
        }
        let mut scratch = [0; READ_BYTES];
        loop {
            if let Some(frame) = self.input.next_frame()? {
                return Poll::Ready(Ok(Some(frame.to_vec())));
            }
            match ready!(self.poll_read(cx, &mut scratch)) {
                Ok(0) => return Poll::Ready(Ok(None)),
                Ok(_) => {}
                Err(error) if is_end(&error) => return Poll::Ready(Ok(None)),
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

/// A stream that was closed with something unread on the other side ends like this.
fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

fn into_owned(welcome: Welcome<'_>) -> Welcome<'static> {
    Welcome {
        version: welcome.version,
        epoch: welcome.epoch,
        build: Cow::Owned(welcome.build.into_owned()),
        limits: welcome.limits,
        session: welcome.session.map(|session| SessionGrant {
            session_id: session.session_id,
            token: Cow::Owned(session.token.into_owned()),
            resumed: session.resumed,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PING: &[u8] = b"{\"ping\":{}}\n";

    #[tokio::test]
    async fn an_abandoned_receive_loses_nothing() {
        let (near, mut far) = duplex(64);
        let mut connection = Connection::new(near);
        for (index, byte) in PING.iter().enumerate() {
            let abandoned = poll_fn(|cx| Poll::Ready(connection.poll_receive(cx))).await;
            assert!(abandoned.is_pending(), "a frame before its byte {index}");
            far.write_all(&[*byte]).await.unwrap();
        }
        let frame = connection.receive_frame().await.unwrap().unwrap();
        assert_eq!(codec::decode_client(&frame).unwrap(), ClientMessage::Ping {});
        drop(far);
        assert_eq!(connection.receive_frame().await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_queued_goes_out_while_it_waits_for_a_frame() {
        let (near, mut far) = duplex(5);
        let mut connection = Connection::new(near);
        connection.queue(&ClientMessage::Ping {}).unwrap();
        let answer = async {
            let mut line = vec![0; PING.len()];
            far.read_exact(&mut line).await.unwrap();
            far.write_all(b"{\"pong\":{}}\n").await.unwrap();
            line
        };
        let (frame, line) = tokio::join!(connection.receive_frame(), answer);
        assert_eq!(line, PING);
        assert_eq!(codec::decode_relay(&frame.unwrap().unwrap()).unwrap(), RelayMessage::Pong {});
    }

    #[test]
    fn an_outbox_is_bounded_and_a_refused_message_leaves_no_trace() {
        let (near, _far) = duplex(64);
        let mut connection = Connection::new(near);
        while connection.queue(&ClientMessage::Ping {}) == Ok(()) {}
        assert_eq!(connection.unsent(), OUTBOUND_BYTES / PING.len() * PING.len());
        assert_eq!(
            connection.queue(&ClientMessage::Ping {}),
            Err(SlowReader { outbound_bytes: OUTBOUND_BYTES })
        );
    }

    #[tokio::test]
    async fn a_reader_that_never_catches_up_costs_no_more_than_the_cap() {
        const OUTBOUND: usize = 100_000;
        let (near, mut far) = duplex(4 * 1024);
        let mut connection = Connection::with_outbound(near, OUTBOUND);
        let mut cx = Context::from_waker(Waker::noop());
        let message = ClientMessage::LeaveQueue {};
        let mut read = 0;
        while read < 20 * OUTBOUND {
            while connection.queue(&message).is_ok() {}
            assert!(connection.poll_flush(&mut cx).is_pending(), "it never catches up");
            let memory = connection.outbox_memory();
            assert!(memory <= OUTBOUND + BESIDES_OUTBOUND_BYTES, "{memory} after {read}");
            read += far.read(&mut [0; 1024]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn so_much_is_sent_at_once_and_the_rest_later() {
        let (near, _far) = duplex(1024 * 1024);
        let mut connection = Connection::new(near);
        for _ in 0..10_000 {
            connection.queue(&ClientMessage::Ping {}).unwrap();
        }
        let mut cx = Context::from_waker(Waker::noop());
        let all = connection.unsent();
        assert!(connection.poll_send(&mut cx, 1).is_ready());
        assert_eq!(all - connection.unsent(), PIECE_BYTES);
        assert!(connection.poll_flush(&mut cx).is_ready());
        assert_eq!(connection.unsent(), 0);
    }

    #[tokio::test]
    async fn the_last_message_replaces_what_waits_but_never_cuts_a_frame() {
        for taken_bytes in 1..=2 * PING.len() {
            let (near, mut far) = duplex(taken_bytes);
            let mut connection = Connection::new(near);
            for _ in 0..3 {
                connection.queue(&ClientMessage::Ping {}).unwrap();
            }
            let mut cx = Context::from_waker(Waker::noop());
            assert!(connection.poll_flush(&mut cx).is_pending());
            connection.queue_last(&ClientMessage::Stop {});

            let mut text = String::new();
            let finish = async {
                connection.flush().await.unwrap();
                drop(connection);
            };
            let (read, ()) = tokio::join!(far.read_to_string(&mut text), finish);
            read.unwrap();
            let pings = taken_bytes.div_ceil(PING.len());
            let expected = "{\"ping\":{}}\n".repeat(pings) + "{\"stop\":{}}\n";
            assert_eq!(text, expected, "with {taken_bytes} bytes taken");
        }
    }

    #[tokio::test]
    async fn a_handshake_tells_welcome_refusal_and_end_apart() {
        let refusal = b"{\"error\":{\"code\":\"version_mismatch\",\"message\":\"too old\"}}\n";
        for (answer, expected) in [
            (&refusal[..], ErrorCode::VersionMismatch.sentence()),
            (b"", "the relay closed the connection before it answered"),
            (b"{\"pong\":{}}\n", "the relay did not answer `hello` with `welcome`"),
        ] {
            let (near, mut far) = duplex(1024);
            far.write_all(answer).await.unwrap();
            far.shutdown().await.unwrap();
            let error = Connection::new(near).handshake(Hello::visitor("test")).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
