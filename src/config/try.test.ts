import { test } from 'vitest';
import { configured } from '../../test/support/configuration.ts';
import { declaredOptions, } from '../main/declared.ts';
import { configCommand, configSession } from './index.ts';
const S = `
Max_Outbound_Connections = 50
Message_Expiration = 400
Relay_Hosts = ( 127.0.0.1 )
Domain "mx.test" { Max_Outbound_Connections = 40  Message_Expiration = 90 }
Domain "/(^|[.])test$/" { Max_Outbound_Connections = 7  Max_Deliveries_Per_Connection = 3 }
Domain "/mx/" { Max_Deliveries_Per_Connection = 9  Idle_Timeout = 11 }
Binding "solo" { Message_Expiration = 200  Domain "mx.test" { Idle_Timeout = 12 } }
Binding_Group "g" { Binding "gb" { } Host "in.mx.test" { Max_Outbound_Connections = 2 } }
ec_logger { mainlog = "/x" }
Pathway_Group "pg" { Idle_Time = 31  Max_Message_Size = 5000
  Pathway "inner" { Max_Message_Size = 6000 } }
ESMTP_Listener {
  Listener_Sessions = 100
  Peer "10.0.0.0/8"  { Listener_Sessions = 40  Relay_Hosts = ( 10.0.0.0/8 ) }
  Peer "10.1.0.0/16" { Idle_Time = 5 }
  Peer "0.0.0.0/0"   { Listener_Sessions = 20  Pathway = "inner" }
  Listen "*:25"  { Listener_Sessions = 70  Peer "10.0.0.0/8" { Banner_Hostname = "a" } }
}
`;
test('try', async () => {
  const { configuration } = await configured(S, declaredOptions, ['ec_logger','bounce_logger']);
  const session = configSession({ who: 'console /run/x' });
  for (const line of ['explain domain mx.test max_outbound_connections', 'explain binding gb domain a.test max_deliveries_per_connection', 'explain esmtp_listener listen :25 peer 10.1.2.3 listener_sessions', 'explain esmtp_listener listen :25 peer 10.1.2.3 max_message_size','explain binding_group g binding gb host in.mx.test max_outbound_connections', 'explain ec_logger mainlog', 'explain spoolbase', 'set spoolbase /q', 'explain spoolbase', 'explain binding_group g message_expiration', 'explain domain "/mx/" idle_timeout', 'explain gateway', 'explain pathway inner idle_time', 'explain domain a.test retry_interval foo']) {
    const { lines } = await configCommand(configuration, session, line);
    console.log(`> config ${line}\n${lines.join('\n')}\n`);
  }
});
