//! The command lines.

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tests::{BINARIES, Client, PATIENCE, World, enter, eventually, is_running, meet, within};

fn said(output: &Output) -> String {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{stdout}{stderr}")
}

fn exit_code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{}: {}", output.status, said(output)))
}

#[test]
fn status_counts_what_there_is() {
    let world = World::serving(&[("grace", "1s")]);
    let status = world.status();
    assert!(is_running(u32::try_from(status["pid"].as_u64().unwrap()).unwrap()));
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["protocol"], 1);
    assert!(status["uptime_seconds"].is_u64());
    let counts = |status: &Value| {
        ["sessions", "waiting", "rooms", "messages"].map(|count| status[count].as_u64().unwrap())
    };
    assert_eq!(counts(&status), [0, 0, 0, 0]);

    let clients = [(); 3].map(|()| world.client());
    let (alice, bob) = meet(&clients[0], &clients[1]);
    let (waiting, _) = enter(&clients[2], json!({}));
    alice.deliver("one");
    bob.deliver("two");
    assert_eq!(counts(&world.status()), [3, 1, 1, 2]);
    let people = world.run(&BINARIES.relay, &["status"]);
    assert_eq!(exit_code(&people), 0);
    assert!(serde_json::from_slice::<Value>(&people.stdout).is_err(), "prose without --json");

    alice.leave();
    waiting.leave();
    eventually("nobody is known any more", || {
        (counts(&world.status()) == [0, 0, 0, 2]).then_some(())
    });
}

#[test]
fn a_second_relay_leaves_the_first_alone() {
    let world = World::serving(&[]);
    let socket = world.socket();
    let serve = ["serve", "--socket", socket.to_str().unwrap()];
    let second = world.run(&BINARIES.relay, &serve);
    assert_eq!(exit_code(&second), 0);
    let pid = world.status()["pid"].clone();
    assert!(said(&second).contains(&format!("already running (pid {pid})")), "{}", said(&second));
}

#[test]
fn stop_ends_the_relay_and_says_what_that_means() {
    let world = World::serving(&[]);
    let (alice, bob) = [(); 2].map(|()| world.shim().args(["--no-autostart"]).connect()).into();
    meet(&alice, &bob);
    let relay = world.relays();
    let stopped = world.run(&BINARIES.relay, &["stop"]);
    assert_eq!(exit_code(&stopped), 0);
    assert!(said(&stopped).contains('1'), "how many chats are open: {}", said(&stopped));
    within(PATIENCE, "the end of the relay", || (!is_running(relay[0])).then_some(()));
    assert!(!world.socket().exists());
    assert_eq!(exit_code(&world.run(&BINARIES.relay, &["status"])), 1);
}

#[test]
fn status_of_no_relay_fails_and_says_so() {
    let world = World::empty(&[]);
    for command in [&["status"][..], &["status", "--json"]] {
        let output = world.run(&BINARIES.relay, command);
        assert_eq!(exit_code(&output), 1);
        assert!(!said(&output).trim().is_empty());
    }
    assert!(world.relays().is_empty());
}

