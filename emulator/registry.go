package emulator

// This file owns the registry: the apps and users of one running venue, which
// the admin endpoint may add to.

import (
	"slices"
	"sync"
)

// Registry holds the apps and users of one running venue. The zero value is
// empty and ready, and safe for concurrent use.
type Registry struct {
	mu    sync.RWMutex
	apps  []App
	users []User
}

// PutApp adds the app or replaces the one with its client id.
func (r *Registry) PutApp(a App) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.RedirectURIs = slices.Clone(a.RedirectURIs)
	i := slices.IndexFunc(r.apps, func(o App) bool { return o.ClientID == a.ClientID })
	if i < 0 {
		r.apps = append(r.apps, a)
		return
	}
	r.apps[i] = a
}

// PutUser adds the user or replaces the one with its name.
func (r *Registry) PutUser(u User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u.Accounts = slices.Clone(u.Accounts)
	i := slices.IndexFunc(r.users, func(o User) bool { return o.Name == u.Name })
	if i < 0 {
		r.users = append(r.users, u)
		return
	}
	r.users[i] = u
}

// App finds an app by client id.
func (r *Registry) App(clientID string) (App, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := slices.IndexFunc(r.apps, func(a App) bool { return a.ClientID == clientID })
	if i < 0 {
		return App{}, false
	}
	return r.apps[i], true
}

// User finds a user by name.
func (r *Registry) User(name string) (User, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := slices.IndexFunc(r.users, func(u User) bool { return u.Name == name })
	if i < 0 {
		return User{}, false
	}
	return r.users[i], true
}

// SignIn finds a user by name and password.
func (r *Registry) SignIn(name, password string) (User, bool) {
	u, ok := r.User(name)
	if !ok || u.Password != password {
		return User{}, false
	}
	return u, true
}

// Apps lists the apps in the order they were added.
func (r *Registry) Apps() []App {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.apps)
}

// Users lists the users in the order they were added.
func (r *Registry) Users() []User {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.users)
}

// replace puts the registry to exactly these apps and users.
func (r *Registry) replace(apps []App, users []User) {
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
