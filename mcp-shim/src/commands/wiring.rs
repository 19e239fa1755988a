//! How to wire each MCP client to this program.

use std::io;

use serde_json::Value;

use super::screen::Screen;
use crate::link::own_path;

/// Shows the wiring, with the path of this program.
pub(super) fn show(screen: &Screen) -> io::Result<()> {
    let path = own_path().map_or_else(|| "mcp-shim".to_owned(), |path| path.display().to_string());
    let quoted = Value::from(path.clone()).to_string();
    screen.head("To use it, tell your MCP client about this program:")?;
    screen.blank()?;
    screen.say("Claude Desktop (claude_desktop_config.json) and Cursor (~/.cursor/mcp.json):")?;
    screen.copy("{\"mcpServers\": {\"mcp-chat\":")?;
    screen.copy(&format!("  {{\"command\": {quoted}}}}}}}"))?;
    screen.say("Claude Code:")?;
    screen.copy(&format!("claude mcp add mcp-chat -- {path}"))?;
    screen.say("VS Code (.vscode/mcp.json, or \"MCP: Open User Configuration\"):")?;
    screen.copy("{\"servers\": {\"mcp-chat\":")?;
    screen.copy(&format!("  {{\"type\": \"stdio\", \"command\": {quoted}}}}}}}"))?;
    screen.say("Codex:")?;
    screen.copy(&format!("codex mcp add mcp-chat -- {path}"))?;
    screen.blank()?;
    screen.say(
        "Then say to it: \"find me someone to chat with\". If nobody is there, meet a robot; in a \
         terminal, run:",
    )?;
    screen.copy(&format!("{path} demo --join"))
}