#[test]
fn wrong_usage_is_2_and_stdout_stays_clean() {
    let world = World::empty(&[]);
    let (relay, shim) = (&BINARIES.relay, &BINARIES.shim);
    let cases: [(_, &[&str]); 7] = [
        (relay, &["no-such-command"]),
        (relay, &["serve", "--grace", "soon"]),
        (relay, &["serve", "--message-rate", "fast"]),
        (relay, &["status", "--no-such-option"]),
        (shim, &["--no-such-option"]),
        (shim, &["no-such-command"]),
        (shim, &["--autonomous", "many"]),
    ];
    for (program, args) in cases {
        let output = world.run(program, args);
        assert_eq!(exit_code(&output), 2, "{args:?}: {}", said(&output));
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn versions_are_of_package_and_protocol() {
    let world = World::empty(&[]);
    for program in [&BINARIES.relay, &BINARIES.shim] {
        let output = world.run(program, &["--version"]);
        assert_eq!(exit_code(&output), 0);
        let said = said(&output);
        assert!(said.contains(env!("CARGO_PKG_VERSION")) && said.contains("protocol 1"), "{said}");
    }
}

#[test]
fn help_names_every_option() {
    let world = World::empty(&[]);
    let options = [
        "--socket",
        "--message-rate",
        "--next-rate",
        "--away-after",
        "--grace",
        "--room-idle",
        "--queue-idle",
        "--listening-for",
        "--match-wait",
        "--pairing-delay",
        "--keep-alive",
        "--idle-exit",
        "--max-connections",
        "--max-connections-per-user",
        "--multi-user",
        "--detach",
    ];
    let help = said(&world.run(&BINARIES.relay, &["serve", "--help"]));
    for option in options {
        assert!(help.contains(option), "{option} is missing in:\n{help}");
    }
    let help = said(&world.run(&BINARIES.shim, &["--help"]));
    for option in ["--socket", "--no-autostart", "--name", "--autonomous", "doctor", "demo"] {
        assert!(help.contains(option), "{option} is missing in:\n{help}");
    }
}

#[test]
fn an_unsafe_directory_is_refused_with_the_reason() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::empty(&[]);
    let open = world.directory().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    let socket = open.join("relay.sock");
    let output = world.run(&BINARIES.relay, &["serve", "--socket", socket.to_str().unwrap()]);
    assert_eq!(exit_code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains(open.to_str().unwrap()), "{}", said(&output));
    assert!(!socket.exists());
}

#[test]
fn a_path_that_is_too_long_for_a_socket_is_refused_with_the_limit() {
    let world = World::empty(&[]);
    let socket = world.directory().join("x".repeat(103));
    let socket = socket.to_str().unwrap();
    let cases: [(_, &[&str]); 2] = [
        (&BINARIES.relay, &["serve", "--socket", socket]),
        (&BINARIES.shim, &["--socket", socket]),
    ];
    for (program, args) in cases {
        let output = world.run(program, args);
        assert_eq!(exit_code(&output), 1, "{}", said(&output));
        assert!(said(&output).contains("103") && output.stdout.is_empty(), "{}", said(&output));
    }
}

#[test]
fn what_the_environment_has_wrong_is_named_as_such() {
    let world = World::empty(&[]);
    let (long, missing) = (format!("/tmp/{}", "long".repeat(40)), "/nonexistent/relay");
    let variables = [("MCP_CHAT_SOCKET", long.as_str()), ("MCP_CHAT_RELAY", missing)];
    let cases =
        [(variables[0], None), (variables[0], Some("doctor")), (variables[1], Some("doctor"))];
    for ((variable, value), command) in cases {
        let output =
            world.command(&BINARIES.shim).args(command).env(variable, value).output().unwrap();
        assert_eq!(exit_code(&output), 1, "{}", said(&output));
        assert!(said(&output).contains(variable), "{variable}: {}", said(&output));
        // Wrapped lines apart.
        let whole = said(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(whole.contains(value), "{variable}: {whole}");
    }
    let given = world.run(&BINARIES.shim, &["--socket", &long]);
    assert!(!said(&given).contains("MCP_CHAT_SOCKET"), "the option was wrong: {}", said(&given));
}

#[test]
fn the_doctor_finds_a_healthy_setup_healthy_and_a_broken_one_broken() {
    let world = World::empty(&[]);
    let healthy = world.run(&BINARIES.shim, &["doctor"]);
    assert_eq!(exit_code(&healthy), 0, "{}", said(&healthy));
    let world = World::empty(&[]);
    let broken = world
        .command(&BINARIES.shim)
        .arg("doctor")
        .env("MCP_CHAT_RELAY", "/nonexistent")
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(exit_code(&broken), 1, "{}", said(&broken));
    assert!(said(&broken).contains("/nonexistent"), "what is wrong: {}", said(&broken));
}

#[test]
fn a_relay_that_is_asked_to_end_tells_the_clients_first() {
    let world = World::serving(&[]);
    let client: Client = world.shim().args(["--no-autostart"]).connect();
    let (chat, _) = enter(&client, json!({}));
    let relay = world.relays()[0];
    tests::signal(relay, tests::Signal::TERM);
    assert!(world.relay_exit().success());
    assert!(!world.socket().exists());
    world.serve();
    assert_eq!(chat.status()["state"], "waiting", "it goes on waiting with the next relay");
}

#[test]
fn the_doctor_says_what_does_not_work_although_something_does() {
    let world = World::serving(&[]);
    let doctor = |change: &dyn Fn(&mut std::process::Command)| {
        let mut command = world.command(&BINARIES.shim);
        command.arg("doctor");
        change(&mut command);
        let output = command.output().unwrap();
        assert_eq!(exit_code(&output), 1, "{}", said(&output));
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(shown.contains("FAIL") && !shown.contains("Everything"), "{shown}");
    };
    doctor(&|command| {
        command.env("MCP_CHAT_RELAY", "/nonexistent");
    });
    doctor(&|command| {
        command.args(["--socket", &format!("/tmp/{}", "long".repeat(40))]);
    });
}
