package tradovate

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/venuekey/venuekey"
)

// penalty.go owns how a time penalty is waited out: the identical request goes out again,
// once, with the ticket (fact sheet Tradovate §1.4). The ticket is kept in the vault, since
// an attempt without it doubles the wait.

const (
	// longestWait is how long a sign-in waits by itself; what lasts longer is an error that
	// says when to try again.
	longestWait = 10 * time.Minute
	// mostPenalties bounds the penalties that one sign-in waits out.
	mostPenalties = 5
	// takenPause is how long to leave a ticket to the program that has just taken it.
	takenPause = 3 * time.Second
)

// Penalty is Tradovate's request to wait. The call was not executed, and may be repeated
// with the ticket after the wait. Retrieve it from an error with errors.As.
type Penalty struct {
	// Ticket is sent with the repeated request as p-ticket.
	Ticket venuekey.Secret
	// Wait is how long to wait before that.
	Wait time.Duration
	// Captcha says that Tradovate demands a captcha, which no program can solve: the user
	// has to wait for an hour.
	Captcha bool
}

// captchaWait is how long the documentation tells users to wait.
const captchaWait = time.Hour

// Error includes the wait.
func (p *Penalty) Error() string {
	if p.Captcha {
		return "Tradovate demands a captcha, which a program cannot solve: wait an hour before the next attempt"
	}
	return fmt.Sprintf("Tradovate requires a wait: the next attempt is allowed in %s", p.Wait)
}

// Is says that a captcha is for the user: errors.Is with venuekey.ErrUserWanted.
func (p *Penalty) Is(target error) bool { return p.Captcha && target == venuekey.ErrUserWanted }

// kept returns the penalty as it is kept for the same request.
func (p *Penalty) kept(request string) venuekey.Ticket {
	return venuekey.Ticket{Value: p.Ticket, For: request, NotBefore: time.Now().Add(p.Wait), Wait: p.Wait, Captcha: p.Captcha}
}

// refusedUntil returns the error for a ticket that is not waited for here.
func refusedUntil(t venuekey.Ticket) *venuekey.Error {
	left := max(t.Left().Round(time.Second), time.Second)
	penalty := &Penalty{Ticket: t.Value, Wait: left, Captcha: t.Captcha}
	failure := &venuekey.Error{Class: venuekey.ClassLater, RetryAfter: left, Err: penalty}
	failure.Reason = fmt.Sprintf("Tradovate requires a wait, which is over in %s", left)
	failure.Remedy = "try again at " + time.Now().Add(left).Format("15:04:05") + "; the ticket is kept"
	if t.Captcha {
		failure.Reason = fmt.Sprintf("Tradovate demands a captcha, which a program cannot solve; that is over in %s", left)
		failure.Remedy = "sign in to Trader in a browser, or try again at " + time.Now().Add(left).Format("15:04:05")
	}
	return failure
}

// waitedOut sends a request whose penalties are waited out in front of the user. place says
// what is requested for whom, and request is the identity of all of it. Another program that
// is asked for the same joins the wait, and one of them presents the ticket.
func waitedOut(ctx context.Context, ui venuekey.UI, place, request string, send func(ticket venuekey.Secret) error) (err error) {
	tickets := venuekey.TicketsIn(ctx)
	ticket, found := tickets.Find(ctx, place)
	for range mostPenalties {
		var value venuekey.Secret
		if found {
			if ticket.Captcha && ticket.Left() > 0 || ticket.Left() > longestWait {
				return refusedUntil(ticket)
			}
			if err := countdown(ctx, ui, ticket.Left()); err != nil {
				return err
			}
			taken := tickets.Take(ctx, place, ticket)
			switch {
			case ticket.For != request:
				ui.Tell("What Tradovate asked to wait for was another request; this one goes out without its ticket.")
			case !taken:
				if err := pause(ctx, takenPause); err != nil {
					return err
				}
				ticket, found = tickets.Find(ctx, place)
				continue
			default:
				value = ticket.Value
			}
		}
		err = send(value)
		penalty, ok := errors.AsType[*Penalty](err)
		if !ok {
			return err
		}
		ticket, found = penalty.kept(request), true
		tickets.Keep(ctx, place, ticket)
	}
	return err
}

