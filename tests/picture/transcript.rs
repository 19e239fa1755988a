//! What `mcp-shim demo` shows, line by line.

/// Who did what, in the order in which it happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A client has connected, with this version of MCP.
    Connected(String),
    /// A tool is called.
    Call(String),
    /// Its result.
    Answer(String),
    /// A message is sent.
    Sent(String),
    /// A message is delivered to the other side.
    Delivered,
    /// A message came.
    Received { from: String, message: String },
    /// Any other notification.
    Notified(String),
}

/// The lines of the conversation: those between the first blank line and the next.
pub(crate) fn read(shown: &str) -> Vec<Line> {
    let lines = shown.lines().skip_while(|line| !line.is_empty()).skip(1);
    let mut whole: Vec<String> = Vec::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        match line.strip_prefix("        ") {
            Some(rest) => {
                let last = whole.last_mut().unwrap();
                last.push(' ');
                last.push_str(rest);
            }
            None => whole.push(line.to_owned()),
        }
    }
    whole.iter().map(|line| parse(line)).collect()
}

fn parse(line: &str) -> Line {
    let (name, rest) = line.split_once(' ').unwrap();
    let (sign, words) = rest.trim_start().split_once(' ').unwrap();
    let quoted = |words: &str| words.trim_matches('"').to_owned();
    let kind = match (sign, words) {
        (">", call) => match call.strip_prefix("send_message ") {
            Some(message) => Kind::Sent(quoted(message)),
            None => Kind::Call(call.to_owned()),
        },
        ("<", "delivered") => Kind::Delivered,
        ("<", answer) => match answer.strip_prefix("connected to mcp-shim with MCP ") {
            Some(version) => Kind::Connected(version.to_owned()),
            None => Kind::Answer(answer.to_owned()),
        },
        ("*", news) => match news.strip_prefix("message.received from ") {
            Some(message) => {
                let (from, message) = message.split_once(": ").unwrap();
                Kind::Received { from: from.to_owned(), message: quoted(message) }
            }
            None => Kind::Notified(news.to_owned()),
        },
        _ => panic!("not a line of the conversation: {line}"),
    };
    Line { name: name.to_owned(), kind }
}
