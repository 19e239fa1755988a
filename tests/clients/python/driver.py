"""Lets a test drive the official Python SDK: driver.py legacy|auto COMMAND [ARGUMENT...]"""

import sys

import anyio
from driving import Events, connection, plain, serve
from mcp import Client, StdioServerParameters


async def list_tools(client, _params):
    return plain(await client.list_tools())


async def call_tool(client, params):
    return plain(await client.call_tool(params["name"], params.get("arguments")))


async def list_prompts(client, _params):
    return plain(await client.list_prompts())


async def get_prompt(client, params):
    return plain(await client.get_prompt(params["name"], params.get("arguments")))


METHODS = {
    "connection": connection,
    "tools/list": list_tools,
    "tools/call": call_tool,
    "prompts/list": list_prompts,
    "prompts/get": get_prompt,
}


async def main(mode, command, *arguments):
    server = StdioServerParameters(command=command, args=list(arguments))
    await serve(Client(server, mode=mode, extensions=[Events()]), METHODS)


anyio.run(main, *sys.argv[1:])
