package defined_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
)

var headersApp = venuekey.App{Params: map[string]venuekey.Secret{"apikey": "the-key-of-the-api"}}

// A session that dies after ten minutes without a call lives while a Keeper runs, and no
// longer than the venue lets any live.
func TestASessionIsKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, madeUpDefinition(t, "headers"), headersApp)
		first := s.signIn()
		begun := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.keeper.Run(ctx) }()
		for time.Since(begun) < 115*time.Minute {
			time.Sleep(time.Minute)
			token, err := s.token()
			if err != nil || token.Access != first.Access || !s.server.Alive(string(token.Access)) {
				t.Fatalf("after %s: %v", time.Since(begun), err)
			}
		}
		calls := s.server.Log().Count(emulator.EventRenewGranted)
		if calls < 115/5-1 || calls > 115/4 {
			t.Errorf("%d calls in 115 minutes", calls)
		}
		if status := s.status(); status.SignInEnds.Sub(begun) > 2*time.Hour || status.Ending != venuekey.EndAfterUse {
			t.Errorf("the end is %s after the sign-in, %s", status.SignInEnds.Sub(begun), status.Ending)
		}
		time.Sleep(6 * time.Minute)
		if _, err := s.token(); !venuekey.NeedsSignIn(err) {
			t.Errorf("after two hours: %v", err)
		}
		stop()
		<-done
	})
}

// Without anybody who calls it ends, and the status knew when.
func TestASessionThatNobodyKeepsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, madeUpDefinition(t, "headers"), headersApp)
		token := s.signIn()
		if status := s.status(); time.Until(status.SignInEnds) > 10*time.Minute || status.NextRefresh.IsZero() {
			t.Errorf("%+v", status)
		}
		time.Sleep(10 * time.Minute)
		if s.server.Alive(string(token.Access)) {
			t.Error("the venue still takes the token")
		}
		if _, err := s.token(); !venuekey.NeedsSignIn(err) {
			t.Errorf("%v", err)
		}
		if status := s.status(); status.State != venuekey.StateNeedsSignIn {
			t.Errorf("%s", status.State)
		}
	})
}

// A session that the venue ended is over as soon as a program finds out, and an outage is not.
func TestASessionThatEndsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, madeUpDefinition(t, "headers"), headersApp)
		token := s.signIn()
		s.server.Inject(emulator.Fault{On: emulator.AtRenew, Kind: emulator.FaultStatusBefore, Status: 502})
		time.Sleep(6 * time.Minute)
		if got, err := s.token(); err != nil || got.Access != token.Access {
			t.Errorf("in an outage: %v", err)
		}
		time.Sleep(time.Minute)
		if _, err := s.token(); err != nil || s.server.Log().Count(emulator.EventRenewGranted) != 1 {
			t.Errorf("after it: %v", err)
		}
		s.server.RevokeUser("alice")
		time.Sleep(time.Minute)
		if _, err := s.keeper.Reject(t.Context(), s.id(), token.Access); !venuekey.NeedsSignIn(err) {
			t.Errorf("ended elsewhere: %v", err)
		}
	})
}
