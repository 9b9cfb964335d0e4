package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/backup"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// backup_import.go owns the command that imports a backup, and opening sealed files.

type importFlags struct {
	identity string
	replace  bool
}

func (p *program) backupImportCmd() *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Import sign-ins and apps from a file that export wrote",
		Long: `Import sign-ins and apps from a backup, or with - from standard input. The whole
file is checked first; a wrong passphrase or a damaged file changes nothing.
What the vault already has is kept, unless you give --replace. --json lists what
was added, kept and replaced.

You are asked for the passphrase, or it comes from
VENUEKEY_BACKUP_PASSPHRASE_FILE or VENUEKEY_BACKUP_PASSPHRASE. A backup that is
sealed to a recipient opens with the identity in the file of --identity.

A refresh token works once: after an import on a second machine, only one of the
two may go on using it. Stop venuekey on the other one, or sign out there with
"venuekey logout", without --revoke, which would end the sign-in here too.

Import only what you exported. Anyone who knows a recipient can seal a file to
it, and an app says where tokens are sent. The addresses of imported apps are
printed: check them.`,
		Example: `  venuekey backup import sign-ins.age
  venuekey backup import sign-ins.age --identity key.txt
  venuekey backup import sign-ins.age --replace --json | jq .sign_ins`,
		Args:              oneFile,
		ValidArgsFunction: completeFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			read, err := p.openBackup(cmd, args[0], flags)
			if err == nil {
				err = p.importable(read)
			}
			if err != nil {
				return err
			}
			return p.withNewVault(cmd.Context(), func(v *local.Vault) error { return p.backupImport(cmd.Context(), v, read, flags.replace) })
		},
	}
	cmd.Flags().StringVar(&flags.identity, "identity", "", "open it with the age identity in this `FILE`")
	cmd.Flags().BoolVar(&flags.replace, "replace", false, "replace what the vault has with the backup")
	return cmd
}

// openBackup reads a whole backup.
func (p *program) openBackup(cmd *cobra.Command, path string, flags importFlags) (read backup.Backup, err error) {
	err = p.openSealed(cmd, path, "backup", flags, func(opened io.Reader) (err error) {
		read, err = backup.Read(opened)
		return err
	})
	return read, err
}

// openSealed opens an age file and calls read with its content. A file of keys need not be
// sealed.
func (p *program) openSealed(cmd *cobra.Command, path, what string, flags importFlags, read func(opened io.Reader) error) error {
	opener, err := p.openerOf(cmd, what, flags)
	if err != nil {
		return err
	}
	opener.What, opener.Plain = what, what != "backup"
	stream := p.stdin
	if path != "-" {
		file, closed, err := byname.Open(cmd.Context(), path)
		if err != nil {
			return backupFileError(err, "give the file that \"venuekey "+exportOf(what)+"\" wrote")
		}
		defer closed()
		stream = file
	} else if p.interactive() {
		return misused(cmd.CommandPath()+" - <FILE", "%s: a sealed file cannot be typed", cmd.CommandPath())
	}
	opened, err := opener.Open(cmd.Context(), stream)
	if err != nil {
		return openFlags(err, what)
	}
	return read(opened)
}

// exportOf is the command that writes such a file.
func exportOf(what string) string {
	if what == "backup" {
		return "backup export"
	}
	return "key export"
}

// openerOf returns what opens the file: an identity or a passphrase.
func (p *program) openerOf(cmd *cobra.Command, what string, flags importFlags) (backup.Opener, error) {
	if !cmd.Flags().Changed("identity") {
		return backup.WithPassphrase(func(ctx context.Context) (venuekey.Secret, error) { return p.oldBackupPassphrase(ctx, what) }), nil
	}
	file, closed, err := byname.Open(cmd.Context(), flags.identity)
	if err != nil {
		return backup.Opener{}, backupFileError(err, "name the file of the identity")
	}
	defer closed()
	opener, err := backup.WithIdentities(file)
	if err != nil { // which is not shown: it may repeat the content
		return opener, &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: flags.identity + " has no age identity", Remedy: "give the file that age-keygen wrote"}
	}
	return opener, nil
}

