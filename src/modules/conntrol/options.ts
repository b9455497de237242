import { duration, option, optional, text, ValueError, type ValueType } from '../../config/index.ts';
import { type Reply, reply } from '../../smtp/index.ts';

const scope = 'conntrol';

/** @returns the lines of a text, whatever ends them */
const linesOf = (written: string): readonly string[] => written.replace(/(?:\r\n?|\n)+$/, '').split(/\r\n?|\n/);

/** Lines that begin a greeting: a client that has read them must wait for more. */
const preface: ValueType<readonly string[]> = {
  title: 'lines that begin with 220-, with which a greeting goes on',
  shape: { kind: 'text' },
  examples: ['"220-Welcome"'],
  read(raw) {
    const lines = linesOf(text.read(raw));
    if (!lines.every((line) => /^220-[\x20-\x7e]*$/.test(line) && line.length <= 510))
      throw new ValueError(preface.title);
    return lines;
  },
};

/** A reply that ends a session, word for word. */
const refusal: ValueType<Reply> = {
  title: 'an SMTP reply with a code from 400 to 599, such as 421 wait for the greeting',
  shape: { kind: 'text' },
  examples: ['"421 mx.example.com service denied"'],
  read(raw) {
    const lines = linesOf(text.read(raw)).map((line) => /^([45][0-9]{2})([ -])([\x20-\x7e]*)$/.exec(line));
    const code = lines[0]?.[1];
    const whole = lines.every(
      (line, index) => line?.[1] === code && line?.[2] === (index === lines.length - 1 ? ' ' : '-'),
    );
    if (code === undefined || !whole || lines.some((line) => (line?.[0].length ?? 0) > 510))
      throw new ValueError(refusal.title);
    // The code of RFC 3463 is part of the text: it is said as it is written, whatever SMTP_Extensions lists.
    return reply(Number(code), undefined, lines.map((line) => line?.[3]).join('\n'));
  },
};

export const banner = option('banner', optional(preface), { scope });
export const pauseTime = option('pause_time', optional(duration), { scope });
export const disconnectRatware = option('disconnect_ratware', optional(refusal), { scope });

export const conntrolOptions = [banner, pauseTime, disconnectRatware];
