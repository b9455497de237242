import { join } from 'node:path';
import { sink } from '../sink/index.ts';
import { NetworkError, type Process, type World } from '../world/index.ts';
import { type QuickstartPlaces, quickstartConfiguration, quickstartPlaces } from './quickstart-configuration.ts';
import { runServer } from './start.ts';

/**
 * `npm start`: the server with the configuration in `var/`, which a first run writes, and the embedded sink as the
 * destination of all mail, in one process.
 */
export async function quickstartProgram(world: World, process: Process): Promise<number> {
  const places = quickstartPlaces(join(process.directory, 'var'), '/tmp/impetus-quickstart');
  await world.disk.makeDirectory(join(places.root, 'log'));
  if (!places.control.startsWith(places.root)) await world.disk.makeDirectory('/tmp/impetus-quickstart', 0o700);
  const first = (await world.disk.status(places.configuration)) === undefined;
  if (first) {
    // Who throws the configuration away to have it written again still has users.
    if ((await world.disk.status(places.users)) === undefined)
      await world.disk.replace(places.users, Buffer.from(`app:${password(world)}\n`), 0o600);
    await world.disk.replace(places.configuration, Buffer.from(quickstartConfiguration(places)), 0o644);
  }
  const providers = sink(world, { complain: (text) => process.complain(`sink: ${text}\n`) });
  try {
    await providers.listen({ kind: 'tcp', ip: '127.0.0.1', port: places.sinkPort });
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    process.complain(
      `impetus: the sink cannot listen on 127.0.0.1:${places.sinkPort}: ${error.message}. Is another quickstart running?\n`,
    );
    return 2;
  }
  try {
    return await runServer(world, process, places.configuration, (server) => {
      process.say(welcome(places, server.doors, process.id, first));
    });
  } finally {
    await providers.close();
  }
}

/** Nobody's habit, and nothing that a shell or a URL would take for something else. */
const password = ({ chance }: Pick<World, 'chance'>): string => Buffer.from(chance.bytes(12)).toString('base64url');

function welcome(places: QuickstartPlaces, doors: readonly string[], pid: number, first: boolean): string {
  const here = (path: string): string => path.replace(`${places.root}/`, 'var/');
  return `
Impetus is ready (pid ${pid}; end it with Ctrl-C).

  mail comes in at     127.0.0.1:${places.mailPort} by SMTP; the login for programs is in var/users
                       127.0.0.1:${places.streamPort} by ECStream, 127.0.0.1:${places.httpPort} by HTTP
  and goes out to      the embedded sink at 127.0.0.1:${places.sinkPort}: nothing leaves this machine
  console              ${here(places.control)}
  configuration        ${here(places.configuration)}${first ? '  (just written, yours to change)' : ''}
  spool, logs          var/spool, var/log/mainlog.ec
  open                 ${doors.join(', ')}

Three things to try, in another terminal:

  bin/impetus send --to accept@example.com --to defer@example.org --to refuse@example.net
  bin/ec_console summary
  bin/ec_console mailq
`;
}
