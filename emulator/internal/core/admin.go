package core

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/loopback"
)

// admin.go owns the admin endpoint. The comment of package emulator shows its use.

// Admin returns the admin endpoint, for [emulator.AdminPath]. It answers only clients on
// loopback, and no pages of other sites.
func (c *Core) Admin() http.Handler {
	mux := http.NewServeMux()
	on := func(method, path string, h func(r *http.Request) (any, error)) {
		mux.HandleFunc(method+" "+emulator.AdminPath+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
			v, err := h(r)
			if err != nil {
				Reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
				return
			}
			Reply(w, http.StatusOK, v)
		})
	}
	on("GET", "state", func(*http.Request) (any, error) { return c.state(), nil })
	on("GET", "events", c.adminEvents)
	on("POST", "clock", func(r *http.Request) (any, error) { err := c.adminClock(r); return c.state(), err })
	on("POST", "faults", func(r *http.Request) (any, error) { err := c.adminFault(r); return c.state(), err })
	on("DELETE", "faults", func(*http.Request) (any, error) { c.Faults.Clear(); return c.state(), nil })
	on("POST", "knobs", func(r *http.Request) (any, error) { err := c.adminKnobs(r); return c.state(), err })
	on("POST", "users", func(r *http.Request) (any, error) { err := c.adminUser(r); return c.state(), err })
	on("POST", "apps", func(r *http.Request) (any, error) { err := c.adminApp(r); return c.state(), err })
	on("POST", "reset", func(*http.Request) (any, error) { c.Reset(); return c.state(), nil })
	on("POST", "revoke", c.adminRevoke)
	return guard(mux)
}

// guard refuses other machines, and pages of other sites in the user's browser: a foreign
// Host is a sign of DNS rebinding, a foreign Origin of a cross-site request.
func guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil || !loopback.Host(client) || !loopback.Host((&url.URL{Host: r.Host}).Hostname()) {
			Reply(w, http.StatusForbidden, map[string]string{"error": "emulator: the admin endpoint answers loopback only"})
			return
		}
		if o := r.Header.Get("Origin"); o != "" {
			if u, err := url.Parse(o); err != nil || u.Host != r.Host {
				Reply(w, http.StatusForbidden, map[string]string{"error": "emulator: the admin endpoint answers its own pages only"})
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// state returns what GET state shows. Of users and apps it shows only the names.
func (c *Core) state() map[string]any {
	users, apps, faults, signedIn := []string{}, []string{}, []any{}, []any{}
	for _, u := range c.Registry.Users() {
		users = append(users, u.Name)
	}
	for _, a := range c.Registry.Apps() {
		apps = append(apps, a.ClientID)
	}
	for _, f := range c.Faults.Pending() {
		faults = append(faults, showFields(reflect.ValueOf(f)))
	}
	for _, g := range c.Tokens.Grants(c.Clock.Now(), func(emulator.Grant) bool { return true }) {
		signedIn = append(signedIn, map[string]string{"user": g.User, "app": g.Client, "scope": g.Scope})
	}
	return map[string]any{
		"venue": c.setup().Branding.Name, "now": c.Clock.Now(), "offset": c.Clock.Offset().String(),
		"knobs": c.setup().Knobs, "users": users, "apps": apps, "faults": faults, "signedIn": signedIn,
	}
}

func (c *Core) adminEvents(r *http.Request) (any, error) {
	since := 0
	if s := r.URL.Query().Get("since"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, errors.New("emulator: since must be a number")
		}
		since = n
	}
	events := c.Log.Since(since)
	if events == nil {
		events = []emulator.Event{}
	}
	return events, nil
}

func (c *Core) adminClock(r *http.Request) error {
	var order struct {
		Advance time.Duration
		Set     string
	}
	if err := readFields(r, &order); err != nil {
		return err
	}
	if order.Set != "" {
		t, err := time.Parse(time.RFC3339, order.Set)
		if err != nil {
			return errors.New("emulator: set must be a time such as 2026-01-02T15:04:05Z")
		}
		c.Clock.Set(t)
	}
	c.Clock.Advance(order.Advance)
	return nil
}

func (c *Core) adminFault(r *http.Request) error {
	var f emulator.Fault
	if err := readFields(r, &f); err != nil {
		return err
	}
	return c.Faults.Add(f)
}

func (c *Core) adminKnobs(r *http.Request) error {
	object, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("emulator: request body: %w", err)
	}
	return c.setup().Knobs.Merge(object)
}

func (c *Core) adminUser(r *http.Request) error {
	var u emulator.User
	if err := readFields(r, &u); err != nil {
		return err
	}
	if u.Name == "" || u.Password == "" {
		return errors.New("emulator: a user needs a name and a password")
	}
	c.Registry.PutUser(u)
	return nil
}

func (c *Core) adminApp(r *http.Request) error {
	var a emulator.App
	if err := readFields(r, &a); err != nil {
		return err
	}
	if a.ClientID == "" {
		return errors.New("emulator: an app needs a clientID")
	}
	c.Registry.PutApp(a)
	return nil
}

func (c *Core) adminRevoke(r *http.Request) (any, error) {
	var order struct{ User string }
	if err := readFields(r, &order); err != nil {
		return nil, err
	}
	if _, ok := c.Registry.User(order.User); !ok {
		return nil, fmt.Errorf("emulator: there is no user %q", order.User)
	}
	return map[string]int{"revoked": c.RevokeUser(order.User)}, nil
}

// readFields decodes the request's JSON object into the struct that v points to.
func readFields(r *http.Request, v any) error {
	object, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("emulator: request body: %w", err)
	}
	return mergeFields(reflect.ValueOf(v).Elem(), object, "")
}
