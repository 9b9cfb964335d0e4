package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	agefile "filippo.io/age"
	"filippo.io/age/armor"
	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
)

// backup_import.go owns how a backup gets into the vault: read to its end first,
// so that a bad one changes nothing.

type importFlags struct {
	identity string
	replace  bool
}

func (p *program) backupImportCmd() *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take sign-ins and apps from a file that export wrote",
		Long: `Take sign-ins and apps from a backup, or with - from standard input. The whole
file is checked first; a wrong passphrase or a damaged file changes nothing.
What the vault holds already is kept, unless --replace is given. --json lists
what was added, kept and replaced.

A passphrase is asked for, or comes from VENUEKEY_BACKUP_PASSPHRASE_FILE or
VENUEKEY_BACKUP_PASSPHRASE. A backup that is sealed to a recipient is opened
with the file of its identity.

A refresh token works once: after an import on a second machine only one of the
two may go on using it. Stop venuekey on the other one, or sign out there with
"venuekey logout", without --revoke, which would end the sign-in here too.

Import what you exported. Anybody who knows a recipient can seal a file to it,
and an app says where tokens are sent: the addresses that it brings are printed.`,
		Example: `  venuekey backup import sign-ins.age
  venuekey backup import sign-ins.age --identity key.txt
  venuekey backup import sign-ins.age --replace --json | jq .sign_ins`,
		Args:              oneFile,
		ValidArgsFunction: completeFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			read, err := p.openBackup(cmd, args[0], flags)
			if err == nil {
				err = importable(read)
			}
			if err != nil {
				return err
			}
			return p.withNewVault(cmd.Context(), func(v *vault) error { return p.backupImport(cmd.Context(), v, read, flags.replace) })
		},
	}
	cmd.Flags().StringVar(&flags.identity, "identity", "", "open it with the age identity in this `FILE`")
	cmd.Flags().BoolVar(&flags.replace, "replace", false, "replace what the vault holds by the backup")
	return cmd
}

// openBackup reads a backup to its end.
func (p *program) openBackup(cmd *cobra.Command, path string, flags importFlags) (read backup, err error) {
	err = p.openSealed(cmd, path, "backup", flags, func(opened io.Reader, _ bool) (err error) {
		read, err = readBackup(opened)
		return err
	})
	return read, err
}

// openSealed opens a file that age sealed and lends what is in it. What does not
// begin as age files do is lent as it is.
func (p *program) openSealed(cmd *cobra.Command, path, what string, flags importFlags, read func(opened io.Reader, sealed bool) error) error {
	identities, err := p.identitiesOf(cmd, what, flags)
	if err != nil {
		return err
	}
	stream := p.stdin
	if path != "-" {
		file, closed, err := openNamed(cmd.Context(), path)
		if err != nil {
			return backupFileError(err, "give the file that \"venuekey "+exportOf(what)+"\" wrote")
		}
		defer closed()
		stream = file
	} else if p.interactive() {
		return misused(cmd.CommandPath()+" - <FILE", "%s: nobody types a sealed file", cmd.CommandPath())
	}
	buffered := bufio.NewReader(stream)
	stream = buffered
	begins, _ := buffered.Peek(21)
	switch {
	case armored(begins):
		stream = armor.NewReader(buffered)
	case what != "backup" && !bytes.HasPrefix(begins, []byte("age-encryption.org/v1")):
		return read(buffered, false)
	}
	opened, err := agefile.Decrypt(stream, identities...)
	if err != nil {
		return notOpened(cmd.Context(), err, what, flags)
	}
	return read(opened, true)
}

// exportOf is the command that such a file comes from.
func exportOf(what string) string {
	if what == "backup" {
		return "backup export"
	}
	return "key export"
}

