package definition

import (
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // Windows and small containers have no zones of their own; the command holds them already

	"github.com/venuekey/venuekey/internal/foreign"
)

// checklife.go owns what is said about lives and renewals.

func (c checker) checkLife() {
	l, a := c.Life, c.Answer.Life
	if l.Never {
		c.needless("a token that never expires has no such end", "remove it, or never", "life.access", "life.cutoff", "life.idle", "answer.life")
		if c.Renew.With != WithNone && c.Renew.With != "" {
			c.wrong("renew.with", "write none", "a token that never expires is not renewed")
		}
	}
	if l.Cutoff != nil {
		if _, err := time.Parse("15:04", l.Cutoff.Time); err != nil && l.Cutoff.Time != "" {
			c.wrong("life.cutoff.time", "write it as in 03:30", "%q is not a time of the day", foreign.Name(l.Cutoff.Time))
		}
		c.checkZone("life.cutoff.zone", l.Cutoff.Zone)
	}
	c.checkIdle()
	switch {
	case len(a.ExpiresIn) > 0 && len(a.ExpiresAt) > 0:
		c.wrong("answer.life.expires_at", "keep one of them", "expires_in is given too")
	case a.JWT && len(a.ExpiresIn)+len(a.ExpiresAt) > 0:
		c.wrong("answer.life.jwt", "remove it, or the path", "the answer says how long the token lives")
	case (a.Layout != "" || a.Zone != "") && len(a.ExpiresAt) == 0:
		c.wrong("answer.life.layout", "add expires_at, or remove it", "there is no time that is written so")
	case a.Zone != "" && a.Layout == "":
		c.wrong("answer.life.zone", "add the layout", "RFC 3339 has the zone in it")
	case a.Layout != "" && !isLayout(a.Layout):
		c.wrong("answer.life.layout", "write the moment 2006-01-02 15:04:05 as the venue would", "it has no date and time of day")
	}
	if c.has("answer.life.zone") {
		c.checkZone("answer.life.zone", a.Zone)
	}
}

// checkIdle checks what is said about sessions that end for want of calls.
func (c checker) checkIdle() {
	idle, k := c.Life.Idle, c.Keepalive
	switch {
	case idle == 0 && k == nil:
	case k == nil:
		c.wrong("keepalive", "add it, or write life.access in place of life.idle", "nothing keeps the session from ending")
	case idle == 0:
		c.wrong("life.idle", "add it", "nothing says how long a session lives without a call")
	case k.Every >= idle:
		c.wrong("keepalive.every", "write less than life.idle", "the session would be over before the call")
	case c.Life.Access > 0 && idle >= c.Life.Access:
		c.wrong("life.idle", "write less than life.access", "a session would never end for want of calls")
	}
	if k == nil {
		return
	}
	if c.Renew.With != WithNone && c.Renew.With != "" {
		c.wrong("keepalive", "remove it, or write none in renew.with", "renewals keep the session alive already")
	}
	if k.Request.Auth != AuthBearer && !k.Request.uses("access") {
		c.wrong("keepalive.request", "write auth bearer, or send {access}", "the request does not carry the token that it keeps alive")
	}
	c.needless("the life is that of a session without calls", "remove it", "answer.life")
}

// isLayout reports whether a layout keeps a moment to the minute.
func isLayout(layout string) bool {
	moment := time.Date(2031, 11, 23, 21, 47, 0, 0, time.UTC)
	back, err := time.Parse(layout, moment.Format(layout))
	return err == nil && back.Equal(moment)
}

func (c checker) checkZone(field, name string) {
	if _, err := time.LoadLocation(name); name != "" && (err != nil || name == "Local") {
		c.wrong(field, "write one of the IANA database, such as Asia/Kolkata", "there is no zone %q", foreign.Name(name))
	}
}

func (c checker) checkRenew() {
	r := c.Renew
	switch r.With {
	case WithNone:
		c.needless("nothing is renewed", "remove it, or write what renews in renew.with", "renew.request", "renew.rotates", "renew.after_lost",
			"renew.kills_access", "renew.life", "renew.life_from", "renew.at", "renew.least", "renew.pace", "renew.burst", "renew.request")
	case WithAccess, WithApp:
		c.needless("there is no refresh token", "remove it", "renew.rotates", "renew.life", "renew.life_from", "renew.after_lost")
	}
	switch {
	case r.With == WithAccess && r.Request == nil:
		c.wrong("renew.request", "add it", "nothing says how the access token is renewed")
	case r.With == WithApp && c.Login != LoginKey && c.Login != "":
		c.wrong("renew.with", "write refresh, access or none", "the login %s leaves no key with the app", c.Login)
	case r.With == WithRefresh && r.Request == nil && c.Exchange != nil && c.Exchange.Params != nil:
		c.wrong("renew.request", "add it", "the request of exchange has parameters of its own, which are not those of a renewal")
	case r.With == WithRefresh && r.Request != nil && r.Request.Params != nil && !r.Request.uses("refresh"):
		c.wrong("renew.request.params", "add one with {refresh}", "the refresh token is not sent")
	case (r.With == WithAccess || r.With == WithApp) && r.Request != nil && r.Request.Auth != AuthBearer && !r.Request.uses("access"):
		c.wrong("renew.request", "write auth bearer, or send {access}", "the access token is not sent")
	}
	c.checkRotation()
	c.checkWarn()
	switch {
	case r.At < 0 || r.At >= 1 || c.has("renew.at") && r.At == 0:
		c.wrong("renew.at", "write one between 0 and 1", "it is not a part of a life")
	case c.Life.Access > 0 && r.Least >= c.Life.Access:
		c.wrong("renew.least", "write less than life.access", "a token would be dead before it is renewed")
	case r.Burst < 0 || c.has("renew.burst") && r.Burst == 0:
		c.wrong("renew.burst", "write at least 1", "no renewal could come at all")
	}
}

// checkWarn checks the warnings, which lie before an end.
func (c checker) checkWarn() {
	for i, before := range c.Warn {
		field := fmt.Sprintf("warn[%d]", i)
		if slices.Contains(c.Warn[:i], before) {
			c.wrong(field, "keep one of them", "it is in the list twice")
		}
		if c.Renew.Life > 0 && before >= c.Renew.Life {
			c.wrong(field, "write less than renew.life", "the sign-in has not begun by then")
		}
	}
	if c.Life.Never {
		c.needless("there is no end to warn of", "remove it", "warn")
	}
}

func (c checker) checkRotation() {
	r := c.Renew
	switch {
	case r.With != WithRefresh:
	case r.Life > 0 && r.LifeFrom == "":
		c.wrong("renew.life_from", "add login, issue or use", "nothing says from when the life counts")
	case r.Life == 0 && r.LifeFrom != "" && !c.has("renew.life"):
		c.wrong("renew.life", "add it, or remove life_from", "nothing says how long the life is")
	}
	if r.With == WithRefresh && !r.Rotating() && (r.AfterLost == LostNever || r.AfterLost == LostOnce) {
		c.wrong("renew.after_lost", "write freely, or remove it", "a renewal does not use the refresh token up, so a lost answer is no danger")
	}
}
