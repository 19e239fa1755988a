"""Lets a test drive the client of fastmcp: fastmcp_driver.py legacy|auto COMMAND [ARGUMENT...]"""

import sys

import anyio
from driving import Events, connection, plain, serve
from fastmcp import Client
from fastmcp.client.transports import StdioTransport


async def list_tools(client, _params):
    return plain(await client.list_tools_mcp())


async def call_tool(client, params):
    result = await client.call_tool(
        params["name"], params.get("arguments"), raise_on_error=False
    )
    # It makes an object of the structured content by the output schema, and only logs if it can't.
    if result.data is None and not result.is_error:
        raise ValueError(f"the result of {params['name']} does not fit its output schema")
    return {
        "content": [plain(content) for content in result.content],
        "structuredContent": result.structured_content,
        "isError": result.is_error,
    }


async def list_prompts(client, _params):
    return plain(await client.list_prompts_mcp())


async def get_prompt(client, params):
    return plain(await client.get_prompt_mcp(params["name"], params.get("arguments")))


METHODS = {
    "connection": connection,
    "tools/list": list_tools,
    "tools/call": call_tool,
    "prompts/list": list_prompts,
    "prompts/get": get_prompt,
}


async def main(mode, command, *arguments):
    server = StdioTransport(command=command, args=list(arguments), keep_alive=False)
    await serve(Client(server, mode=mode, extensions=[Events()]), METHODS)


anyio.run(main, *sys.argv[1:])
