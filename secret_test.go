package venuekey_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

const sentinel = "SENTINEL-do-not-print"

func TestSecretsNeverPrint(t *testing.T) {
	token := venuekey.Token{Access: sentinel, Refresh: sentinel, Expires: time.Now(), Extras: map[string]venuekey.Secret{"id_token": sentinel}}
	app := venuekey.App{ClientSecret: sentinel, Params: map[string]venuekey.Secret{"sec": sentinel}}
	key := venuekey.Key([]byte(sentinel + sentinel)[:32])
	failure := &venuekey.Error{Class: venuekey.Refused, Reason: "no"}
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	for _, value := range []any{token, &token, app, &app, key, venuekey.Secret(sentinel), failure, []venuekey.Secret{sentinel}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		logger.Info("value", "it", value)
	}
	printed := out.String()
	for _, trace := range []string{sentinel, fmt.Sprintf("%x", sentinel), fmt.Sprintf("%X", sentinel), fmt.Sprint([]byte(sentinel))[1:20]} {
		if strings.Contains(printed, trace) {
			t.Fatalf("printed %q", trace)
		}
	}
	if fmt.Sprint(venuekey.Secret("")) != "" {
		t.Fatal("an empty secret should print as nothing")
	}
}
