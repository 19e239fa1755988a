//! What one client can cost the others: nothing beyond these limits.

use std::time::Duration;

use shared::limits::OUTBOUND_BYTES;
use tokio::time::sleep;

use crate::harness::{Relay, hello, owner};

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off_and_delays_nobody() {
    let relay = Relay::start(&["--message-rate", "off", "--away-after", "10ms"]);
    let (mut slow, mut others) = (relay.pair().await, relay.pair().await);
    slow.fill().await;
    others.talk().await;
    let text = "x".repeat(8 * 1024);
    let pieces = OUTBOUND_BYTES / text.len();
    for _ in 0..pieces {
        slow.send(&text).await;
    }
    // Its connection is closed, which its partner learns without waiting for any deadline.
    assert_eq!(slow.a.until("partner").await["presence"], "reconnecting");
    others.talk().await;

    // What had gone out whole is there, and then it is told why there is no more.
    let rest = slow.b.rest().await;
    let (last, before) = rest.split_last().unwrap();
    assert_eq!(last["error"]["code"], "slow_reader");
    assert!(before.iter().all(|frame| frame.get("message").is_some()));
    assert!(before.len() < 100 + pieces, "{} messages", before.len());
}

#[tokio::test]
async fn a_client_that_stops_reading_is_cut_off_in_time() {
    let relay = Relay::start(&["--message-rate", "off", "--away-after", "10ms"]);
    let mut slow = relay.pair().await;
    slow.fill().await;
    assert_eq!(slow.a.until("partner").await["presence"], "reconnecting");
    assert!(!slow.b.rest().await.is_empty());
}

#[tokio::test]
async fn one_account_has_so_many_connections_and_no_more() {
    for option in ["--max-connections", "--max-connections-per-user"] {
        let relay = Relay::start(&[option, "2"]);
        let (mut first, second) = (relay.join().await, relay.join().await);
        let mut one_too_many = relay.connect().await;
        one_too_many.write(&frame(&hello(Some(owner()), None))).await;
        one_too_many.expect_error_and_end("too_many").await;
        first.settle().await;

        drop(second);
        // The relay may hear of that a little later than of the next connection.
        loop {
            let mut third = relay.connect().await;
            third.write(&frame(&hello(Some(owner()), None))).await;
            let answer = third.next().await.unwrap();
            if answer.get("welcome").is_some() {
                break;
            }
            assert_eq!(answer["error"]["code"], "too_many");
        }
    }
}

#[tokio::test]
async fn a_chat_whose_member_may_come_back_counts_and_is_not_given_up_for_another() {
    let relay = Relay::start(&["--max-connections-per-user", "2", "--away-after", "10ms"]);
    let mut pair = relay.pair().await;
    drop(pair.b);
    assert_eq!(pair.a.until("partner").await["presence"], "reconnecting");
    let mut third = relay.connect().await;
    third.write(&frame(&hello(Some(owner()), None))).await;
    let refused = third.expect_error_and_end("too_many").await;
    assert!(refused.starts_with("this account has as many chats as one can have; leave one"));
    pair.a.settle().await;
}

#[tokio::test]
async fn a_client_that_is_silent_is_cut_off_and_one_that_pings_is_not() {
    let relay = Relay::start(&["--keep-alive", "100ms"]);
    let (mut silent, mut alive) = (relay.join().await, relay.join().await);
    let pinging = async {
        loop {
            alive.settle().await;
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        rest = silent.rest() => assert!(rest.is_empty(), "{rest:?}"),
        () = pinging => {}
    }
    alive.settle().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_relay_out_of_file_descriptors_goes_on_and_recovers() {
    let relay = Relay::start(&["--max-connections-per-user", "10000"]);
    let mut pair = relay.pair().await;
    // The relay itself may have no more files than it has now, and one.
    let pid = rustix::process::Pid::from_raw(relay.pid().try_into().unwrap());
    let files = std::fs::read_dir(format!("/proc/{}/fd", relay.pid())).unwrap().count();
    let limit = rustix::process::Rlimit {
        current: Some(u64::try_from(files).unwrap() + 1),
        maximum: rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum,
    };
    rustix::process::prlimit(pid, rustix::process::Resource::Nofile, limit).unwrap();

    let mut last = relay.join().await;
    let mut waiting = relay.connect().await;
    waiting.write(&frame(&hello(None, None))).await;
    pair.talk().await;
    last.settle().await;
    let ticks_before = cpu_ticks(relay.pid());
    drop(last);
    waiting.until("welcome").await;
    let ticks = cpu_ticks(relay.pid()) - ticks_before;
    assert!(ticks < 10, "it spun for {ticks} ticks");
    pair.talk().await;
}

#[tokio::test]
async fn a_relay_that_may_open_few_files_says_so_and_tells_who_is_one_too_many() {
    let relay = Relay::start_for_all_with_files(64, &["--max-connections-per-user", "20"]);
    let mut first = relay.join().await;
    let log = relay.log();
    assert!(log.contains("files=64 connections=32 wanted=10000"), "{log}");
    assert!(log.contains("one account can have more than half"), "{log}");
    drop(log);

    let relay_of_one = Relay::start_for_all_with_files(64, &["--max-connections-per-user", "40"]);
    let mut all = Vec::new();
    for _ in 0..32 {
        all.push(relay_of_one.join().await);
    }
    let mut one_too_many = relay_of_one.connect().await;
    one_too_many.write(&frame(&hello(Some(owner()), None))).await;
    let refused = one_too_many.expect_error_and_end("too_many").await;
    assert!(refused.starts_with("the relay has 32 connections already: "), "{refused}");
    first.settle().await;
}

#[tokio::test]
async fn a_relay_that_may_open_enough_files_says_nothing_of_it() {
    let options = ["--max-connections", "32", "--max-connections-per-user", "16"];
    let relay = Relay::start_for_all_with_files(64, &options);
    relay.join().await;
    let log = relay.log();
    assert!(!log.contains("WARN"), "{log}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_crash_leaves_no_core_dump_with_the_key_in_it() {
    use rustix::process::{Resource, geteuid, getrlimit};

    if getrlimit(Resource::Core).maximum == Some(0) && !geteuid().is_root() {
        let why = b"skipped, for the limit of core dumps is 0 and cannot be raised\n";
        std::io::Write::write_all(&mut std::io::stderr(), why).unwrap();
        return;
    }
    let relay = Relay::start(&[]);
    relay.join().await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", relay.pid())).unwrap();
    let limit = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let values: Vec<_> = limit.split_whitespace().skip(4).collect();
    // 0, which it can have inherited, is no limit to a program that takes dumps.
    assert_eq!(values[..2], ["1", "1"], "of {limit}");
}

fn frame(hello: &shared::message::Hello<'_>) -> Vec<u8> {
    let mut frame = Vec::new();
    shared::codec::encode(&shared::message::ClientMessage::Hello(hello.clone()), &mut frame);
    frame
}

#[cfg(target_os = "linux")]
fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields = after_name.split_whitespace().collect::<Vec<_>>();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
