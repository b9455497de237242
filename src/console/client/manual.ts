/** `ec_console --help`. */
export const help = `usage: ec_console [--json] [--timeout SECONDS] [--password-file FILE] [ENDPOINT] [COMMAND …]
       ec_console --man | --help | --version

ENDPOINT is /path, [user@]address:port or ssh://user@host/user@address:port;
without one it is $CONTROL, or else /run/impetus/2025.
Without COMMAND, commands are read from the terminal or from standard input.
`;

/** `ec_console --man`. */
export const manual = `NAME
    ec_console - talk to a running server

SYNOPSIS
    ec_console [--json] [--timeout SECONDS] [--password-file FILE] [ENDPOINT]
               [COMMAND …]

DESCRIPTION
    With a COMMAND it is run and its output printed. Without one, a terminal gets
    a prompt with editing, history and completion (Tab); anything else on standard
    input is read as a batch: one command a line, a backslash at the end continues
    a line, blank lines and lines that begin with # are skipped. Every command of
    a batch is run, also after one that failed.

    Words are split at blanks; "…" keeps them together, \\" stands for a quote.
    Values of config set are written as in the configuration file.
    json before a command gives its result as JSON, where there is one.

ENDPOINT
    /path, ./path       a Unix socket
    user@address:port   over TCP; an IPv6 address stands in [ ]. Without user@ it
                        is $USER who logs in
    ssh://user@host[:port]/user@address:port
                        ssh -W makes the connection: ssh goes to the host, and from
                        there to the address; without one to 127.0.0.1:2025

    Without an argument: $CONTROL, else /run/impetus/2025.

LOGGING IN
    The server says whether it wants a login. The password is asked for at the
    keyboard and not shown; for a batch it is the first line of --password-file,
    or the value of $EC_CONSOLE_PASSWORD. Passwords do not belong into an endpoint.
    SCRAM-SHA-256 is used where the server has it, else DIGEST-MD5, else LOGIN.
    Over a Unix socket the server may ask which user of the system you are: then
    a directory is made below /tmp, and removed at once.

AT THE PROMPT
    help [COMMAND]      what there is
    help option NAME    an option of the configuration; also help scope, help module
    \\pager              long output through $PAGER, or less -FRX; off at first
    quit                leave, as does the end of file; Ctrl-C stops a command

OPTIONS
    --json              as if json stood before every command
    --password-file FILE   the password is its first line
    --timeout SECONDS   how long the server may be silent while it works; 60

EXIT STATUS
    0 ok   1 a command failed   2 usage   3 cannot connect   4 login failed
    5 not authorized   6 timeout
    Of a batch it is that of the first command that failed.
`;
