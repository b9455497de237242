import type { Place } from './option.ts';

export interface ConfigErrorDetail {
  readonly place?: Place | undefined;
  readonly near?: string | undefined;
  readonly capability?: string | undefined;
  /** The last line of Momentum's form, where it is not the message. */
  readonly consoleText?: string;
  /** The name that was most likely meant. */
  readonly suggestion?: string | undefined;
  readonly cause?: unknown;
}

const UNKNOWN_CAPABILITY = 'CFG-07961';

/** One thing that is wrong in a configuration, or the reason why a commit was vetoed. */
export class ConfigError extends Error {
  readonly place: Place | undefined;
  /** The offending text, as Momentum's form of the message quotes it. */
  readonly near: string | undefined;
  /** Path of the scope, when a name is unknown there. */
  readonly capability: string | undefined;
  readonly suggestion: string | undefined;
  readonly #consoleText: string;

  constructor(message: string, detail: ConfigErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.place = detail.place;
    this.near = detail.near;
    this.capability = detail.capability;
    this.suggestion = detail.suggestion;
    this.#consoleText = detail.consoleText ?? message;
  }

  /** Momentum's code of the message, where it has one. */
  get code(): string | undefined {
    return this.capability === undefined ? undefined : UNKNOWN_CAPABILITY;
  }

  /** `FILE:LINE:COLUMN: error: TEXT`, the form of `impetus check`. */
  get checkLine(): string {
    return oneLine(this.place ? `${placeText(this.place)}: error: ${this.message}` : `error: ${this.message}`);
  }

  /** Momentum's form, as the console and `validate_config` print it. */
  get consoleLines(): readonly string[] {
    const lines: string[] = [];
    if (this.capability !== undefined)
      lines.push(`${UNKNOWN_CAPABILITY} No module provides capability 'config.${this.capability}'.`);
    if (this.place) {
      const near = this.near === undefined ? '' : ` near '${this.near}'`;
      lines.push(`Syntax error in ${this.place.file} at line ${this.place.line}${near}`);
    }
    lines.push(this.#consoleText);
    return lines.map(oneLine);
  }
}

/** All that is wrong at once; nothing was changed. */
export class ConfigErrors extends Error {
  readonly errors: readonly ConfigError[];
  /** `not found`: there is no configuration at all. */
  readonly reason: 'invalid' | 'not found';
  /** What was worth knowing besides. */
  readonly notices: readonly Notice[];

  constructor(
    errors: readonly ConfigError[],
    reason: 'invalid' | 'not found' = 'invalid',
    notices: readonly Notice[] = [],
  ) {
    super(errors.map((error) => error.checkLine).join('\n'));
    this.errors = errors;
    this.reason = reason;
    this.notices = notices;
  }

  /** One line for each error. */
  get checkLines(): readonly string[] {
    return this.errors.map((error) => error.checkLine);
  }

  /** Momentum's form, ending in `Reconfigure failed.` */
  get consoleLines(): readonly string[] {
    return [...this.errors.flatMap((error) => error.consoleLines), 'Reconfigure failed.'];
  }
}

/** What is worth knowing and stops nothing. */
export class Notice {
  readonly kind: 'warning' | 'not implemented yet';
  readonly place: Place;
  readonly text: string;

  constructor(kind: Notice['kind'], place: Place, text: string) {
    this.kind = kind;
    this.place = place;
    this.text = text;
  }

  /** `FILE:LINE:COLUMN: warning: TEXT`, or `… not implemented yet: TEXT`, as `impetus check` prints it. */
  get line(): string {
    return oneLine(`${placeText(this.place)}: ${this.kind}: ${this.text}`);
  }
}

/** What is accepted but not served yet. */
export class NotImplemented extends Notice {
  /** The option or stanza, lower case. */
  readonly name: string;
  /** Type of the scope it stands in. */
  readonly scope: string;

  /** @param text `TLS_Key in Listen` */
  constructor(place: Place, name: string, scope: string, text: string) {
    super('not implemented yet', place, text);
    this.name = name;
    this.scope = scope;
  }
}

/** A warning of a pedantic check: legal, and most likely not what was meant. */
export class LintWarning extends Notice {
  /** The rule's id, as docs/checking.md has it: `open-relay`. */
  readonly rule: string;
  /** What to write instead, where that is known. */
  readonly suggestion: string | undefined;

  constructor(rule: string, place: Place, text: string, suggestion: string | undefined) {
    super('warning', place, text);
    this.rule = rule;
    this.suggestion = suggestion;
  }

  /** With the rule's id behind it. */
  override get line(): string {
    const hint = this.suggestion === undefined ? '' : `; write ${this.suggestion}`;
    return oneLine(`${super.line}${hint} [${this.rule}]`);
  }
}

/** What is quoted from a file may hold anything: it must neither break the line nor command the terminal. */
function oneLine(text: string): string {
  const shown = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}...` : text;
  return shown.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) =>
    char === '\n' ? '\\n' : char === '\t' ? '\\t' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

const LONGEST_LINE = 2000;

export function placeText(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}