// identitiesOf says what the file is opened with.
func (p *program) identitiesOf(cmd *cobra.Command, what string, flags importFlags) ([]agefile.Identity, error) {
	if !cmd.Flags().Changed("identity") {
		return []agefile.Identity{passphraseWhenWanted{func() (venuekey.Secret, error) { return p.oldBackupPassphrase(cmd.Context(), what) }}}, nil
	}
	file, closed, err := openNamed(cmd.Context(), flags.identity)
	if err != nil {
		return nil, backupFileError(err, "name the file of the identity")
	}
	defer closed()
	identities, err := agefile.ParseIdentities(file)
	if err != nil { // which is not told: it may show what stands there
		return nil, &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: flags.identity + " holds no identity of age", Remedy: "give the file that age-keygen wrote"}
	}
	return identities, nil
}

// passphraseWhenWanted asks for the passphrase only when a file turns out to be
// sealed by one.
type passphraseWhenWanted struct {
	ask func() (venuekey.Secret, error)
}

// Unwrap implements age.Identity.
func (w passphraseWhenWanted) Unwrap(stanzas []*agefile.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != "scrypt" {
		return nil, agefile.ErrIncorrectIdentity
	}
	if err := affordable(stanzas[0]); err != nil {
		return nil, err
	}
	passphrase, err := w.ask()
	if err != nil {
		return nil, err
	}
	identity, err := agefile.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, err
	}
	identity.SetMaxWorkFactor(mostWork)
	return identity.Unwrap(stanzas)
}

// mostWork is twice the work that goes into the passphrase of an export, and takes
// 512 MiB: the head of a file says how much it wants, and anybody may have made the
// file.
const mostWork = 19

// affordable refuses what would take more, before anything is asked for.
func affordable(scrypt *agefile.Stanza) error {
	if len(scrypt.Args) != 2 {
		return nil // age says what is wrong
	}
	work, err := strconv.Atoi(scrypt.Args[1])
	if err != nil || work <= mostWork {
		return nil
	}
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Reason: fmt.Sprintf("the file wants more work for its passphrase than an export does (work factor %d, and %d is the most)", work, mostWork),
		Remedy: "seal it anew: age -d FILE | age -p"}
}

// notOpened says why a file does not open.
func notOpened(ctx context.Context, err error, what string, flags importFlags) error {
	if _, known := errors.AsType[*venuekey.Error](err); known || ctx.Err() != nil {
		return err
	}
	if _, known := errors.AsType[usage](err); known {
		return err
	}
	told := &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured, Err: err}
	mismatch, ok := errors.AsType[*agefile.NoIdentityMatchError](err)
	byPassphrase := ok && slices.Contains(mismatch.StanzaTypes, "scrypt")
	switch {
	case !ok:
		told.Class, told.Reason = venuekey.ClassDamaged, "the file is no "+what+", or its beginning is damaged"
		told.Remedy = "give the file that \"venuekey " + exportOf(what) + "\" wrote"
	case byPassphrase && flags.identity != "":
		told.Reason, told.Remedy = "the "+what+" is sealed by a passphrase, not to a recipient", "leave --identity away"
	case byPassphrase:
		told.Reason, told.Remedy = "the passphrase does not open the "+what, "give the passphrase that it was exported with"
	case flags.identity == "":
		told.Reason, told.Remedy = "the "+what+" is sealed to a recipient", "--identity FILE, with the identity of that recipient"
	default:
		told.Reason, told.Remedy = "the identity does not open the "+what, "give the identity of a recipient that it was exported to"
	}
	return told
}

// importable refuses a backup that holds what this program has no use for.
func importable(read backup) error {
	var names []string
	for _, app := range read.Apps {
		if err := checkURLs(app); err != nil {
			return err
		}
		names = append(names, app.Venue)
	}
	for _, s := range read.SignIns {
		if !usable(s.Token) {
			return &venuekey.Error{ID: s.ID, Op: "backup", Class: venuekey.ClassMisconfigured, Reason: "the backup's access token holds characters that no token has; nothing was imported"}
		}
		names = append(names, s.ID.Venue)
	}
	for _, name := range names {
		if _, ok := venueOf(name); !ok {
			return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Reason: "the backup is also about " + name + ", a venue that this venuekey does not know; nothing was imported",
				Remedy: "install a newer venuekey"}
		}
	}
	return nil
}

