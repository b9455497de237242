/** What a transmission can be refused for, by the codes of spec/http-api 3. */
export type TroubleCode =
  | '1300'
  | '1301'
  | '1400'
  | '1502'
  | '1602'
  | '1600'
  | '1603'
  | '1901'
  | '1902'
  | '2002'
  | '2003'
  | '2004'
  | '2005'
  | '2006'
  | '3000'
  | '3001'
  | '3002'
  | '3010'
  | '3020'
  | '3030'
  | '5001'
  | '5002';

/** A request that cannot be served as it is; the message is for whoever sent it. */
export class Trouble extends Error {
  readonly code: TroubleCode;
  readonly part: string | undefined;
  readonly line: number | undefined;
  constructor(code: TroubleCode, message: string, where: { readonly part?: string; readonly line?: number } = {}) {
    super(message);
    this.code = code;
    this.part = where.part;
    this.line = where.line;
  }
}
