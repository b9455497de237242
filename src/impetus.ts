import { join } from 'node:path';
import { nodeTerminal } from './console/index.ts';
import { runProgram } from './programs/index.ts';
import { nodeProcess, nodeWorld, outputWritten } from './world/node/index.ts';

/** What bin/ starts: the first word names the program, the rest belongs to it. */
const process = nodeProcess();
const [name = '', ...words] = process.arguments;
const code = await runProgram(
  { world: nodeWorld(), process, home: join(import.meta.dirname, '..'), terminal: () => nodeTerminal() },
  name,
  words,
);
await outputWritten();
process.exit(code);
