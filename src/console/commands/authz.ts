import type { Call, Command, Output } from '../command.ts';

/** Who the caller is, and which roles there are (manual pages authz id, authz roles list). */
export const authzId: Command = {
  words: 'authz id',
  summary: 'who you are, and your roles, as XML',
  usage: 'authz id',
  isXml: true,
  *run({ rest, caller }): Output {
    if (rest.length > 0) return 'not understood';
    yield `<AuthzInformation username="${attribute(caller.user)}">\n`;
    yield '  <Roles>\n';
    for (const role of caller.roles ?? []) yield `    <Role name="${attribute(role)}"/>\n`;
    yield '  </Roles>\n';
    yield '</AuthzInformation>\n';
    return 'ok';
  },
  json: ({ rest, caller }) => (rest.length > 0 ? undefined : { username: caller.user, roles: caller.roles ?? [] }),
};

export const authzRolesList: Command = {
  words: 'authz roles list',
  summary: 'all roles: groups, and Role stanzas, as XML',
  usage: 'authz roles list',
  isXml: true,
  *run(call): Output {
    if (call.rest.length > 0) return 'not understood';
    yield '<Roles>\n';
    for (const role of allRoles(call)) yield ` <Role name="${attribute(role)}"/>\n`;
    yield '</Roles>\n';
    return 'ok';
  },
  json: (call) => (call.rest.length > 0 ? undefined : { roles: allRoles(call) }),
};

/** Groups first, in the order of their file. */
function allRoles({ house, caller }: Call): readonly string[] {
  const { current } = house.configuration;
  return [...new Set([...caller.groups, ...current.instances('role', 'authorization')])];
}

const attribute = (text: string): string => text.replaceAll(/[&<>"]/g, (letter) => `&#${letter.codePointAt(0)};`);
