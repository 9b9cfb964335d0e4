package oauth

import (
	"context"
	"net/url"
	"time"

	"github.com/venuekey/venuekey"
)

// probe.go owns the check of a token endpoint that presents nothing.

// probeTime is how long a probe may take: a slower endpoint is not ready for a refresh
// token, which can be presented only once.
const probeTime = 10 * time.Second

// Probe sends a token request without a token, a code or a client, to see whether the
// venue itself answers at the token endpoint. It returns nil if the venue rejects the
// request in its own words, and an error if the venue asks to wait, if a gateway answers
// in its place, or if nothing answers within ten seconds.
func (c Client) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	form := c.ProbeForm
	if form == nil {
		form = url.Values{"grant_type": {grantRefresh}}
	}
	nobody := c
	nobody.ClientAuth = authNone
	var failure error
	for _, way := range append([]Way{{URL: c.TokenURL, ByGet: c.TokenByGet}}, c.TokenFallbacks...) {
		request, err := nobody.shaped(ctx, venuekey.App{}, way, form)
		if err != nil {
			return err
		}
		answer, address, err := SendWithin(c.Domains, c.Transport, request)
		if err != nil {
			return err
		}
		answer = c.read(answer, time.Now())
		spoke, notNow := c.answeredItself(answer)
		if spoke {
			return notNow
		}
		if failure == nil {
			failure = answer.Stranger(address)
		}
		if !c.unread(answer) {
			break
		}
	}
	return failure
}

// answeredItself reports whether an answer is the venue's own, and returns the error if
// the venue asks to wait.
func (c Client) answeredItself(answer Answer) (spoke bool, notNow error) {
	found := c.find(answer.Body)
	if fault := c.fault(grantRefresh, answer, found); fault != nil {
		if fault.named && fault.Class == venuekey.ClassLater {
			return true, fault.Error
		}
		return true, nil
	}
	if own := c.own(grantRefresh, answer); own != nil {
		if own.RetryAfter > 0 {
			return true, own
		}
		return true, nil
	}
	return len(found.grants) > 0, nil
}
