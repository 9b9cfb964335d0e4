package agent_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
)

// agent_test.go tests what a program gets through an agent, beside what it gets of a Keeper.

// A token is the Keeper's, with what a call needs, and without what only the Keeper may have.
func TestATokenThroughTheAgent(t *testing.T) {
	s := play(t, nil)
	signedIn := s.signIn()
	source := s.client.Source(alice)
	token, err := source.Token(t.Context())
	if err != nil || !token.Access.Equal(signedIn.Access) || token.Refresh != "" || token.Generation != signedIn.Generation || !token.Expires.Equal(signedIn.Expires) || token.Extra("userId") != "7" {
		t.Fatalf("%+v %v", token, err)
	}
	request, _ := http.NewRequest("GET", "https://api.example", nil)
	source.Sign(token, request)
	if request.Header.Get("Authorization") != "Bearer "+string(signedIn.Access) {
		t.Error(request.Header)
	}
	newer, err := s.client.Refresh(t.Context(), alice)
	if err != nil || newer.Generation != token.Generation+1 || newer.Access == token.Access {
		t.Errorf("%+v %v", newer, err)
	}
	again, err := source.Reject(t.Context(), token.Access) // it is not the one of the moment any more
	if err != nil || !again.Access.Equal(newer.Access) {
		t.Errorf("%+v %v", again, err)
	}
	if now, err := source.Token(t.Context()); err != nil || !now.Access.Equal(newer.Access) {
		t.Errorf("%+v %v", now, err)
	}
	for _, path := range []string{"/v1/token/" + alice.String(), "/v1/signins", "/v1/signins/" + alice.String()} {
		if answer := s.get(path); strings.Contains(answer, "refresh-") || !strings.Contains(answer, "Cache-Control: no-store") {
			t.Errorf("%s: %s", path, answer)
		}
	}
}

