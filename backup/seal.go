package backup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	agefile "filippo.io/age"
	"filippo.io/age/armor"

	"github.com/venuekey/venuekey"
)

// seal.go owns the way through age: who a file is sealed to, and what opens it.

// Sealer says who may open a file that is about to be written.
type Sealer struct {
	recipients []agefile.Recipient
}

// ToPassphrase seals a file by a passphrase. To try one takes a second or so.
func ToPassphrase(passphrase venuekey.Secret) (Sealer, error) {
	return ToPassphraseWith(passphrase, 0)
}

// ToPassphraseWith is ToPassphrase with another work factor, the logarithm of what one
// try costs; 0 is age's own.
func ToPassphraseWith(passphrase venuekey.Secret, work int) (Sealer, error) {
	recipient, err := agefile.NewScryptRecipient(string(passphrase))
	if err == nil && work != 0 {
		recipient.SetWorkFactor(work)
	}
	return Sealer{[]agefile.Recipient{recipient}}, err
}

// ToRecipients seals a file to recipients of age, as age-keygen prints them, one per
// line. The error does not say which is wrong.
func ToRecipients(text io.Reader) (Sealer, error) {
	recipients, err := agefile.ParseRecipients(text)
	return Sealer{recipients}, err
}

// Seal wraps a writer: what is written is sealed, and complete after Close.
func (s Sealer) Seal(to io.Writer) (io.WriteCloser, error) {
	return agefile.Encrypt(to, s.recipients...)
}

var (
	// ErrNotSealed means that the file does not begin as age files do.
	ErrNotSealed = errors.New("the file is not sealed by age")
	// ErrByPassphrase means that the file is sealed by a passphrase, and an identity
	// was given.
	ErrByPassphrase = errors.New("the file is sealed by a passphrase")
	// ErrPassphrase means that the passphrase does not open the file.
	ErrPassphrase = errors.New("the passphrase does not open the file")
	// ErrToRecipient means that the file is sealed to a recipient, and no identity was
	// given.
	ErrToRecipient = errors.New("the file is sealed to a recipient")
	// ErrIdentity means that the identity is not one of a recipient.
	ErrIdentity = errors.New("the identity does not open the file")
)

// Opener is what opens a sealed file.
type Opener struct {
	// What is what errors call the file; "" is a backup.
	What string
	// Plain takes a file that is not sealed as it is.
	Plain bool

	ask        func(context.Context) (venuekey.Secret, error)
	identities []agefile.Identity
}

// WithPassphrase opens files by a passphrase. It is asked for only if a file turns out
// to be sealed by one; the error of ask is the error of Open.
func WithPassphrase(ask func(context.Context) (venuekey.Secret, error)) Opener {
	return Opener{ask: ask}
}

// WithIdentities opens files with identities of age, as age-keygen writes them. The
// error may show what stands there.
func WithIdentities(text io.Reader) (Opener, error) {
	identities, err := agefile.ParseIdentities(text)
	return Opener{identities: identities}, err
}

// Open opens a sealed file, also one that was made for mail. An *venuekey.Error says
// why it does not open; ErrPassphrase and its kin tell the reasons apart.
func (o Opener) Open(ctx context.Context, from io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(from)
	var stream io.Reader = buffered
	begins, _ := buffered.Peek(21)
	switch {
	case bytes.HasPrefix(begins, []byte("-----BEGIN AGE")):
		stream = armor.NewReader(buffered)
	case o.Plain && !bytes.HasPrefix(begins, []byte("age-encryption.org/v1")):
		return buffered, nil
	}
	asking := &passphraseWhenWanted{ask: func() (venuekey.Secret, error) { return o.ask(ctx) }}
	identities := o.identities
	if o.ask != nil {
		identities = []agefile.Identity{asking}
	}
	opened, err := agefile.Decrypt(stream, identities...)
	switch {
	case asking.failed != nil:
		return nil, asking.failed
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		return nil, o.notOpened(err)
	}
	return opened, nil
}

// notOpened says why a file does not open.
func (o Opener) notOpened(err error) error {
	if _, known := errors.AsType[*venuekey.Error](err); known {
		return err
	}
	what := o.What
	if what == "" {
		what = "backup"
	}
	told := &venuekey.Error{Op: "backup", Class: venuekey.ClassMisconfigured}
	mismatch, ok := errors.AsType[*agefile.NoIdentityMatchError](err)
	byPassphrase := ok && slices.Contains(mismatch.StanzaTypes, "scrypt")
	var why error
	switch {
	case !ok:
		why, told.Class = ErrNotSealed, venuekey.ClassDamaged
		told.Reason, told.Remedy = "the file is no "+what+", or its beginning is damaged", "give the file that was exported"
	case byPassphrase && o.ask == nil:
		why, told.Reason, told.Remedy = ErrByPassphrase, "the "+what+" is sealed by a passphrase, not to a recipient", "open it with the passphrase"
	case byPassphrase:
		why, told.Reason, told.Remedy = ErrPassphrase, "the passphrase does not open the "+what, "give the passphrase that it was exported with"
	case o.ask != nil:
		why, told.Reason, told.Remedy = ErrToRecipient, "the "+what+" is sealed to a recipient", "open it with the identity of that recipient"
	default:
		why, told.Reason, told.Remedy = ErrIdentity, "the identity does not open the "+what, "give the identity of a recipient that it was exported to"
	}
	told.Err = errors.Join(why, err)
	return told
}

// passphraseWhenWanted asks for the passphrase only when a file turns out to be
// sealed by one.
type passphraseWhenWanted struct {
	ask    func() (venuekey.Secret, error)
	failed error // why it was not tried
}

// Unwrap implements age.Identity.
func (w *passphraseWhenWanted) Unwrap(stanzas []*agefile.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != "scrypt" {
		return nil, agefile.ErrIncorrectIdentity
	}
	if w.failed = affordable(stanzas[0]); w.failed != nil {
		return nil, w.failed
	}
	passphrase, err := w.ask()
	if err != nil {
		w.failed = err
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
