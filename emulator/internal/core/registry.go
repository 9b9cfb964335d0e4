package core

import (
	"net/url"
	"slices"
	"sync"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/loopback"
)

// registry.go owns the registry: the apps and users of a running venue, to which the admin
// endpoint can add.

// Registry holds the apps and users of a running venue. The zero value is an empty
// registry. It is safe for concurrent use.
type Registry struct {
	mu    sync.RWMutex
	apps  []emulator.App
	users []emulator.User
}

// PutApp adds an app, or replaces the one with the same client ID.
func (r *Registry) PutApp(a emulator.App) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.RedirectURIs = slices.Clone(a.RedirectURIs)
	r.apps = put(r.apps, a, func(o emulator.App) bool { return o.ClientID == a.ClientID })
}

// PutUser adds a user, or replaces the one with the same name.
func (r *Registry) PutUser(u emulator.User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u.Accounts = slices.Clone(u.Accounts)
	r.users = put(r.users, u, func(o emulator.User) bool { return o.Name == u.Name })
}

// put adds an element to a list, or replaces the one that is the same.
func put[T any](list []T, one T, same func(T) bool) []T {
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = one
		return list
	}
	return append(list, one)
}

// App finds an app by its client ID.
func (r *Registry) App(clientID string) (emulator.App, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := slices.IndexFunc(r.apps, func(a emulator.App) bool { return a.ClientID == clientID })
	if i < 0 {
		return emulator.App{}, false
	}
	return r.apps[i], true
}

// User finds a user by name.
func (r *Registry) User(name string) (emulator.User, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := slices.IndexFunc(r.users, func(u emulator.User) bool { return u.Name == name })
	if i < 0 {
		return emulator.User{}, false
	}
	return r.users[i], true
}

// SignIn finds a user by name and password.
func (r *Registry) SignIn(name, password string) (emulator.User, bool) {
	u, ok := r.User(name)
	if !ok || u.Password != password {
		return emulator.User{}, false
	}
	return u, true
}

// Apps returns the apps in the order in which they were added.
func (r *Registry) Apps() []emulator.App {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.apps)
}

// Users returns the users in the order in which they were added.
func (r *Registry) Users() []emulator.User {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.users)
}

// replace sets the registry to exactly these apps and users.
func (r *Registry) replace(apps []emulator.App, users []emulator.User) {
	r.mu.Lock()
	r.apps, r.users = nil, nil
	r.mu.Unlock()
	for _, a := range apps {
		r.PutApp(a)
	}
	for _, u := range users {
		r.PutUser(u)
	}
}

// Allows reports whether the redirect URI is allowed for the app: it must equal a registered
// one byte for byte. With anyLoopback, every http URI on localhost, 127.0.0.0/8 or ::1 is
// allowed too, whatever its port and path. Real venues do not do that, but tests that listen
// on a random port need it.
func Allows(a emulator.App, redirect string, anyLoopback bool) bool {
	if slices.Contains(a.RedirectURIs, redirect) {
		return true
	}
	return anyLoopback && isLoopbackURI(redirect)
}

func isLoopbackURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "http" && u.User == nil && u.Fragment == "" && loopback.Host(u.Hostname())
}
