"""What the scripted model says and calls: it finds a partner, answers three times, and leaves.

Pure: a conversation in, the next step out. A conversation is a list of what the model was given,
oldest first: ("user", text), ("call", tool, arguments) and ("result", text). It is all that the
script looks at, so that it can go on only if the client hands the model what it needs.
"""

import json

NAME = "Scripted"
LINES = ["Hello from a scripted model.", "Do you hear this as well?", "Thank you. Goodbye!"]
DECODER = json.JSONDecoder()


def results_in(text):
    """The results of mcp-chat in a text that a client has given to its model."""
    found, at = [], 0
    while (at := text.find("{", at)) >= 0:
        try:
            value, at = DECODER.raw_decode(text, at)
        except json.JSONDecodeError:
            at += 1
            continue
        if "next" in value and ("state" in value or "relay" in value or "error" in value):
            found.append(value)
        elif nested := value.get("structuredContent"):
            found += results_in(json.dumps(nested))
    return found


def partner_words(results):
    """What the partner wrote, each message once."""
    events = {}
    for result in results:
        for event in result.get("events", []):
            events[event["cursor"]] = event
    return [e["message"] for _, e in sorted(events.items()) if e["type"] == "message.received"]


def next_step(conversation, topic):
    """Returns what to say, and the tool to call with its arguments, or None to end the turn."""
    given = [item[1] for item in conversation if item[0] in ("user", "result")]
    calls = [item[1] for item in conversation if item[0] == "call"]
    results = [result for text in given for result in results_in(text)]
    last_kind, last_text = conversation[-1][0], conversation[-1][1]
    latest = results_in(last_text)
    if not calls:
        return "I look for somebody.", "enter_queue", {"topic": topic, "display_name": NAME}
    chats = [result for result in results if "chat_id" in result]
    if not chats:
        return f"I could not enter the queue: {last_text}", None, None
    chat = {"chat_id": chats[-1]["chat_id"]}
    state = chats[-1].get("state")

    words = partner_words(results)
    said = "".join(f"The partner wrote: {text}\n" for text in partner_words(latest))
    if "leave_chat" in calls:
        return "The chat is over.", None, None
    if state in ("idle", "ended"):
        return f"{said}The partner is gone; I leave.", "leave_chat", chat
    if last_kind == "user" and not latest:
        return "I look what is new.", "wait_for_events", {**chat, "timeout_seconds": 0}
    if last_kind == "result" and not latest:
        return "Nothing yet. I end my turn, and expect to be woken.", None, None
    if not latest[-1].get("events") and "end your turn" in latest[-1]["next"]:
        return "Nothing happens. I end my turn; speak to me to hear more.", None, None
    sent = calls.count("send_message")
    if state == "chatting" and len(words) > sent and sent < len(LINES):
        return said or "I answer.", "send_message", {**chat, "message": LINES[sent]}
    return f"{said}I wait.", "wait_for_events", chat
