package tradovate_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// Every field of the four operations that the fact sheet knows, in and out: the table is
// testdata/fields.txt, and testdata/*.json are the requests and answers that follow from it.
// go test ./venue/tradovate -run TestEveryField -write writes them anew.

var write = flag.Bool("write", false, "write the golden files of the fields anew")

// wireField is a row of the table.
type wireField struct{ operation, way, name, kind, inGo string }

func wireFields(t *testing.T) (all []wireField) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "fields.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if columns := strings.Fields(line); len(columns) == 6 && columns[0] != "#" {
			all = append(all, wireField{columns[0], columns[1], columns[2], columns[3], columns[4]})
		}
	}
	return all
}

// sample returns a value of the field that no other field has, as JSON has it.
func (f wireField) sample(serial int) any {
	switch f.kind {
	case "number":
		return 1000 + serial
	case "double":
		return float64(serial) + 0.25
	case "bool":
		return true
	case "time":
		return time.Date(2026, 11, 25, 12, serial, 0, 0, time.UTC).Format("2006-01-02T15:04:05.000Z")
	case "hosts":
		return map[string]string{"live": f.name + ".tradovateapi.com"}
	case "list":
		return []string{f.name + "-1", f.name + "-2"}
	case "bearer":
		return "Bearer"
	}
	return "sample-" + f.name
}

// object returns the JSON object with all fields of one operation and way.
func object(fields []wireField, operation, way string) map[string]any {
	all := map[string]any{}
	for serial, f := range fields {
		if f.operation == operation && f.way == way {
			all[f.name] = f.sample(serial)
		}
	}
	return all
}

// golden compares a JSON object with its file.
func golden(t *testing.T, name string, got any) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".json")
	if *write {
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(want)) != string(text) {
		t.Errorf("%s: %v, and this is what is sent or answered:\n%s", file, err, text)
	}
}

// fill sets the fields of a request, by the table.
func fill(t *testing.T, fields []wireField, operation string, request any) {
	t.Helper()
	into := reflect.ValueOf(request).Elem()
	for serial, f := range fields {
		if f.operation != operation || f.way != "in" {
			continue
		}
		switch field := into.FieldByName(f.inGo); {
		case !field.IsValid():
			t.Errorf("the request of %s has no field %s", operation, f.inGo)
		case field.Kind() == reflect.Bool:
			field.SetBool(true)
		default:
			field.SetString(fmt.Sprint(f.sample(serial)))
		}
	}
	for i := range into.NumField() {
		if into.Field(i).IsZero() {
			t.Errorf("the table has no row for %s of %s", into.Type().Field(i).Name, operation)
		}
	}
}

// read checks the fields of an answer, by the table, and that unknown fields survive.
func read(t *testing.T, fields []wireField, operation string, answer any, extras map[string]venuekey.Secret) {
	t.Helper()
	from, known := reflect.ValueOf(answer), map[string]bool{"Extras": true}
	for serial, f := range fields {
		if f.operation != operation || f.way != "out" {
			continue
		}
		known[f.inGo] = true
		field := from.FieldByName(f.inGo)
		if !field.IsValid() {
			t.Errorf("the answer of %s has no field %s", operation, f.inGo)
			continue
		}
		got := field.Interface()
		if at, ok := got.(time.Time); ok {
			got = at.Format("2006-01-02T15:04:05.000Z")
		}
		if secret, ok := got.(venuekey.Secret); ok {
			got = string(secret)
		}
		if want := f.sample(serial); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s of %s: %v, want %v", f.inGo, operation, got, want)
		}
	}
	for i := range from.NumField() {
		if field := from.Type().Field(i); field.IsExported() && !known[field.Name] {
			t.Errorf("the table has no row for %s of %s", field.Name, operation)
		}
	}
	if extras["ofTheFuture"] != `{"deep":[1,2]}` {
		t.Errorf("%s: the unknown field became %s", operation, string(extras["ofTheFuture"]))
	}
}

func TestEveryFieldOfTheFourOperations(t *testing.T) {
	fields := wireFields(t)
	if len(fields) < 70 {
		t.Fatalf("the table has %d rows", len(fields))
	}
	sent := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		body, _ := io.ReadAll(r.Body)
		sent[operation] = string(body)
		answer := object(fields, operation, "out")
		golden(t, operation+".out", answer)
		answer["ofTheFuture"] = json.RawMessage(`{"deep":[1,2]}`)
		_ = json.NewEncoder(w).Encode(answer)
	}))
	defer server.Close()
	api := tradovate.API{Base: server.URL + "/v1"}

	var login tradovate.AccessTokenRequest
	fill(t, fields, "accesstokenrequest", &login)
	signedIn, err := api.AccessTokenRequest(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	read(t, fields, "accesstokenrequest", signedIn, signedIn.Extras)
	var body map[string]any
	if err := json.Unmarshal([]byte(sent["accesstokenrequest"]), &body); err != nil {
		t.Fatal(err)
	}
	golden(t, "accesstokenrequest.in", body)

	renewed, err := api.RenewAccessToken(t.Context(), "access")
	if err != nil {
		t.Fatal(err)
	}
	read(t, fields, "renewaccesstoken", renewed, renewed.Extras)

	var exchange tradovate.OAuthToken
	fill(t, fields, "oauthtoken", &exchange)
	exchanged, err := api.OAuthToken(t.Context(), exchange)
	if err != nil {
		t.Fatal(err)
	}
	read(t, fields, "oauthtoken", exchanged, exchanged.Extras)
	form, err := url.ParseQuery(sent["oauthtoken"])
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "oauthtoken.in", form)

	me, err := api.Me(t.Context(), "access")
	if err != nil {
		t.Fatal(err)
	}
	read(t, fields, "me", me, me.Extras)
	if me.Extras["currentBalance"] == "" || me.Extras["organizationName"] != `"sample-organizationName"` {
		t.Errorf("me keeps its known fields as well: %d", len(me.Extras))
	}
}