// A long poll ends with the rotation, or with the wait, or with the client.
func TestALongPoll(t *testing.T) {
	s := play(t, nil)
	first := s.signIn().Generation
	if token, err := s.client.Newer(t.Context(), alice, 0, time.Minute); err != nil || token.Generation != first {
		t.Fatalf("%+v %v", token, err)
	}
	if token, err := s.client.Newer(t.Context(), alice, first, time.Millisecond); err != nil || token != nil {
		t.Errorf("%+v %v", token, err)
	}
	type answer struct {
		token *venuekey.Token
		err   error
	}
	answers := make(chan answer, 50)
	for range cap(answers) {
		go func() {
			token, err := s.client.Newer(t.Context(), alice, first, time.Minute)
			answers <- answer{token, err}
		}()
	}
	if _, err := s.keeper.Refresh(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	for range cap(answers) {
		if a := <-answers; a.err != nil || a.token == nil || a.token.Generation != first+1 {
			t.Errorf("%+v", a)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := s.client.Newer(ctx, alice, first+1, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that leaves: %v", err)
	}
	for query, status := range map[string]int{"newer_than=x": 400, "newer_than=1&wait=2m": 400, "wait=1s": 400, "newer_than=1&wait=-1s": 400} {
		s.want(s.get("/v1/token/"+alice.String()+"?"+query), status, "newer_than is a generation")
	}
}

// Errors mean the same on both sides.
func TestErrorsCrossTheSocket(t *testing.T) {
	s := play(t, nil)
	bob := venuekey.ID{Venue: "stage", Name: "bob"}
	if _, err := s.client.Token(t.Context(), bob); !venuekey.NeedsSignIn(err) || !errors.Is(err, venuekey.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	s.signIn()
	fail := func(known *venuekey.Error) { s.venue.Before = func(context.Context) error { return known } }
	for _, known := range []*venuekey.Error{
		{Class: venuekey.ClassLater, Reason: "the venue is busy", RetryAfter: 90 * time.Second, Remedy: "wait"},
		{Class: venuekey.ClassMisconfigured, Reason: "no such app", Code: "invalid_client"},
		{Class: venuekey.ClassNotSent, Reason: "no route"},
		{Class: venuekey.ClassDeclined, Reason: "no", Scopes: []string{"trade"}},
	} {
		fail(known)
		_, err := s.client.Refresh(t.Context(), alice)
		var got *venuekey.Error
		if !errors.As(err, &got) || got.Class != known.Class || !strings.Contains(got.Reason, known.Reason) || got.Code != known.Code ||
			got.RetryAfter != known.RetryAfter || got.Remedy != known.Remedy || !reflect.DeepEqual(got.Scopes, known.Scopes) || got.ID != alice {
			t.Errorf("%+v became %+v", known, got)
		}
	}
	fail(nil)
	s.venue.Before = nil
	s.venue.Kill()
	if _, err := s.client.RefreshAgain(t.Context(), alice); !venuekey.NeedsSignIn(err) {
		t.Errorf("dead: %v", err)
	}
	later := agent.FailureOf(503, []byte(`{"error":{"class":"asleep","reason":"it sleeps","retry_after":-5,"new":[1]}}`))
	if later.Class != venuekey.ClassFailed || !strings.Contains(later.Reason, "asleep") || later.RetryAfter != 0 {
		t.Errorf("a class of a later version: %+v", later)
	}
	s.stop()
	if _, err := s.client.Token(t.Context(), alice); !errors.Is(err, agent.ErrNoAgent) || !venuekey.Temporary(err) {
		t.Errorf("no agent: %v", err)
	}
}

// While the agent is away a program keeps the token that it has.
func TestAnAgentThatIsAway(t *testing.T) {
	s := play(t, nil)
	s.signIn()
	source := s.client.Source(alice)
	first, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	source.Forget()
	if token, err := source.Token(t.Context()); err != nil || token != first {
		t.Errorf("away: %+v %v", token, err)
	}
	s.begin()
	if token, err := s.client.Token(t.Context(), alice); err != nil || !token.Access.Equal(first.Access) {
		t.Errorf("back: %+v %v", token, err)
	}
}

// A status is the same on both sides, whatever is in it.
func TestStatusesCrossTheSocket(t *testing.T) {
	var status venuekey.Status
	value := reflect.ValueOf(&status).Elem()
	now := time.Now().Round(0).UTC()
	for i := range value.NumField() {
		switch field := value.Field(i); field.Interface().(type) {
		case string, venuekey.State:
			field.SetString(fmt.Sprintf("text %d", i))
		case time.Time:
			field.Set(reflect.ValueOf(now.Add(time.Duration(i) * time.Hour)))
		case bool:
			field.SetBool(true)
		case []string:
			field.Set(reflect.ValueOf([]string{"a", "b"}))
		case int, int64:
			field.SetInt(int64(i))
		case venuekey.Ending:
			field.Set(reflect.ValueOf(venuekey.EndAfterIssue))
		case venuekey.Window:
			field.Set(reflect.ValueOf(venuekey.Window{From: now, To: now.Add(time.Hour)}))
		}
	}
	status.ID = alice
	got := agent.RoundTrip(status)
	got.Left, status.Left = 0, 0
	if !reflect.DeepEqual(got, status) {
		t.Errorf("got  %+v\nwant %+v", got, status)
	}
	if damaged := agent.RoundTrip(venuekey.Status{ID: alice, Err: errors.New("the seal does not open")}); venuekey.ClassOf(damaged.Err) != venuekey.ClassDamaged {
		t.Errorf("%+v", damaged)
	}
	s := play(t, nil)
	s.signIn()
	for one, err := range s.client.Statuses(t.Context()) {
		if err != nil || one.ID != alice || one.State != venuekey.StateFresh || one.Left <= 0 {
			t.Errorf("%+v %v", one, err)
		}
	}
	if err := s.client.SignOut(t.Context(), alice, true); err != nil || len(s.venue.Revoked) == 0 {
		t.Errorf("%v %v", err, s.venue.Revoked)
	}
	if _, err := s.client.Status(t.Context(), alice); !venuekey.NeedsSignIn(err) {
		t.Error(err)
	}
}

// Programs are told of each rotation, and of what they missed.
func TestEventsOverTheSocket(t *testing.T) {
	s := play(t, nil)
	first := s.signIn().Generation
	events := make(chan agent.Event, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan bool)
	go func() {
		defer close(ended)
		for event := range s.client.Events(ctx, alice) {
			events <- event
		}
	}()
	want := func(kind string, generation int64) {
		t.Helper()
		for event := range events {
			if event.Kind == kind && (generation == 0 || event.Generation == generation) {
				return
			}
		}
	}
	want("found", first)
	for generation := first + 1; generation < first+4; generation++ {
		if _, err := s.keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		want("rotated", generation)
	}
	s.stop()
	s.begin() // another agent's numbers mean nothing
	want(agent.EventReset, 0)
	cancel()
	<-ended
}

// A monitor reads counts and the first end, and no ID.
func TestMetrics(t *testing.T) {
	s := play(t, nil)
	s.signIn()
	if _, err := s.client.Token(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	_, _ = s.client.Token(t.Context(), venuekey.ID{Venue: "stage", Name: "nobody"})
	answer := s.get("/metrics")
	for _, line := range []string{
		"# TYPE venuekey_signins gauge\nvenuekey_signins{venue=\"stage\",state=\"fresh\"} 1\n",
		"venuekey_asked_total{venue=\"stage\",verb=\"token\",outcome=\"given\",consumer=\"\"} 1\n",
		"venuekey_asked_total{venue=\"stage\",verb=\"token\",outcome=\"refused\",consumer=\"\"} 1\n",
		"venuekey_agent_info{version=\"test\"} 1\n", "venuekey_event_streams 0\n",
	} {
		if !strings.Contains(answer, line) {
			t.Errorf("%q is not in %s", line, answer)
		}
	}
	if strings.Contains(answer, "alice") || strings.Contains(answer, "nobody") {
		t.Error(answer)
	}
}
