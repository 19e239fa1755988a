"""What the drivers of the Python clients share: the pipes to the test, and the events of mcp-chat.

A driver reads one request a line from stdin, in the form of JSON-RPC, carries each out with its
client, and writes answers and notifications to stdout in the same form. The end of stdin ends it.
"""

import json
import sys

import anyio
from mcp import MCPError
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


async def serve(client, methods):
    """Carries out what stdin asks; `methods` are functions of the client and the params."""
    async with client, anyio.create_task_group() as requests:
        scopes = {}
        async for line in anyio.wrap_file(sys.stdin):
            request = json.loads(line)
            if request["method"] == "notifications/cancelled":
                scopes[request["params"]["requestId"]].cancel()
            else:
                scope = scopes[request["id"]] = anyio.CancelScope()
                requests.start_soon(answer, client, methods, request, scope)
        requests.cancel_scope.cancel()


async def answer(client, methods, request, scope):
    with scope:
        await carry_out(client, methods, request)


async def carry_out(client, methods, request):
    try:
        result = await methods[request["method"]](client, request.get("params", {}))
        write(id=request["id"], result=result)
    except MCPError as error:
        write(id=request["id"], error={"code": error.code, "message": error.message})
    except Exception as error:
        write(id=request["id"], error={"code": 0, "message": f"{type(error).__name__}: {error}"})
