package openapi_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// errors_test.go owns the meaning of every code, and that no error contains a secret.

func TestClasses(t *testing.T) {
	type meaning struct {
		class venuekey.Class
		kind  openapi.Kind
	}
	classes := map[meaning][]string{
		{venuekey.ClassLater, openapi.KindPlain}: {"CANT_ROUTE_REQUEST", "TIMEOUT_ERROR", "SERVER_IS_UNDER_MAINTENANCE", "CH_SERVER_NOT_REACHABLE",
			"CONNECTIONS_LIMIT_EXCEEDED", "CONCURRENT_MODIFICATION", "PENDING_EXECUTION"},
		{venuekey.ClassLater, openapi.KindTooMany}:     {"REQUEST_FREQUENCY_EXCEEDED", "BLOCKED_PAYLOAD_TYPE"},
		{venuekey.ClassLater, openapi.KindAccountLost}: {"ACCOUNT_NOT_AUTHORIZED", "INVALID_REQUEST/Trading account is not authorized"},
		{venuekey.ClassLater, openapi.KindAppLost}:     {"CH_CLIENT_NOT_AUTHENTICATED"},
		{venuekey.ClassLater, openapi.KindTokenDead}:   {"OA_AUTH_TOKEN_EXPIRED", "CH_ACCESS_TOKEN_INVALID/Access token expired"},
		{venuekey.ClassMisconfigured, openapi.KindPlain}: {"CH_CLIENT_AUTH_FAILURE", "CH_OA_CLIENT_NOT_FOUND", "RET_NO_SUCH_LOGIN", "RET_ACCOUNT_DISABLED",
			"CH_CTID_TRADER_ACCOUNT_NOT_FOUND", "CHANNEL_IS_BLOCKED"},
		{venuekey.ClassDeclined, openapi.KindAlreadyDone}: {"ALREADY_LOGGED_IN", "CH_CLIENT_ALREADY_AUTHENTICATED", "ALREADY_SUBSCRIBED"},
		{venuekey.ClassDeclined, openapi.KindPlain}: {"INVALID_REQUEST/Malformed JSON message at 1:6", "NOT_ENOUGH_MONEY", "MARKET_CLOSED", "SYMBOL_NOT_FOUND", "UNSUPPORTED_MESSAGE",
			"ENTITY_NOT_FOUND", "FRAME_TOO_LONG", "NOT_SUBSCRIBED_TO_SPOTS", "SHORT_SELLING_NOT_ALLOWED", "TRADING_BAD_VOLUME", "INCORRECT_BOUNDARIES"},
		{venuekey.ClassUnknown, openapi.KindPlain}: {"UNKNOWN_ERROR", "A_NEW_ONE", "", "114"},
	}
	// What may be sent again as it is: a read, and an order.
	safe := map[venuekey.Class][2]bool{venuekey.ClassLater: {true, true}, venuekey.ClassUnknown: {true, false}}
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		var said message.Message
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			if e.Type == message.TypeTraderReq || e.Type == message.TypeNewOrderReq {
				s.send(e.ID, said)
				return true
			}
			return false
		}
		c := authorised(t, f, openapi.Options{Requests: 1e6})
		defer c.Close()
		for meant, codes := range classes {
			for _, code := range codes {
				code, description, _ := strings.Cut(code, "/")
				said = &message.ErrorRes{ErrorCode: code, Description: message.Some(description)}
				for i, req := range []message.Message{&message.TraderReq{CtidTraderAccountID: 7}, order} {
					_, err := c.Do(within(t, time.Millisecond), req)
					want := safe[meant.class][i] && (i == 0 || code != "TIMEOUT_ERROR")
					var got *openapi.Error
					if !errors.As(err, &got) || got.Class != meant.class || got.Kind != meant.kind || got.Account != 7 || got.SafeToRetry() != want {
						t.Errorf("%s of %s: class %v, kind %v, safe %v", code, message.Name(req.PayloadType()), got.Class, got.Kind, got.SafeToRetry())
					}
					// The root's questions agree: no order needs a sign-in, and none in doubt is sent again.
					if venuekey.ClassOf(err) != meant.class || venuekey.NeedsSignIn(err) || venuekey.Temporary(err) != want {
						t.Errorf("%s of %s: class %v, temporary %v", code, message.Name(req.PayloadType()), venuekey.ClassOf(err), venuekey.Temporary(err))
					}
					if doubt := i == 1 && (meant.class == venuekey.ClassUnknown || code == "TIMEOUT_ERROR"); got.MayBeDone() != doubt {
						t.Errorf("%s of %s: may be done %v", code, message.Name(req.PayloadType()), got.MayBeDone())
					}
				}
			}
		}
	})
}

func TestMaintenanceInBothErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := time.Now().Add(time.Hour).Truncate(time.Second)
		f := newFake()
		var said message.Message
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			s.send(e.ID, said)
			return true
		}
		c := dialed(t, f, openapi.Options{})
		defer c.Close()
		for _, said = range []message.Message{
			&message.ErrorRes{ErrorCode: "SERVER_IS_UNDER_MAINTENANCE", MaintenanceEndTimestamp: message.Some(end.Unix())},
			&message.ErrorRes{ErrorCode: "SERVER_IS_UNDER_MAINTENANCE", MaintenanceEndTimestamp: message.Some(end.UnixMilli())},
			&message.CommonErrorRes{ErrorCode: "SERVER_IS_UNDER_MAINTENANCE", MaintenanceEndTimestamp: message.Some(uint64(end.UnixMilli()))},
		} {
			_, err := c.Version(t.Context(), &message.VersionReq{})
			var got *openapi.Error
			if !errors.As(err, &got) || !got.MaintenanceEnd.Equal(end) || !strings.Contains(err.Error(), "maintenance ends 2000-01-01T01:00:00Z") {
				t.Error(err)
			}
		}
	})
}

// If the service echoes what it was sent, we do not repeat it.
func TestNoErrorHasASecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		secrets := []string{fakeSecret, "the-access-token", "the-refresh-token"}
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			s.refuse(e.ID, "INVALID_REQUEST", strings.Join(secrets, " or "))
			return true
		}
		c := dialed(t, f, openapi.Options{})
		defer c.Close()
		for i, req := range []message.Message{
			&message.ApplicationAuthReq{ClientID: "id", ClientSecret: fakeSecret},
			&message.AccountAuthReq{CtidTraderAccountID: 7, AccessToken: "the-access-token"},
			&message.RefreshTokenReq{RefreshToken: "the-refresh-token"},
			&message.GetAccountListByAccessTokenReq{AccessToken: "the-access-token"},
			&message.GetCtidProfileByTokenReq{AccessToken: "the-access-token"},
		} {
			own := secrets[[]int{0, 1, 2, 1, 1}[i]]
			_, err := c.Do(t.Context(), req)
			synctest.Wait()
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), fmt.Sprintf("%+v", c)} {
				if strings.Contains(text, own) {
					t.Errorf("%s: %s", message.Name(req.PayloadType()), text)
				}
			}
		}
	})
}

