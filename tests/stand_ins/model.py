"""Stands in for a model's API on loopback, so that a client can be tried without an account.

model.py TOPIC LOG: prints the port that the system gave it and serves there, until it is ended,
Anthropic's Messages API and OpenAI's Responses API, as far as Claude Code and Codex use them. What
it answers is decided by script.py. Each request is a line of LOG, with its body as it came.

model.py --report LOG: says what of the results of mcp-chat a client has handed to its model.
"""

import json
import re
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

from script import next_step, partner_words, results_in

SERVER = "mcp-chat"
SEARCH = "ToolSearch"
TOOLS = ["enter_queue", "wait_for_events", "send_message", "leave_chat"]


def text_of(content):
    """The text of a content that is a string or a list of blocks."""
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content or [])


def short_name(tool):
    return tool.rsplit("__", 1)[-1]


class Messages:
    """Anthropic's Messages API."""

    search = {"query": "select:" + ",".join(f"mcp__{SERVER}__{tool}" for tool in TOOLS)}

    @staticmethod
    def tools(body):
        names = [tool.get("name", "") for tool in body.get("tools", [])]
        found = {short_name(name): {"name": name} for name in names if SERVER in name}
        # Claude Code shows the names alone until its model has searched for a tool.
        return found or ({SEARCH: {"name": SEARCH}} if SEARCH in names else {})

    @staticmethod
    def conversation(body):
        ours = set()
        for message in body["messages"]:
            content = message["content"]
            if isinstance(content, str):
                content = [{"type": "text", "text": content}]
            for block in content:
                if block["type"] == "tool_use" and SERVER in block["name"]:
                    ours.add(block["id"])
                    yield "call", short_name(block["name"]), block["input"]
                elif block["type"] == "tool_result" and block["tool_use_id"] in ours:
                    yield "result", text_of(block.get("content"))
                elif block["type"] == "text" and message["role"] == "user":
                    text = block["text"]
                    # So the client speaks for itself; the result of a task comes in one, too.
                    if not text.startswith("<system-reminder>") or results_in(text):
                        yield "user", text

    @staticmethod
    def events(body, said, tool, arguments):
        blocks = [({"type": "text", "text": ""}, {"type": "text_delta", "text": said})]
        if tool:
            use = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex}", **tool, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(arguments)}
            blocks.append((use, delta))
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {"id": f"msg_{uuid.uuid4().hex}", "type": "message", "role": "assistant",
                   "model": body.get("model"), "content": [], "stop_reason": None,
                   "stop_sequence": None, "usage": usage}
        yield {"type": "message_start", "message": message}
        for index, (block, delta) in enumerate(blocks):
            yield {"type": "content_block_start", "index": index, "content_block": block}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        stop = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
        yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 1}}
        yield {"type": "message_stop"}


