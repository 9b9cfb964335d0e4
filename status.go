package venuekey

import (
	"cmp"
	"context"
	"iter"
	"time"
)

// status.go owns the status of a sign-in, as its record shows it.

// State is the state of a sign-in, in a word or two.
type State string

const (
	// StateFresh: the token is good and not yet due.
	StateFresh State = "fresh"
	// StateDue: the token is good and due for renewal.
	StateDue State = "due"
	// StateRefreshing: a program is renewing it right now.
	StateRefreshing State = "refreshing"
	// StateUncertain: a renewal was sent and its answer was lost; the old token is
	// served until it expires.
	StateUncertain State = "uncertain"
	// StateDegraded: the token is still good, but renewals fail.
	StateDegraded State = "degraded"
	// StateExpired: the token has expired; a renewal may still succeed.
	StateExpired State = "expired"
	// StateNeedsSignIn: the user has to sign in again.
	StateNeedsSignIn State = "needs sign-in"
)

// Status describes one sign-in.
type Status struct {
	ID    ID
	State State
	// Reason says why the state is not fresh, as far as that is known.
	Reason string
	// Issued, Expires, RefreshExpires and NextRefresh are as in Token and
	// Record; zero means unknown, or never.
	Issued, Expires, RefreshExpires, NextRefresh time.Time
	// SignInEnds is when the sign-in ends although nothing fails, because its refresh
	// token expires; zero if Ending is EndNever or EndUnknown.
	SignInEnds time.Time
	// Ending says from when SignInEnds is counted.
	Ending Ending
	// EndsAnyway says that no renewal moves SignInEnds: the user must sign in again
	// before it.
	EndsAnyway bool
	// SignedIn is when the user signed in; zero means unknown.
	SignedIn time.Time
	// Left is the remaining life of the access token; negative if it has expired.
	Left time.Duration
	// Scopes are the granted scopes, if they are known.
	Scopes []string
	// ScopesMissing are the scopes that were requested and not granted.
	ScopesMissing []string
	// Limits says what the sign-in cannot do with its scopes, such as to trade, in the
	// venue's words; "" if nothing is missing.
	Limits string
	// User is the account's identity in the venue's own words; "" if unknown.
	User string
	// Generation counts the tokens of the ID.
	Generation int64
	// Failures counts failed renewals since the last one that succeeded.
	Failures int
	// Spilled says that a renewed token is in a spill file, or in memory, because the
	// store refuses it. Everything else is about that token.
	Spilled bool
	// Odd says what the record holds that venuekey never writes: something else writes
	// to the store. Reason begins with it.
	Odd string
	// Behind says that the vault went back in time: this machine has seen a newer
	// generation. Reason says which.
	Behind bool
	// LeftAloneUntil is the end of the pause that the venue asked for (Retry-After);
	// zero means none. A token that is about to expire is tried all the same.
	LeftAloneUntil time.Time
	// KeptPassword says that the user is signed in again with a kept password when nothing
	// else renews the sign-in.
	KeptPassword bool
	// Maintenance is the venue's present or next maintenance window; the zero Window if
	// none is known.
	Maintenance Window
	// Err is why the record cannot be read. Then only ID, State, Reason and Generation
	// are set.
	Err error
}

// Status returns the status of a sign-in. It reads the store only and never asks the
// venue. An ID without a sign-in is an *Error of ClassRefused.
func (k *Keeper) Status(ctx context.Context, id ID) (Status, error) {
	k.init()
	token, record, err := k.Vault.load(ctx, id)
	status, err := k.statusOf(id, token, record, err)
	if err != nil {
		return Status{}, annotate(err, id, "status")
	}
	g := k.inputs()
	k.reportRollback(ctx, g.marks, &status, token, record)
	k.reportClosure(ctx, g, &status)
	status.Limits = k.limits(id.Venue, status.Scopes)
	return status, nil
}

// State returns the state of a sign-in from its record alone: it is cheaper than Status,
// for programs that ask along with each token.
func (k *Keeper) State(ctx context.Context, id ID) (State, error) {
	k.init()
	token, record, err := k.Vault.load(ctx, id)
	if err != nil {
		return "", annotate(err, id, "status")
	}
	return stateOf(token, record, time.Now()), nil
}

// Statuses returns the status of every sign-in in the vault, in the order of their IDs.
// A record that cannot be opened yields a Status with Err set. An error of the sequence
// itself, from the store, ends it.
func (k *Keeper) Statuses(ctx context.Context) iter.Seq2[Status, error] {
	k.init()
	return func(yield func(Status, error) bool) {
		g := k.inputs()
		for record, err := range k.Vault.records(ctx) {
			if err != nil {
				yield(Status{}, err)
				return
			}
			if !yield(k.statusOfRecord(ctx, g, record), nil) {
				return
			}
		}
	}
}

