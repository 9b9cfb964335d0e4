package ttp_test

// The stage: an emulated TTP behind a real listener, and an app that uses it.

import (
	"strings"
	"testing"

	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/emulator/ttp"
)

// site is an emulated TTP, and its app.
type site struct {
	*ttp.Server
	apptest.Client
}

func open(t *testing.T, k ttp.Knobs) site {
	t.Helper()
	s := &ttp.Server{Knobs: k}
	return site{s, apptest.Open(t, s)}
}

// authorizeURL is in order but for the changes.
func (s site) authorizeURL(change ...string) string {
	return s.URL + "/oauth/authorize?" + apptest.AuthorizeQuery(change...)
}

func (s site) code(change ...string) string {
	s.T.Helper()
	return s.Back(apptest.Alice(), s.authorizeURL(change...)).Get("code")
}

func isHTML(a apptest.Answer) bool {
	return strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") && strings.Contains(a.Body, "<!DOCTYPE html>")
}

func (s site) exchange(code string, change ...string) apptest.Answer {
	s.T.Helper()
	return s.Post("/oauth/token", apptest.ExchangeForm(code, change...))
}

func (s site) refresh(token string, change ...string) apptest.Answer {
	s.T.Helper()
	return s.Post("/oauth/token", apptest.RefreshForm(token, change...))
}

// signIn returns the first pair.
func (s site) signIn() (access, refresh string) {
	s.T.Helper()
	a := s.exchange(s.code())
	if a.Text("access_token") == "" || a.Text("refresh_token") == "" {
		s.T.Fatalf("sign-in: %d %v", a.Status, a.Keys)
	}
	return a.Text("access_token"), a.Text("refresh_token")
}

func (s site) me(access string) apptest.Answer {
	s.T.Helper()
	return s.Request("GET", "/oauth/me", "", "Authorization", "Bearer "+access)
}
