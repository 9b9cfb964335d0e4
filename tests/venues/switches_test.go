package venues_test

import (
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// switches_test.go tests the client's operations at Tradovate in each position of each switch of
// the emulated venue: what no fact sheet knows for certain, the client copes with either way.

// tried are the outcomes of the operations, by their names: "fine", or the class of an error.
type tried map[string]string

// switched is a position of some switches, and what differs in it from fine.
type switched struct {
	knobs  tradovateemu.Knobs
	before func(d *desk, api tradovate.API) // brings the desk to where the switch matters
	want   tried
	noPage bool // the venue's page does not answer, so nobody signs in by it
}

// operations are tried in this order: a sign-in, who it is, a renewal with its token, a sign-in by
// OAuth with its exchange, and a refresh.
var operations = []string{"accessTokenRequest", "me", "renewAccessToken", "oauthToken, code", "oauthToken, refresh"}

// wrongPassword fails to sign in n times.
func wrongPassword(n int) func(*desk, tradovate.API) {
	return func(d *desk, api tradovate.API) {
		for range n {
			_, _ = api.AccessTokenRequest(d.t.Context(), login("looking-glass"))
		}
	}
}

func login(password venuekey.Secret) tradovate.AccessTokenRequest {
	return tradovate.AccessTokenRequest{Name: "alice", Password: password, AppID: "venuekey", AppVersion: "1", DeviceID: "d", CID: "42", Sec: "demo-sec"}
}

const fine, later, refused, misconfigured, unknown, declined = "fine", "later", "refused", "misconfigured", "unknown outcome", "declined"

func positions() map[string]switched {
	type k = tradovateemu.Knobs
	penalty := func(on emulator.Endpoint) k { return k{Penalties: 1, PenaltyOn: on} }
	return map[string]switched{
		"as documented":                             {},
		"CodeLife, short":                           {knobs: k{CodeLife: time.Second}},
		"AccessLife, 90 s":                          {knobs: k{AccessLife: 90 * time.Second}},
		"RefreshLife, 14 days":                      {knobs: k{RefreshLife: 14 * 24 * time.Hour}},
		"Rotation, the old one stays":               {knobs: k{Rotation: emulator.RotationOldStays}},
		"Rotation with Grace":                       {knobs: k{Rotation: emulator.RotationGraceSamePair, Grace: time.Minute}},
		"OAuthErrorStatus, 400":                     {knobs: k{OAuthErrorStatus: 400, TransientRefusals: 1}, want: tried{"oauthToken, refresh": refused}},
		"TransientRefusals":                         {knobs: k{TransientRefusals: 1}, want: tried{"oauthToken, refresh": refused}},
		"RenewKillsOld":                             {knobs: k{RenewKillsOld: true}},
		"RefreshKillsOld":                           {knobs: k{RefreshKillsOld: true}},
		"RenewQuota, used up":                       {knobs: k{RenewQuota: 0 + 1}, before: renewOnce, want: tried{"renewAccessToken": later}},
		"RenewQuota, used up, Quota429":             {knobs: k{RenewQuota: 1, Quota429: true}, before: renewOnce, want: tried{"renewAccessToken": later}},
		"MeQuota, used up":                          {knobs: k{MeQuota: 1}, before: badMe, want: tried{"me": later}},
		"MeQuota, used up, Quota429":                {knobs: k{MeQuota: 1, Quota429: true}, before: badMe, want: tried{"me": later}},
		"UserLimit":                                 {knobs: k{UserLimit: 1}, want: tried{"renewAccessToken": later}},
		"UserLimit, UserWarned":                     {knobs: k{UserLimit: 1, UserWarned: true}, want: tried{"renewAccessToken": later}},
		"UserMinute":                                {knobs: k{UserMinute: 1}, want: tried{"renewAccessToken": later}},
		"AnonymousLimit":                            {knobs: k{AnonymousLimit: 1}, before: wrongPassword(1), want: everything(later)},
		"AnonymousMinute":                           {knobs: k{AnonymousMinute: 1}, before: wrongPassword(1), want: everything(later)},
		"SessionLimit, 1":                           {knobs: k{SessionLimit: 1}, before: endedElsewhere},
		"OAuthSessions":                             {knobs: k{OAuthSessions: true, SessionLimit: 3}},
		"ClosedStatus, 500":                         {knobs: k{ClosedStatus: 500}},
		"PasswordStatus, 401, RefusesRight":         {knobs: k{PasswordStatus: 401, RefusesRight: time.Hour, PenaltyAfter: 1}, before: wrongPassword(1), want: all(later)},
		"PenaltyAfter":                              {knobs: k{PenaltyAfter: 1}, before: wrongPassword(1), want: all(later)},
		"PenaltyAfter, PenaltyCaptcha, PenaltyWait": {knobs: k{PenaltyAfter: 1, PenaltyCaptcha: true, PenaltyWait: time.Minute}, before: wrongPassword(1), want: all(later)},
		"Penalties, PenaltyOn a sign-in":            {knobs: penalty(emulator.AtLogin), want: all(later)},
		"Penalties, PenaltyOn me":                   {knobs: penalty(emulator.AtMe), want: tried{"me": later}},
		"Penalties, PenaltyOn a renewal":            {knobs: penalty(emulator.AtRenew), want: tried{"renewAccessToken": later}},
		"LockAfter":                                 {knobs: k{LockAfter: 1}, before: wrongPassword(1), want: all(later)},
		"NoMDToken":                                 {knobs: k{NoMDToken: true}},
		"OAuthMDToken":                              {knobs: k{OAuthMDToken: true}},
		"APIHosts, LiveHost, DemoHost":              {knobs: k{APIHosts: true, LiveHost: "localhost:1", DemoHost: "localhost:2"}},
		"UserStatus":                                {knobs: k{UserStatus: "UnconfirmedEmail"}},
		"HIBPHint":                                  {knobs: k{HIBPHint: "PasswordCompromised"}},
		"OAuthIDToken":                              {knobs: k{OAuthIDToken: true}},
		"UserIDAfter":                               {knobs: k{UserIDAfter: 5 * time.Minute}},
		"MeOnDemo":                                  {knobs: k{MeOnDemo: true}},
		"Empty401":                                  {knobs: k{Empty401: true}, before: ended, want: tried{"me": refused, "renewAccessToken": refused}},
		"OrdersDenied":                              {knobs: k{OrdersDenied: true}},
		"UnapprovedDevice":                          {knobs: k{UnapprovedDevice: "d"}},
		"AccountsDenied":                            {knobs: k{AccountsDenied: true}},
		"Maintenance":                               {knobs: k{Maintenance: true}, before: inMaintenance, want: all(later), noPage: true},
		"Maintenance, MaintenanceStatus, 500":       {knobs: k{Maintenance: true, MaintenanceStatus: 500}, before: inMaintenance, want: all(later), noPage: true},
		"Maintenance, MaintenanceStatus, none":      {knobs: k{Maintenance: true, MaintenanceStatus: -1}, before: inMaintenance, want: all(unknown), noPage: true},
		"MovedTo, elsewhere":                        {knobs: k{MovedTo: "https://foreign.example"}, want: everything(misconfigured)},
		"IgnorePKCE":                                {knobs: k{IgnorePKCE: true}},
	}
}

// untested are switches without a position here, and where theirs are.
var untested = map[string]string{
	"RejectPKCE":          "TestPKCEInEveryPositionOfEveryVenue",
	"LosePKCE":            "TestPKCEInEveryPositionOfEveryVenue",
	"Issuer":              "callback_test.go",
	"Socket":              "the stories of venue/tradovate/socket",
	"AnyLoopbackRedirect": "of tests that sign in by a browser",
	"TokenPrefix":         "of tests that look for tokens in output",
}

func TestEverySwitchOfTradovate(t *testing.T) {
	rows := positions()
	named := strings.Join(slices.Collect(maps.Keys(rows)), " ")
	for field := range reflect.TypeFor[tradovateemu.Knobs]().Fields() {
		if untested[field.Name] == "" && !strings.Contains(named, field.Name) {
			t.Errorf("the switch %s has no position", field.Name)
		}
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := try(t, row)
				for _, operation := range operations {
					want := fine
					if row.noPage && strings.HasPrefix(operation, "oauthToken") {
						want = ""
					}
					if special, ok := row.want[operation]; ok {
						want = special
					}
					if got[operation] != want {
						t.Errorf("%s: %q, want %q", operation, got[operation], want)
					}
				}
			})
		})
	}
}

