package tradovate

import (
	"net/http"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/core"
)

// login.go owns the sign-in by name, password and API key.

// loginRules returns the schema's rules (Tradovate facts §1.1).
func loginRules() []rule {
	return []rule{
		{name: "name", most: 64, required: true}, {name: "password", most: 64, required: true, secret: true},
		{name: "appId", most: 64}, {name: "appVersion", most: 64}, {name: "deviceId", most: 64},
		{name: "cid", most: 64}, {name: "sec", most: 8192, secret: true},
	}
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	k := s.Current().filled()
	f, err := readFields(r)
	if err != nil {
		refuseBody(w)
		return
	}
	if s.penalised(w, r, k, emulator.AtLogin, f.presented(), false) {
		return
	}
	if list := f.violations(loginRules()); len(list) > 0 {
		refuseViolations(w, list)
		return
	}
	now := s.core.Clock.Now()
	key, known := s.key(f["cid"], f["sec"])
	if !known || f["appId"] == "" {
		s.penalties.failed(now, network(r))
		s.core.Record(emulator.Event{Kind: emulator.EventClientRefused, Status: http.StatusOK, Detail: "API key"})
		refuseText(w, "The app is not registered")
		return
	}
	refused := emulator.Event{Kind: emulator.EventLoginRefused, Client: key.client(), Status: k.PasswordStatus, Detail: "by password"}
	if s.isLocked(k, f["name"]) {
		refused.Status, refused.Detail = k.LockedStatus, "locked"
		s.core.Record(refused)
		k.refuseLocked(w)
		return
	}
	u, ok := s.core.Registry.SignIn(f["name"], f["password"])
	if ok && s.penalties.refusesRight(now, network(r), k) {
		ok, refused.Detail = false, "by password, which is right"
	}
	if !ok {
		s.wrong.count(now, f["name"])
		s.penalties.failed(now, network(r))
		s.core.Record(refused)
		k.refusePassword(w)
		return
	}
	if k.SuccessForgives {
		s.penalties.forgive(network(r))
	}
	pair := s.beginSession(k, u, key)
	s.devices.set(pair.Grant.ID, f["deviceId"])
	answer := s.signedIn(k, pair, u)
	if k.HIBPHint != "" && f["hibpCheck"] == "true" {
		answer["hibpHint"] = k.HIBPHint
	}
	core.Reply(w, http.StatusOK, answer)
}

// refuseLocked answers the sign-in of a locked user.
func (k Knobs) refuseLocked(w http.ResponseWriter) {
	if k.LockedStatus != http.StatusOK {
		k.deny(w, k.LockedStatus)
		return
	}
	core.Reply(w, http.StatusOK, map[string]string{"userStatus": temporaryLocked})
}

// refusePassword answers in one of two forms: what has been seen, or what the conformance
// page says (Tradovate facts §1.3).
func (k Knobs) refusePassword(w http.ResponseWriter) {
	if k.PasswordStatus != http.StatusOK {
		k.deny(w, k.PasswordStatus)
		return
	}
	refuseText(w, "Incorrect username or password. Please try again.")
}

// beginSession issues the token of a new session.
func (s *Server) beginSession(k Knobs, u emulator.User, key APIKey) emulator.Pair {
	g := emulator.Grant{User: u.Name, Client: key.client()}
	for _, a := range u.Accounts {
		g.Accounts = append(g.Accounts, a.ID)
	}
	pair := s.core.Tokens.Issue(s.core.Clock.Now(), g, k.sessionPolicy())
	s.core.Record(emulator.Event{Kind: emulator.EventLoginGranted, User: u.Name, Client: key.client(), Successor: emulator.Fingerprint(pair.Access), Detail: "by password"})
	s.closeOldest(k, u.Name)
	return pair
}
