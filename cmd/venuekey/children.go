package main

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// children.go owns the environment of the programs that this one starts. It is the
// one place where that is made: they get what they need, and no secret of ours.

// programEnviron is for a program of the user's, which exec and run start: all that
// this one has but its secrets, and what is given beside it. Of the vault's address
// it gets what is no secret; what opens a database that is a vault is ours too.
func (p *program) programEnviron(given map[string]string) []string {
	database := isDatabase(p.env("VENUEKEY_STORE")) || isDatabase(p.store)
	var environ []string
	for _, entry := range p.environ {
		name, value, _ := strings.Cut(entry, "=")
		_, replaced := given[name]
		switch {
		case replaced, isSecretVariable(name), database && opensDatabases(name):
		case sameName(name, "VENUEKEY_STORE"):
			if address, ok := withoutPassword(value); ok {
				environ = append(environ, name+"="+address)
			}
		default:
			environ = append(environ, entry)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		environ = append(environ, name+"="+given[name])
	}
	return environ
}

// browserEnviron is for a browser, which lives for days and hands its environment on
// to all that it starts: nothing of ours, and nothing that opens a database.
func browserEnviron(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return isOurs(name) || opensDatabases(name) || sameName(name, "PGPASSFILE")
	})
}

// isOurs is whether a variable is one of this command's.
func isOurs(name string) bool {
	return len(name) >= len(envPrefix) && sameName(name[:len(envPrefix)], envPrefix)
}

// isSecretVariable is whether a variable holds a secret of ours, or leads to one:
// another program has no business with it. A token that this one was started with
// belongs to another sign-in.
func isSecretVariable(name string) bool {
	if !isOurs(name) {
		return false
	}
	name = strings.TrimSuffix(strings.ToUpper(name), "_FILE")
	for _, suffix := range []string{"_SECRET", "_PASSWORD", "_PASSPHRASE", "_ACCESS_TOKEN"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	for _, venue := range venues() {
		for _, field := range fieldsOf(venue) {
			if field.Secret && name == variable(venue.Name(), field.Name) {
				return true
			}
		}
	}
	return false
}

// opensDatabases is whether a variable of libpq's holds a secret
// (PostgreSQL, "Environment Variables").
func opensDatabases(name string) bool {
	return sameName(name, "PGPASSWORD") || sameName(name, "PGSSLPASSWORD")
}

// withoutPassword is an address without its passwords. Where they cannot be told from
// the rest, there is none.
func withoutPassword(address string) (string, bool) {
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
