//! The commands that the documents show: each is run here as it stands there, or in `.ci/run`, or
//! where neither can be, as far as it can be without changing the machine.

use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tests::{
    BINARIES, PATIENCE, Shim, World,
    documents::{self, DOCUMENTS, workspace},
    enter, eventually,
    result::only_event,
    within,
};

/// What the documents write for the directory of the programs.
const SHIM: &str = "PATH/mcp-shim";
/// The same in the examples of MCP clients.
const CLIENTS: [&str; 6] = ["claude", "cline", "codex", "copilot", "gemini", "qwen"];

/// Every line for a shell.
fn lines() -> BTreeSet<String> {
    DOCUMENTS.iter().flat_map(|document| documents::shell_lines(document)).collect()
}

/// Every command in those lines, the parts of `a && b` by themselves.
fn commands(of: &[&str]) -> Vec<String> {
    let lines = lines();
    let commands = lines.iter().flat_map(|line| line.split(" && ")).map(str::to_owned);
    let commands: Vec<_> =
        commands.filter(|command| of.iter().any(|program| first(command) == *program)).collect();
    assert!(!commands.is_empty(), "nothing is left of {of:?}");
    commands
}

fn first(command: &str) -> &str {
    command.split(' ').next().unwrap()
}

/// A shell in this world, where both programs are installed.
fn shell(world: &World, script: &str) -> Command {
    let mut command = world.command(Path::new("bash"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}:/usr/sbin", BINARIES.directory.display());
    command.env("PATH", path).args(["-euc", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn succeeds(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(status.success(), "{command:?}: {status}\n{stdout}{stderr}");
    stdout
}

#[test]
fn nothing_is_shown_that_no_test_knows() {
    let known = [
        "cargo",
        "cd",
        "mcp-shim",
        "mkdir",
        "python3",
        "relay",
        "socat",
        "sudo",
        "tests/clients/install.sh",
        "tests/stand_ins/claude_code.sh",
        "tests/stand_ins/codex.sh",
    ];
    for line in lines() {
        for command in line.split(" && ") {
            let program = first(command);
            assert!(known.contains(&program) || CLIENTS.contains(&program), "{command}");
        }
    }
}

#[test]
fn what_takes_a_whole_build_is_run_by_ci() {
    let ci = std::fs::read_to_string(workspace().join(".ci/run")).unwrap();
    let ci = ci.replace(" --locked", "");
    let by_ci = ["cargo build", "cargo install --locked --path", "cargo test"];
    let taken: Vec<_> =
        lines().into_iter().filter(|line| by_ci.iter().any(|part| line.contains(part))).collect();
    assert_eq!(taken.len(), 4, "{taken:?}");
    for line in taken {
        assert!(ci.contains(&line.replace(" --locked", "")), "not in .ci/run: {line}");
    }
}

#[test]
fn what_cargo_is_told_is_there() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&cargo);
        command.args(arguments).current_dir(workspace());
        succeeds(command)
    };
    let metadata = |manifest: &str| {
        let shown = ["metadata", "--no-deps", "--format-version", "1", "--manifest-path", manifest];
        serde_json::from_str::<Value>(&run(&shown)).unwrap()
    };
    let targets = |manifest: &str, package: &str, kind: &str| -> Vec<String> {
        let packages = metadata(manifest)["packages"].as_array().unwrap().clone();
        let mut packages = packages.into_iter().filter(|found| found["name"] == package);
        let package = packages.next().unwrap_or_else(|| panic!("no package {package}"));
        let targets = package["targets"].as_array().unwrap();
        let of_kind = targets.iter().filter(|target| target["kind"][0] == kind);
        of_kind.map(|target| target["name"].as_str().unwrap().to_owned()).collect()
    };
    for command in commands(&["cargo"]) {
        let (own, passed_on) = command.split_once(" -- ").unwrap_or((&command, ""));
        let words: Vec<_> = own.split(' ').collect();
        let value = |option: &str| Some(words[words.iter().position(|word| *word == option)? + 1]);
        if words[1] == "fuzz" {
            let ["run", "--fuzz-dir", folder, .., target, corpus, seeds] = words[2..] else {
                panic!("another command line: {command}")
            };
            let manifest = format!("tests/{folder}/Cargo.toml");
            assert!(targets(&manifest, "fuzz", "bin").iter().any(|name| name == target));
            assert!(workspace().join("tests").join(seeds).is_dir(), "no {seeds}");
            let made = commands(&["mkdir"]);
            assert!(made.contains(&format!("mkdir -p {corpus}")), "nothing makes {corpus}");
            continue;
        }
        // With `-h`, cargo checks what stands before it, and does nothing.
        run(&[&words[1..], &["-h"]].concat());
        if let Some(path) = value("--path") {
            let manifest = format!("{path}/Cargo.toml");
            assert_eq!(targets(&manifest, path, "bin"), [path]);
        }
        let package = value("-p").unwrap_or("mcp-shim");
        for kind in ["bin", "test", "bench"] {
            if let Some(name) = value(&format!("--{kind}")) {
                let targets = targets("Cargo.toml", package, kind);
                assert!(targets.iter().any(|target| target == name), "no {kind} {name}: {command}");
            }
        }
        if value("--bin") == Some("soak") {
            let mut soak = Command::new(env!("CARGO_BIN_EXE_soak"));
            soak.args(passed_on.split(' ')).arg("--help");
            succeeds(soak);
        }
    }
}

#[test]
fn scripts_are_there_and_can_be_run() {
    for line in lines() {
        for script in line.split(" && ").filter(|command| first(command).ends_with(".sh")) {
            let path = workspace().join(script);
            let mode = std::fs::metadata(&path)
                .unwrap_or_else(|_| panic!("no {script}"))
                .permissions()
                .mode();
            assert_eq!(mode & 0o111, 0o111, "{script} cannot be run");
            let mut check = Command::new("bash");
            check.arg("-n").arg(path);
            succeeds(check);
        }
    }
    assert!(workspace().join(".ci/run").is_file());
}

#[test]
fn folders_are_made_where_they_are_said_to_be() {
    let world = World::empty(&[]);
    for command in commands(&["cd"]) {
        assert!(workspace().join(command.strip_prefix("cd ").unwrap()).is_dir(), "{command}");
    }
    for command in commands(&["mkdir"]) {
        let here = command.replace("/tmp/", "./");
        succeeds(shell(&world, &here));
    }
}

#[test]
fn our_programs_take_what_they_are_told() {
    let world = World::empty(&[]);
    let inline = DOCUMENTS.iter().flat_map(|document| documents::inline_code(document));
    let ours = |code: &String| ["relay", "mcp-shim"].contains(&first(code));
    let shown: BTreeSet<String> =
        inline.filter(ours).chain(commands(&["relay", "mcp-shim"])).collect();
    assert!(shown.len() > 8, "{shown:?}");
    for command in shown {
        let command = command.replace("--autonomous N", "--autonomous 7");
        succeeds(shell(&world, &format!("{command} --help")));
    }
}

#[test]
fn our_programs_do_what_they_are_told() {
    for command in commands(&["relay", "mcp-shim"]) {
        if command.contains(" /var/") {
            continue; // With the relay for all accounts, below.
        }
        let world = World::empty(&[]);
        match command.as_str() {
            "mcp-shim demo --join" => robot_waits(&world, &command),
            serve if serve.starts_with("relay serve") => serves(&world, &[serve], &world.socket()),
            other => panic!("nothing here runs {other}"),
        }
    }
}

fn robot_waits(world: &World, command: &str) {
    let mut robot = shell(world, command).stdout(Stdio::null()).spawn().unwrap();
    eventually("it waits", || (world.try_status()?["waiting"] == 1).then_some(()));
    let client = world.client();
    let (chat, entered) = enter(&client, json!({}));
    assert_eq!(only_event(&entered, "chatroom.found")["partner"]["display_name"], "Demo Robot");
    // Before it has said a word, or after.
    chat.leave();
    assert!(within(PATIENCE, "its end", || robot.try_wait().unwrap()).success());
}

/// Runs these one after another; the last one is the relay, which answers at this socket.
fn serves(world: &World, lines: &[&str], socket: &Path) {
    let relay = shell(world, &lines.join("\n")).spawn().unwrap();
    let socket = socket.display();
    eventually("the relay answers", || {
        let mut status = shell(world, &format!("relay status --socket {socket}"));
        status.output().unwrap().status.success().then_some(())
    });
    let doctor = succeeds(shell(world, &format!("mcp-shim doctor --socket {socket}")));
    assert!(doctor.contains(&socket.to_string()), "{doctor}");
    succeeds(shell(world, &format!("relay stop --socket {socket}")));
    let output = relay.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_relay_for_all_accounts_is_set_up_as_it_is_said() {
    const PLACE: &str = "/var/lib/mcp-chat";
    let world = World::empty(&[]);
    let open = std::fs::Permissions::from_mode(0o755);
    let above = tempfile::Builder::new().prefix("mcp-chat-").permissions(open).tempdir().unwrap();
    let place = above.path().join("mcp-chat");
    let moved = |line: &String| line.replace(PLACE, place.to_str().unwrap());
    // Here one account is both, and no account is made.
    let mut script = vec![
        "sudo() { [[ $1 != -u ]] || shift 2; \"$@\"; }".to_owned(),
        "useradd() { command useradd \"$@\" --help >/dev/null; }".to_owned(),
    ];
    let sudo = documents::shell_lines("relay/README.md");
    let sudo = sudo.iter().filter(|line| first(line) == "sudo");
    script.extend(sudo.map(|line| moved(line).replace("-o mcp-chat", "-o $(id -u)")));
    assert_eq!(script.len(), 2 + 3);
    let script: Vec<_> = script.iter().map(String::as_str).collect();
    serves(&world, &script, &place.join("relay.sock"));

    let asks = documents::shell_lines("relay/README.md");
    let asks: Vec<_> = asks.iter().filter(|line| first(line) == "mcp-shim").map(moved).collect();
    assert_eq!(asks, [format!("mcp-shim doctor --socket {}/relay.sock", place.display())]);
}

/// The servers that clients are told to start, each as a command line.
fn servers() -> Vec<Vec<String>> {
    let mut servers = Vec::new();
    for line in commands(&CLIENTS).iter().filter(|line| line.contains(SHIM)) {
        assert!(line.contains(" mcp add ") && line.contains(" mcp-chat "), "{line}");
        let (_, server) = line.split_once(" -- ").unwrap_or(("", SHIM));
        servers.push(server.split(' ').map(str::to_owned).collect());
    }
    for block in documents::blocks("README.md", "json") {
        let settings: Value = serde_json::from_str(&block).unwrap();
        let server = &settings.as_object().unwrap().values().next().unwrap()["mcp-chat"];
        let words = server["command"].as_array().cloned();
        let words = words.unwrap_or_else(|| vec![server["command"].clone()]);
        servers.push(words.iter().map(|word| word.as_str().unwrap().to_owned()).collect());
    }
    for block in documents::blocks("README.md", "yaml") {
        let server = block.split("command: ").nth(1).unwrap().trim_end().trim_end_matches("}]");
        servers.push(vec![server.to_owned()]);
    }
    servers
}

#[test]
fn clients_are_told_of_a_server_that_answers() {
    let servers = servers();
    assert_eq!(servers.len(), 12, "{servers:?}");
    let world = World::empty(&[]);
    for server in servers {
        assert_eq!(server[0], SHIM);
        let client = Shim::from(world.command(&BINARIES.shim)).args(&server[1..]).connect();
        assert_eq!(client.server()["serverInfo"]["name"], "mcp-chat");
    }
    let channel = commands(&["claude"]).into_iter().find(|line| line.contains(" server:"));
    assert!(channel.unwrap().ends_with(" server:mcp-chat"));
}

#[test]
fn the_demo_tells_clients_the_same() {
    let world = World::empty(&[]);
    let shown = succeeds(shell(&world, "mcp-shim demo"));
    let shown: Vec<_> = shown.split_whitespace().collect();
    let shown = shown.join(" ");
    let path = BINARIES.shim.to_str().unwrap();
    let mut told = documents::blocks("README.md", "json");
    told.truncate(3);
    let readme = documents::shell_lines("README.md");
    let is_told = |line: &String| ["claude", "codex"].contains(&first(line));
    told.extend(readme.into_iter().filter(is_told));
    assert_eq!(told.len(), 5, "{told:?}");
    for line in told {
        let line = line.trim().replace(SHIM, path);
        assert!(shown.contains(&line), "{line} is not in {shown}");
    }
}

#[test]
fn the_bot_answers_a_client() {
    // The two meet twice.
    let world = World::serving(&[("match-wait", "10ms")]);
    let [bot] = &documents::blocks("mcp-shim/README.md", "python")[..] else { panic!("no bot") };
    std::fs::write(world.directory().join("bot.py"), bot).unwrap();
    let [run] = &commands(&["python3"])[..] else { panic!("no command for the bot") };
    let interpreter = tests::foreign::python_interpreter();
    let run = run.replace("python3", interpreter.to_str().unwrap());
    let run = run.replace(SHIM, BINARIES.shim.to_str().unwrap());
    // An SDK hands on next to nothing of the environment.
    let run = format!("exec {run} --socket {}", world.socket().display());
    let mut bot = shell(&world, &run).stderr(Stdio::inherit()).spawn().unwrap();

    let client = world.client();
    for words in ["who is there?", "and again"] {
        let (chat, entered) = enter(&client, json!({ "topic": "echo" }));
        let found = if entered["state"] == "chatting" { entered } else { chat.wait() };
        assert_eq!(only_event(&found, "chatroom.found")["partner"]["display_name"], "Echo Bot");
        // More at once than the rate allows it to answer: it takes its time, and forgets nothing.
        let said: Vec<_> = (0..4).map(|number| format!("{words} {number}")).collect();
        for line in &said {
            chat.deliver(line);
        }
        for line in &said {
            let heard = client.expect_notification("message.received");
            assert_eq!(heard["message"], format!("You said: {line}"));
        }
        chat.leave();
    }
    bot.kill().unwrap();
    bot.wait().unwrap();
}

/// `socat` is no part of the product: where it is missing, that is said.
#[test]
fn socat_shows_the_protocol_as_it_is_said() {
    let installed = Command::new("socat").arg("-V").stdout(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        use std::io::Write as _;
        std::io::stderr().write_all(b"skipped, for it needs socat: reading along\n").unwrap();
        return;
    }
    let world = World::serving(&[]);
    let [talk, tap] = &commands(&["socat"])[..] else { panic!("other commands") };
    let here = |command: &str| {
        let command = command.replace("/run/user/1000/mcp-chat/v1", ".").replace("/tmp/", "./");
        format!("exec {command}")
    };
    let text = documents::read("shared/README.md");
    let typed = text.lines().skip_while(|line| !line.starts_with("$ socat -")).skip(1);
    let typed: Vec<_> = typed.take_while(|line| line.starts_with('{')).collect();
    assert_eq!(typed.len(), 2);
    let answers = succeeds(shell(
        &world,
        &format!(
            "printf '%s\\n' '{}' | {}",
            typed.join("' '"),
            here(talk).replace("exec socat", "socat -t 2")
        ),
    ));
    let answers: Vec<_> = answers.lines().collect();
    assert!(answers[0].starts_with("{\"welcome\""), "{answers:?}");
    assert!(answers[1].starts_with("{\"status\""), "{answers:?}");

    std::fs::create_dir(world.directory().join("tap")).unwrap();
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(world.directory().join("tap"), private).unwrap();
    let mut socat = shell(&world, &here(tap)).stderr(Stdio::null()).spawn().unwrap();
    let socket = world.directory().join("tap/relay.sock");
    eventually("socat listens", || socket.exists().then_some(()));
    let client = world.shim().args(["--socket".as_ref(), socket.as_os_str()]).connect();
    let (_chat, entered) = enter(&client, json!({}));
    assert_eq!(entered["state"], "waiting");
    socat.kill().unwrap();
    socat.wait().unwrap();
}
