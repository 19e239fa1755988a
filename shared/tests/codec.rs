//! Frames and messages: what is taken, what is refused, and how much memory it costs.

use std::borrow::Cow;

use proptest::prelude::*;
use shared::{
    codec::{
        DecodeError, Decoder, FrameTooLong, decode_client, decode_relay, encode, is_well_formed,
    },
    limits::FRAME_BYTES,
    message::{ClientMessage, ErrorCode, RelayMessage},
};

/// All frames there are, as text.
fn frames(decoder: &mut Decoder) -> Result<Vec<String>, FrameTooLong> {
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame()? {
        frames.push(String::from_utf8_lossy(frame).into_owned());
    }
    Ok(frames)
}

fn frames_of(bytes: &[u8]) -> Result<Vec<String>, FrameTooLong> {
    let mut decoder = Decoder::new();
    decoder.extend(bytes);
    frames(&mut decoder)
}

#[test]
fn a_frame_is_a_line() {
    let lines = frames_of(b"one\ntwo\r\n\n\r\nthree\r\r\npartial").unwrap();
    assert_eq!(lines, ["one", "two", "three\r"]);
    assert!(frames_of(b"").unwrap().is_empty());
}

#[test]
fn the_longest_frame_is_taken_and_one_more_byte_is_not() {
    let mut longest = vec![b'x'; FRAME_BYTES - 1];
    longest.push(b'\n');
    assert_eq!(frames_of(&longest).unwrap()[0].len(), FRAME_BYTES - 1);
    longest.insert(0, b'x');
    assert_eq!(frames_of(&longest), Err(FrameTooLong));
    assert!(frames_of(&longest[..FRAME_BYTES - 1]).unwrap().is_empty(), "not yet");
    assert_eq!(frames_of(&longest[..FRAME_BYTES]), Err(FrameTooLong), "no line feed needed");
}

#[test]
fn what_came_before_a_frame_that_is_too_long_is_still_taken_and_nothing_after_it() {
    let mut decoder = Decoder::new();
    decoder.extend(b"fine\n");
    decoder.extend(&vec![b'x'; FRAME_BYTES]);
    assert_eq!(decoder.next_frame(), Ok(Some(&b"fine"[..])));
    assert_eq!(decoder.next_frame(), Err(FrameTooLong));
    assert_eq!(decoder.buffered(), 0);
    decoder.extend(b"\nlater\n");
    assert_eq!(decoder.next_frame(), Err(FrameTooLong));
    assert_eq!(decoder.buffered(), 0);
}

