package oauth

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/venuekey/venuekey"
)

const (
	sentRefresh = "SENTINEL-refresh-that-was-sent"
	sentSecret  = "SENTINEL-client-secret"
)

var stageApp = venuekey.App{ClientID: "id", ClientSecret: sentSecret, RedirectURI: "http://localhost:8080/cb"}

// answering is a token address with one scripted answer.
func answering(t *testing.T, handler http.HandlerFunc) (Client, *atomic.Int32) {
	t.Helper()
	asked := new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return Client{Config: Config{TokenURL: server.URL + "/token", DefaultLife: time.Hour}}, asked
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// answersToARefresh are every kind of answer to a refresh, and what it means for the token.
var answersToARefresh = []struct {
	name    string
	answer  http.HandlerFunc
	class   venuekey.Class
	reason  string
	granted bool
}{
	{name: "granted", answer: says(200, `{"access_token":"a","refresh_token":"r","expires_in":60}`), granted: true},
	{name: "granted, as text/plain", answer: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, `{"access_token":"a"}`)
	}, granted: true},
	{name: "refused", answer: says(400, `{"error":"invalid_grant"}`), class: venuekey.ClassRefused, reason: "refresh token"},
	{name: "refused inside a 200", answer: says(200, `{"error":"invalid_grant","access_token":"a"}`), class: venuekey.ClassRefused},
	{name: "wrong client", answer: says(401, `{"error":"invalid_client"}`), class: venuekey.ClassMisconfigured, reason: "client id and secret"},
	{name: "unknown words", answer: says(400, `{"error":"SOMETHING_NEW","error_description":"why not"}`), class: venuekey.ClassLater, reason: "why not"},
	{name: "a secret repeated to us", answer: says(400, `{"error":"odd","error_description":"no such `+sentRefresh+` of `+sentSecret+`"}`), class: venuekey.ClassLater, reason: "no such [secret] of [secret]"},
	{name: "control characters", answer: says(400, `{"error":"odd","error_description":"a\u0007b\nc"}`), class: venuekey.ClassLater, reason: "a b c"},
	{name: "a code that is no code", answer: says(400, `{"error":"<script>"}`), class: venuekey.ClassUnknown},
	{name: "overloaded", answer: says(429, ``), class: venuekey.ClassLater},
	{name: "maintenance page", answer: says(503, `<html>back soon`), class: venuekey.ClassUnknown, reason: "503 Service Unavailable with an HTML page"},
	{name: "server error in JSON", answer: says(500, `{"message":"oops"}`), class: venuekey.ClassUnknown, reason: "neither a token nor an OAuth error"},
	{name: "bad gateway", answer: says(502, `<html>`), class: venuekey.ClassUnknown},
	{name: "firewall", answer: says(403, `<html>`), class: venuekey.ClassUnknown},
	{name: "wrong address", answer: says(404, `<html>`), class: venuekey.ClassUnknown, reason: "404 Not Found"},
	{name: "HTML in a 200", answer: says(200, `<!doctype html><p>`), class: venuekey.ClassUnknown, reason: "HTML page in place of JSON"},
	{name: "broken JSON", answer: says(200, `{"access_token":"a",`), class: venuekey.ClassUnknown, reason: "broken JSON"},
	{name: "an array", answer: says(200, `[]`), class: venuekey.ClassUnknown},
	{name: "null", answer: says(200, `null`), class: venuekey.ClassUnknown},
	{name: "nothing", answer: says(200, ``), class: venuekey.ClassUnknown, reason: "an empty body"},
	{name: "neither token nor error", answer: says(200, `{"ok":true}`), class: venuekey.ClassUnknown},
	{name: "ten megabytes", answer: says(200, `{"access_token":"`+strings.Repeat("a", 10<<20)+`"}`), class: venuekey.ClassUnknown, reason: "larger than"},
	{name: "redirect", answer: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example/path?x=1", http.StatusMovedPermanently)
	}, class: venuekey.ClassUnknown, reason: "redirects token requests to https://elsewhere.example"},
	{name: "connection dropped", answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, class: venuekey.ClassUnknown},
	{name: "cut in half", answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, `{"access_token":"a"`)
		panic(http.ErrAbortHandler)
	}, class: venuekey.ClassUnknown},
}

