//! `mcp-shim doctor`: whether everything that a client needs works here, and what to do if not.

use std::process::ExitCode;

use shared::id::OwnerId;
use uuid::Uuid;

use super::terminal::Terminal;
use crate::{
    cli::Cli,
    link::{find_relay, own_path, probe::probe},
    serve,
    session::RelayHealth,
};

const PLAIN: u8 = 0;
const RED: u8 = 31;

/// Checks, shows, and fails if something does not work.
///
/// # Errors
///
/// When standard output is closed.
pub async fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let terminal = Terminal::new();
    let own = own_path().map_or_else(|| "unknown".to_owned(), |path| path.display().to_string());
    check(&terminal, true, &format!("mcp-shim {} at {own}", env!("CARGO_PKG_VERSION")))?;
    let route = match serve::route(cli) {
        Ok(route) => route,
        Err(problem) => {
            check(&terminal, false, &format!("{:#}", cli.name_source(problem)))?;
            return verdict(&terminal, false);
        }
    };
    check(&terminal, true, &format!("the socket is {}", route.socket()))?;
    let by_hand = route.endpoint.started_by_hand();
    let (startable, line) = match (find_relay(), &route.launcher, &by_hand) {
        (_, None, _) => (true, "--no-autostart: mcp-shim starts no relay".to_owned()),
        (_, Some(_), Some(_)) => {
            let why = "other accounts can enter or create the directory of its socket";
            (true, format!("no client starts a relay here, because {why}"))
        }
        (Ok(path), Some(_), None) => (true, format!("the relay's program is {}", path.display())),
        (Err(problem), Some(_), None) => (false, problem.to_string()),
    };
    check(&terminal, startable, &line)?;
    let health = probe(&route, OwnerId::from(Uuid::new_v4())).await;
    check(&terminal, health.connected, &describe(&health))?;
    verdict(&terminal, health.connected && startable)
}

fn verdict(terminal: &Terminal, well: bool) -> anyhow::Result<ExitCode> {
    if well {
        terminal.say("Everything that an MCP client needs works here.")?;
        Ok(ExitCode::SUCCESS)
    } else {
        terminal.say("Fix what FAIL says, then run `mcp-shim doctor` again.")?;
        Ok(ExitCode::FAILURE)
    }
}

fn describe(health: &RelayHealth) -> String {
    if let Some(trouble) = &health.trouble {
        return format!("the relay cannot be reached: {trouble}");
    }
    let version = health.version.as_deref().unwrap_or("unknown");
    let chats = match health.others_connected.unwrap_or(0) {
        0 => "no chat is connected".to_owned(),
        1 => "1 chat is connected".to_owned(),
        chats => format!("{chats} chats are connected"),
    };
    let account = health.account.map_or_else(String::new, |uid| {
        format!("; another account (uid {uid}) runs it, and can read what passes through it")
    });
    format!("the relay answers: version {version}, {chats}{account}")
}

fn check(terminal: &Terminal, well: bool, line: &str) -> std::io::Result<()> {
    let (sign, colour) = if well { ("ok   ", PLAIN) } else { ("FAIL ", RED) };
    terminal.item(sign, line, colour)
}