// importedJSON is what became of a backup.
type importedJSON struct {
	Made    string   `json:"made"`
	Apps    outcomes `json:"apps"`
	SignIns outcomes `json:"sign_ins"`
}

// outcomes names what was added, kept as it was, and replaced.
type outcomes struct {
	Added    []string `json:"added"`
	Kept     []string `json:"kept"`
	Replaced []string `json:"replaced"`
}

// note keeps what became of one; changed says whether the backup's is there now.
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

// changed counts those that are now as the backup has them.
func (o *outcomes) changed() int { return len(o.Added) + len(o.Replaced) }

func (p *program) backupImport(ctx context.Context, v *vault, read backup, replace bool) error {
	none := func() outcomes { return outcomes{[]string{}, []string{}, []string{}} }
	result := importedJSON{Made: exactly(read.Made), Apps: none(), SignIns: none()}
	if err := p.importAll(ctx, v, read, replace, &result); err != nil {
		if apps, signIns := result.Apps.changed(), result.SignIns.changed(); apps+signIns > 0 {
			p.tell("note: %s and %s were imported before; the same command goes on from there", several(apps, "app"), several(signIns, "sign-in"))
		}
		return err
	}
	if result.SignIns.changed() > 0 {
		p.tell("warning: a refresh token works once: only one machine may go on using these sign-ins\n" +
			"  try: stop venuekey on the other one, or there: venuekey logout ID (without --revoke)")
	}
	if len(result.Apps.Kept)+len(result.SignIns.Kept) > 0 {
		p.tell("note: what the vault held already was kept; --replace takes the backup's")
	}
	a, s := result.Apps, result.SignIns
	return p.say(result, "apps: %d added, %d kept, %d replaced\nsign-ins: %d added, %d kept, %d replaced",
		len(a.Added), len(a.Kept), len(a.Replaced), len(s.Added), len(s.Kept), len(s.Replaced))
}

func (p *program) importAll(ctx context.Context, v *vault, read backup, replace bool, result *importedJSON) error {
	for _, app := range read.Apps {
		_, err := v.App(ctx, app.Venue)
		there := !notRegistered(err) // one that cannot be opened is there as well
		changed := !there || replace
		if changed {
			if err := v.SaveApp(ctx, app); err != nil {
				return about(venuekey.ID{Venue: app.Venue}, "import", err)
			}
			p.tellAddresses(app)
		}
		result.Apps.note(app.Venue, there, changed)
	}
	defer p.progress("")
	for i, s := range read.SignIns {
		there, changed, err := p.importSignIn(ctx, v, s, replace)
		if err != nil {
			return about(s.ID, "import", err)
		}
		result.SignIns.note(s.ID.String(), there, changed)
		p.progress("%d of %d sign-ins", i+1, len(read.SignIns))
	}
	return nil
}

// tellAddresses tells where an app sends tokens, if not to the venue's own
// addresses: a backup from a stranger could send them to him.
func (p *program) tellAddresses(app venuekey.App) {
	var told []string
	for _, name := range slices.Sorted(maps.Keys(app.URLs)) {
		told = append(told, name+"="+app.URLs[name])
	}
	if len(told) > 0 {
		p.tell("note: the app at %s has addresses of its own: %s", app.Venue, strings.Join(told, " "))
	}
}

// importSignIn saves one sign-in, unless there is one that is to be kept.
func (p *program) importSignIn(ctx context.Context, v *vault, s signIn, replace bool) (there, changed bool, err error) {
	record := s.Record
	done, err := v.keeper.Restore(ctx, venuekey.Snapshot{ID: s.ID, Token: s.Token, Generation: record.Generation, Attempt: record.Attempt,
		IntentAt: record.IntentAt, Condition: record.Condition, Reason: record.Reason}, replace)
	if done.Newer && done.Changed {
		p.tell("note: %s: the replaced token was newer than the backup's, whose refresh token may be used up", s.ID)
	}
	return done.There, done.Changed, err
}
