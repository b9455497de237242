/** Where the quickstart keeps things, all below one folder. */
export interface QuickstartPlaces {
  /** The folder, `var` of a checkout. */
  readonly root: string;
  readonly configuration: string;
  readonly control: string;
  /** Names and passwords of those who send with a login, for `file://`. */
  readonly users: string;
  readonly mailPort: number;
  readonly sinkPort: number;
  readonly httpPort: number;
  readonly streamPort: number;
}

/** Linux takes 107 bytes for the path of a Unix socket (sun_path). */
const LONGEST_SOCKET = 107;

/** @param fallback  a short folder for the socket, when the path below `root` would be too long for one */
export function quickstartPlaces(root: string, fallback: string): QuickstartPlaces {
  const near = `${root}/control`;
  return {
    root,
    configuration: `${root}/impetus.conf`,
    control: Buffer.byteLength(near) <= LONGEST_SOCKET ? near : `${fallback}/control`,
    users: `${root}/users`,
    mailPort: 2525,
    sinkPort: 2526,
    httpPort: 2081,
    streamPort: 1825,
  };
}

/** The configuration that a first `npm start` writes; from then on it belongs to the operator. */
export function quickstartConfiguration(places: QuickstartPlaces): string {
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
  return `# Impetus, quickstart. Written once, yours from now on: change it, then
#   bin/impetus check -c var/impetus.conf      says whether it is right,
#   bin/ec_console reload                      (or SIGHUP) applies it.

Spoolbase = ${quoted(`${places.root}/spool`)}

# Who may send through us to anywhere: this machine.
Relay_Hosts = ( 127.0.0.0/8 "::1" )

# Nothing leaves the machine: every domain is delivered to the embedded sink,
# which behaves as the recipient's local part says (accept, defer, refuse,
# slow, drop, busy, grey). Take this line out to deliver to the real world.
Routes = ( "smtp://127.0.0.1?port=${places.sinkPort}" )

# Deferred mail is tried again soon, so that there is something to see.
Retry_Interval = 20
Message_Expiration = 600

# Mail by SMTP; with a name and a password of that file for programs that send them.
ESMTP_Listener {
  SMTP_Extensions = ( ENHANCEDSTATUSCODES "AUTH PLAIN" "AUTH LOGIN" )
  AuthPlainParameters = [ uri = ${quoted(`file://${places.users}`)} ]
  AuthLoginParameters = [ uri = ${quoted(`file://${places.users}`)} ]
  Listen "127.0.0.1:${places.mailPort}" { }
}

Control_Listener {
  Listen ${quoted(places.control)} { File_Mode = 0600 }
}

# Mail from programs of your own, fast: docs/ecstream.md.
ECStream_Listener {
  Listen "127.0.0.1:${places.streamPort}" { }
}

# Probes, statistics, metrics, and mail by HTTP: curl http://127.0.0.1:${places.httpPort}/stats/summary
API_Key_File = ${quoted(`${places.root}/api-keys.json`)}
API_Store_File = ${quoted(`${places.root}/api.db`)}
HTTP_Listener {
  Listen "127.0.0.1:${places.httpPort}" { }
}

ec_logger {
  mainlog = ${quoted(`${places.root}/log/mainlog.ec`)}
  rejectlog = ${quoted(`${places.root}/log/rejectlog.ec`)}
  paniclog = ${quoted(`${places.root}/log/paniclog.ec`)}
  acctlog = ${quoted(`${places.root}/log/acctlog.ec`)}
}
bounce_logger {
  bouncelog = ${quoted(`${places.root}/log/bouncelog.ec`)}
}
`;
}
