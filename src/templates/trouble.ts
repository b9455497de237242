/** A template that is no template, or one that cannot be rendered with this data. */
export class TemplateError extends Error {
  /** `syntax` is the author's mistake, `render` comes with the data. */
  readonly kind: 'syntax' | 'render';
  /** `text`, `html`, `amp_html` or `Header:Subject`. */
  readonly part: string;
  /** Counted from 1. */
  readonly line: number;
  constructor(kind: TemplateError['kind'], part: string, line: number, message: string) {
    super(message);
    this.kind = kind;
    this.part = part;
    this.line = line;
  }
}
