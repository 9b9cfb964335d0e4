package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/venuekey/venuekey"
)

// Login signs a user in by authorization code (RFC 6749 §4.1): it shows the
// address, waits for the callback or for what the user pastes, whichever is
// first, and exchanges the code at once. It waits for no method of the UI: it
// returns when the code is exchanged or the context ended, and a UI that does not
// return then is the only thing that runs on. The port is free when it returns.
func (c Config) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (token venuekey.Token, err error) {
	redirect, err := ParseRedirect(app.RedirectURI)
	if err != nil {
		return token, err
	}
	attempt := c.NewAttempt()
	visit := venuekey.Visit{CodeLife: c.CodeLife, NotListening: "the redirect uri is not on this machine"}
	var arrived <-chan callback
	if redirect.Loopback {
		read := func(r *http.Request) callback { return c.readCallback(r.URL.Query(), attempt) }
		l, bound, busy := listen(redirect, read, ui.Tell)
		if busy != nil {
			visit.NotListening = busy.Error()
		} else {
			defer func() { l.close(verdictOn(err)) }()
			visit.Listening, visit.NotListening, arrived = true, "", l.arrived
			redirect, app.RedirectURI = bound, bound.URL.String()
		}
	}
	visit.Redirect = app.RedirectURI
	if visit.URL, err = c.Authorize(app, attempt); err != nil {
		return token, err
	}
	return c.meet(ctx, app, ui, visit, redirect, attempt, arrived)
}

// meet invites the user, waits for the answer and exchanges the code. It waits
// for no call of the UI: one that does not return is left behind, and cannot keep
// a token from whoever saves it.
func (c Config) meet(ctx context.Context, app venuekey.App, ui venuekey.UI, visit venuekey.Visit, redirect Redirect, attempt Attempt, arrived <-chan callback) (venuekey.Token, error) {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	talk := conversation{visited: make(chan error, 1), pasted: make(chan callback, 1), refused: make(chan error, 1)}
	go func() {
		// The browser that Visit opens is still needed for the last page.
		if err := ui.Visit(ctx, visit); err != nil {
			talk.visited <- err
			return
		}
		c.paste(waiting, ui, redirect, attempt, talk)
	}()
	for {
		select {
		case err := <-talk.visited:
			return venuekey.Token{}, err
		case got := <-arrived:
			return c.conclude(ctx, app, ui, attempt, got)
		case got := <-talk.pasted:
			return c.conclude(ctx, app, ui, attempt, got)
		case err := <-talk.refused:
			if visit.Listening {
				continue // the callback may still come
			}
			return venuekey.Token{}, cannotReceive(visit, err)
		case <-ctx.Done():
			return venuekey.Token{}, &venuekey.Error{Class: venuekey.Failed, Reason: leftReason(ctx), Err: context.Cause(ctx)}
		}
	}
}

// conversation is what comes of talking to the user, one of these at most.
type conversation struct {
	visited chan error    // why nobody was invited
	pasted  chan callback // an answer to this sign-in
	refused chan error    // why nothing is pasted
}

// paste asks for the redirected address until it gets one that answers this
// sign-in.
func (c Config) paste(ctx context.Context, ui venuekey.UI, redirect Redirect, attempt Attempt, talk conversation) {
	for {
		text, err := ui.Paste(ctx)
		if err != nil {
			talk.refused <- err
			return
		}
		got := c.readPasted(text, redirect, attempt)
		if got.stray == "" {
			talk.pasted <- got
			return
		}
		if ctx.Err() != nil {
			return
		}
		ui.Tell(got.stray)
	}
}

func (c Config) conclude(ctx context.Context, app venuekey.App, ui venuekey.UI, attempt Attempt, got callback) (venuekey.Token, error) {
	if got.denied != nil {
		return venuekey.Token{}, got.denied
	}
	if c.CodeLife > 0 {
		tellAtOnce(ui, fmt.Sprintf("the code is here; it lives %d s at most and is exchanged now", int(c.CodeLife.Seconds())))
	}
	// A code is worth exchanging even if the user gives up now, but not for
	// longer than it lives.
	limit := c.CodeLife
	if limit <= 0 || limit > time.Minute {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	return c.Exchange(ctx, app, got.Code, attempt.Verifier)
}

// tellAtOnce does not wait for a UI that does not return, as one on a terminal
// that was stopped with Ctrl-S: the code would die meanwhile.
func tellAtOnce(ui venuekey.UI, line string) {
	told := make(chan struct{})
	go func() {
		defer close(told)
		ui.Tell(line)
	}()
	select {
	case <-told:
	case <-time.After(tellPatience):
	}
}

// tellPatience is more than a terminal takes for a line.
const tellPatience = 100 * time.Millisecond

func cannotReceive(visit venuekey.Visit, err error) error {
	if !errors.Is(err, errors.ErrUnsupported) {
		return &venuekey.Error{Class: venuekey.Failed, Reason: "no redirected address was pasted", Err: err}
	}
	return &venuekey.Error{Class: venuekey.Wrong, Reason: visit.NotListening,
		Remedy: "free the port, or paste the address that the browser ends at"}
}

func leftReason(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "nobody signed in in time; a redirect uri that is not registered exactly so keeps the browser from coming back"
	}
	return "the sign-in was interrupted"
}

func verdictOn(err error) verdict {
	if err == nil {
		return verdict{Good: true, Title: "You are signed in", Words: "You can close this window and go back to your program."}
	}
	var known *venuekey.Error
	if errors.As(err, &known) && known.Reason != "" {
		return verdict{Title: "Not signed in", Words: known.Reason + ". The program that you started says what to do."}
	}
	return verdict{Title: "Not signed in", Words: "The program that you started says why."}
}
