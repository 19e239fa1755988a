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
    let lines: [&[u8]; 8] = [&first, half_emoji, no_utf8, b"rubbish", b"", answer, &with_mark, b""];
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
