package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/local"
)

// help.go owns the help command, and the pages that are about no single one.

func (p *program) helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]...",
		Short:   "Help about a command or a topic",
		Long:    "Show the help of a command, or a page about exit codes, the environment or files.",
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

    0  good
    1  failed: something on this machine, or a record that cannot be read
    2  wrong use: an unknown command or flag, an ID that is none
    3  a human must sign in: run the command after "try:"
    4  temporary: the same command may succeed later, by itself
    5  misconfigured: an app, an address or a setting has to be mended first
    6  in doubt: an order may stand; look before sending it again
  130  interrupted by Ctrl-C or SIGTERM

"venuekey exec" ends with the program's own code; with 126 where the program
cannot be run, and 127 where it is not found. "venuekey status" tells the state
with 0, 3 and 4, and with --check what is about to come too, see its help;
"venuekey doctor" ends with 0, 1 or 5.

An error is one line on standard error, and the next line says what to try. With
--json it is one line of JSON there: error, id, class, code (the venue's own
word), remedy, exit.`,
	}
}

func environmentTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "environment",
		Short: "The variables that venuekey reads",
		Long: `The variables that venuekey reads. What they say wins over the vault.

  VENUEKEY_HOME             one folder for all files, see "venuekey help files"
  VENUEKEY_STORE            the vault, as --store has it: a file, or
                            postgres://user:password@host/database
  VENUEKEY_KEY              file, keyring or passphrase: how the vault's key is
                            kept, where there is none yet
  VENUEKEY_PASSPHRASE       the passphrase, where the key is kept by one;
  VENUEKEY_PASSPHRASE_FILE  or the file that it stands in
  VENUEKEY_BACKUP_PASSPHRASE
                            the passphrase of a backup or of exported keys, or
                            …_PASSPHRASE_FILE
  NO_COLOR                  no colours
  SSL_CERT_FILE             where the system's certificates are in a file of
                            their own, except on macOS and Windows; for one
                            venue, see …_CA_FILE below

An app can be given for each venue, here for ctrader. With a client id or a
secret, nothing has to be kept in the vault:

  VENUEKEY_CTRADER_CLIENT_ID
  VENUEKEY_CTRADER_CLIENT_SECRET   or …_CLIENT_SECRET_FILE
  VENUEKEY_CTRADER_REDIRECT_URI    else ` + local.DefaultRedirect + `
  VENUEKEY_CTRADER_SCOPE           separated by spaces or commas
  VENUEKEY_CTRADER_ENVIRONMENT     live or demo, where the venue has both
  VENUEKEY_CTRADER_BASE_URL        scheme, host and port of all addresses, and
                                   the path that they lie below
  VENUEKEY_CTRADER_PACE            the least time between renewals, as in 100ms
  VENUEKEY_CTRADER_BURST           how many renewals may come at once
  VENUEKEY_CTRADER_AUTHORIZE_URL   one address; also …_TOKEN_URL and what else
                                   the venue has

  VENUEKEY_CTRADER_CA_FILE         certificates in PEM that requests to this
                                   venue trust beside the system's

Its Open API can be another one too, as "venuekey emulate" prints it:

  VENUEKEY_CTRADER_LIVE_ADDRESS    host:port in place of the live service's
  VENUEKEY_CTRADER_DEMO_ADDRESS    the same for demo

Each of a venue's own values can be given as well: VENUEKEY_TRADOVATE_CID, …_SEC
(or …_SEC_FILE), and what else "venuekey app add --help" lists.

For a secret in a file, add _FILE to the variable's name; the file may be a
pipe. One that belongs to neither you nor root, or that others may write to, is
refused, and one that every user can read draws a warning.

A new passphrase has at least 8 characters.

Programs that venuekey starts, by "venuekey exec" and "venuekey run --hook", get
this environment without its secrets: no variable that holds a secret, a
password, a passphrase or a token, and no _FILE that leads to one;
VENUEKEY_STORE without its password; and no PGPASSWORD if the vault is in a
database. A browser gets no variable of venuekey's, and neither PGPASSWORD nor
PGPASSFILE.

Where a venue signs in by name and password, VENUEKEY_TRADOVATE_NAME and
VENUEKEY_TRADOVATE_PASSWORD (or …_PASSWORD_FILE) answer in place of a human.
Keep a password there for a service only, and only where nobody else reads it.`,
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

XDG_CONFIG_HOME and XDG_DATA_HOME count on Linux. With VENUEKEY_HOME all lies in
that one folder. Folders are made with mode 0700 and files with 0600.

As in sshd, a folder or file of another user's is refused, unless that user is
root, and so is a folder that others may write to, or that lies in one. A sticky
folder such as /tmp may lie above yours. What lies above the home folder is not
looked at: in a container with a volume of mode 0777, make a folder of mode 0700
in it and let HOME name that. Under sudo the variables may still name your own
folders, which for root are another user's: run the command as yourself, or give
root a VENUEKEY_HOME of its own. On Windows the access list of
your profile keeps a folder in it private, and owners are not checked.

key.json remembers how the key is kept, and seal-*.key is the key where it is
kept in a file. vault.db holds apps and tokens, each sealed with the key;
vault.db-wal and vault.db-shm belong to it. In the folder spill a renewed token
waits, sealed, that the vault file refused; beside it lies space that is kept
free for that. Where the vault's disk takes nothing at all, the folder spill
beside the key is used, and then XDG_RUNTIME_DIR, which a restart of the machine
empties. Back all of it up, and keep the key apart from the rest: one without
the other is of no use.

The folder marks (on Linux in ~/.local/state/venuekey, or XDG_STATE_HOME)
remembers how far each sign-in was renewed. It holds no secret and needs no
backup. An older copy of the vault holds refresh tokens that are used up: when
one is put back, "status" and "doctor" say so, and nothing is presented where a
venue would take it for theft. Put the newest copy back, or sign in again.`,
	}
}
