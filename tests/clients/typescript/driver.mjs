// Lets a test drive the official TypeScript SDK:
// node driver.mjs DIRECTORY legacy|auto COMMAND [ARGUMENT...]
//
// DIRECTORY is where `node_modules` is. Reads one request a line from stdin, in the form of
// JSON-RPC, carries each out with the SDK against the MCP server that COMMAND starts, and writes
// answers and notifications to stdout in the same form. The end of stdin ends it.

import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';

const [directory, mode, command, ...args] = process.argv.slice(2);
const require = createRequire(path.join(directory, 'package.json'));
const { Client } = require('@modelcontextprotocol/client');
const { StdioClientTransport } = require('@modelcontextprotocol/client/stdio');
const { AjvJsonSchemaValidator } = require('@modelcontextprotocol/client/validators/ajv');

const write = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n');

const client = new Client(
  { name: 'mcp-chat-typescript-driver', version: '1.0.0' },
  {
    versionNegotiation: { mode },
    capabilities: { extensions: { 'dev.mcp-chat/events': {} } },
  },
);
client.fallbackNotificationHandler = async ({ method, params }) => write({ method, params });
client.onerror = (error) => console.error('client error:', error);
await client.connect(new StdioClientTransport({ command, args }));

// The SDK checks results against the output schema, but lets errors pass: here they are checked too.
const validators = new Map();
for (const tool of (await client.listTools()).tools) {
  validators.set(tool.name, new AjvJsonSchemaValidator().getValidator(tool.outputSchema));
}

async function callTool(params, signal) {
  const result = await client.callTool(params, { timeout: 180_000, signal });
  const { valid, errorMessage } = validators.get(params.name)(result.structuredContent);
  if (!valid) {
    throw new Error(`the structured content of ${params.name} does not match its schema: ${errorMessage}`);
  }
  return result;
}

/** Tells of updates until cancelled. */
async function follow({ uri }, signal) {
  let honored = {};
  if (client.getNegotiatedProtocolVersion() < '2026') {
    await client.subscribeResource({ uri });
  } else {
    ({ honoredFilter: honored } = await client.listen({ resourceSubscriptions: [uri] }));
  }
  write({ method: 'following', params: honored });
  await new Promise((_, reject) => signal.addEventListener('abort', reject));
}

const methods = {
  connection: async () => ({
    protocolVersion: client.getNegotiatedProtocolVersion(),
    serverInfo: client.getServerVersion(),
    instructions: client.getInstructions(),
  }),
  'tools/list': () => client.listTools(),
  'tools/call': callTool,
  'prompts/list': () => client.listPrompts(),
  'resources/list': () => client.listResources(),
  'resources/templates/list': () => client.listResourceTemplates(),
  'resources/read': (params) => client.readResource(params),
  follow,
  'prompts/get': (params) => client.getPrompt(params),
};

async function answer({ id, method, params }, signal) {
  try {
    write({ id, result: await methods[method](params, signal) });
  } catch (error) {
    if (signal.aborted) return;
    write({ id, error: { code: error.code ?? 0, message: String(error.message ?? error) } });
  }
}

const running = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.method === 'notifications/cancelled') {
    running.get(request.params.requestId).abort();
  } else {
    running.set(request.id, new AbortController());
    answer(request, running.get(request.id).signal);
  }
}
await client.close();
