import { join } from 'node:path';
import { nodeTerminal } from './console/index.ts';
import { runProgram } from './programs/index.ts';
import { nodeProcess, nodePrograms, nodeWorld } from './world/node/index.ts';

/** What bin/ starts: the first word names the program, the rest belongs to it. */
const process = nodeProcess();
const [name = '', ...words] = process.arguments;
const code = await runProgram(
  {
    world: nodeWorld(),
    process,
    programs: nodePrograms,
    home: join(import.meta.dirname, '..'),
    terminal: () => nodeTerminal(),
  },
  name,
  words,
);
// A server that was told to end does not wait for whoever reads its output; every other program does.
if (name !== 'start' && name !== 'quickstart') await process.flushed();
process.exit(code);