func TestAnswersToARefresh(t *testing.T) {
	for _, row := range answersToARefresh {
		t.Run(row.name, func(t *testing.T) {
			client, asked := answering(t, row.answer)
			token, err := client.Refresh(t.Context(), stageApp, sentRefresh)
			if asked.Load() != 1 {
				t.Fatalf("the refresh token was presented %d times", asked.Load())
			}
			if row.granted {
				if err != nil || token.Access != "a" {
					t.Fatal(err)
				}
				return
			}
			if venuekey.ClassOf(err) != row.class || !strings.Contains(err.Error(), row.reason) {
				t.Fatalf("%s: %v; want %s: …%s…", venuekey.ClassOf(err), err, row.class, row.reason)
			}
			if strings.Contains(err.Error(), "SENTINEL") || strings.ContainsAny(err.Error(), "<>\n") {
				t.Fatalf("the error holds what it should not: %q", err)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	client, _ := answering(t, says(200, ""))
	server := httptest.NewServer(nil)
	client.TokenURL = server.URL
	server.Close()
	if _, err := client.Refresh(t.Context(), stageApp, sentRefresh); venuekey.ClassOf(err) != venuekey.ClassNotSent {
		t.Fatal(err)
	}
}

func TestATokenRequestByGetKeepsItsSecretsOutOfErrors(t *testing.T) {
	client, asked := answering(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	client.TokenByGet = true
	_, err := client.Refresh(t.Context(), stageApp, sentRefresh)
	if err == nil || strings.Contains(err.Error(), "SENTINEL") || asked.Load() != 1 {
		t.Fatalf("%d requests, %v", asked.Load(), err)
	}
}

func TestHowTheAppAuthenticates(t *testing.T) {
	for auth, want := range map[ClientAuth]string{
		AuthInBody:     "|i d|s:e%c",
		AuthBasic:      "i+d:s%3Ae%25c||",
		AuthBasicPlain: "i d:s:e%c||",
		AuthBasicAndID: "i+d:s%3Ae%25c|i d|",
		AuthPublic:     "|i d|", // a secret that stands there all the same is not sent
	} {
		var got string
		client, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
			user, password, ok := r.BasicAuth()
			if ok {
				got = user + ":" + password
			}
			got += "|" + r.PostFormValue("client_id") + "|" + r.PostFormValue("client_secret")
			fmt.Fprint(w, `{"access_token":"a"}`)
		})
		client.ClientAuth = auth
		app := stageApp
		app.ClientID, app.ClientSecret = "i d", "s:e%c"
		if _, err := client.Refresh(t.Context(), app, sentRefresh); err != nil || got != want {
			t.Errorf("%d: %q, want %q (%v)", auth, got, want, err)
		}
	}
}

// A clock that is put right must not make a token seem to live longer.
func TestALocalClockThatIsWrong(t *testing.T) {
	for ahead, want := range map[time.Duration]time.Duration{
		0: time.Hour, 30 * time.Second: time.Hour, 10 * time.Minute: 50 * time.Minute,
		-10 * time.Minute: time.Hour, -24 * time.Hour: time.Hour, 24 * time.Hour: time.Hour,
	} {
		client, _ := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(-ahead).UTC().Format(http.TimeFormat))
			fmt.Fprint(w, `{"access_token":"a","expires_in":3600}`)
		})
		token, err := client.Refresh(t.Context(), stageApp, sentRefresh)
		if off := (token.ClockAhead - ahead).Abs(); err != nil || (token.Life()-want).Abs() > 2*time.Second || off > 2*time.Second {
			t.Errorf("%s ahead: lives %s, off by %s, %v", ahead, token.Life(), token.ClockAhead, err)
		}
	}
}

func TestFieldsUnderOtherNamesAndUnknownOnes(t *testing.T) {
	client, _ := answering(t, says(200, `{"accessToken":"a","refreshToken":null,"request_token":"r","scope":"b, c","account":{"id":7},"errorCode":null}`))
	client.Names = Names{Access: []string{"accessToken"}, Refresh: []string{"refreshToken", "request_token"}, Error: []string{"errorCode"}}
	token, err := client.Refresh(t.Context(), stageApp, sentRefresh)
	if err != nil || token.Refresh != "r" || strings.Join(token.Scopes, "|") != "b|c" {
		t.Fatalf("%v %v", token.Scopes, err)
	}
	if len(token.Extras) != 1 || token.Extra("account") != `{"id":7}` {
		t.Fatalf("%d extras", len(token.Extras))
	}
}

