import { type CheckResult, type ConfigError, LintWarning, type Notice } from '../config/index.ts';

/** Where something stands; null where it stands nowhere, as with a file that is missing. */
interface PlaceShape {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/** What `--json` prints: one object on one line. Members are added to it, and none taken away. */
export interface ReportShape {
  /** Whether a server would start with it. */
  readonly valid: boolean;
  readonly errors: readonly (PlaceShape & {
    readonly message: string;
    /** The text that the message is about; null where there is none. */
    readonly near: string | null;
    /** The name that was most likely meant. */
    readonly suggestion?: string;
    /** Momentum's code. */
    readonly code?: string;
  })[];
  readonly warnings: readonly (PlaceShape & {
    readonly message: string;
    /** Of `--pedantic`: the rule's id. */
    readonly rule?: string;
    readonly suggestion?: string;
  })[];
  readonly notImplemented: readonly (PlaceShape & {
    readonly message: string;
    /** The option or stanza, and the type of the scope that it stands in; lower case. */
    readonly name: string;
    readonly scope: string;
  })[];
}

export function report(result: CheckResult): ReportShape {
  return {
    valid: result.outcome === 'valid',
    errors: result.errors.map(errorShape),
    warnings: result.warnings.map(warningShape),
    notImplemented: result.notImplemented.map((each) => ({
      ...placeShape(each.place),
      message: each.text,
      name: each.name,
      scope: each.scope,
    })),
  };
}

function errorShape(error: ConfigError): ReportShape['errors'][number] {
  return {
    ...placeShape(error.place),
    message: error.message,
    near: error.near ?? null,
    ...(error.suggestion === undefined ? {} : { suggestion: error.suggestion }),
    ...(error.code === undefined ? {} : { code: error.code }),
  };
}

function warningShape(notice: Notice): ReportShape['warnings'][number] {
  const lint = notice instanceof LintWarning ? notice : undefined;
  return {
    ...placeShape(notice.place),
    message: notice.text,
    ...(lint === undefined ? {} : { rule: lint.rule }),
    ...(lint?.suggestion === undefined ? {} : { suggestion: lint.suggestion }),
  };
}

function placeShape(place: { file: string; line: number; column: number } | undefined): PlaceShape {
  return { file: place?.file ?? null, line: place?.line ?? null, column: place?.column ?? null };
}
