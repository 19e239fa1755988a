//! The options of `relay serve`: what each changes, and what none of them takes.

use shared::limits::OUTBOUND_BYTES_LEAST;

use crate::harness::{Client, Relay, command, hello, owner, private_directory};

#[tokio::test]
async fn what_a_client_has_to_keep_is_told_in_welcome() {
    let relay = Relay::start(&[
        "--message-bytes=100",
        "--message-lines=3",
        "--window-messages=4",
        "--window-bytes=9000",
    ]);
    let welcome = relay.connect().await.greet(hello(None, None)).await;
    let limits = welcome.limits;
    assert_eq!((limits.message_bytes, limits.message_lines), (100, 3));
    assert_eq!((limits.window_messages, limits.window_bytes), (4, 9000));
}

#[tokio::test]
async fn a_rate_is_told_as_exactly_as_it_is_written() {
    for (rate, interval) in
        [("5/600", (2, 1_666_667)), ("5/1000", (1, 0)), ("5/3", (334, 333_333_334))]
    {
        let relay = Relay::start(&["--message-rate", rate]);
        let welcome = relay.connect().await.greet(hello(None, None)).await;
        let told = welcome.limits.message_rate.unwrap();
        assert_eq!((told.interval_ms, told.interval_ns), interval, "{rate}");
        assert_eq!(told.burst, 5);
    }
}

#[tokio::test]
async fn a_message_that_an_earlier_relay_allowed_still_arrives() {
    let relay = Relay::start(&["--message-bytes", "10"]);
    let mut pair = relay.pair().await;
    pair.send(&"x".repeat(11)).await;
    assert_eq!(pair.b.until("message").await["seq"], 1);
}

#[tokio::test]
async fn a_client_has_as_long_for_its_hello_as_it_is_given() {
    let (patient, hasty) = (Relay::start(&[]), Relay::start(&["--handshake", "10ms"]));
    let mut at_ease = patient.connect().await;
    let mut hurried = hasty.connect().await;
    tokio::select! {
        message = hurried.expect_error_and_end("handshake_timeout") => {
            assert_eq!(message, "`hello` did not come in time");
        }
        early = at_ease.next() => panic!("the other came first: {early:?}"),
    }
}

#[tokio::test]
async fn a_client_may_leave_unread_for_as_long_as_it_is_given() {
    let options = ["--message-rate", "off", "--away-after", "10ms", "--write-deadline"];
    let start = |deadline| Relay::start(&[&options[..], &[deadline]].concat());
    let (patient, hasty) = (start("10s"), start("10ms"));
    let (mut at_ease, mut hurried) = (patient.pair().await, hasty.pair().await);
    at_ease.fill().await;
    for _ in 0..100 {
        hurried.send(&"x".repeat(8 * 1024)).await;
    }
    tokio::select! {
        gone = hurried.a.until("partner") => assert_eq!(gone["presence"], "reconnecting"),
        early = at_ease.a.until("partner") => panic!("the other came first: {early}"),
    }
}

#[tokio::test]
async fn a_client_may_leave_as_much_unread_as_it_is_given() {
    let least = OUTBOUND_BYTES_LEAST.to_string();
    let options = ["--message-rate", "off", "--away-after", "10ms", "--outbound-bytes", &least];
    let relay = Relay::start(&options);
    let mut slow = relay.pair().await;
    let text = "x".repeat(8 * 1024);
    for _ in 0..2 * OUTBOUND_BYTES_LEAST / text.len() {
        slow.send(&text).await;
    }
    assert_eq!(slow.a.until("partner").await["presence"], "reconnecting");
    let rest = slow.b.rest().await;
    let error = &rest.last().unwrap()["error"];
    assert_eq!(error["message"], format!("over {least} bytes wait to be read by the other side"));
}

#[tokio::test]
async fn so_many_wait_in_a_topic_and_in_so_many_topics() {
    let relay = Relay::start(&["--waiting-per-topic", "1", "--topics", "1"]);
    let owner = owner();
    let mut guests = Vec::new();
    for topic in ["chess", "chess", "go", "open"] {
        let mut guest = relay.connect().await;
        guest.greet(hello(Some(owner), None)).await;
        guest.enter(topic).await;
        guests.push(guest);
    }
    for (guest, expected) in guests.iter_mut().zip([
        "",
        "too many wait in this topic already; try another, or later",
        "people wait in too many topics already; try the topic `open`, or later",
        "",
    ]) {
        assert_eq!(refusal(guest).await, expected);
    }
}

/// Why it does not wait; nothing if it does.
async fn refusal(guest: &mut Client) -> String {
    let answer = guest.next().await.unwrap();
    if answer.get("queued").is_some() {
        return String::new();
    }
    assert_eq!(answer["refused"]["code"], "too_many", "{answer}");
    answer["refused"]["message"].as_str().map(str::to_owned).unwrap()
}

#[tokio::test]
async fn a_value_that_will_not_do_is_refused_with_what_would() {
    let directory = private_directory();
    let number = |range: &str| format!("must be a number from {range}");
    let bytes = number("1 to 8192");
    let time = "write it as 10s or 5m".to_owned();
    let time_or_off = format!("{time}, or off");
    let short = "must be from 10ms to 5m".to_owned();
    let burst = "at most 100000 at once, or off".to_owned();
    let whole = "must be a whole number of milliseconds".to_owned();
    let positive = "must be a number, at least 1".to_owned();
    for (option, value, advice) in [
        ("--message-bytes", "8193", &bytes),
        ("--message-bytes", "0", &bytes),
        ("--message-bytes", "8k", &bytes),
        ("--message-bytes", "99999999999999999999", &bytes),
        ("--message-lines", "201", &number("1 to 200")),
        ("--window-messages", "101", &number("1 to 100")),
        // It has to hold the longest message.
        ("--window-bytes", "8191", &number("8192 to 262144")),
        ("--window-bytes", "262145", &number("8192 to 262144")),
        ("--outbound-bytes", "655359", &number("655360 to 67108864")),
        ("--waiting-per-topic", "0", &positive),
        ("--topics", "many", &positive),
        ("--max-connections", "0", &positive),
        ("--handshake", "9ms", &short),
        ("--handshake", "off", &time),
        ("--write-deadline", "61m", &short),
        ("--keep-alive", "never", &time),
        ("--grace", "soon", &time),
        ("--grace", "61m", &"must be at most 1h".to_owned()),
        // No client keeps a larger burst, whatever it is told.
        ("--message-rate", "200000/2", &burst),
        ("--next-rate", "100001/6", &burst),
        ("--message-rate", "5/100001", &"at most 100000 per second, or off".to_owned()),
        ("--grace", "1500us", &whole),
        ("--keep-alive", "10500us", &whole),
        ("--away-after", "5", &time),
        ("--room-idle", "soon", &time_or_off),
    ] {
        let mut command = command(&directory.path().join("relay.sock"));
        let output = command.args(["serve", option, value]).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{option} {value}");
        let error = String::from_utf8(output.stderr).unwrap();
        let first = error.lines().next().unwrap();
        assert!(first.contains(&format!("'{value}'")) && first.contains(option), "{error}");
        assert!(first.ends_with(advice.as_str()), "{error}");
    }
}
