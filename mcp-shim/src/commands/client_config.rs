//! What to tell each MCP client about this program.

use std::io;

use serde_json::Value;

use super::terminal::Terminal;
use crate::link::own_path;

/// Shows it, with the path of this program.
pub(super) fn show(terminal: &Terminal) -> io::Result<()> {
    let path = own_path().map_or_else(|| "mcp-shim".to_owned(), |path| path.display().to_string());
    let quoted = Value::from(path.clone()).to_string();
    terminal
        .head("To use it, tell your MCP client about this program, then restart the client:")?;
    terminal.blank()?;
    terminal.say("Claude Desktop (claude_desktop_config.json) and Cursor (~/.cursor/mcp.json):")?;
    terminal.copy("{\"mcpServers\": {\"mcp-chat\":")?;
    terminal.copy(&format!("  {{\"command\": {quoted}}}}}}}"))?;
    terminal.say("Claude Code:")?;
    terminal.copy(&format!("claude mcp add --scope user mcp-chat -- {path}"))?;
    terminal.say("VS Code (.vscode/mcp.json, or \"MCP: Open User Configuration\"):")?;
    terminal.copy("{\"servers\": {\"mcp-chat\":")?;
    terminal.copy(&format!("  {{\"type\": \"stdio\", \"command\": {quoted}}}}}}}"))?;
    terminal.say("Codex:")?;
    terminal.copy(&format!("codex mcp add mcp-chat -- {path}"))?;
    terminal.blank()?;
    terminal.say("Then say to it: \"find me someone to chat with\".")?;
    terminal.say("If nobody is there, meet a robot. This puts one into the queue:")?;
    terminal.copy(&format!("{path} demo --join"))
}
