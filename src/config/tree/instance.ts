import { cidrText, endpointText, parseCidr, parseDomain, parseEndpoint } from '../../base/index.ts';
import { type PatternHost, type Place, ValueError } from '../option.ts';
import { compilePattern, type Pattern, unboundedText } from '../patterns/pattern.ts';

/** The name of a stanza in the one spelling by which it is found again. */
export interface Instance {
  readonly name: string;
  /** Of `/regex/` instances. */
  readonly pattern: Pattern | undefined;
  /** Accepted, but worth saying. */
  readonly notice: string | undefined;
}

/**
 * @param type of the stanza, lower case
 * @param place where it stands, for who must be told that a pattern gave up
 * @throws ValueError with a whole sentence
 */
export function canonicalInstance(type: string, text: string, place?: Place, host?: PatternHost): Instance {
  switch (type) {
    case 'domain':
    case 'host':
      return domainInstance(type, text, place, host);
    case 'listen':
      return plain(endpointInstance(text));
    case 'peer':
      return peerInstance(text);
    case 'binding':
    case 'binding_group':
      return plain(bindingInstance(type, text));
    case 'threadpool':
    case 'eventloop':
      return plain(text.toLowerCase());
    default:
      if (text === '') throw new ValueError(`the name of this ${type} is empty`);
      return plain(text);
  }
}

/** @returns whether an instance of a domain or host is a regular expression */
export function isPattern(text: string): boolean {
  return text.length > 2 && text.startsWith('/') && text.endsWith('/');
}

const plain = (name: string): Instance => ({ name, pattern: undefined, notice: undefined });

function domainInstance(type: string, text: string, place: Place | undefined, host: PatternHost | undefined): Instance {
  if (isPattern(text)) {
    try {
      const pattern = compilePattern(text.slice(1, -1), { ignoreCase: true, place, host });
      const notice = pattern.unbounded ? `${type} "${text}": ${unboundedText(pattern)}` : undefined;
      return { name: text, pattern, notice };
    } catch (error) {
      if (error instanceof ValueError)
        throw new ValueError(`${type} "${text}": expected ${error.message}`, { cause: error });
      throw error;
    }
  }
  const name = parseDomain(text);
  if (name === undefined) throw new ValueError(`${type} "${text}": not a domain name, an address literal or a /regex/`);
  return plain(name);
}

function endpointInstance(text: string): string {
  const endpoint = parseEndpoint(text);
  if (endpoint.kind === 'error') throw new ValueError(`Listen "${text}": ${endpoint.text}`);
  return endpointText(endpoint);
}

function peerInstance(text: string): Instance {
  const cidr = parseCidr(text);
  if (!cidr) throw new ValueError(`Peer "${text}": not an address or a block as 10.0.0.0/8`);
  const name = cidrText(cidr);
  return {
    name,
    pattern: undefined,
    notice: cidr.hostBits ? `Peer "${text}": bits behind the prefix are ignored, it means ${name}` : undefined,
  };
}

function bindingInstance(type: string, text: string): string {
  const wrong =
    text === ''
      ? 'is empty'
      : /\s/.test(text)
        ? 'holds a blank'
        : type === 'binding' && text.includes(':')
          ? "holds a ':'"
          : type === 'binding' && text.startsWith('#')
            ? "begins with '#'"
            : undefined;
  if (wrong !== undefined) throw new ValueError(`the name of the ${type} "${text}" ${wrong}`);
  return text;
}
