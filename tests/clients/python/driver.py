"""Lets a test drive the official Python SDK: driver.py legacy|auto COMMAND [ARGUMENT...]

Reads one request a line from stdin, in the form of JSON-RPC, carries each out with the SDK
against the MCP server that COMMAND starts, and writes answers and notifications to stdout in
the same form. The end of stdin ends it.
"""

import json
import sys

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.extension import ClientExtension, NotificationBinding
from pydantic import BaseModel, ConfigDict

EVENTS = [
    "chatroom.found",
    "message.received",
    "partner.away",
    "partner.back",
    "partner.disconnected",
    "queue.expired",
]


def write(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


class AnyParams(BaseModel):
    model_config = ConfigDict(extra="allow")


class Events(ClientExtension):
    identifier = "dev.mcp-chat/events"

    def notifications(self):
        return [
            NotificationBinding(method=method, params_type=AnyParams, handler=self.forward(method))
            for method in EVENTS
        ]

    @staticmethod
    def forward(method):
        async def handler(params):
            write(method=method, params=params.model_dump())

        return handler


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def connection(client, _params):
    return {
        "protocolVersion": client.protocol_version,
        "serverInfo": plain(client.server_info),
        "instructions": client.instructions,
    }


async def list_tools(client, _params):
    return plain(await client.list_tools())


async def call_tool(client, params):
    return plain(await client.call_tool(params["name"], params.get("arguments")))


async def list_prompts(client, _params):
    return plain(await client.list_prompts())


async def get_prompt(client, params):
    return plain(await client.get_prompt(params["name"], params.get("arguments")))


async def list_resources(client, _params):
    return plain(await client.list_resources())


async def list_templates(client, _params):
    return plain(await client.list_resource_templates())


async def read_resource(client, params):
    return plain(await client.read_resource(params["uri"]))


async def follow(client, params):
    """Tells of updates until cancelled."""
    uri = params["uri"]
    if client.protocol_version < "2026":
        await client.subscribe_resource(uri)
        write(method="following", params={})
        return await anyio.sleep_forever()
    async with client.listen(resource_subscriptions=[uri]) as stream:
        write(method="following", params=plain(stream.honored))
        async for event in stream:
            write(method="notifications/resources/updated", params={"uri": event.uri})


async def updated(message):
    if getattr(message, "method", None) == "notifications/resources/updated":
        write(method=message.method, params=plain(message.params))


METHODS = {
    "connection": connection,
    "resources/list": list_resources,
    "resources/templates/list": list_templates,
    "resources/read": read_resource,
    "follow": follow,
    "tools/list": list_tools,
    "tools/call": call_tool,
    "prompts/list": list_prompts,
    "prompts/get": get_prompt,
}


async def answer(client, request, scope):
    with scope:
        await carry_out(client, request)


async def carry_out(client, request):
    try:
        write(id=request["id"], result=await METHODS[request["method"]](client, request.get("params", {})))
    except MCPError as error:
        write(id=request["id"], error={"code": error.code, "message": error.message})
    except Exception as error:
        write(id=request["id"], error={"code": 0, "message": f"{type(error).__name__}: {error}"})


async def main(mode, command, *arguments):
    server = StdioServerParameters(command=command, args=list(arguments))
    async with (
        Client(server, mode=mode, extensions=[Events()], message_handler=updated) as client,
        anyio.create_task_group() as requests,
    ):
        scopes = {}
        async for line in anyio.wrap_file(sys.stdin):
            request = json.loads(line)
            if request["method"] == "notifications/cancelled":
                scopes[request["params"]["requestId"]].cancel()
            else:
                scope = scopes[request["id"]] = anyio.CancelScope()
                requests.start_soon(answer, client, request, scope)
        requests.cancel_scope.cancel()


anyio.run(main, *sys.argv[1:])
