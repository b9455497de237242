import { answerCommand, type CommandResult, type House } from '../../../src/console/index.ts';

/** Runs one line as a console would. */
export async function run(
  house: House,
  line: string,
): Promise<{ readonly text: string; readonly result: CommandResult }> {
  const output = answerCommand(house, house.configCommands.open('console /run/x'), line);
  const pieces: Uint8Array[] = [];
  for (;;) {
    const step = await output.next();
    if (step.done === true) return { text: Buffer.concat(pieces).toString('utf8'), result: step.value };
    pieces.push(Buffer.from(step.value));
  }
}
