"""Lets a test drive the official Python SDK: driver.py legacy|auto COMMAND [ARGUMENT...]"""

import sys

import anyio
from driving import Events, connection, plain, serve, write
from mcp import Client, StdioServerParameters


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


async def main(mode, command, *arguments):
    server = StdioServerParameters(command=command, args=list(arguments))
    await serve(Client(server, mode=mode, extensions=[Events()], message_handler=updated), METHODS)


anyio.run(main, *sys.argv[1:])