proptest! {
    #[test]
    fn the_same_frames_come_out_however_the_bytes_are_split(
        lines in prop::collection::vec("[a-z\r]{0,40}", 0..20),
        sizes in prop::collection::vec(1_usize..60, 1..20),
    ) {
        let bytes = lines.join("\n").into_bytes();
        let whole = frames_of(&bytes).unwrap();
        let mut decoder = Decoder::new();
        let mut split = Vec::new();
        let mut rest = &bytes[..];
        for size in sizes.iter().cycle() {
            let (chunk, later) = rest.split_at(rest.len().min(*size));
            decoder.extend(chunk);
            split.extend(frames(&mut decoder).unwrap());
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(split, whole);
        prop_assert_eq!(decoder.buffered(), lines.last().map_or(0, String::len));
    }

    #[test]
    fn the_same_messages_come_out_however_the_bytes_are_split(
        texts in prop::collection::vec(any::<String>(), 0..8),
        size in 1_usize..100,
    ) {
        let mut bytes = Vec::new();
        for text in &texts {
            let message = Cow::Borrowed(&**text);
            encode(&RelayMessage::Error { code: ErrorCode::Invalid, message, newest: None }, &mut bytes);
        }
        let mut decoder = Decoder::new();
        let mut decoded = Vec::new();
        for chunk in bytes.chunks(size) {
            decoder.extend(chunk);
            while let Some(frame) = decoder.next_frame().unwrap() {
                let decoded_message = decode_relay(frame).unwrap();
                let RelayMessage::Error { message, .. } = decoded_message else {
                    panic!("{decoded_message:?}")
                };
                decoded.push(message.into_owned());
            }
        }
        prop_assert_eq!(decoded, texts);
    }

    #[test]
    fn garbage_neither_panics_nor_piles_up(
        chunks in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..300),
                (any::<u8>(), 0..=FRAME_BYTES).prop_map(|(byte, count)| vec![byte; count]),
            ],
            0..12,
        ),
    ) {
        let mut decoder = Decoder::new();
        for chunk in &chunks {
            decoder.extend(chunk);
            prop_assert!(decoder.buffered() < FRAME_BYTES + chunk.len());
            while let Ok(Some(frame)) = decoder.next_frame() {
                prop_assert!(frame.len() < FRAME_BYTES);
                // Whatever it says, it must return.
                prop_assert!(decode_client(frame).is_err() || !frame.is_empty());
                prop_assert!(decode_relay(frame).is_err() || !frame.is_empty());
            }
            prop_assert!(decoder.buffered() < FRAME_BYTES);
        }
    }

    #[test]
    fn an_error_never_says_what_is_in_the_frame(secret in "[a-z]{12}", shape in 0_usize..7) {
        let frame = match shape {
            0 => secret.clone(),
            1 => format!(r#"{{"{secret}":{{}}}}"#),
            2 => format!(r#"{{"attention":{{"open":"{secret}"}}}}"#),
            3 => format!(r#"{{"enter_queue":{{"{secret}":1}}}}"#),
            4 => format!(r#"{{"status":{{"owner":"{secret}"}}}}"#),
            5 => format!(r#"{{"ping":{{}},"{secret}":{{}}}}"#),
            _ => format!(r#"{{"ping":{{"{secret}"#),
        };
        let error = decode_client(frame.as_bytes()).unwrap_err();
        prop_assert!(!format!("{error} {error:?}").contains(&secret), "{:?}", error);
    }
}

#[test]
fn text_without_escapes_is_borrowed() {
    let frame = br#"{"enter_queue":{"display_name":"Z\u00fc","topic":"gr\u00fcn"}}"#;
    let escaped = decode_client(frame).unwrap();
    let ClientMessage::EnterQueue { display_name: Cow::Owned(name), .. } = escaped else {
        panic!("an escape cannot be borrowed: {escaped:?}")
    };
    assert_eq!(name, "Zü");

    let frame = r#"{"send":{"room_id":"00000000-0000-8000-8000-000000000001","seq":1,"author":"user","text":"grün <T> & 😀"}}"#;
    let message = decode_client(frame.as_bytes()).unwrap();
    let ClientMessage::Send { text: Cow::Borrowed(text), removed: 0, .. } = message else {
        panic!("not borrowed: {message:?}")
    };
    assert_eq!(text, "grün <T> & 😀");
    assert!(frame.as_bytes().as_ptr_range().contains(&text.as_ptr()));

    let frame = br#"{"message":{"room_id":"00000000-0000-8000-8000-000000000001","seq":1,"author":"user","text":"hi","sent_at":"2026-01-01T00:00:00Z"}}"#;
    let message = decode_relay(frame).unwrap();
    assert!(matches!(
        message,
        RelayMessage::Message { text: Cow::Borrowed("hi"), sent_at: Cow::Borrowed(_), .. }
    ));

    let frame = br#"{"hello":{"min":1,"max":1,"build":"test","session":{"token":"abc"}}}"#;
    let message = decode_client(frame).unwrap();
    let ClientMessage::Hello(hello) = message else { panic!("{message:?}") };
    assert!(matches!(hello.build, Cow::Borrowed("test")));
    assert!(matches!(hello.session.unwrap().token, Cow::Borrowed("abc")));
}

#[test]
fn unknown_fields_are_ignored() {
    let ping = Ok(ClientMessage::Ping {});
    assert_eq!(decode_client(br#"{"ping":{"new":[1,{"a":null}],"other":"x"}}"#), ping);
    assert_eq!(
        decode_client(br#"{"attention":{"new":1,"open":true}}"#),
        Ok(ClientMessage::Attention { open: true, lapsed: false })
    );
    let frame = br#"{"hello":{"min":1,"new":{},"max":2,"build":"x","session":null}}"#;
    let message = decode_client(frame).unwrap();
    assert!(matches!(message, ClientMessage::Hello(hello) if hello.max == 2));
    assert_eq!(decode_relay(br#"{"pong":{"new":1e400}}"#), Ok(RelayMessage::Pong {}));
}

#[test]
fn an_unknown_type_is_told_from_a_broken_message() {
    for unknown in [
        r#"{"wave":{}}"#,
        r#"{"wave":null}"#,
        r#" { "wave" : [1, {"a": "b"}] } "#,
        r#"{"w\u0061ve":"x"}"#,
        r#"{"":0}"#,
        r#"{"welcome":{}}"#,
    ] {
        let error = decode_client(unknown.as_bytes()).unwrap_err();
        assert_eq!(error, DecodeError::Unsupported, "{unknown}");
        assert_eq!(error.code(), ErrorCode::Unsupported);
    }
    for malformed in [
        r#"{"ping":[]}"#,
        r#"{"attention":[true]} "#,
        "",
        "ping",
        "\"ping\"",
        "null",
        "[]",
        "{}",
        r#"{"ping":{}}{}"#,
        r#"{"ping":{},"wave":{}}"#,
        r#"{"wave":{},"ping":{}}"#,
        r#"{"wave":{}"#,
        r#"{"wave":}"#,
        r#"{"ping":null}"#,
        r#"{"ping":1}"#,
        r#"{"attention":{}}"#,
        r#"{"attention":{"open":1}}"#,
        r#"{"attention":{"open":true,"open":true}}"#,
        r#"{"ack":{"room_id":"nonsense","received":1,"read":1}}"#,
        r#"{"ack":{"room_id":"00000000-0000-8000-8000-000000000001","received":-1,"read":1}}"#,
    ] {
        let error = decode_client(malformed.as_bytes()).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed(_)), "{malformed}: {error:?}");
        assert_eq!(error.code(), ErrorCode::Malformed);
    }
    let author = r#"{"send":{"room_id":"00000000-0000-8000-8000-000000000001","seq":1,"author":"robot","text":""}}"#;
    let error = decode_client(author.as_bytes()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Malformed, "an unknown value is no unknown type");
}

#[test]
fn bad_utf8_is_malformed_wherever_it_stands() {
    for frame in [
        &b"{\"ping\":{\"ignored\":\"\xff\"}}"[..],
        b"{\"attention\":{\"open\":true,\"\xc3\":0}}",
        b"\xed\xa0\x80",
    ] {
        let error = decode_client(frame).unwrap_err();
        assert!(error.to_string().starts_with("malformed message: not UTF-8 at byte "), "{error}");
    }
    // Half of a surrogate pair, escaped: it is not text either.
    assert!(decode_client(br#"{"hello":{"min":1,"max":1,"build":"\ud800"}}"#).is_err());
}

#[test]
fn errors_say_what_and_where() {
    for (frame, expected) in [
        (&b"{\"ping\":{}"[..], "malformed message: JSON that ends too early at byte 10"),
        (b"{ping}", "malformed message: not JSON at byte 2"),
        (b"{\"attention\":{\"open\":1}}", "malformed message: a wrong or missing field at byte 22"),
    ] {
        assert_eq!(decode_client(frame).unwrap_err().to_string(), expected);
    }
    assert_eq!(
        decode_client(br#"{"wave":{}}"#).unwrap_err().to_string(),
        "unsupported message type"
    );
}

/// What is ignored is skipped without recursion; everything else is as deep as its type. So no
/// depth reaches the stack.
#[test]
fn deep_nesting_is_harmless() {
    let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
    let balanced = format!(r#"{{"ping":{{"deep":{open}{close}}}}}"#);
    assert_eq!(decode_client(balanced.as_bytes()), Ok(ClientMessage::Ping {}));
    let objects =
        format!(r#"{{"ping":{{"deep":{}1{}}}}}"#, r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    assert_eq!(decode_client(objects.as_bytes()), Ok(ClientMessage::Ping {}));
    let unbalanced = format!(r#"{{"ping":{{"deep":{open}}}}}"#);
    assert!(matches!(decode_client(unbalanced.as_bytes()), Err(DecodeError::Malformed(_))));
    let wrong_place = format!(r#"{{"enter_queue":{{"topic":{open}{close}}}}}"#);
    assert!(matches!(decode_client(wrong_place.as_bytes()), Err(DecodeError::Malformed(_))));
    let unknown = format!(r#"{{"wave":{open}{close}}}"#);
    assert_eq!(decode_client(unknown.as_bytes()), Err(DecodeError::Unsupported));
    for bare in [format!("{open}{close}"), open, objects[7..].to_owned()] {
        assert!(matches!(decode_client(bare.as_bytes()), Err(DecodeError::Malformed(_))));
    }
}

#[test]
fn encoding_appends_one_line() {
    let mut bytes = b"before\n".to_vec();
    encode(&ClientMessage::Ping {}, &mut bytes);
    let text = Cow::Borrowed("a\nb\u{2028}\"\\\u{1}");
    encode(
        &RelayMessage::Error { code: ErrorCode::TooLong, message: text, newest: None },
        &mut bytes,
    );
    let expected = "before\n{\"ping\":{}}\n{\"error\":{\"code\":\"too_long\",\"message\":\"a\\nb\u{2028}\\\"\\\\\\u0001\"}}\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn what_cannot_be_encoded_leaves_nothing_behind() {
    let not_json = std::collections::BTreeMap::from([(vec![1], 2)]);
    let mut bytes = b"before\n".to_vec();
    encode(&not_json, &mut bytes);
    assert_eq!(bytes, b"before\n");
}

#[test]
fn a_message_of_a_later_version_is_told_from_rubbish() {
    for later in ["{\"dance\":{}}", "{\"pong\":7}", " {\"closed\":{\"reason\":\"bored\"}} "] {
        assert!(decode_relay(later.as_bytes()).is_err());
        assert!(is_well_formed(later.as_bytes()), "{later}");
    }
    for rubbish in [&b"{"[..], b"", b"pong", b"[]", b"{}", b"{\"a\":1,\"b\":2}", b"{\"\xff\":1}"] {
        assert!(!is_well_formed(rubbish), "{rubbish:?}");
    }
}