// A description is cut, and a secret that it repeats may lie at the cut; it may also
// come in another form, and be something for a terminal.
func TestAttackASecretAtTheCut(t *testing.T) {
	const token = "kT8vQ1xW6yR2mN9cL5bH7gF4dS0aJpZ3uE5oI2qX8wV4"
	forms := map[string]string{
		"plain": token, "base64": base64.StdEncoding.EncodeToString([]byte("id:" + token)), "split": token[:22] + "\n" + token[22:],
		"upper": strings.ToUpper(token), "a form": strings.ReplaceAll(url.QueryEscape(token), "k", "%6b"), "an escape within": token[:22] + "\x1b[1m" + token[22:],
	}
	for form, repeated := range forms {
		for at := 240; at < 320; at += 7 {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
					s.refuse(e.ID, "INVALID_REQUEST", strings.Repeat("so ", at/3)+repeated+"\x1b[2J\u202e and more")
					return true
				}
				c := dialed(t, f, openapi.Options{})
				defer c.Close()
				_, err := c.AccountAuth(t.Context(), &message.AccountAuthReq{CtidTraderAccountID: 7, AccessToken: token})
				for piece := 0; piece+12 <= len(repeated) && err != nil; piece++ {
					if strings.Contains(err.Error(), repeated[piece:piece+12]) && !strings.Contains(" and more", repeated[piece:piece+9]) {
						t.Fatalf("%s at %d: %v", form, at, err)
					}
				}
				if err == nil || strings.ContainsAny(err.Error(), "\x1b\n\u202e") {
					t.Fatalf("%s at %d: %q", form, at, err)
				}
			})
		}
	}
}

// What the service sends is quoted if it cannot be decoded.
func TestAttackAnAnswerThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.hook = func(s *peer, e message.Envelope, m message.Message) bool {
			s.raw([]byte("\x1b[2J" + fakeSecret + "\u202e\n"))
			return true
		}
		c := dialed(t, f, openapi.Options{})
		defer c.Close()
		_, err := c.ApplicationAuth(t.Context(), &message.ApplicationAuthReq{ClientID: "id", ClientSecret: fakeSecret})
		for inner := err; inner != nil; inner = errors.Unwrap(inner) {
			if text := inner.Error(); strings.ContainsAny(text, "\x1b\n\u202e") || strings.Contains(text, fakeSecret) {
				t.Errorf("%q", text)
			}
		}
		if err == nil {
			t.Error("it was read")
		}
	})
}

func TestAClientPrintsNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := staged(t, newFake(7), nil)
		defer s.close(t)
		mustReady(t, s)
		synctest.Wait()
		text := fmt.Sprintf("%v %+v %#v", s.Client, s.Client, s.State())
		if strings.Contains(text, "access-1") || strings.Contains(text, fakeSecret) {
			t.Error(text)
		}
	})
}

func TestWhatATokenDoesNotSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		s := staged(t, newFake(7), func(s *stage) {
			s.Client.Token = func(context.Context) (venuekey.Secret, error) {
				if tries++; tries < 4 {
					return "", errors.New("the store does not answer")
				}
				return "access-1", nil
			}
		})
		defer s.close(t)
		if err := s.Ready(within(t, time.Millisecond)); err == nil || !strings.Contains(err.Error(), "the store does not answer") {
			t.Error(err)
		}
		mustReady(t, s)
	})
}

// Unsolicited messages can echo a secret as well.
func TestWhatTheServiceSaysUnaskedHasNoSecret(t *testing.T) {
	for _, gossip := range []message.Message{
		&message.ClientDisconnectEvent{Reason: message.Some("away with " + fakeSecret + " and access-1")},
		&message.ErrorRes{ErrorCode: "SERVER_IS_UNDER_MAINTENANCE", Description: message.Some("not now, " + fakeSecret + " access-1")},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(7)
			f.hook = func(p *peer, e message.Envelope, m message.Message) bool {
				if e.Type == message.TypeVersionReq {
					p.send("", gossip)
					p.nc.Close()
					return true
				}
				return false
			}
			s := staged(t, f, nil)
			defer s.close(t)
			if err := s.Ready(within(t, time.Minute)); err != nil {
				t.Fatal(err)
			}
			_, err := s.Version(within(t, time.Second), &message.VersionReq{})
			if told := fmt.Sprintf("%v %+v", err, s.State()); strings.Contains(told, fakeSecret) || strings.Contains(told, "access-1") {
				t.Errorf("%T: %s", gossip, told)
			}
		})
	}
}
