/** The plan of the house as data: what test/tidy.test.ts holds every file to. */

/** The rooms, lowest first. A room sees only rooms that stand before it, through their index.ts. */
export const ROOMS: readonly string[] = [
  'base',
  'world',
  'config',
  'smtp',
  'message',
  'ecstream',
  'templates',
  'compose',
  'sink',
  'events',
  'datasource',
  'auth',
  'tls',
  'policy',
  'spool',
  'shaping',
  'queue',
  'bounce',
  'delivery',
  'reception',
  'generation',
  'listener',
  'http',
  'console',
  'api',
  'modules',
  'main',
  'programs',
  'impetus',
  'ecstream-client',
];

/** Rooms that see less than those before them. A bundled module is a guest: it knows mail, and no other room. */
export const SEES_ONLY: Readonly<Record<string, readonly string[]>> = {
  modules: ['base', 'world', 'config', 'smtp', 'message', 'events', 'policy'],
  // A library for programs of others: it knows the protocol, and nothing of the server.
  'ecstream-client': ['base', 'world', 'smtp', 'ecstream'],
};

/** Rooms that only these others see. */
export const SEEN_ONLY_BY: Readonly<Record<string, readonly string[]>> = {
  sink: ['main', 'programs', 'impetus'],
  modules: ['main'],
  main: ['programs', 'impetus'],
};

/** The two insides of the world, and who may name them (tests may always). */
export const WORLDS: Readonly<Record<string, readonly string[]>> = {
  'world/node': ['impetus', 'ecstream-client'],
  'world/sim': [],
};

/** Packages that are part of the product, and the rooms that may use each. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  commander: ['programs', 'impetus'],
  'dns-packet': ['world', 'delivery'],
  fastify: ['http'],
  typebox: ['http', 'api'],
  'typebox/compile': ['http'],
  'typebox/value': ['http'],
  pg: ['world'],
  mysql2: ['world'],
  '@redis/client': ['world'],
  ldapts: ['world'],
};

/** What of Node's library is pure, so that any room may use it; `true` for a module that is pure altogether. */
export const PURE_NODE: Readonly<Record<string, true | readonly string[]>> = {
  'node:assert': true,
  'node:assert/strict': true,
  'node:buffer': ['Buffer', 'isAscii', 'isUtf8'],
  'node:path': ['basename', 'dirname', 'extname', 'isAbsolute', 'join', 'normalize', 'posix', 'relative', 'sep'],
  'node:url': ['domainToASCII', 'domainToUnicode'],
  'node:util': ['format', 'inspect', 'isDeepStrictEqual', 'stripVTControlCharacters', 'styleText'],
  'node:crypto': ['createHash', 'createHmac', 'hash', 'timingSafeEqual'],
  'node:zlib': ['crc32', 'deflateRawSync', 'gunzipSync', 'gzipSync', 'inflateRawSync', 'inflateSync'],
};

/** Names that everybody can reach and that are time, chance, the machine, or hide what a program does. */
export const BANNED_GLOBALS: ReadonlySet<string> = new Set([
  'Date',
  'FinalizationRegistry',
  'Function',
  'WeakRef',
  'Worker',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'eval',
  'fetch',
  'globalThis',
  'performance',
  'process',
  'require',
  'setImmediate',
  'setInterval',
  'setTimeout',
]);

/** The same for a member of a global that is otherwise welcome. */
export const BANNED_MEMBERS: readonly (readonly [string, string])[] = [
  ['Math', 'random'],
  ['AbortSignal', 'timeout'],
  ['Atomics', 'wait'],
  ['Atomics', 'waitAsync'],
];

/** Files that stand outside the rules on globals, Node's modules and computed imports, each with its reason. */
export const EXEMPT: Readonly<Record<string, string>> = {
  'src/world/sim/turn.ts': 'lets promises settle between two simulated events, which only a real turn of the loop can',
  'src/http/node-http.ts':
    "joins a pipe of the world and Node's HTTP parser, which wants a stream; nothing is opened there",
  'src/console/client/node-terminal.ts': "gives Node's readline the real terminal, which a test replaces by its own",
};

/** Longest file that needs no reason. */
export const MOST_LINES = 450;

/** Files that are longer, each with its reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {
  'src/smtp/client.ts':
    'one machine, whose state nobody else may touch; stages, steps of a transaction, extensions and logins are elsewhere',
};
