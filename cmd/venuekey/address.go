package main

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/store/postgres"
	"github.com/venuekey/venuekey/store/sqlite"
)

// address.go owns the address of a vault: the path of a file, or a PostgreSQL
// database that many machines share.

// storeAddress is what --store or VENUEKEY_STORE say; "" is the usual file.
func (p *program) storeAddress() (string, error) {
	if p.store != "" {
		return addressOf(p.store)
	}
	address := p.env("VENUEKEY_STORE")
	if address == "" {
		return "", nil
	}
	if isForeign(address) {
		return "", &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "VENUEKEY_STORE is not an address that venuekey understands", Remedy: addressForms}
	}
	if isDatabase(address) {
		return address, nil
	}
	return filepath.Abs(address)
}

const addressForms = "give the path of a file, postgres://user@host/database, or host=… dbname=…; ./ before the name of a file that looks like an address"

// addressOf reads an address that stood among the arguments, which everybody on
// the machine can see.
func addressOf(argument string) (string, error) {
	switch {
	case isForeign(argument):
		return "", misused(addressForms, "that is not an address that venuekey understands")
	case !isDatabase(argument):
		return filepath.Abs(argument)
	case hasPassword(argument):
		return "", misused("leave the password to PGPASSWORD or ~/.pgpass, or the whole address to VENUEKEY_STORE",
			"a password among the arguments can be read by every user of this machine")
	}
	return argument, nil
}

var (
	// keywords is how an address in PostgreSQL's other form begins, as in
	// "host=/run/postgresql dbname=venuekey".
	keywords = regexp.MustCompile(`^\s*[A-Za-z_]+\s*=`)
	// foreignAddress is what any other address looks like: one of another program, or one
	// that was misspelt, by a slash, or by all that stands before the user. It is not
	// taken for the name of a file, with what stands in it.
	foreignAddress = regexp.MustCompile(`^\s*[A-Za-z][A-Za-z0-9+.-]+:([A-Za-z][A-Za-z0-9+.-]*:)*//|(?i:^\s*postgres(ql)?:)|^[^/\\]*:[^/\\]*@|(?i:password\s*=)`)
)

func isDatabase(address string) bool { return isURL(address) || keywords.MatchString(address) }

func isURL(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

func isForeign(address string) bool {
	return !isDatabase(address) && foreignAddress.MatchString(address)
}

// hasPassword reports whether the address of a database may hold one. What
// cannot be read is taken for one that does.
func hasPassword(address string) bool {
	if !isURL(address) {
		settings, ok := settingsOf(address)
		if !ok {
			return true
		}
		for name, value := range settings {
			// A database's name may be an address as a whole.
			if isSecretName(name) || isSecretName(value) || strings.Contains(value, "://") {
				return true
			}
		}
		return false
	}
	_, rest, _ := strings.Cut(address, "://")
	if at := strings.LastIndex(rest, "@"); at >= 0 && strings.Contains(rest[:at], ":") {
		return true
	}
	_, query, _ := strings.Cut(rest, "?")
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err != nil || isSecretName(plain) {
			return true
		}
	}
	return false
}

// isSecretName is whether a parameter of that name is a secret; a value may be one
// more parameter, where others than libpq separate them.
func isSecretName(name string) bool {
	return strings.Contains(strings.ToLower(name), "password")
}

// settingsOf reads keywords and values, as libpq does.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
func settingsOf(address string) (settings map[string]string, ok bool) {
	settings = map[string]string{}
	for rest := strings.TrimSpace(address); rest != ""; rest = strings.TrimSpace(rest) {
		name, value, found := strings.Cut(rest, "=")
		name = strings.TrimSpace(name)
		if !found || name == "" || strings.ContainsFunc(name, unicode.IsSpace) {
			return nil, false
		}
		if settings[name], rest, ok = valueOf(strings.TrimSpace(value)); !ok {
			return nil, false
		}
	}
	return settings, true
}

// valueOf reads a value, which may be quoted, and gives what follows it.
func valueOf(text string) (value, rest string, ok bool) {
	text, quoted := strings.CutPrefix(text, "'")
	var read strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			read.WriteByte(text[i])
		case quoted && c == '\'':
			return read.String(), text[i+1:], true
		case !quoted && unicode.IsSpace(rune(c)):
			return read.String(), text[i:], true
		default:
			read.WriteByte(c)
		}
	}
	return read.String(), "", !quoted
}

// unshown is what an address is called of which nothing may be shown.
const unshown = "the database of VENUEKEY_STORE"

// shownAddress is an address as it may be shown: without its parameters and
// without a password.
func shownAddress(address string) string {
	if !isDatabase(address) {
		return address
	}
	if !isURL(address) {
		return shownSettings(address)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return unshown
	}
	shown := url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}
	if name := parsed.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}

// shownSettings is the same of keywords and values.
func shownSettings(address string) string {
	settings, _ := settingsOf(address)
	var shown []string
	for _, name := range []string{"service", "host", "hostaddr", "port", "user", "dbname"} {
		value, there := settings[name]
		switch {
		case !there:
			continue
		case strings.ContainsAny(value, ":='"), strings.ContainsFunc(value, unicode.IsControl):
			return unshown // an address within an address, or nobody knows what
		case strings.Contains(value, " "):
			value = "'" + value + "'"
		}
		shown = append(shown, name+"="+value)
	}
	if len(shown) == 0 {
		return unshown
	}
	return strings.Join(shown, " ")
}

// openAt opens the vault at an address. A file that is not there and is not to
// be made is an empty store that forgets. In a database that holds no vault yet
// its tables are made.
func openAt(ctx context.Context, address string, create bool) (store venuekey.Store, empty bool, err error) {
	if isDatabase(address) {
		opened, err := postgres.Open(ctx, address)
		if err != nil {
			return nil, false, err
		}
		return opened, false, nil
	}
	if _, err := os.Lstat(address); !create && errors.Is(err, fs.ErrNotExist) {
		return new(memory.Store), true, nil
	}
	opened, err := sqlite.Open(ctx, address)
	if err != nil {
		return nil, false, err
	}
	return opened, false, nil
}
