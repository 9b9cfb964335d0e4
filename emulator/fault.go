package emulator

import (
	"fmt"
	"slices"
	"time"
)

// fault.go owns faults: what can be ordered to go wrong.

// Endpoint names a place where faults can be injected. One request may go by
// several names: a refresh is Token and Refresh.
type Endpoint string

// The endpoints.
const (
	AtAny       Endpoint = ""          // whichever comes first; the admin endpoint never
	AtAuthorize Endpoint = "authorize" // the consent page: one request to show it, one for each form
	AtToken     Endpoint = "token"     // the token endpoint, whatever the grant
	AtExchange  Endpoint = "exchange"  // the token endpoint, code for tokens
	AtRefresh   Endpoint = "refresh"   // the token endpoint, refresh token for tokens
	AtLogin     Endpoint = "login"     // name and password for tokens
	AtRenew     Endpoint = "renew"     // live access token for a new one
	AtMe        Endpoint = "me"
	AtRevoke    Endpoint = "revoke"
)

// FaultKind says what goes wrong. The kinds that end in "-before" go wrong
// without the server having done anything; with those in "-after" it did its
// work first, so that a token has rotated and the client never learns.
type FaultKind string

// The kinds of faults.
const (
	FaultDropBefore             FaultKind = "drop-before" // the connection closes without an answer
	FaultDropAfter              FaultKind = "drop-after"
	FaultDelayBefore            FaultKind = "delay-before" // waits, then works and answers
	FaultDelayAfter             FaultKind = "delay-after"  // works, then waits and answers
	FaultStatusBefore           FaultKind = "status-before"
	FaultStatusAfter            FaultKind = "status-after"
	FaultTruncateBefore         FaultKind = "truncate-before" // half of the announced body, then the connection closes
	FaultTruncateAfter          FaultKind = "truncate-after"
	FaultHTMLBefore             FaultKind = "html-before" // a page of a content management system
	FaultHTMLAfter              FaultKind = "html-after"
	FaultRedirectBefore         FaultKind = "redirect-before"
	FaultRedirectAfter          FaultKind = "redirect-after"
	FaultWrongContentTypeBefore FaultKind = "wrong-content-type-before"
	FaultWrongContentTypeAfter  FaultKind = "wrong-content-type-after" // the real body, misnamed
	FaultHugeBefore             FaultKind = "huge-before"              // 10 MB of JSON
	FaultHugeAfter              FaultKind = "huge-after"
	FaultGarbageBefore          FaultKind = "garbage-before" // called JSON and is not
	FaultGarbageAfter           FaultKind = "garbage-after"
	FaultEmptyBefore            FaultKind = "empty-before" // no body at all
	FaultEmptyAfter             FaultKind = "empty-after"
)

// FaultKinds lists all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultDropBefore, FaultDropAfter, FaultDelayBefore, FaultDelayAfter, FaultStatusBefore, FaultStatusAfter,
		FaultTruncateBefore, FaultTruncateAfter, FaultHTMLBefore, FaultHTMLAfter, FaultRedirectBefore, FaultRedirectAfter,
		FaultWrongContentTypeBefore, FaultWrongContentTypeAfter, FaultHugeBefore, FaultHugeAfter,
		FaultGarbageBefore, FaultGarbageAfter, FaultEmptyBefore, FaultEmptyAfter,
	}
}

// Fault is an order for something to go wrong.
type Fault struct {
	// On is the endpoint; empty means any.
	On   Endpoint
	Kind FaultKind
	// Times is how many requests it hits: 0 means once, -1 all.
	Times int
	// Skip is how many matching requests pass before the first hit.
	Skip int
	// Delay is real time waited before the fault shows, or, for the delay kinds,
	// before the answer. A delay kind without Delay holds the request until the
	// client leaves.
	Delay time.Duration
	// Status replaces the usual one: 503 for the status kinds, 302 for the
	// redirects, 200 for pages and bodies.
	Status int
	// Body replaces the text of the status kinds, as a gateway's JSON.
	Body string
	// RetryAfter, if positive, is sent as Retry-After in seconds, rounded up.
	RetryAfter time.Duration
	// Location is where redirects point; empty means https://elsewhere.invalid/.
	Location string
	// ContentType is the wrong one, and that of Body; empty means "text/plain;
	// charset=utf-8".
	ContentType string
}

// Valid tells what is wrong with the order, if anything.
func (f Fault) Valid() error {
	if !slices.Contains(FaultKinds(), f.Kind) {
		return fmt.Errorf("emulator: unknown fault kind %q", f.Kind)
	}
	if f.Times < -1 || f.Skip < 0 || f.Delay < 0 || f.RetryAfter < 0 {
		return fmt.Errorf("emulator: fault %q has a negative number", f.Kind)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("emulator: fault %q has status %d, want 200 to 599", f.Kind, f.Status)
	}
	return nil
}
