import { describe, expect, test } from 'vitest';
import { endpoint, entered, type Ground, ground, parameters } from '../../test/support/console/login-ground.ts';
import { readStoreAddress } from '../auth/index.ts';

describe('what each may do', () => {
  async function roles(): Promise<Ground> {
    const served = await ground({
      enable_authorization: true,
      authorizationparameters: { store: readStoreAddress('groups:///g') },
    });
    served.house.disk.put('/g', 'admin:fred,ann\nroot:ann\n');
    Object.assign(served.house.roles, { fred: [/^pid$/], admin: [/^config/, /^summary$/], root: [/./], '': [/./] });
    return served;
  }

  test('the user’s own role and those of his groups allow; everything else is refused and accounted', async () => {
    const served = await roles();
    const peer = await entered(served);
    const refused = ['output Not Authorized for this command\n', 'end 5'];
    expect(await peer.says('pid')).toEqual(['output 4711\n', 'end 0']);
    expect((await peer.says('config get X')).at(-1)).toBe('end 0');
    expect((await peer.says('json summary')).at(-1)).toBe('end 0');
    expect(await peer.says('summary reset')).toEqual(refused);
    expect(await peer.says('shutdown')).toEqual(refused);
    expect(served.house.shutdowns).toEqual([]);
    for (const line of ['help', 'help pid', 'authz id']) expect((await peer.says(line)).at(-1)).toBe('end 0');
    expect(
      served.accounts.filter(({ type }) => type === 'Z').map((each) => [each.command, each.result, each.role]),
    ).toEqual([
      ['pid', 1, 'fred'],
      ['config get X', 1, 'admin'],
      ['json summary', 1, 'admin'],
      ['summary reset', 0, undefined],
      ['shutdown', 0, undefined],
      ['help', 1, undefined],
      ['help pid', 1, undefined],
      ['authz id', 1, undefined],
    ]);
  });

  test('blanks, quotes and prefixes do not lead past a pattern', async () => {
    const served = await roles();
    Object.assign(served.house.roles, { fred: [/^(?!shutdown|summary|config set)/], admin: [] });
    const peer = await entered(served);
    for (const line of [
      '  shutdown',
      'json  shutdown',
      'xml shutdown',
      'json config   set X',
      'config\tset X y',
      '"json" summary',
    ])
      expect((await peer.says(line)).at(-1), line).toMatch(/^end [25]$/);
    for (const line of ['config SET X y', 'config "set" X y', 'json config Set X y', "config set'' X y"])
      expect((await peer.says(line)).at(-1), line).toMatch(/^end [25]$/);
    expect((await peer.says('config GET X')).at(-1)).toBe('end 0');
    expect(served.house.configLines.splice(0)).toHaveLength(1);
    // A quoted word is no command.
    expect(await peer.says('"shutdown"')).toEqual(['output shutdown command not understood\n', 'end 2']);
    expect(served.house.shutdowns).toEqual([]);
    expect(served.house.configLines).toEqual([]);
  });

  test('a groups file that is broken is an error, not a yes; what the user’s own role allows still holds', async () => {
    const served = await roles();
    served.house.disk.put('/g', 'a:b:c:d');
    const peer = await entered(served);
    expect((await peer.says('pid')).at(-1)).toBe('end 0');
    expect((await peer.says('summary')).at(-1)).toBe('end 5');
    expect(served.accounts.at(-1)).toMatchObject({ type: 'Z', result: -1, command: 'summary' });
  });

  test('what a commit takes away is taken from consoles that are open', async () => {
    const served = await roles();
    const peer = await entered(served);
    expect((await peer.says('pid')).at(-1)).toBe('end 0');
    served.house.roles.fred = [];
    expect((await peer.says('pid')).at(-1)).toBe('end 5');
  });

  test('authz tells who one is and what roles there are, as XML and as JSON', async () => {
    const served = await ground({ authorizationparameters: { store: readStoreAddress('groups:///g') } });
    served.house.disk.put('/g', 'users:fred\nadm"<in:ann\n');
    served.house.roles.extra = [];
    const peer = await entered(served);
    const id =
      '<AuthzInformation username="fred">\n  <Roles>\n    <Role name="users"/>\n  </Roles>\n</AuthzInformation>\n';
    expect(await peer.says('authz id')).toEqual([`output ${id}`, 'end 0']);
    expect(await peer.says('xml authz id')).toEqual([`output ${id}`, 'end 0']);
    expect((await peer.says('authz roles list')).join()).toContain(
      '<Roles>\n <Role name="users"/>\n <Role name="adm&#34;&#60;in"/>\n <Role name="extra"/>\n</Roles>\n',
    );
    const [json = ''] = await peer.says('json authz roles list');
    expect(JSON.parse(json.replace('output ', ''))).toEqual({ roles: ['users', 'adm"<in', 'extra'] });
  });

  test('a password that is set does not get into the logs', async () => {
    const served = await roles();
    const peer = await entered(served);
    await peer.says('config set Domain "a.b" Outbound_SMTP_Auth_Pass = hunter2', 'config set x_token "hunter2 3"');
    expect(JSON.stringify([served.accounts, served.told])).not.toContain('hunter2');
    expect(served.accounts.at(-2)?.command).toBe('config set Domain "a.b" Outbound_SMTP_Auth_Pass = ***');
    await peer.says(
      'json config set Outbound_SMTP_Auth_Pass = hunter2',
      'xml  config set Outbound_SMTP_Auth_Pass hunter2',
    );
    await peer.says('config set Datasource "d" uri = ( "postgresql://u:hunter2@db/mail" "redis://:hunter2@h/0" )');
    expect(JSON.stringify([served.accounts, served.told])).not.toContain('hunter2');
    expect(served.accounts.at(-1)?.command).toBe(
      'config set Datasource "d" uri = ( "postgresql://u:***@db/mail" "redis://:***@h/0" )',
    );
    await peer.says('config set Datasource "d" uri = ( "ldap:host=x;bindpw=hunter2" )');
    expect(JSON.stringify([served.accounts, served.told])).not.toContain('hunter2');
  });

  test('over TCP logins and commands are accounted only where that is asked for; over Unix sockets always', async () => {
    const quiet = {
      authdigestmd5parameters: undefined,
      authloginparameters: parameters('digest:///etc/passwords', false),
    };
    const tcp = await ground(quiet);
    await (await entered(tcp)).says('pid');
    expect(tcp.accounts).toEqual([]);
    const unix = await ground({ ...quiet, enable_authentication: true }, endpoint('/run/x'));
    await (await entered(unix)).says('pid');
    expect(unix.accounts.map(({ type, user, peer }) => [type, user, peer])).toEqual([
      ['N', 'fred', ''],
      ['Z', 'fred', ''],
    ]);
  });
});
