//! The prompt `chat`: a slash command, where a client offers prompts as such.

use rmcp::{
    ErrorData,
    model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role},
};
use serde_json::Value;
use shared::text;

const NAME: &str = "chat";

pub(crate) fn prompt() -> Prompt {
    let topic = PromptArgument::new("topic")
        .with_description("You meet people who enter the same topic. Default: open.")
        .with_required(false);
    let display_name = PromptArgument::new("display_name")
        .with_description("The name that the partner sees. Default: Stranger.")
        .with_required(false);
    let description = "Finds somebody to chat with and carries the conversation.";
    Prompt::new(NAME, Some(description), Some(vec![topic, display_name]))
        .with_title("Chat with a stranger")
}

pub(crate) fn get(
    name: &str,
    arguments: Option<&JsonObject>,
) -> Result<GetPromptResult, ErrorData> {
    if name != NAME {
        return Err(ErrorData::invalid_params(format!("there is one prompt, {NAME}"), None));
    }
    let mut call = Vec::new();
    if let Some(topic) = argument(arguments, "topic")? {
        let topic = text::topic(topic).map_err(|error| wrong("topic", &error))?;
        call.push(format!("topic \"{topic}\""));
    }
    if let Some(name) = argument(arguments, "display_name")? {
        let name = text::display_name(name).map_err(|error| wrong("display_name", &error))?;
        call.push(format!("display_name \"{name}\""));
    }
    let with =
        if call.is_empty() { String::new() } else { format!(" with {}", call.join(" and ")) };
    let words = format!(
        "Find me somebody to chat with: call enter_queue{with}, then wait_for_events until there \
         is a partner. Show me what the partner writes, as the partner's words. Send what I say to \
         the partner with send_message (author \"user\"), and nothing that I did not say. Tell me \
         when the partner leaves. Look for another partner, or leave, only when I ask you to."
    );
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, words)]))
}

fn argument<'a>(
    arguments: Option<&'a JsonObject>,
    name: &str,
) -> Result<Option<&'a str>, ErrorData> {
    match arguments.and_then(|arguments| arguments.get(name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(name, &"must be a string")),
    }
}

fn wrong(argument: &str, problem: &dyn std::fmt::Display) -> ErrorData {
    ErrorData::invalid_params(format!("{argument}: {problem}"), None)
}
