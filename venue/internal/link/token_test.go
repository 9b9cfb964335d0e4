package link_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// token_test.go owns the stories of tokens that change, fail and are rejected.

// purse hands out the token that it holds, and records rejections.
type purse struct {
	has      venuekey.Secret
	err      error
	newer    venuekey.Secret
	newerErr error
	told     []venuekey.Secret
}

func (p *purse) token() *link.Token {
	return &link.Token{
		Get: func(context.Context) (venuekey.Secret, error) { return p.has, p.err },
		Rejected: func(_ context.Context, access venuekey.Secret) (venuekey.Secret, error) {
			p.told = append(p.told, access)
			return p.newer, p.newerErr
		},
		Timeout: time.Second, Log: slog.New(slog.DiscardHandler),
	}
}

func replaced(t *testing.T, token *link.Token, want bool) {
	t.Helper()
	if got, err := token.Replaced(t.Context()); err != nil || got != want {
		t.Error(got, err)
	}
}

func TestATokenThatCannotBeHadLeavesTheOldOne(t *testing.T) {
	p := &purse{has: "one"}
	token := p.token()
	if err := token.Fetch(t.Context()); err != nil || token.Current != "one" {
		t.Error(err)
	}
	for _, trouble := range []error{nil, errors.New("the store is away"), &venuekey.Error{Class: venuekey.ClassRefused}} {
		p.has, p.err = "", trouble
		err := token.Fetch(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "no access token: ") || token.Current != "one" || token.Changed(t.Context()) {
			t.Error(err)
		}
		if trouble != nil && !errors.Is(err, trouble) || venuekey.NeedsSignIn(err) != venuekey.NeedsSignIn(trouble) {
			t.Error(err)
		}
	}
	p.has, p.err = "two", nil
	if !token.Changed(t.Context()) || token.Changed(t.Context()) || token.Current != "two" {
		t.Error("a token that changed was not noticed once")
	}
}

func TestAFunctionThatDoesNotAnswerIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token := new(purse).token()
		token.Get = func(ctx context.Context) (venuekey.Secret, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		began := time.Now()
		if err := token.Fetch(t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Error(err, time.Since(began))
		}
	})
}

func TestARejectedTokenIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &purse{has: "one", newer: "two"}
		token := p.token()
		_ = token.Fetch(t.Context())
		replaced(t, token, true)
		if token.Current != "two" {
			t.Error("the newer one is not used")
		}
		p.has = "three" // another program was faster: nobody needs to be told
		replaced(t, token, true)
		p.has, p.newer = "four", "four"
		_ = token.Fetch(t.Context())
		time.Sleep(time.Minute)
		replaced(t, token, false) // it has no other
		time.Sleep(time.Hour)
		replaced(t, token, false)
		if len(p.told) != 2 || p.told[0] != "one" || p.told[1] != "four" {
			t.Error(len(p.told), "reports")
		}
	})
}

// Each report is a renewal. A venue that takes no token at all must not have one each
// second.
func TestTokensThatAreGoodForNothingAreRenewedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &purse{has: "a"}
		token := p.token()
		_ = token.Fetch(t.Context())
		for range 24 * 60 * 60 {
			time.Sleep(time.Second)
			p.newer = token.Current + "a"
			if changed, err := token.Replaced(t.Context()); err != nil {
				t.Fatal(err)
			} else if changed {
				p.has = token.Current
			}
		}
		if n := len(p.told); n < 24 || n > 30 {
			t.Error(n, "renewals in a day")
		}
		token.Proved()
		p.newer = token.Current + "a"
		replaced(t, token, true)
	})
}

func TestATokenWithoutRejectedWaitsForAnother(t *testing.T) {
	p := &purse{has: "one"}
	token := p.token()
	token.Rejected = nil
	_ = token.Fetch(t.Context())
	replaced(t, token, false)
	p.has = "two"
	replaced(t, token, true)
}

func TestAnErrorOfRejectedIsReturnedAndTriedAgain(t *testing.T) {
	p := &purse{has: "one", newerErr: errors.New("the venue is away")}
	token := p.token()
	_ = token.Fetch(t.Context())
	for range 2 {
		if _, err := token.Replaced(t.Context()); !errors.Is(err, p.newerErr) {
			t.Error(err)
		}
	}
	p.err = &venuekey.Error{Class: venuekey.ClassRefused}
	if _, err := token.Replaced(t.Context()); !venuekey.NeedsSignIn(err) || len(p.told) != 2 {
		t.Error(err, len(p.told))
	}
}
