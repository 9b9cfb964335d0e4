package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/venuekey/venuekey"
)

// login.go owns a sign-in from the authorization URL to the token.

// Login signs a user in with the authorization code grant (RFC 6749 §4.1). It shows the
// user where to sign in, waits for the callback or for a pasted address, whichever comes
// first, and exchanges the code at once.
//
// Login never waits for a method of the UI to return: it returns when the code has been
// exchanged or the context has ended, and a UI call that does not return then is left
// running. The port is free when Login returns.
func (c Client) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (token venuekey.Token, err error) {
	redirect, err := ParseRedirect(app.RedirectURI)
	if err != nil {
		return token, err
	}
	attempt := c.NewAttempt()
	visit := venuekey.Visit{CodeLife: c.CodeLife}
	l, busy := listen(redirect.listens())
	switch {
	case busy != nil && redirect.Loopback:
		visit.NotListening = busy.Error()
	case !redirect.Loopback:
		visit.NotListening = "the redirect uri is not on this machine"
	default:
		visit.Listening, redirect = true, l.redirect
		app.RedirectURI = redirect.URL.String()
	}
	visit.Redirect = app.RedirectURI
	if l != nil {
		defer func() { l.close(noticeOf(err)); tellBriefly(ui, l.strays.summary()) }()
	}
	if visit.Elsewhere, err = c.Authorize(app, attempt); err != nil {
		return token, err
	}
	if l != nil {
		visit.URL, visit.Open = l.invite(ctx, c.Config, attempt, visit.Elsewhere, ui.Tell)
	}
	if !redirect.Loopback {
		visit.URL = visit.Elsewhere
	}
	return c.receive(ctx, app, ui, visit, redirect, attempt, l.answers())
}

// receive invites the user, waits for the answer and exchanges the code. It does not wait
// for calls of the UI: one that hangs is left behind, so it cannot delay a token that has
// to be saved.
func (c Client) receive(ctx context.Context, app venuekey.App, ui venuekey.UI, visit venuekey.Visit, redirect Redirect, attempt Attempt, arrived <-chan callback) (venuekey.Token, error) {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	talk := talk{visited: make(chan error, 1), pasted: make(chan callback), refused: make(chan error, 1)}
	go func() {
		// ctx and not waiting: the browser that Visit opens still has to show the last page.
		if err := ui.Visit(ctx, visit); err != nil {
			talk.visited <- err
			return
		}
		c.paste(waiting, ui, redirect, attempt, talk)
	}()
	var last error
	for tries := 1; ; {
		select {
		case err := <-talk.visited:
			return venuekey.Token{}, err
		case got := <-arrived:
			return c.redeem(ctx, app, ui, attempt, got)
		case got := <-talk.pasted:
			token, err := c.redeem(ctx, app, ui, attempt, got)
			if !got.bare || !venuekey.NeedsSignIn(err) || tries == mostTries {
				return token, err
			}
			tries, last = tries+1, err
			tellBriefly(ui, "the venue did not accept that as a code for this sign-in: paste the whole address from the address bar")
		case err := <-talk.refused:
			switch {
			case last != nil:
				return venuekey.Token{}, last
			case !visit.Listening: // else the callback may still come
				return venuekey.Token{}, cannotReceive(visit, err)
			}
		case <-ctx.Done():
			return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassFailed, Reason: leftReason(ctx), Err: context.Cause(ctx)}
		}
	}
}

// mostTries is how many bare codes are presented. One that the venue refuses may have
// been typed at the wrong prompt, and the real code may still come.
const mostTries = 3

// talk carries what comes of talking to the user: at most one value in each channel
// matters.
type talk struct {
	visited chan error    // why the user was not invited
	pasted  chan callback // an answer to this sign-in
	refused chan error    // why nothing can be pasted
}

// mostMistakes is how many mistakes are reported: if a program does the pasting, nobody
// reads them.
const mostMistakes = 20

// paste asks for the redirected address until the sign-in is over.
func (c Config) paste(ctx context.Context, ui venuekey.UI, redirect Redirect, attempt Attempt, talk talk) {
	for mistakes := 0; ; {
		text, err := ui.Paste(ctx)
		if err != nil {
			talk.refused <- err
			return
		}
		got := c.readPasted(text, redirect, attempt)
		if got.stray == "" {
			select {
			case talk.pasted <- got:
				continue
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return
		}
		if mistakes++; mistakes <= mostMistakes {
			ui.Tell(got.stray)
		}
	}
}

func (c Client) redeem(ctx context.Context, app venuekey.App, ui venuekey.UI, attempt Attempt, got callback) (venuekey.Token, error) {
	if got.denied != nil {
		return venuekey.Token{}, got.denied
	}
	if c.CodeLife > 0 {
		tellBriefly(ui, fmt.Sprintf("code received; exchanging it now (it is valid for %d s)", int(c.CodeLife.Seconds())))
	}
	// The code is exchanged even if the user gives up now, but the exchange takes no
	// longer than the code is valid.
	limit := c.CodeLife
	if limit <= 0 || limit > time.Minute {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	token, err := c.Exchange(ctx, app, got.Code, attempt.Verifier)
	if attempt.Verifier != "" && (venuekey.NeedsSignIn(err) || venuekey.Misconfigured(err)) {
		tellBriefly(ui, "the sign-in used PKCE; if the venue does not support it, set the app's pkce to off")
	}
	return token, err
}

// tellBriefly does not wait for a UI that hangs, such as one on a terminal that was
// stopped with Ctrl-S: the code would expire meanwhile.
func tellBriefly(ui venuekey.UI, line string) {
	if line == "" {
		return
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		ui.Tell(line)
	}()
	select {
	case <-told:
	case <-time.After(tellTimeout):
	}
}

// tellTimeout is more than a terminal needs for a line.
const tellTimeout = 100 * time.Millisecond

func cannotReceive(visit venuekey.Visit, err error) error {
	if !errors.Is(err, errors.ErrUnsupported) {
		return &venuekey.Error{Class: venuekey.ClassFailed, Reason: "no redirected address was pasted", Err: err}
	}
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: visit.NotListening,
		Remedy: "free the port, or paste the address at which the browser ends up"}
}

func leftReason(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "the sign-in timed out; if the browser never came back, check that the redirect uri is registered exactly as given"
	}
	return "the sign-in was interrupted"
}

func noticeOf(err error) notice {
	if err == nil {
		return notice{Good: true, Title: "You are signed in", Words: "You can close this tab and return to your program."}
	}
	var known *venuekey.Error
	if errors.As(err, &known) && known.Reason != "" {
		return notice{Title: "Not signed in", Words: known.Reason + ". The program that you started says what to do next."}
	}
	return notice{Title: "Not signed in", Words: "The program that you started says why."}
}
