/** How names end, of options and parameters, whose value nobody but the file's owner should read. */
export const SECRET_NAMES = '(?:pass|passwd|password|bindpw|secret|token)';
const SECRET_NAME = new RegExp(`${SECRET_NAMES}$`, 'i');
/** `pgsql:…;password=…`: a quote may hide where the value ends, so all that follows is hidden. */
const PARAMETER = new RegExp(`(${SECRET_NAMES}\\s*=\\s*)\\S.*$`, 'is');
/** `redis://:password@host` */
const USER_INFO = /(:\/\/[^/@\s:'"]*:)[^\s'"]*@/g;

/** A value as errors and logs may show it: passwords in the URLs and parameters of stores are hidden. */
export const concealed = (text: string): string => text.replace(PARAMETER, '$1***').replace(USER_INFO, '$1***@');

/** The same for the value of a named option, which may be a secret as a whole. */
export const concealedValue = (name: string, text: string): string =>
  SECRET_NAME.test(name) ? '***' : concealed(text);
