package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/internal/own"
)

// environ.go owns the environment: its variables, the secrets in them, and the files
// that they lead to.

// Prefix is what the names of venuekey's variables begin with.
const Prefix = "VENUEKEY_"

// Environ is an environment, as os.Environ gives it.
type Environ []string

// Get gives a variable, "" if it is not set. The last one of a name counts.
func (e Environ) Get(name string) string {
	value := ""
	for _, entry := range e {
		if key, text, ok := strings.Cut(entry, "="); ok && SameVariable(key, name) {
			value = text
		}
	}
	return value
}

// SameVariable compares names of variables, which Windows does without their case.
func SameVariable(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b)
}

// Variable names what the environment says of a venue, as in
// VENUEKEY_CTRADER_CLIENT_ID.
func Variable(venue, what string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(venue+"_"+what, "-", "_"))
}

// env gives a variable of the place's environment.
func (p *Place) env(name string) string { return p.config.Environ.Get(name) }

// Secret reads a secret from a variable, or from the file that the variable with
// _FILE after its name leads to; "" if neither is set.
func (p *Place) Secret(ctx context.Context, name string) (venuekey.Secret, error) {
	if value := p.env(name); value != "" {
		return venuekey.Secret(value), nil
	}
	path := p.env(name + "_FILE")
	if path == "" {
		return "", nil
	}
	content, info, err := byname.Read(ctx, path)
	if err != nil {
		return "", FileError(name+"_FILE", err)
	}
	p.warnReadable(name+"_FILE", path, info)
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return "", &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: name + "_FILE: " + path + " is empty"}
	}
	return venuekey.Secret(value), nil
}

// FileError is an error about the file that a variable, or a flag, leads to.
func FileError(name string, err error) error {
	told := &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: name + ": " + err.Error(), Err: err, Remedy: "correct or unset it"}
	if exposed, ok := errors.AsType[*own.Exposed](err); ok {
		told.Reason, told.Remedy = name+": "+exposed.Path+" "+exposed.Reason, exposed.Remedy
	}
	return told
}

// warnReadable warns, once, of a secret that every user of the machine can read. A
// group that can is often a service's own.
func (p *Place) warnReadable(name, path string, info os.FileInfo) {
	if p.config.Warn == nil || !own.ReadableByAll(info) {
		return
	}
	if _, told := p.warned.LoadOrStore(path, true); !told {
		p.config.Warn(fmt.Sprintf("%s: every user of this machine can read %s (mode %04o)\n  try: chmod 600 %[2]s", name, path, info.Mode().Perm()))
	}
}

// Unknown are the variables that look like venuekey's and are not: typing errors, most
// often.
func (e Environ) Unknown(venues []venuekey.Venue) []string {
	var unknown []string
	for _, entry := range e {
		key, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(key, Prefix) && !slices.Contains(KnownVariables(venues), key) {
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
		"VENUEKEY_HOME", "VENUEKEY_KEY", "VENUEKEY_PASSPHRASE", "VENUEKEY_PASSPHRASE_FILE", "VENUEKEY_STORE",
		"VENUEKEY_BACKUP_PASSPHRASE", "VENUEKEY_BACKUP_PASSPHRASE_FILE",
		"VENUEKEY_EVENT", "VENUEKEY_STATE", "VENUEKEY_REASON", "VENUEKEY_LEFT", "VENUEKEY_ENDS", "VENUEKEY_HELP", // for a hook
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
