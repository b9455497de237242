import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TOP = join(import.meta.dirname, '../..');

/** What a run of a program said and how it ended. */
export interface Run {
  readonly code: number | null;
  readonly said: string;
}

/** What the machine of a test has. */
export interface Machine {
  /** What its `node --version` says; `undefined`: it has no Node. */
  readonly node?: string | undefined;
  readonly flock?: boolean;
}

/**
 * A fresh checkout in a temporary folder with an awkward name, on a machine whose Node and npm are ours: npm fetches
 * nothing, and the program is one line that prints its folder and its arguments.
 */
export class Checkout implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'impetus-setup-'));
  readonly home = join(this.#root, `a checkout, $HOME 'quoted'`);
  readonly #tools = join(this.#root, 'tools');
  readonly #log = join(this.#root, 'log');

  constructor(machine: Machine) {
    for (const part of ['scripts', 'bin']) cpSync(join(TOP, part), join(this.home, part), { recursive: true });
    mkdirSync(join(this.home, 'src'));
    this.write('package.json', '{ "type": "module" }\n');
    this.write('package-lock.json', '{ "lockfileVersion": 3 }\n');
    this.write('tsconfig.json', '{}\n');
    this.write('tsconfig.build.json', '{}\n');
    this.write('src/impetus.ts', "console.log([process.cwd(), ...process.argv.slice(2)].join('|'));\n");
    writeFileSync(this.#log, '');
    chmodSync(this.#root, 0o755);
    mkdirSync(this.#tools);
    // Only what POSIX promises, and nothing else of this machine.
    const tools =
      'sh basename cat chmod cksum cmp cp dirname env find ln mkdir mv printf readlink rm sed sleep sort tr uname'.split(
        ' ',
      );
    for (const tool of [...tools, ...(machine.flock === false ? [] : ['flock'])]) {
      const place = ['/usr/bin', '/bin'].map((folder) => join(folder, tool)).find((path) => existsSync(path));
      if (place !== undefined) symlinkSync(place, join(this.#tools, tool));
    }
    if (machine.node !== undefined) this.nodeIs(machine.node);
    cpSync(join(import.meta.dirname, 'fake-npm.mjs'), join(this.#root, 'npm-cli.js'));
    writeFileSync(join(this.#root, 'package.json'), '{ "type": "module" }\n');
    chmodSync(join(this.#root, 'npm-cli.js'), 0o755);
    symlinkSync('../npm-cli.js', join(this.#tools, 'npm'));
  }

  /** Puts a wrapper into PATH that is Node but for what it says about its version. */
  nodeIs(version: string): void {
    const wrapper = join(this.#tools, 'node');
    writeFileSync(
      wrapper,
      `#!/bin/sh\n[ "$1" = --version ] && { echo ${version}; exit; }\nexec "${process.execPath}" "$@"\n`,
    );
    chmodSync(wrapper, 0o755);
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.home, path), text);
  }

  has(path: string): boolean {
    return existsSync(join(this.home, path));
  }

  /** The calls of npm and of the compiler so far, in short: `node`, `packages`, `compile`. */
  get work(): string[] {
    return this.log.flatMap((line) => {
      if (line === 'compiling') return ['compile'];
      if (line === 'hanging') return [];
      return (JSON.parse(line) as { words: string[] }).words.some((word) => word.endsWith('/fetching'))
        ? ['node']
        : ['packages'];
    });
  }

  get log(): string[] {
    return readFileSync(this.#log, 'utf8').split('\n').slice(0, -1);
  }

  /** Starts a program of the checkout in a process group of its own. */
  start(
    words: readonly string[],
    more: Readonly<Record<string, string>> = {},
    folder = this.home,
    user?: number,
  ): ChildProcess {
    const env = {
      PATH: this.#tools,
      HOME: this.#root,
      FAKE_LOG: this.#log,
      FAKE_TSC: join(import.meta.dirname, 'fake-tsc.mjs'),
      ...more,
    };
    const [program, ...rest] = words;
    return spawn(program!, rest, {
      cwd: folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
  }

  run(...how: Parameters<Checkout['start']>): Promise<Run> {
    return finished(this.start(...how));
  }

  /** Runs scripts/setup.sh. */
  setUp(more?: Readonly<Record<string, string>>): Promise<Run> {
    return this.run(['sh', 'scripts/setup.sh'], more);
  }

  /** A link to a program of the checkout, in another folder. */
  linkTo(path: string, name: string): string {
    const link = join(this.#root, name);
    symlinkSync(join(this.home, path), link);
    return link;
  }

  /** Takes the right to write away from all. Root keeps it, so for root a user is given back who has lost it. */
  freeze(): number | undefined {
    execFileSync('chmod', ['-R', 'a-w,a+rX', this.home]);
    return process.getuid?.() === 0 ? 65534 : undefined;
  }

  [Symbol.dispose](): void {
    execFileSync('chmod', ['-R', 'u+w', this.#root]);
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Waits for a program's end and for all that it said. */
export function finished(child: ChildProcess): Promise<Run> {
  let said = '';
  const hear = (chunk: Buffer): void => {
    said += chunk.toString('utf8');
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, said }));
  });
}
