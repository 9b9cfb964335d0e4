package emulator

// This file owns the directory: the apps and users of one running venue, which
// the admin endpoint may add to.

import (
	"slices"
	"sync"
)

// Directory holds the apps and users of one running venue. The zero value is
// empty and ready, and safe for concurrent use.
type Directory struct {
	mu    sync.RWMutex
	apps  []App
	users []User
}

// PutApp adds the app or replaces the one with its client id.
func (d *Directory) PutApp(a App) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a.RedirectURIs = slices.Clone(a.RedirectURIs)
	i := slices.IndexFunc(d.apps, func(o App) bool { return o.ClientID == a.ClientID })
	if i < 0 {
		d.apps = append(d.apps, a)
		return
	}
	d.apps[i] = a
}

// PutUser adds the user or replaces the one with its name.
func (d *Directory) PutUser(u User) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u.Accounts = slices.Clone(u.Accounts)
	i := slices.IndexFunc(d.users, func(o User) bool { return o.Name == u.Name })
	if i < 0 {
		d.users = append(d.users, u)
		return
	}
	d.users[i] = u
}

// App finds an app by client id.
func (d *Directory) App(clientID string) (App, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	i := slices.IndexFunc(d.apps, func(a App) bool { return a.ClientID == clientID })
	if i < 0 {
		return App{}, false
	}
	return d.apps[i], true
}

// User finds a user by name.
func (d *Directory) User(name string) (User, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	i := slices.IndexFunc(d.users, func(u User) bool { return u.Name == name })
	if i < 0 {
		return User{}, false
	}
	return d.users[i], true
}

// SignIn finds a user by name and password.
func (d *Directory) SignIn(name, password string) (User, bool) {
	u, ok := d.User(name)
	if !ok || u.Password != password {
		return User{}, false
	}
	return u, true
}

// Apps lists the apps in the order they were added.
func (d *Directory) Apps() []App {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Clone(d.apps)
}

// Users lists the users in the order they were added.
func (d *Directory) Users() []User {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Clone(d.users)
}

// replace puts the directory to exactly these apps and users.
func (d *Directory) replace(apps []App, users []User) {
	d.mu.Lock()
	d.apps, d.users = nil, nil
	d.mu.Unlock()
	for _, a := range apps {
		d.PutApp(a)
	}
	for _, u := range users {
		d.PutUser(u)
	}
}
