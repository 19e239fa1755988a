//! A client of the demo: rmcp's own, with a real `mcp-shim` as its server.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, bail, ensure};
use rmcp::{
    ClientHandler, RoleClient,
    model::{
        CallToolRequestParams, ClientCapabilities, ClientConfig, CustomNotification,
        ExtensionCapabilities, Implementation, JsonObject, ProtocolVersion,
    },
    service::{ClientLifecycleMode, ClientServiceExt, NotificationContext, RunningService},
    transport::TokioChildProcess,
};
use serde_json::Value;
use tokio::{process::Command, sync::mpsc, time::timeout};

use crate::delivery::custom::EXTENSION;

/// How long anything in the demo may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// Notifications that nobody has looked at.
const NOTIFICATIONS: usize = 64;

/// A client and its server.
pub(super) struct Client {
    pub(super) name: &'static str,
    service: RunningService<RoleClient, Listener>,
    notifications: mpsc::Receiver<CustomNotification>,
}

struct Listener {
    notifications: mpsc::Sender<CustomNotification>,
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let mut extensions = ExtensionCapabilities::new();
        extensions.insert(EXTENSION.to_owned(), JsonObject::new());
        let capabilities = ClientCapabilities::builder().enable_extensions_with(extensions).build();
        ClientConfig::new(
            capabilities,
            Implementation::new("mcp-chat-demo", env!("CARGO_PKG_VERSION")),
        )
    }

    async fn on_custom_notification(
        &self,
        notification: CustomNotification,
        _context: NotificationContext<RoleClient>,
    ) {
        // A demo that looks away misses hints; the events stay in the inbox.
        let _ = self.notifications.try_send(notification);
    }
}

impl Client {
    /// Starts a server with these arguments and environment, and connects to it.
    pub(super) async fn connect(
        name: &'static str,
        version: ProtocolVersion,
        arguments: &[&Path],
        environment: &[(&str, &Path)],
    ) -> anyhow::Result<Self> {
        let shim = std::env::current_exe().context("this program's own path is unknown")?;
        let mut command = Command::new(shim);
        command.args(arguments).envs(environment.iter().copied());
        let (server, _) = TokioChildProcess::builder(command).stderr(Stdio::inherit()).spawn()?;
        let (sender, notifications) = mpsc::channel(NOTIFICATIONS);
        let lifecycle = if version.has_initialize() {
            ClientLifecycleMode::Initialize
        } else {
            ClientLifecycleMode::Discover { preferred_versions: vec![version] }
        };
        let listener = Listener { notifications: sender };
        let service = timeout(PATIENCE, listener.serve_with_lifecycle(server, lifecycle))
            .await
            .context("the server does not answer")??;
        Ok(Self { name, service, notifications })
    }

    /// The version of MCP that client and server speak.
    pub(super) fn version(&self) -> String {
        let info = self.service.peer_info();
        info.map_or_else(String::new, |info| info.protocol_version.to_string())
    }

    /// Calls a tool and takes its structured content; an error of the tool is an error here.
    pub(super) async fn call(
        &self,
        tool: &'static str,
        arguments: Value,
        patience: Duration,
    ) -> anyhow::Result<Value> {
        let content = self.try_call(tool, arguments, patience).await?;
        let error = &content["error"];
        ensure!(error.is_null(), "{}; {}", words(&error["message"]), words(&error["hint"]));
        Ok(content)
    }

    /// The same, but an error of the tool is content like any other.
    pub(super) async fn try_call(
        &self,
        tool: &'static str,
        arguments: Value,
        patience: Duration,
    ) -> anyhow::Result<Value> {
        let Value::Object(arguments) = arguments else { bail!("arguments are an object") };
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = timeout(patience + PATIENCE, self.service.call_tool(request))
            .await
            .with_context(|| format!("{tool} does not answer"))??;
        result.structured_content.context("a result without structured content")
    }

    /// The next notification, which must be this one.
    pub(super) async fn notified(&mut self, method: &str) -> anyhow::Result<Value> {
        let notification = timeout(PATIENCE, self.notifications.recv())
            .await
            .with_context(|| format!("{} was not notified of {method}", self.name))?
            .context("the server is gone")?;
        if notification.method != method {
            bail!("{} was notified of {} instead of {method}", self.name, notification.method);
        }
        notification.params.context("a notification without content")
    }

    /// Ends the server, as a client does: by closing its input.
    pub(super) async fn disconnect(mut self) -> anyhow::Result<()> {
        self.service.close_with_timeout(PATIENCE).await?;
        Ok(())
    }
}

/// A string of a result.
pub(super) fn words(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