// countdown waits, and shows how much is left.
func countdown(ctx context.Context, ui venuekey.UI, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	end := time.Now().Add(wait)
	ui.Tell(fmt.Sprintf("Tradovate asks for a wait of %s, until %s; then the sign-in goes on by itself.", max(wait.Round(time.Second), time.Second), end.Format("15:04:05")))
	for _, left := range []time.Duration{5 * time.Minute, 2 * time.Minute, time.Minute, 30 * time.Second, 10 * time.Second, 5 * time.Second} {
		if left >= wait {
			continue
		}
		if err := pause(ctx, time.Until(end)-left); err != nil {
			return err
		}
		ui.Tell(fmt.Sprintf("Still %s.", left))
	}
	return pause(ctx, time.Until(end))
}

// exchangeAgain waits out a penalty of a code's exchange, if it is short enough for a code.
func exchangeAgain(ui venuekey.UI) func(context.Context, error) (url.Values, bool) {
	return func(ctx context.Context, failure error) (url.Values, bool) {
		penalty, ok := errors.AsType[*Penalty](failure)
		if !ok || penalty.Captcha || penalty.Wait > time.Minute || countdown(ctx, ui, penalty.Wait) != nil {
			return nil, false
		}
		return withTicket(penalty.Ticket), true
	}
}

func withTicket(ticket venuekey.Secret) url.Values {
	if ticket == "" {
		return nil
	}
	return url.Values{"p-ticket": {string(ticket)}}
}

// refreshOnce presents a refresh token, with the ticket that an earlier presentation got in
// place of an answer: that one was not executed.
func (v Venue) refreshOnce(ctx context.Context, app venuekey.App, refresh venuekey.Secret) (token venuekey.Token, err error) {
	client := v.client(app)
	err = ticketed(ctx, venuekey.TicketFor("refresh", string(refresh)), func(added url.Values) (err error) {
		client.Added = added
		token, err = client.Refresh(ctx, app, refresh)
		return err
	})
	return token, err
}

// ticketed sends a request in the background: with the ticket that it got before, or not at
// all while that is too early. A penalty's ticket is kept for the next time.
func ticketed(ctx context.Context, request string, send func(added url.Values) error) error {
	tickets, added := venuekey.TicketsIn(ctx), url.Values{}
	if ticket, found := tickets.Find(ctx, request); found {
		if ticket.Left() > 0 {
			return refusedUntil(ticket)
		}
		if tickets.Take(ctx, request, ticket) && !ticket.Captcha {
			added = withTicket(ticket.Value)
		}
	}
	err := send(added)
	if penalty, ok := errors.AsType[*Penalty](err); ok {
		ticket := penalty.kept(request)
		tickets.Keep(ctx, request, ticket)
		ticket.Value = ""
		tickets.Keep(ctx, lastPenalised, ticket)
	}
	return err
}

// lastPenalised is the place of the last request for a token that was penalised, without its
// ticket.
const lastPenalised = "oauthtoken"

// awaited reports whether the venue has answered an earlier request with a penalty, and waits
// for that one to come again: then a probe would only be penalised too.
func awaited(ctx context.Context) (bool, error) {
	tickets := venuekey.TicketsIn(ctx)
	last, found := tickets.Find(ctx, lastPenalised)
	switch {
	case !found || last.For == probing:
		return false, nil
	case last.Left() > 0:
		return true, refusedUntil(last)
	}
	return tickets.Take(ctx, lastPenalised, last), nil
}

// probing is the place of a probe's ticket.
const probing = "probe"

// pause waits, or returns the context's error if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