func TestAnExchangeIsRepeatedOnlyIfItNeverLeft(t *testing.T) {
	dials := 0
	client := Client{Config: Config{TokenURL: "https://venue.example/token"}, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		dials++
		return nil, fmt.Errorf("no route to host")
	})}
	if _, err := client.Exchange(t.Context(), stageApp, "code", ""); venuekey.ClassOf(err) != venuekey.ClassNotSent || dials != 2 {
		t.Fatal(dials, err)
	}
	lost, asked := answering(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := lost.Exchange(t.Context(), stageApp, "code", ""); venuekey.ClassOf(err) != venuekey.ClassUnknown || asked.Load() != 1 {
		t.Fatal(asked.Load(), err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPlainHTTPIsForLoopbackOnly(t *testing.T) {
	for address, good := range map[string]bool{
		"https://venue.example/token": true, "http://127.0.0.1:1/token": true, "http://[::1]:1/token": true, "http://localhost/token": true,
		"http://venue.example/token": false, "http://localhost.example/token": false, "http://10.0.0.1/": false, "ftp://localhost/": false, "token": false, "": false, "https://": false,
	} {
		if _, err := Endpoint("token", address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func FuzzTokenAnswer(f *testing.F) {
	for _, body := range []string{
		`{"access_token":"a","expires_in":"60"}`, `{"access_token":"a\r\nX: y","refresh_token":"r2","token_type":"mac"}`, `{"error":"invalid_grant"}`, `<html>`, `{"expires_in":1e999}`, `[`, ``, `{"access_token":{}}`,
		"\xef\xbb\xbf[{\"access_token\":\"a\"}]", "x{\"access_token\":7}y", `{"data":{"error":"x_y","access_token":" a","refresh_token":"r"}}`, "{\x00\"\x00",
	} {
		f.Add(200, []byte(body))
		f.Add(400, []byte(body))
	}
	client := Client{Config: Config{TokenURL: "https://venue.example/token", DefaultLife: time.Hour, ErrorsInOK: true, Names: Names{Refresh: []string{"refresh_token", "request_token"}}}}
	form := url.Values{"grant_type": {grantRefresh}, "refresh_token": {sentRefresh}}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		token, err := client.token(Answer{Status: status, Header: http.Header{}, Body: body}, &url.URL{Host: "venue.example"}, form, time.Now())
		if err == nil && (token.Access == "" && token.Refresh == "" || token.Expires.IsZero() || token.Life() == 0) {
			t.Fatalf("granted without a token or without an end: %s", token.Life())
		}
		// An access token is one header field, or it is not there: then a new refresh
		// token is, which is kept by itself.
		if strings.ContainsFunc(string(token.Access)+token.Type, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatal("a token that would be more than a header field")
		}
		if err != nil && (token.Access != "" || token.Refresh != "") {
			t.Fatal("a token and an error")
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r\x00") || strings.ContainsAny(strings.Join(token.Notes, ""), "\n\r\x00") {
			t.Fatalf("an error or a note of more than one line: %q %q", err, token.Notes)
		}
		if venuekey.NeedsSignIn(err) && !bytes.Contains(bytes.ToLower(body), []byte("invalid_grant")) && isASCII(body) && !bytes.Contains(body, []byte("\\")) {
			t.Fatalf("a death of another word: %v", err)
		}
		for _, found := range []venuekey.Secret{token.Access, token.Refresh} {
			// An escape, or another encoding, makes the text another one.
			if isASCII(body) && !bytes.Contains(body, []byte("\\")) && !bytes.Contains(body, []byte(string(found))) {
				t.Fatal("a token that does not stand in the answer")
			}
		}
	})
}

func isASCII(body []byte) bool {
	return !bytes.ContainsFunc(body, func(r rune) bool { return r == 0 || r > unicode.MaxASCII })
}
