// Package address reads the address of a vault as text: the path of a file, or a
// PostgreSQL database. It says which of the two it is, what in it is secret, and how to
// show it without that. It opens nothing.
package address

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Forms is the remedy for an address in none of the known forms.
const Forms = "give the path of a file, postgres://user@host/database, or host=… dbname=…; ./ before the name of a file that looks like an address"

// The patterns are compiled when an address is first matched, since every start of the
// command would pay for them. A text without "=" and ":" matches neither.
var (
	// keywords matches the start of libpq's other form, as in
	// "host=/run/postgresql dbname=venuekey".
	keywords = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*[A-Za-z_]+\s*=`) })
	// foreign matches any other kind of address: another program's, or one with a typing
	// error in the slashes or in everything before the user. Such a text must not become
	// the name of a file, together with the password in it.
	foreign = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*[A-Za-z][A-Za-z0-9+.-]+:([A-Za-z][A-Za-z0-9+.-]*:)*//|(?i:^\s*postgres(ql)?:)|^[^/\\]*:[^/\\]*@|(?i:password\s*=)`)
	})
)

// IsDatabase reports whether an address is that of a PostgreSQL database, as a URL or as
// keywords and values.
func IsDatabase(address string) bool {
	return isURL(address) || strings.Contains(address, "=") && keywords().MatchString(address)
}

func isURL(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// IsForeign reports whether a text looks like an address, but is neither a database's nor
// the path of a file.
func IsForeign(address string) bool {
	return strings.ContainsAny(address, ":=") && !IsDatabase(address) && foreign().MatchString(address)
}

// HasPassword reports whether the address of a database may hold a password. An address
// that cannot be parsed counts as one that does.
func HasPassword(address string) bool {
	if !IsDatabase(address) {
		return false
	}
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

// isSecretName reports whether a parameter of that name is a secret. A value may be one
// more parameter, as other programs separate them differently from libpq.
func isSecretName(name string) bool {
	return strings.Contains(strings.ToLower(name), "password")
}

// settingsOf parses keywords and values, as libpq does.
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

// valueOf reads a value, which may be quoted, and returns it with the rest of the text.
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

// unshown stands for an address of which nothing may be shown.
const unshown = "the database of VENUEKEY_STORE"

// Shown returns an address without its parameters and without a password.
func Shown(address string) string {
	if !IsDatabase(address) {
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

// shownSettings is Shown for keywords and values.
func shownSettings(address string) string {
	settings, _ := settingsOf(address)
	var shown []string
	for _, name := range []string{"service", "host", "hostaddr", "port", "user", "dbname"} {
		value, there := settings[name]
		switch {
		case !there:
			continue
		case strings.ContainsAny(value, ":='"), strings.ContainsFunc(value, unicode.IsControl):
			return unshown // an address within an address, or something unknown
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

// WithoutPassword returns an address without its passwords, for a program that has its
// own. ok is false if they cannot be told apart from the rest.
func WithoutPassword(address string) (without string, ok bool) {
	switch {
	case !IsDatabase(address):
		return address, true
	case !isURL(address):
		return settingsWithoutPassword(address)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	if parsed.User != nil {
		parsed.User = url.User(parsed.User.Username())
	}
	parameters := parsed.Query()
	for name := range parameters {
		if isSecretName(name) {
			parameters.Del(name)
		}
	}
	parsed.RawQuery = parameters.Encode()
	return parsed.String(), true
}

// settingsWithoutPassword is WithoutPassword for keywords and values.
func settingsWithoutPassword(address string) (string, bool) {
	if !HasPassword(address) {
		return address, true
	}
	settings, ok := settingsOf(address)
	if !ok {
		return "", false
	}
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	var left []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !isSecretName(name) {
			left = append(left, name+"='"+escape.Replace(settings[name])+"'")
		}
	}
	plain := strings.Join(left, " ")
	return plain, plain != "" && !HasPassword(plain)
}
