package oauth

import (
	"context"
	"net/url"
	"time"

	"github.com/venuekey/venuekey"
)

// probe.go owns the look at a token address that presents nothing.

// probeTime is how long a probe may take: an address that is slower is not ready
// for the one chance that it is asked for.
const probeTime = 10 * time.Second

// Probe asks the token address for nothing, to see whether the venue answers
// there. Without a token, a code and a client it can only be told so, in the
// venue's own words; then it returns nil. A gateway's page or JSON is an error, as
// is no answer.
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
		request, err := nobody.tokenRequest(ctx, venuekey.App{}, way, form)
		if err != nil {
			return err
		}
		answer, err := Send(c.Transport, request)
		if err != nil {
			return err
		}
		spoke, notNow := c.answeredItself(answer)
		if spoke {
			return notNow
		}
		if failure == nil {
			failure = answer.Stranger(request.URL)
		}
		if !c.unread(answer) {
			break
		}
	}
	return failure
}

// spoke reports whether an answer is the venue's own, and the error with which it
// asks to be left alone, if it does.
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
