// Package environ knows the variables of venuekey's environment by name, and checks what
// they say: the files they name, and the addresses of venues. Package local opens the vault
// with it; the command explains it in its help, in "venuekey doctor" and in errors.
package environ

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/key"
)

// Prefix begins the name of every variable of venuekey.
const Prefix = "VENUEKEY_"

// Get returns a variable of an environment in the form of os.Environ, "" if it is not
// set. If a name occurs twice, the last one counts.
func Get(environ []string, name string) string {
	value := ""
	for _, entry := range environ {
		if key, text, ok := strings.Cut(entry, "="); ok && SameVariable(key, name) {
			value = text
		}
	}
	return value
}

// SameVariable reports whether two names are the same variable. Windows ignores case.
func SameVariable(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b)
}

// Variable returns the name of a venue's variable, as in VENUEKEY_CTRADER_CLIENT_ID.
func Variable(venue, what string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(venue+"_"+what, "-", "_"))
}

// Unknown returns the variables of an environment that have the prefix and that venuekey
// does not know. Most are typing errors.
func Unknown(environ []string, venues []venuekey.Venue) []string {
	var unknown []string
	known := KnownVariables(venues)
	for _, entry := range environ {
		key, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(key, Prefix) && !slices.Contains(known, key) {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// KnownVariables lists every variable that venuekey reads or sets, with those of the
// venues.
func KnownVariables(venues []venuekey.Venue) []string {
	known := []string{
		"VENUEKEY_HOME", "VENUEKEY_KEY", "VENUEKEY_PASSPHRASE", "VENUEKEY_PASSPHRASE_FILE", "VENUEKEY_STORE", "VENUEKEY_MACHINE", "VENUEKEY_AGENT", "VENUEKEY_AGENT_SOCKET", "VENUEKEY_VENUES",
		"VENUEKEY_BACKUP_PASSPHRASE", "VENUEKEY_BACKUP_PASSPHRASE_FILE",
		"VENUEKEY_EVENT", "VENUEKEY_STATE", "VENUEKEY_REASON", "VENUEKEY_LEFT", "VENUEKEY_ENDS", "VENUEKEY_REPEAT", "VENUEKEY_HELP", // for a hook
		Variable("ctrader", "LIVE_ADDRESS"), Variable("ctrader", "DEMO_ADDRESS"),
		"VENUEKEY_ID", "VENUEKEY_ACCESS_TOKEN", "VENUEKEY_TOKEN_TYPE", "VENUEKEY_EXPIRES", "VENUEKEY_EXPIRES_UNIX",
	}
	for _, venue := range venues {
		for _, what := range []string{"CLIENT_ID", "CLIENT_SECRET", "CLIENT_SECRET_FILE", "REDIRECT_URI", "SCOPE", "ENVIRONMENT", "CA_FILE", "PACE", "BURST", "NAME", "PASSWORD", "PASSWORD_FILE"} {
			known = append(known, Variable(venue.Name(), what))
		}
		for _, name := range URLNames(venues) {
			known = append(known, Variable(venue.Name(), name+"_URL"))
		}
		for _, field := range Form(venue).Fields {
			known = append(known, Variable(venue.Name(), field.Name), Variable(venue.Name(), field.Name+"_FILE"))
		}
	}
	return known
}

// KeyChoice parses VENUEKEY_KEY, how a new key is kept; "" leaves it to the machine.
func KeyChoice(text string) (key.Choice, error) {
	switch choice := key.Choice(text); choice {
	case key.ChoiceAutomatic, key.ChoiceFile, key.ChoiceKeyring, key.ChoicePassphrase:
		return choice, nil
	}
	return "", &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "a key cannot be kept by " + text, Remedy: "VENUEKEY_KEY is file, keyring or passphrase"}
}

// ReadCA reads the certificates of a private authority, in PEM, from a file; "" if there
// is no path.
func ReadCA(ctx context.Context, path string) (venuekey.Secret, error) {
	if path == "" {
		return "", nil
	}
	certificates, _, err := byname.Read(ctx, path)
	if err != nil {
		return "", err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(certificates) {
		return "", fmt.Errorf("%s holds no certificate", path)
	}
	return venuekey.Secret(certificates), nil
}

// FileError is an error about the file that a variable or a flag names.
func FileError(name string, err error) error {
	explained := &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: name + ": " + err.Error(), Err: err, Remedy: "correct or unset it"}
	if exposed, ok := errors.AsType[*own.Exposed](err); ok {
		explained.Reason, explained.Remedy = name+": "+exposed.Path+" "+exposed.Reason, exposed.Remedy
	}
	return explained
}

// FolderError explains an error of package own, about a folder that is another user's or
// that others may write to: what is wrong, a hint, and the remedy. It returns every other
// error as it is.
func FolderError(err error, hint string) error {
	exposed, ok := errors.AsType[*own.Exposed](err)
	if !ok {
		return err
	}
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Err: err, Reason: exposed.Path + " " + exposed.Reason + hint, Remedy: exposed.Remedy}
}