class Responses:
    """OpenAI's Responses API."""

    search = {"query": "chat with somebody, wait, send a message, leave the chat"}

    # To some models Codex gives one tool, which runs JavaScript, and all others as functions in it.
    code = re.compile(r"tools\.mcp__mcp_chat__(\w+)\((.*)\)\);$", re.DOTALL)

    @staticmethod
    def tools(body):
        found = {}
        offered = list(body.get("tools", []))
        if any(item["type"] == "additional_tools" for item in body["input"]):
            return {tool: {"code": f"mcp__mcp_chat__{tool}"} for tool in TOOLS}
        for item in body["input"]:
            if item["type"] == "tool_search_output":
                offered += item["tools"]
        for tool in offered:
            namespace = {"namespace": tool["name"]} if tool.get("type") == "namespace" else {}
            for function in tool.get("tools", [tool]):
                name = function.get("name", "")
                if SERVER in f"{tool.get('name', '')}{name}".replace("_", "-"):
                    found[short_name(name)] = {"name": name, **namespace}
        # Codex shows nothing of them until its model has searched for a tool.
        can_search = any(tool["type"] == "tool_search" for tool in offered)
        return found or ({SEARCH: {}} if can_search else {})

    @classmethod
    def conversation(cls, body):
        for item in body["input"]:
            if item["type"] == "custom_tool_call":
                tool, arguments = cls.code.search(item["input"]).groups()
                yield "call", tool, json.loads(arguments)
            elif item["type"] == "custom_tool_call_output":
                yield "result", text_of(item["output"])
            elif item["type"] == "function_call":
                yield "call", short_name(item["name"]), json.loads(item["arguments"])
            elif item["type"] == "function_call_output":
                yield "result", text_of(item["output"])
            elif item["type"] == "message" and item["role"] == "user":
                yield "user", text_of(item["content"])

    @staticmethod
    def events(body, said, tool, arguments):
        response = {"id": f"resp_{uuid.uuid4().hex}", "object": "response", "output": []}
        yield {"type": "response.created", "response": response}
        items = [{"type": "message", "role": "assistant", "id": f"msg_{uuid.uuid4().hex}",
                  "status": "completed",
                  "content": [{"type": "output_text", "text": said, "annotations": []}]}]
        if tool == {}:
            items.append({"type": "tool_search_call", "call_id": f"call_{uuid.uuid4().hex}",
                          "status": "completed", "execution": "client", "arguments": arguments})
        elif tool and "code" in tool:
            # Its wait is longer than Codex lets such a program run before it hands it over.
            code = ('// @exec: {"yield_time_ms": 60000}\n'
                    f"text(await tools.{tool['code']}({json.dumps(arguments)}));")
            items.append({"type": "custom_tool_call", "id": f"ctc_{uuid.uuid4().hex}",
                          "status": "completed", "call_id": f"call_{uuid.uuid4().hex}",
                          "name": "exec", "input": code})
        elif tool:
            items.append({"type": "function_call", "id": f"fc_{uuid.uuid4().hex}", **tool,
                          "call_id": f"call_{uuid.uuid4().hex}", "status": "completed",
                          "arguments": json.dumps(arguments)})
        for index, item in enumerate(items):
            yield {"type": "response.output_item.added", "output_index": index, "item": item}
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        yield {"type": "response.completed", "response": {**response, "output": items, "usage": usage}}


APIS = {"/v1/messages": Messages, "/v1/responses": Responses}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    topic = ""
    log = None

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        path = urlparse(self.path).path
        self.log.write(json.dumps({"path": path, "body": body}) + "\n")
        self.log.flush()
        api = APIS.get(path)
        if api is None:
            return self.reply({"input_tokens": 1} if path.endswith("/count_tokens") else {})
        tools = api.tools(body)
        if SEARCH in tools:
            said, tool, arguments = "I look for the tools.", SEARCH, api.search
        elif tools:
            said, tool, arguments = next_step(list(api.conversation(body)), self.topic)
        else:
            said, tool, arguments = "A chat", None, None  # It also wants titles and the like.
        events = list(api.events(body, said, tools[tool] if tool else None, arguments))
        if not body.get("stream"):
            return self.reply(events[-1].get("response") or message_of(events))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for event in events:
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        self.close_connection = True

    def do_GET(self):
        self.reply({"data": [], "models": []})

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def reply(self, value):
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def message_of(events):
    """The message that a stream of the Messages API amounts to."""
    said = events[2]["delta"]["text"]
    return {**events[0]["message"], "content": [{"type": "text", "text": said}], "stop_reason": "end_turn"}


def serve(topic, log):
    Handler.topic = topic
    Handler.log = open(log, "a")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def report(log):
    """Reads the longest conversation of the log, which is the whole of it."""
    conversations = []
    with open(log) as lines:
        for request in map(json.loads, lines):
            api = APIS.get(request["path"])
            if api and api.tools(request["body"]).keys() - {SEARCH}:
                conversations.append(list(api.conversation(request["body"])))
    conversation = max(conversations, key=len, default=[])
    results = []
    for kind, text, *arguments in conversation:
        if kind == "call":
            print(f"the model called {text} {json.dumps(*arguments)}")
            continue
        found = results_in(text)
        results += found
        if kind == "result" or found:
            print(f"the client gave it as {kind}: {text}")
    print(f"requests with the tools of {SERVER}: {len(conversations)}; results: {len(results)}")
    print("each result has `next`:", all(result.get("next") for result in results))
    with_words = [result for result in results if partner_words([result])]
    print("each with the partner's words has `notice`:", all(r.get("notice") for r in with_words))
    print("the partner's words:", *partner_words(results), sep="\n  ")


if __name__ == "__main__":
    if sys.argv[1] == "--report":
        report(sys.argv[2])
    else:
        serve(*sys.argv[1:])
