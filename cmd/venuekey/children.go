package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/local"
)

// children.go owns the environment of the programs that this one starts. It is the
// one place where that is made: they get what they need, and no secret of ours.

// programEnviron is for a program of the user's, which exec and run start: all that
// this one has but its secrets, and what is given beside it. Of the vault's address
// it gets what is no secret; what opens a database that is a vault is ours too.
func (p *program) programEnviron(given map[string]string) []string {
	database := ofDatabase(p.env("VENUEKEY_STORE")) || ofDatabase(p.store)
	var environ []string
	for _, entry := range p.environ {
		name, value, _ := strings.Cut(entry, "=")
		_, replaced := given[name]
		switch {
		case replaced, isSecretVariable(name), database && opensDatabases(name):
		case local.SameVariable(name, "VENUEKEY_STORE"):
			if address, ok := local.AddressOf(value).WithoutPassword(); ok {
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
		return isOurs(name) || opensDatabases(name) || local.SameVariable(name, "PGPASSFILE")
	})
}

// isOurs is whether a variable is one of this command's.
func isOurs(name string) bool {
	return len(name) >= len(local.Prefix) && local.SameVariable(name[:len(local.Prefix)], local.Prefix)
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
	for _, venue := range local.Venues() {
		for _, field := range local.Form(venue).Fields {
			if field.Secret && name == local.Variable(venue.Name(), field.Name) {
				return true
			}
		}
	}
	return false
}

// opensDatabases is whether a variable of libpq's holds a secret
// (PostgreSQL, "Environment Variables").
func opensDatabases(name string) bool {
	return local.SameVariable(name, "PGPASSWORD") || local.SameVariable(name, "PGSSLPASSWORD")
}

// ofDatabase is whether an address is that of a database.
func ofDatabase(address string) bool {
	return local.AddressOf(address).IsDatabase()
}
