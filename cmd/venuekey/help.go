package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/local"
)

// help.go owns the help command, and the help topics: exit codes, environment, files.

func (p *program) helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]...",
		Short:   "Help about a command or a topic",
		Long:    "Show the help of a command, or a topic: exit-codes, environment or files.",
		Example: "  venuekey help token\n  venuekey help exit-codes",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, child := range about.Commands() {
				if strings.HasPrefix(child.Name(), typed) && !child.Hidden {
					names = append(names, child.Name()+"\t"+child.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return misused("venuekey --help", "%v", err)
			}
			if about.HasSubCommands() && len(rest) > 0 {
				return p.unknownCommand(about, rest)
			}
			return about.Help()
		},
	}
}

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `What the exit codes mean, for scripts and supervisors:

    0  success
    1  failure: something on this machine, or a record that cannot be read
    2  usage: an unknown command or flag, or an invalid ID
    3  a human must sign in: run the command after "try:"
    4  temporary: the same command may succeed later
    5  misconfigured: fix an app, an address or a setting first
    6  in doubt: an order may have been carried out; check before you send it
       again
  130  interrupted by Ctrl-C or SIGTERM

"venuekey exec" exits with the program's own code, 126 if the program cannot be
run, and 127 if it is not found. "venuekey status" uses 0, 3 and 4 for the
state, and with --check also for what is about to happen: see its help.
"venuekey doctor" exits with 0, 1 or 5.

An error is one line on standard error; a second line says what to try. With
--json it is one line of JSON on standard error: error, id, class, code (the
venue's error code), remedy, exit.`,
	}
}

func environmentTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "environment",
		Short: "The variables that venuekey reads",
		Long: `The variables that venuekey reads. They override what the vault holds.

  VENUEKEY_HOME             one folder for all files, see "venuekey help files"
  VENUEKEY_STORE            the vault, like --store: a file, or
                            postgres://user:password@host/database
  VENUEKEY_MACHINE          the name under which a venue's limits for a network
                            address are counted; the host's name if unset.
                            Containers behind one address share one
  VENUEKEY_AGENT            off: never ask an agent; require: never do without
  VENUEKEY_AGENT_SOCKET     the agent's socket, if it is at another place
  VENUEKEY_VENUES           the folder of your files that describe venues, in
                            place of "venues" beside the key
  VENUEKEY_KEY              file, keyring or passphrase: how to keep a new
                            vault's key
  VENUEKEY_PASSPHRASE       the passphrase, if the key is protected by one,
  VENUEKEY_PASSPHRASE_FILE  or a file that contains it
  VENUEKEY_BACKUP_PASSPHRASE
                            the passphrase of a backup or of exported keys, or
                            …_PASSPHRASE_FILE
  NO_COLOR                  no colours
  OTEL_EXPORTER_OTLP_ENDPOINT
                            where "venuekey agent" sends traces; the other
                            OTEL_… variables of OpenTelemetry count as well,
                            and OTEL_SDK_DISABLED=true ends it
  SSL_CERT_FILE             a file with the system's certificates, except on
                            macOS and Windows; for one venue, see …_CA_FILE
                            below

Each venue's app can be set here instead of in the vault. For ctrader, with a
client id or a secret at least:

  VENUEKEY_CTRADER_CLIENT_ID
  VENUEKEY_CTRADER_CLIENT_SECRET   or …_CLIENT_SECRET_FILE
  VENUEKEY_CTRADER_REDIRECT_URI    default ` + local.DefaultRedirect + `
  VENUEKEY_CTRADER_SCOPE           separated by spaces or commas
  VENUEKEY_CTRADER_ENVIRONMENT     live or demo, if the venue has both
  VENUEKEY_CTRADER_BASE_URL        scheme, host, port and base path of all of
                                   the venue's addresses
  VENUEKEY_CTRADER_PACE            minimum time between renewals, as in 100ms
  VENUEKEY_CTRADER_BURST           how many renewals may happen at once
  VENUEKEY_CTRADER_AUTHORIZE_URL   one address; also …_TOKEN_URL and any others
                                   that the venue has
  VENUEKEY_CTRADER_CA_FILE         certificates in PEM to trust for this venue,
                                   besides the system's

cTrader's Open API can be elsewhere too; "venuekey emulate" prints both:
  VENUEKEY_CTRADER_LIVE_ADDRESS    host:port instead of the live service's
  VENUEKEY_CTRADER_DEMO_ADDRESS    the same for demo

Fields that only one venue has can be set as well: VENUEKEY_TRADOVATE_CID, …_SEC
(or …_SEC_FILE), and the others that "venuekey app add --help" lists.

To keep a secret in a file, add _FILE to the variable's name; the file may be a
pipe. A file that belongs to neither you nor root, or that others may write to,
is refused. A file that every user can read causes a warning.

A new passphrase must have at least 8 characters.

Programs that venuekey starts, with "venuekey exec" and "venuekey run --hook",
get this environment without its secrets: no variable that holds a secret, a
password, a passphrase or a token, and no _FILE that names one; VENUEKEY_STORE
without its password; and no PGPASSWORD if the vault is in a database. A browser
gets none of venuekey's variables, and neither PGPASSWORD nor PGPASSFILE.

If a venue signs in with name and password, VENUEKEY_TRADOVATE_NAME and
VENUEKEY_TRADOVATE_PASSWORD (or …_PASSWORD_FILE) answer instead of a human. Set
a password there only for a service, and only where no one else can read it.`,
	}
}

func filesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "files",
		Short: "Where venuekey keeps its files",
		Long: `Where venuekey keeps its files. "venuekey doctor" shows the paths on this
machine.

            configuration and key                    vault
  Linux     ~/.config/venuekey                       ~/.local/share/venuekey
  macOS     ~/Library/Application Support/venuekey   the same
  Windows   %APPDATA%\venuekey                       %LOCALAPPDATA%\venuekey

On Linux, XDG_CONFIG_HOME and XDG_DATA_HOME apply. With VENUEKEY_HOME, all files
are in that one folder. Folders are created with mode 0700 and files with 0600.

As in sshd, a folder or file is refused if it belongs to another user who is not
root, and a folder also if others may write to it or to a folder above it. A
sticky folder such as /tmp may be above yours. Folders above the home folder are
not checked: in a container with a volume of mode 0777, create a folder of mode
0700 in it and set HOME to that. Under sudo the variables may still name your
folders, and to root those are another user's: run the command as yourself, or
give root a separate VENUEKEY_HOME. On Windows the access list of your profile
keeps a folder in it private, and owners are not checked.

key.json records how the key is kept; seal-*.key is the key if it is kept in a
file. vault.db holds apps and tokens, each sealed with the key; vault.db-wal and
vault.db-shm belong to it. The folder spill holds sealed renewed tokens that
could not be saved to the vault, and space reserved for them. If the vault's
disk accepts nothing at all, the folder spill next to the key is used, and then
XDG_RUNTIME_DIR, which a restart of the machine empties. Back up all of these,
and keep the key apart from the rest: neither is of use without the other.

The folder marks (on Linux in ~/.local/state/venuekey, or XDG_STATE_HOME)
records how far each sign-in was renewed. It holds no secret and needs no
backup. An older copy of the vault holds refresh tokens that are used up. If one
is restored, "status" and "doctor" say so, and no used token is presented to a
venue that would treat that as theft. Restore the newest copy, or sign in again.

The folder venues, next to the key, is for your own files that describe venues
("venuekey help venue").

The folder audit, beside marks, holds what this machine's agent noted about what
it did for whom: see "venuekey audit --help". The folder notify, beside it, has
warnings that have not arrived ("venuekey notify dead") and what was said. There
is no secret in either.`,
	}
}
