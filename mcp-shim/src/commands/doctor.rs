//! `mcp-shim doctor`: whether everything that a client needs works here, and what to do if not.

use std::process::ExitCode;

use shared::id::OwnerId;
use uuid::Uuid;

use super::screen::Screen;
use crate::{
    cli::Cli,
    link::{find_relay, own_path, probe::probe},
    serve,
    session::RelayHealth,
};

/// Checks, shows, and fails if something does not work.
///
/// # Errors
///
/// When the socket's path cannot be, or standard output is closed.
pub async fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let screen = Screen::new();
    let own = own_path().map_or_else(|| "unknown".to_owned(), |path| path.display().to_string());
    check(&screen, true, &format!("mcp-shim {} at {own}", env!("CARGO_PKG_VERSION")))?;
    let route = match serve::route(cli) {
        Ok(route) => route,
        Err(problem) => {
            check(&screen, false, &format!("{problem:#}"))?;
            return verdict(&screen, false);
        }
    };
    check(&screen, true, &format!("the socket is {}", route.socket()))?;
    let relay = find_relay();
    let by_hand = route.endpoint.started_by_hand();
    match (&relay, &route.launcher, &by_hand) {
        (Ok(_) | Err(_), Some(_), Some(_)) => {
            check(
                &screen,
                true,
                "no client starts a relay here: others can enter its directory, or make it",
            )?;
        }
        (Ok(path), Some(_), None) => {
            check(&screen, true, &format!("a relay can be started: {}", path.display()))?;
        }
        (Ok(_) | Err(_), None, _) => check(&screen, true, "no relay is started: --no-autostart")?,
        (Err(problem), Some(_), None) => check(&screen, false, &problem.to_string())?,
    }
    let health = probe(&route, OwnerId::from(Uuid::new_v4())).await;
    check(&screen, health.connected, &describe(&health))?;
    let startable = relay.is_ok() || route.launcher.is_none() || by_hand.is_some();
    verdict(&screen, health.connected && startable)
}

fn verdict(screen: &Screen, well: bool) -> anyhow::Result<ExitCode> {
    if well {
        screen.say("Everything that an MCP client needs works here.")?;
        Ok(ExitCode::SUCCESS)
    } else {
        screen.say("Put right what FAIL says, then run `mcp-shim doctor` again.")?;
        Ok(ExitCode::FAILURE)
    }
}

fn describe(health: &RelayHealth) -> String {
    match &health.trouble {
        Some(trouble) => format!("the relay cannot be reached: {trouble}"),
        None => format!(
            "the relay answers: version {}, {} sessions connected{}",
            health.version.as_deref().unwrap_or("unknown"),
            health.others_connected.unwrap_or(0),
            health.account.map(of_another).unwrap_or_default(),
        ),
    }
}

fn of_another(uid: u32) -> String {
    format!("; another account (uid {uid}) runs it, and could read what passes through it")
}

fn check(screen: &Screen, well: bool, line: &str) -> std::io::Result<()> {
    let sign = if well { "ok  " } else { "FAIL" };
    screen.say(&format!("{sign} {line}"))
}
