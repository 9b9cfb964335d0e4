package defined

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// keepalive.go owns sessions that end for want of calls. To the Keeper a call that keeps one
// alive is a renewal with the access token that brings the same token again: so one program of
// many makes it, its outcome is durable, and a status knows when the session ends if nobody
// calls.

// begunField is the extra that says when a session began, in Unix seconds.
const begunField = ownField + "begun"

// begun returns the token of a session that begins.
func (v venue) begun(token venuekey.Token) venuekey.Token {
	if token.Extras == nil {
		token.Extras = map[string]venuekey.Secret{}
	}
	token.Extras[begunField] = venuekey.Secret(strconv.FormatInt(token.Issued.Unix(), 10))
	token.Expires = v.idleEnd(token, token.Issued)
	return token
}

// idleEnd returns when a session ends if nothing is called after a moment.
func (v venue) idleEnd(token venuekey.Token, called time.Time) time.Time {
	end := called.Add(time.Duration(v.d.Life.Idle))
	begun, err := strconv.ParseInt(string(token.Extra(begunField)), 10, 64)
	if last := time.Unix(begun, 0).Add(time.Duration(v.d.Life.Access)); err == nil && v.d.Life.Access > 0 && last.Before(end) {
		return last
	}
	return end
}

// keepAlive makes the call that keeps a session alive, once.
func (v venue) keepAlive(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if !token.Valid(time.Now()) {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Reason: "the session ended, because nothing was called for too long or it was as old as one may be", Remedy: "sign in again"}
	}
	r := v.d.Keepalive.Request
	address, err := v.address(app, "keepalive", r.URL)
	if err != nil {
		return venuekey.Token{}, err
	}
	request, err := v.withExtras(v.shape(&r), token)(ctx, app, oauth.Way{URL: address}, url.Values{})
	if err != nil {
		return venuekey.Token{}, err
	}
	sent, to := time.Now(), request.URL
	answer, err := oauth.Send(oauth.Trusting(v.transport, app), request)
	if err != nil {
		return venuekey.Token{}, err
	}
	failure := oauth.Config{Names: v.names(), Meanings: v.meanings()}.OAuthError("refresh_token", v.read(answer, sent))
	switch {
	case answer.Status == http.StatusUnauthorized:
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Reason: v.d.Name + " ended the session", Remedy: "sign in again"}
	case failure != nil:
		return venuekey.Token{}, failure
	case answer.Status >= 300 || answer.IsPage() || v.failed(answer, json.RawMessage(answer.Text())):
		return venuekey.Token{}, answer.Stranger(to)
	}
	return venuekey.Token{Access: token.Access, Type: token.Type, Issued: sent, Expires: v.idleEnd(token, sent)}, nil
}
