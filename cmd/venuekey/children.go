package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/internal/address"
	"github.com/venuekey/venuekey/internal/environ"
)

// children.go owns the environment of the programs that this one starts. It is the
// one place where that is made: they get what they need, and no secret of ours.

// programEnviron is the environment for a program of the user's that exec, run or watch
// starts: this process's without its secrets, plus the given variables. The program gets
// the vault's address without the password. If the vault is a database, the variables that
// open it are secrets of ours too.
func (p *program) programEnviron(given map[string]string) []string {
	database := address.IsDatabase(p.env("VENUEKEY_STORE")) || address.IsDatabase(p.store)
	var all []string
	for _, entry := range p.environ {
		name, value, _ := strings.Cut(entry, "=")
		_, replaced := given[name]
		switch {
		case replaced, p.isSecretVariable(name), database && opensDatabases(name):
		case environ.SameVariable(name, "VENUEKEY_STORE"):
			if without, ok := address.WithoutPassword(value); ok {
				all = append(all, name+"="+without)
			}
		default:
			all = append(all, entry)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		all = append(all, name+"="+given[name])
	}
	return all
}

// hookEnviron is programEnviron for a program that runs beside this one: without what a service manager
// tells this one, whose readiness and sockets are not the hook's.
func (p *program) hookEnviron(given map[string]string) []string {
	return slices.DeleteFunc(p.programEnviron(given), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains([]string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}, name)
	})
}

// browserEnviron is the environment for a browser, which runs for days and passes its
// environment to every program it starts: nothing of ours, and nothing that opens a
// database.
func browserEnviron(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return isOurs(name) || opensDatabases(name) || environ.SameVariable(name, "PGPASSFILE")
	})
}

// isOurs reports whether a variable has venuekey's prefix.
func isOurs(name string) bool {
	return len(name) >= len(environ.Prefix) && environ.SameVariable(name[:len(environ.Prefix)], environ.Prefix)
}

// isSecretVariable reports whether a variable holds a secret of ours or names a file that
// does. No other program needs it. An access token in our own environment belongs to
// another sign-in.
func (p *program) isSecretVariable(name string) bool {
	if !isOurs(name) {
		return false
	}
	name = strings.TrimSuffix(strings.ToUpper(name), "_FILE")
	for _, suffix := range []string{"_SECRET", "_PASSWORD", "_PASSPHRASE", "_ACCESS_TOKEN"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	for _, of := range p.venueNames() {
		if !strings.HasPrefix(name, environ.Variable(of, "")) {
			continue // and its file is not read
		}
		venue, known := p.venueOf(of)
		if !known { // nobody can say
			return true
		}
		for _, field := range environ.Form(venue).Fields {
			if field.Secret && name == environ.Variable(of, field.Name) {
				return true
			}
		}
	}
	return false
}

// opensDatabases reports whether a variable of libpq holds a secret
// (PostgreSQL, "Environment Variables").
func opensDatabases(name string) bool {
	return environ.SameVariable(name, "PGPASSWORD") || environ.SameVariable(name, "PGSSLPASSWORD")
}
