//! Frames that no shim sends, and the code that the protocol has for each.

use tests::peer::HELLO;

use crate::hostile::{OWNER, ROOM, send};

/// What is said, in bytes, and the code of the error that answers it.
pub(crate) type Case = (&'static str, Vec<u8>, &'static str);

fn case(name: &'static str, bytes: impl Into<Vec<u8>>, code: &'static str) -> Case {
    (name, bytes.into(), code)
}

/// Said in the place of `hello`.
pub(crate) fn greetings() -> Vec<Case> {
    let hello = |fields: &str| format!(r#"{{"hello":{{{fields}}}}}"#);
    let carrying = |more: &str| hello(&format!(r#""min":1,"max":1,"build":"x","owner":{more}"#));
    let tags = vec![r#""tag""#; 65].join(",");
    let leave = format!(r#"{{"room_id":"{ROOM}","token":"x"}}"#);
    let leaves = vec![leave.as_str(); 65].join(",");
    let session = |more: &str| carrying(&format!(r#""{OWNER}","session":{{"token":"x",{more}}}"#));
    let claim = |name: &str, topic: &str| {
        session(&format!(
            r#""room":{{"room_id":"{ROOM}","token":"x","received":0,"display_name":"{name}","topic":"{topic}"}}"#
        ))
    };
    vec![
        case("a request of the web", "GET / HTTP/1.1", "malformed"),
        case("a message of MCP", r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, "malformed"),
        case(
            "a handshake of TLS",
            b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03".to_vec(),
            "malformed",
        ),
        case("a byte order mark", format!("\u{feff}{HELLO}"), "malformed"),
        case(
            "UTF-16",
            HELLO.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
            "malformed",
        ),
        case("no versions", hello(r#""build":"x""#), "malformed"),
        case("no build", hello(r#""min":1,"max":1"#), "malformed"),
        case("a version as text", hello(r#""min":"1","max":1,"build":"x""#), "malformed"),
        case("a negative version", hello(r#""min":-1,"max":1,"build":"x""#), "malformed"),
        case(
            "a version over 32 bits",
            hello(r#""min":1,"max":4294967296,"build":"x""#),
            "malformed",
        ),
        case("a fractional version", hello(r#""min":1.5,"max":2,"build":"x""#), "malformed"),
        case("a version twice", hello(r#""min":1,"min":1,"max":1,"build":"x""#), "malformed"),
        case("a build that is a list", hello(r#""min":1,"max":1,"build":["x"]"#), "malformed"),
        case(
            "only later versions",
            hello(r#""min":2,"max":4294967295,"build":"x""#),
            "version_mismatch",
        ),
        case("no version at all", hello(r#""min":0,"max":0,"build":"x""#), "version_mismatch"),
        case(
            "versions the wrong way round",
            hello(r#""min":9,"max":1,"build":"x""#),
            "version_mismatch",
        ),
        case("an owner that is no id", carrying(r#""me""#), "malformed"),
        case("an owner that is a number", carrying("7"), "malformed"),
        case("an owner that is too long", carrying(&format!(r#""{OWNER}{OWNER}""#)), "malformed"),
        case(
            "a session without an owner",
            hello(r#""min":1,"max":1,"build":"x","session":{"token":"x"}"#),
            "malformed",
        ),
        case(
            "a session without a token",
            carrying(&format!(r#""{OWNER}","session":{{}}"#)),
            "malformed",
        ),
        case(
            "a session that is text",
            carrying(&format!(r#""{OWNER}","session":"x""#)),
            "malformed",
        ),
        case(
            "more block tags than there can be",
            carrying(&format!(r#""{OWNER}","blocks":[{tags}]"#)),
            "malformed",
        ),
        case(
            "block tags that are none",
            carrying(&format!(r#""{OWNER}","blocks":[1]"#)),
            "malformed",
        ),
        case(
            "more leaves than there can be",
            session(&format!(r#""leaving":[{leaves}]"#)),
            "malformed",
        ),
        case("a room without an id", session(r#""room":{"token":"x","received":0}"#), "malformed"),
        case("a room under a forbidden name", claim("<b>", "open"), "invalid"),
        case("a room of a forbidden topic", claim("Zoe", "\\u202e"), "invalid"),
        case("a request first", r#"{"stop":{}}"#, "out_of_order"),
        case("a message first", send(r#""text":"hi""#), "out_of_order"),
        case("a message of a relay", r#"{"going_away":{}}"#, "unsupported"),
    ]
}

/// Said after `hello` by a peer that has a session.
pub(crate) fn requests() -> Vec<Case> {
    let keys: String = (0..5_000).map(|n| format!(r#""k{n}":{{}},"#)).collect();
    let lists = format!(r#"{{"ping":{}{}}}"#, "[".repeat(30_000), "]".repeat(30_000));
    let ack = |received: &str| {
        format!(r#"{{"ack":{{"room_id":"{ROOM}","received":{received},"read":0}}}}"#)
    };
    let sized = |bytes: usize| send(&format!(r#""text":"{}""#, "x".repeat(bytes)));
    vec![
        case("rubbish", "rubbish", "malformed"),
        case("a space", " ", "malformed"),
        case("a NUL", "\0", "malformed"),
        case("a NUL after a message", "{\"ping\":{}}\0", "malformed"),
        case("a NUL in a text", send("\"text\":\"a\0b\""), "malformed"),
        case("a raw control character", "{\"ping\":{\"x\":\"\u{1b}\"}}", "malformed"),
        case("a bad escape", r#"{"ping":{"x":"\q"}}"#, "malformed"),
        case("half a surrogate pair", send(r#""text":"\ud83d""#), "malformed"),
        case("a surrogate pair the wrong way round", send(r#""text":"\udc00\ud800""#), "malformed"),
        case("a byte that is no UTF-8", b"{\"ping\":\"\xff\"}".to_vec(), "malformed"),
        case("an overlong form", b"{\"ping\":{\"x\":\"\xc0\xaf\"}}".to_vec(), "malformed"),
        case("a surrogate in UTF-8", b"{\"ping\":{\"x\":\"\xed\xa0\x80\"}}".to_vec(), "malformed"),
        case("UTF-8 that is cut off", b"{\"ping\":{}}\xe2\x82".to_vec(), "malformed"),
        case("a trailing comma", r#"{"ping":{},}"#, "malformed"),
        case("a comment", r#"{"ping":{}/* */}"#, "malformed"),
        case("single quotes", "{'ping':{}}", "malformed"),
        case("a key without quotes", "{ping:{}}", "malformed"),
        case("something after a message", r#"{"ping":{}} trailing"#, "malformed"),
        case("no key", "{}", "malformed"),
        case("two keys", r#"{"ping":{},"stop":{}}"#, "malformed"),
        case("one key twice", r#"{"ping":{},"ping":{}}"#, "malformed"),
        case("5,000 keys", format!("{{{keys}\"ping\":{{}}}}"), "malformed"),
        case("a list", "[]", "malformed"),
        case("a list of messages", r#"[{"ping":{}}]"#, "malformed"),
        case("a text", r#""ping""#, "malformed"),
        case("a number", "1e999", "malformed"),
        case("no content", r#"{"ping":null}"#, "malformed"),
        case("content that is a list", r#"{"ping":[]}"#, "malformed"),
        case("content that is a number", r#"{"ping":0}"#, "malformed"),
        case("content that is a text", r#"{"ping":"x"}"#, "malformed"),
        case("30,000 lists in each other", lists, "malformed"),
        case("an unknown type", r#"{"dance":{}}"#, "unsupported"),
        case("a type in capitals", r#"{"PING":{}}"#, "unsupported"),
        case("a type of no letters", r#"{"":{}}"#, "unsupported"),
        case(
            "a type of 60,000 letters",
            format!(r#"{{"{}":{{}}}}"#, "x".repeat(60_000)),
            "unsupported",
        ),
        case("a message of a relay", r#"{"pong":{}}"#, "unsupported"),
        case("hello again", HELLO, "out_of_order"),
        case("a frame over the limit", vec![b' '; 64 * 1024], "too_long"),
        case("numbers 60,000 digits long", ack(&"9".repeat(60_000)), "malformed"),
        case("a number over 64 bits", ack("18446744073709551616"), "malformed"),
        case("a number over all bounds", ack("1e400"), "malformed"),
        case("a negative number", ack("-1"), "malformed"),
        case("a fraction", ack("1.5"), "malformed"),
        case("a number with a leading zero", ack("01"), "malformed"),
        case("a number in hexadecimal", ack("0x1"), "malformed"),
        case("no number", ack("NaN"), "malformed"),
        case("a message numbered 0", send(r#""text":"hi""#).replace(":1,", ":0,"), "malformed"),
        case("a message without text", send(r#""removed":0"#), "malformed"),
        case("a message that is a list", send(r#""text":["hi"]"#), "malformed"),
        case("a message that is longer than it may be", sized(8 * 1024 + 1), "malformed"),
        case("a message that is longer than is looked at", sized(32 * 1024 + 1), "malformed"),
        case("a message of 201 lines", sized(201).replace('x', "\\n"), "malformed"),
        case("a message of nobody", send(r#""text":"hi""#).replace("user", "root"), "malformed"),
        case("an author twice", send(r#""author":"user","text":"hi""#), "malformed"),
        case(
            "more removed than there can be",
            send(r#""text":"","removed":4294967296"#),
            "malformed",
        ),
        case(
            "a room that is no id",
            send(r#""text":"hi""#).replace(ROOM, "../../etc/passwd"),
            "malformed",
        ),
        case("a queue without a name", r#"{"enter_queue":{"topic":"open"}}"#, "malformed"),
        case(
            "a queue by number",
            r#"{"enter_queue":{"display_name":"Zoe","topic":5}}"#,
            "malformed",
        ),
        case(
            "a report of no kind",
            format!(r#"{{"leave":{{"room_id":"{ROOM}","token":"x","report":"rude"}}}}"#),
            "malformed",
        ),
        case(
            "a block that is a text",
            format!(r#"{{"leave":{{"room_id":"{ROOM}","token":"x","block":"yes"}}}}"#),
            "malformed",
        ),
        case("attention that is a number", r#"{"attention":{"open":1}}"#, "malformed"),
        case("an owner that is no id", r#"{"status":{"owner":"me"}}"#, "malformed"),
    ]
}