// inputs is what many statuses share: the spill folders, marks and budgets are read once,
// not for each of thousands.
type inputs struct {
	// waits says that there may be a rotation that the store does not have yet.
	waits  bool
	marks  *markReader
	closed map[string]time.Time // by venue
}

func (k *Keeper) inputs() *inputs {
	return &inputs{waits: k.anyPending(), marks: k.readMarks(), closed: map[string]time.Time{}}
}

// statusOfRecord returns the status of a record, even of one that cannot be opened.
func (k *Keeper) statusOfRecord(ctx context.Context, g *inputs, record Record) Status {
	id := record.ID()
	token, err := k.Vault.openToken(record)
	status := statusOf(id, token, record, k.policy(id.Venue), time.Now())
	if g.waits {
		status, err = k.statusOf(id, token, record, err)
	}
	if err != nil {
		return Status{ID: id, State: StateNeedsSignIn, Reason: err.Error(), Generation: record.Generation, Err: err}
	}
	k.reportRollback(ctx, g.marks, &status, token, record)
	k.reportClosure(ctx, g, &status)
	status.Limits = k.limits(id.Venue, status.Scopes)
	return status
}

// reportClosure adds to a status until when its venue's budget is closed.
func (k *Keeper) reportClosure(ctx context.Context, g *inputs, s *Status) {
	until, known := g.closed[s.ID.Venue]
	if !known {
		if app, err := k.app(ctx, s.ID.Venue); err == nil {
			until, _ = k.Vault.closedUntil(ctx, k.budgetKey(app, k.policy(s.ID.Venue)))
		}
		g.closed[s.ID.Venue] = until
	}
	s.LeftAloneUntil = until
}

// statusOf returns the status of what was read, or of a newer token that is not saved
// yet.
func (k *Keeper) statusOf(id ID, token Token, record Record, err error) (Status, error) {
	waiting, waits := k.pending(id)
	waits = waits && (err != nil || waiting.record.Generation > record.Generation)
	if waits {
		token, record, err = waiting.token, waiting.record, nil
		record.Text = "the store refuses the renewed token; it is saved as soon as the store answers"
	}
	record = k.scheduled(id, token, record)
	status := statusOf(id, token, record, k.policy(id.Venue), time.Now())
	status.Spilled = waits
	return status, err
}

func statusOf(id ID, token Token, record Record, policy Policy, now time.Time) Status {
	token.Expires = earliest(token.ended, token.Expires) // whatever its time says
	ends := endOf(token, record, policy, now)
	status := Status{
		ID: id, State: stateOf(token, record, now), Reason: record.because(),
		Issued: token.Issued, Expires: token.Expires, RefreshExpires: token.RefreshExpires, NextRefresh: record.NextRefresh,
		SignInEnds: ends.at, Ending: ends.counts, EndsAnyway: ends.final, SignedIn: token.SignedIn,
		Left: token.Expires.Sub(now), Scopes: token.Scopes, ScopesMissing: token.Missing(), User: token.User,
		Generation: record.Generation, Failures: record.Failures, KeptPassword: token.Password != "",
	}
	status.Maintenance, _ = policy.Maintenance.Next(now)
	if status.State == StateExpired && !renewable(token, policy, now) {
		status.State, status.Reason = StateNeedsSignIn, cmp.Or(status.Reason, "the access token expired, and nothing else renews it")
	}
	reportOdd(&status, record, token)
	return status
}

// policy returns the policy of a venue; for an unknown one, the most careful.
func (k *Keeper) policy(name string) Policy {
	venue, err := k.Venue(name)
	if err != nil {
		return Policy{}
	}
	return venue.Policy()
}

func stateOf(token Token, record Record, now time.Time) State {
	alive := token.Valid(now)
	switch {
	// A lease with an open intent is a renewal; one without may be a claim whose
	// renewal has not begun.
	case inUse(record):
		return StateRefreshing
	case record.Condition == ConditionDead, !alive && (record.NextRefresh.IsZero() || token.isOver()):
		return StateNeedsSignIn
	case record.Condition == ConditionUncertain, !record.IntentAt.IsZero():
		return StateUncertain
	case !alive:
		return StateExpired
	case record.Failures > 0:
		return StateDegraded
	case isDue(record, now):
		return StateDue
	default:
		return StateFresh
	}
}
