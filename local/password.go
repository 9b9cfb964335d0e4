package local

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// password.go owns what of an address is secret, and how it is shown without that.

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

// WithoutPassword is the address without its passwords, for a program that finds its
// own. Where they cannot be told from
// the rest, there is none.
func (a Address) WithoutPassword() (string, bool) {
	address := a.plain()
	switch {
	case !isDatabase(address):
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

// settingsWithoutPassword is the same of keywords and values.
func settingsWithoutPassword(address string) (string, bool) {
	if !hasPassword(address) {
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
	return plain, plain != "" && !hasPassword(plain)
}