// openFlags adds the command or flag that helps to the error of a file that does not open.
func openFlags(err error, what string) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		return err
	}
	failed := *known
	switch {
	case errors.Is(err, backup.ErrNotSealed):
		failed.Remedy = "give the file that \"venuekey " + exportOf(what) + "\" wrote"
	case errors.Is(err, backup.ErrByPassphrase):
		failed.Remedy = "omit --identity"
	case errors.Is(err, backup.ErrToRecipient):
		failed.Remedy = "--identity FILE, with the identity of that recipient"
	}
	return &failed
}

// importable refuses a backup with something that this program does not know.
func (p *program) importable(read backup.Backup) error {
	for _, app := range read.Apps {
		if err := environ.CheckURLs(app, p.venues()); err != nil {
			return err
		}
	}
	return read.Check(p.venues())
}

// importedJSON is the result of an import.
type importedJSON struct {
	Made    string   `json:"made"`
	Apps    outcomes `json:"apps"`
	SignIns outcomes `json:"sign_ins"`
}

// outcomes lists what was added, kept and replaced.
type outcomes struct {
	Added    []string `json:"added"`
	Kept     []string `json:"kept"`
	Replaced []string `json:"replaced"`
}

// note records one outcome. there means that the vault had it, changed that it was imported.
func (o *outcomes) note(name string, there, changed bool) {
	switch {
	case !changed:
		o.Kept = append(o.Kept, name)
	case there:
		o.Replaced = append(o.Replaced, name)
	default:
		o.Added = append(o.Added, name)
	}
}

// changed counts those that were imported.
func (o *outcomes) changed() int { return len(o.Added) + len(o.Replaced) }

func (p *program) backupImport(ctx context.Context, v *local.Vault, read backup.Backup, replace bool) error {
	none := func() outcomes { return outcomes{[]string{}, []string{}, []string{}} }
	result := importedJSON{Made: exactly(read.Made), Apps: none(), SignIns: none()}
	if err := p.importAll(ctx, v, read, replace, &result); err != nil {
		if apps, signIns := result.Apps.changed(), result.SignIns.changed(); apps+signIns > 0 {
			p.tell("note: %s and %s were imported before the error; run the same command again to continue", several(apps, "app"), several(signIns, "sign-in"))
		}
		return err
	}
	if result.SignIns.changed() > 0 {
		p.tell("warning: a refresh token works once: only one machine may go on using these sign-ins\n" +
			"  try: stop venuekey on the other one, or there: venuekey logout ID (without --revoke)")
	}
	if len(result.Apps.Kept)+len(result.SignIns.Kept) > 0 {
		p.tell("note: what the vault already had was kept; --replace takes the backup's instead")
	}
	a, s := result.Apps, result.SignIns
	return p.say(result, "apps: %d added, %d kept, %d replaced\nsign-ins: %d added, %d kept, %d replaced",
		len(a.Added), len(a.Kept), len(a.Replaced), len(s.Added), len(s.Kept), len(s.Replaced))
}

func (p *program) importAll(ctx context.Context, v *local.Vault, read backup.Backup, replace bool, result *importedJSON) error {
	defer p.progress("")
	signIns := 0
	return read.Import(ctx, v.Keeper, backup.Options{Replace: replace, Each: func(o backup.Outcome) {
		if o.App != nil {
			if o.Changed {
				p.tellAddresses(*o.App)
			}
			result.Apps.note(o.ID.String(), o.There, o.Changed)
			return
		}
		if o.Newer && o.Changed {
			p.tell("note: %s: the replaced token was newer than the backup's, whose refresh token may be used up", o.ID)
		}
		result.SignIns.note(o.ID.String(), o.There, o.Changed)
		signIns++
		p.progress("%d of %d sign-ins", signIns, len(read.SignIns))
	}})
}

// tellAddresses prints where an app sends tokens, if not to the venue's own addresses: a
// stranger's backup could send them to the stranger.
func (p *program) tellAddresses(app venuekey.App) {
	var addresses []string
	for _, name := range slices.Sorted(maps.Keys(app.URLs)) {
		addresses = append(addresses, name+"="+app.URLs[name])
	}
	if len(addresses) > 0 {
		p.tell("note: the app for %s sends requests to: %s", app.Venue, strings.Join(addresses, " "))
	}
}
