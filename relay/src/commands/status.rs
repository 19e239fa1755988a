//! `relay status`: how the running relay is. Counts only.

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde::Serialize;
use shared::{
    codec,
    endpoint::Endpoint,
    message::{ClientMessage, RelayMessage, Status},
    version,
};

use super::visit::{self, NOT_RUNNING, counted};

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    running: bool,
    socket: &'a Path,
    #[serde(flatten)]
    status: Option<Status<'a>>,
}

/// Prints how the relay is; fails if none is running.
pub(super) fn run(endpoint: &Endpoint, json: bool) -> anyhow::Result<ExitCode> {
    let frame = visit::runtime()?.block_on(async {
        let Some(mut connection) = visit::visit(endpoint).await? else {
            return anyhow::Ok(None);
        };
        visit::ask(&mut connection, &ClientMessage::Status { owner: None }).await.map(Some)
    })?;
    let status = frame.as_deref().map(read).transpose()?;
    let running = status.is_some();
    let socket = endpoint.path();
    let text = if json {
        serde_json::to_string(&Report { running, socket, status })?
    } else if let Some(status) = status {
        describe(&status, socket)
    } else {
        format!("{} at {}", NOT_RUNNING, socket.display())
    };
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(if running { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(frame: &[u8]) -> anyhow::Result<Status<'_>> {
    let answer = codec::decode_relay(frame).context("the relay's answer")?;
    let RelayMessage::Status(status) = answer else {
        bail!("the relay did not answer `status`; it may be of another version")
    };
    let version = version::claimed(&status.version).to_owned().into();
    Ok(Status { version, ..status })
}

fn describe(status: &Status<'_>, socket: &Path) -> String {
    let Status { pid, version, protocol, uptime_seconds, connections, sessions, .. } = status;
    let Status { waiting, topics, rooms, messages, blocks, reports, .. } = status;
    let uptime = humantime::format_duration(Duration::from_secs(*uptime_seconds));
    let (waiting, topics) = (counted(*waiting, "session"), counted(*topics, "topic"));
    let socket = socket.display();
    let shared::message::Reports { spam, harassment, injection, other } = reports;
    format!(
        "relay {version} (protocol {protocol}) is running, pid {pid}, for {uptime}\n\
         socket       {socket}\n\
         connections  {connections}, this one included\n\
         sessions     {sessions}\n\
         waiting      {waiting} in {topics}\n\
         rooms        {rooms}\n\
         messages     {messages} passed on\n\
         blocks       {blocks}\n\
         reports      spam {spam}, harassment {harassment}, injection {injection}, other {other}"
    )
}