// all are the outcomes if nobody can sign in by password, and so nothing follows but OAuth.
func all(class string) tried {
	return tried{"accessTokenRequest": class, "me": "", "renewAccessToken": ""}
}

// everything are the outcomes if no sign-in is possible.
func everything(class string) tried {
	return tried{"accessTokenRequest": class, "me": "", "renewAccessToken": "", "oauthToken, code": class, "oauthToken, refresh": ""}
}

// try tries every operation once. What cannot be tried, because there is no token for it, is "".
func try(t *testing.T, row switched) tried {
	d := openDesk(t, true, row.knobs)
	api := tradovate.Venue{Transport: d.way}.API(d.app)
	api.Base, api.MeBase = "http://localhost:1/v1", "http://localhost:1/v1"
	if row.before != nil {
		row.before(d, api)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := tried{}
	said := func(operation string, err error) bool {
		if got[operation] = fine; err != nil {
			got[operation] = venuekey.ClassOf(err).String()
		}
		return err == nil
	}
	session, err := api.AccessTokenRequest(ctx, login("wonderland"))
	if said(operations[0], err) {
		if row.knobs.Empty401 {
			d.server.RevokeUser("alice")
		}
		_, err = api.Me(ctx, session.AccessToken)
		said(operations[1], err)
		_, err = api.RenewAccessToken(ctx, session.AccessToken)
		said(operations[2], err)
	}
	if row.noPage {
		return got
	}
	person := keepertest.Paster{Person: emulator.Person{Name: "alice", Password: "wonderland", Client: &http.Client{Transport: d.way.venue}}, URL: make(chan string, 1)}
	_, err = d.keeper.SignIn(ctx, alice, person)
	if !said(operations[3], err) {
		return got
	}
	kept, _, err := keepertest.Kept(ctx, d.keeper.Vault, alice)
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.OAuthToken(ctx, tradovate.OAuthToken{GrantType: "refresh_token", RefreshToken: kept.Refresh, ClientID: d.app.ClientID, ClientSecret: d.app.ClientSecret, RedirectURI: d.app.RedirectURI})
	said(operations[4], err)
	return got
}

func renewOnce(d *desk, api tradovate.API) {
	session, err := api.AccessTokenRequest(d.t.Context(), login("wonderland"))
	if err == nil {
		_, err = api.RenewAccessToken(d.t.Context(), session.AccessToken)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func badMe(d *desk, api tradovate.API) { _, _ = api.Me(d.t.Context(), "nobody") }

// ended and endedElsewhere are brought about on the way.
func ended(*desk, tradovate.API) {}

func endedElsewhere(d *desk, api tradovate.API) {
	_, _ = api.AccessTokenRequest(context.WithoutCancel(d.t.Context()), login("wonderland"))
}

func inMaintenance(d *desk, _ tradovate.API) {
	window, _ := tradovate.Venue{}.Policy().Maintenance.Next(time.Now())
	time.Sleep(time.Until(window.From) + time.Minute)
}
