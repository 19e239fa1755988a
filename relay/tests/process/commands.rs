//! The commands, as a person or a script sees them.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::Path,
    process::Stdio,
};

use serde_json::Value;
use shared::message::ClientMessage;
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};

use crate::harness::{PATIENCE, Relay, command, hello, owner, private_directory};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_second_relay_says_that_one_is_running() {
    let relay = Relay::start(&[]);
    relay.join().await;
    let output = relay.run(&["serve"]).await;
    assert_eq!(output.status.code(), Some(0));
    let expected = format!("already running (pid {})", relay.pid());
    assert!(text(&output.stderr).contains(&expected), "{}", text(&output.stderr));
    relay.join().await.settle().await;
}

#[tokio::test]
async fn status_counts_for_people_and_for_programs() {
    let relay = Relay::start(&[]);
    let mut pair = relay.pair().await;
    pair.talk().await;
    let mut waiting = relay.join().await;
    waiting.enter("elsewhere").await;
    waiting.until("queued").await;

    let output = relay.run(&["status", "--json"]).await;
    assert_eq!(output.status.code(), Some(0));
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (key, expected) in [
        ("running", Value::from(true)),
        ("pid", relay.pid().into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("protocol", 1.into()),
        ("connections", 4.into()),
        ("sessions", 3.into()),
        ("waiting", 1.into()),
        ("topics", 1.into()),
        ("rooms", 1.into()),
        ("messages", 1.into()),
        ("blocks", 0.into()),
        ("socket", relay.socket().to_str().unwrap().into()),
    ] {
        assert_eq!(status[key], expected, "{key} of {status}");
    }
    assert_eq!(status["reports"]["spam"], 0);
    assert!(status["uptime_seconds"].is_u64());

    let output = relay.run(&["status"]).await;
    assert_eq!(output.status.code(), Some(0));
    let human = text(&output.stdout);
    assert!(human.contains(&format!("pid {}", relay.pid())), "{human}");
    for line in [
        "connections  4, this one included",
        "sessions     3",
        "waiting      1 session in 1 topic",
        "rooms        1",
        "messages     1 passed on",
    ] {
        assert!(human.lines().any(|said| said == line), "{human}");
    }
    waiting.enter("nowhere").await;
    waiting.until("queued").await;
    let mut another = relay.join().await;
    another.enter("elsewhere").await;
    another.until("queued").await;
    let human = text(&relay.run(&["status"]).await.stdout);
    assert!(human.contains("waiting      2 sessions in 2 topics\n"), "{human}");
}

#[tokio::test]
async fn a_session_can_ask_how_many_others_there_are() {
    let relay = Relay::start(&[]);
    let mut client = relay.connect().await;
    let owner = owner();
    client.greet(hello(Some(owner), None)).await;
    let _other = relay.join().await;
    client.send(ClientMessage::Status { owner: Some(owner) }).await;
    assert_eq!(client.until("status").await["others_connected"], 1);
}

#[tokio::test]
async fn stop_says_what_it_ends_and_waits_for_the_end() {
    let mut relay = Relay::start(&[]);
    let mut pair = relay.pair().await;
    let output = relay.run(&["stop"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    assert!(told.contains(&format!("(pid {})", relay.pid())), "{told}");
    assert!(told.contains("1 room open, 0 sessions waiting"), "{told}");
    assert!(told.contains("will start it again"), "{told}");
    pair.a.until("going_away").await;
    assert_eq!(relay.wait().await.code(), Some(0));
}

#[tokio::test]
async fn without_a_relay_status_and_stop_fail_and_say_so() {
    let directory = private_directory();
    let socket = directory.path().join("relay.sock");
    for (arguments, stream) in [(["status", ""], "out"), (["stop", ""], "err")] {
        let arguments = arguments.iter().filter(|argument| !argument.is_empty());
        let output = command(&socket).args(arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = if stream == "out" { &output.stdout } else { &output.stderr };
        assert!(text(said).contains("no relay is running"), "{}", text(said));
    }
    let output = command(&socket).args(["status", "--json"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(status["running"], false);
    assert_eq!(status["socket"], socket.to_str().unwrap());
}

#[tokio::test]
async fn options_come_from_the_environment_too_and_the_command_line_wins() {
    let variables = [
        ("MCP_CHAT_RELAY_MESSAGE_RATE", "7/4"),
        ("MCP_CHAT_RELAY_NEXT_RATE", "off"),
        ("MCP_CHAT_RELAY_KEEP_ALIVE", "11s"),
        ("MCP_CHAT_RELAY_GRACE", "1m"),
        ("MCP_CHAT_RELAY_ROOM_IDLE", "off"),
        ("MCP_CHAT_RELAY_MULTI_USER", "false"),
        ("MCP_CHAT_RELAY_DETACH", "0"),
    ];
    let relay = Relay::start_with(&["--grace", "30s"], &variables);
    let limits = relay.connect().await.greet(hello(None, None)).await.limits;
    let rate = limits.message_rate.unwrap();
    assert_eq!((rate.burst, rate.interval_ms), (7, 250));
    assert_eq!(limits.next_rate, None);
    assert_eq!(limits.keep_alive_ms, 11_000);
    assert_eq!(limits.grace_ms, 30_000);
}

#[tokio::test]
async fn an_error_names_the_variable_that_it_comes_from() {
    let directory = private_directory();
    let socket = directory.path().join("relay.sock");
    for (variable, value, arguments, said) in [
        ("MCP_CHAT_RELAY_GRACE", "abc", &["serve"][..], "MCP_CHAT_RELAY_GRACE (--grace <TIME>)"),
        ("MCP_CHAT_RELAY_DETACH", "perhaps", &["serve"], "MCP_CHAT_RELAY_DETACH (--detach)"),
        ("MCP_CHAT_RELAY_NEXT_RATE", "3", &["serve"], "MCP_CHAT_RELAY_NEXT_RATE (--next-rate"),
        // The command line wins, and so it is at fault.
        ("MCP_CHAT_RELAY_GRACE", "1m", &["serve", "--grace=abc"], "'--grace <TIME>'"),
    ] {
        let mut command = command(&socket);
        let output = command.args(arguments).env(variable, value).output().await.unwrap();
        let first = text(&output.stderr).lines().next().unwrap().to_owned();
        assert_eq!(output.status.code(), Some(2), "{first}");
        assert!(first.contains(said), "{first}");
    }
    let mut garbled = command(&socket);
    garbled.arg("serve").env("MCP_CHAT_RELAY_TOPICS", OsStr::from_bytes(b"\xff"));
    let error = text(&garbled.output().await.unwrap().stderr);
    assert!(error.contains("MCP_CHAT_RELAY_TOPICS is not valid UTF-8"), "{error}");
    let (missing, long) = ("/nonexistent/mcp-chat/relay.sock".to_owned(), "x".repeat(200));
    for (path, said) in [
        (&missing, "relay: MCP_CHAT_SOCKET: cannot listen on /nonexistent/mcp-chat/relay.sock: "),
        (&long, "relay: MCP_CHAT_SOCKET: the socket path "),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relay"));
        let output = command.arg("serve").env("MCP_CHAT_SOCKET", path).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).starts_with(said), "{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn help_is_in_groups_and_as_wide_as_the_terminal() {
    let directory = private_directory();
    let mut command = command(&directory.path().join("relay.sock"));
    let output = command.args(["serve", "-h"]).env("COLUMNS", "70").output().await.unwrap();
    let help = text(&output.stdout);
    for heading in ["Where:", "Limits:", "Timing:", "Matching:", "Running:"] {
        assert!(help.lines().any(|line| line == heading), "{heading} in {help}");
    }
    let (options, after) = help.split_once("\n\nEach option").unwrap();
    assert!(options.lines().all(|line| line.chars().count() <= 70), "{options}");
    assert!(after.contains("MCP_CHAT_RELAY_AWAY_AFTER"), "{after}");
}

#[tokio::test]
async fn exit_codes_tell_failure_from_wrong_usage() {
    let directory = private_directory();
    let socket = directory.path().join("relay.sock");
    for (arguments, code, said) in [
        (&["serve", "--grace", "soon"][..], 2, "--grace"),
        (&["serve", "--message-rate", "5"], 2, "burst/per second"),
        (&["dance"], 2, "dance"),
        (&[], 2, "Usage"),
    ] {
        let output = command(&socket).args(arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
    let output = command(&socket).arg("--version").output().await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    let expected = format!("relay {} (protocol 1)\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&output.stdout), expected);
}

#[tokio::test]
async fn a_detached_relay_leads_a_session_and_logs_to_a_private_file() {
    let home = tempfile::tempdir().unwrap();
    let variables = [("HOME", home.path().to_str().unwrap()), ("XDG_STATE_HOME", "")];
    let mut relay = Relay::start_with(&["--detach"], &variables);
    relay.join().await;
    let pid = rustix::process::Pid::from_raw(relay.pid().try_into().unwrap());
    assert_eq!(rustix::process::getsid(pid).unwrap(), pid.unwrap());

    let log = home.path().join(".local/state/mcp-chat/relay.log");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(relay.run(&["stop"]).await.status.code(), Some(0));
    assert_eq!(relay.wait().await.code(), Some(0));
    let logged = fs::read_to_string(log).unwrap();
    assert!(logged.contains("listening") && logged.contains("ended"), "{logged}");
}

#[tokio::test]
async fn a_detached_relay_for_all_leaves_its_directory_open_beside_a_private_log() {
    let directory = private_directory();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let socket = directory.path().join("relay.sock");
    let mut command = command(&socket);
    command.env_remove("HOME").env_remove("XDG_STATE_HOME").stderr(Stdio::piped());
    let mut relay = command.args(["serve", "--multi-user", "--detach"]).spawn().unwrap();
    let mut said = String::new();
    let until_it_listens = relay.stderr.as_mut().unwrap().read_to_string(&mut said);
    timeout(PATIENCE, until_it_listens).await.unwrap().unwrap();
    assert_eq!(said, "");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.path()), 0o711);
    assert_eq!(mode(&directory.path().join("relay.sock.log")), 0o600);
    assert_eq!(mode(&socket), 0o666);
    relay.kill().await.unwrap();
}

#[tokio::test]
async fn the_log_never_holds_what_people_wrote() {
    let relay = Relay::start_with(&[], &[("RUST_LOG", "trace")]);
    let mut client = relay.join().await;
    client.enter("Geheimnis").await;
    client.until("queued").await;
    client.write(b"{\"enter_queue\":{\"display_name\":\"Geheimnis\",\"topic\":5}}\n").await;
    client.expect_error_and_end("malformed").await;
    let logged = relay.log();
    let closing = logged.lines().find(|line| line.contains("closing a connection")).unwrap();
    assert!(closing.contains("connection{id=0 uid="), "{closing}");
    assert!(!logged.contains("Geheimnis"), "{logged}");
}
