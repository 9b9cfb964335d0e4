package definition

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

func TestRenderedTemplates(t *testing.T) {
	values := map[string]venuekey.Secret{"client_id": "id", "client_secret": "se cret", "code": "c/1", "ask.pin": "7", "access": "tok"}
	for text, want := range map[string]string{
		"":                                  "",
		"plain":                             "plain",
		"product/1.0 (a word)":              "product/1.0 (a word)",
		"{code}":                            "c/1",
		"token {client_id}:{access}":        "token id:tok",
		"{refresh}":                         "",
		"Bearer {refresh}":                  "",
		"{client_id}{refresh}":              "id",
		"urlencode({code} {ask.pin})":       "c%2F1+7",
		"base64({client_id}:{access})":      "aWQ6dG9r",
		"Basic base64({client_id}:)":        "Basic aWQ6",
		"sha256hex(abc)":                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256hex({refresh})":              "",
		"a,b;c=d":                           "a,b;c=d",
		"{extra.feedToken}":                 "",
		"x-{ask.pin}-base64(-)-{client_id}": "x-7-LQ==-id",
	} {
		parsed, err := ParseTemplate(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := string(parsed.Render(values)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if parsed.String() != text {
			t.Errorf("%q became %q", text, parsed)
		}
	}
}

func TestTemplatesThatAreNone(t *testing.T) {
	for _, text := range []string{"{", "}", "{}", "{a}", "{ask.}", "{ask.a b}", "{other.a}", "md5(a)", "sha256hex(", "sha256hex()", "sha256hex(base64(a))", "base64(a(", "base64((a))", "a\nb", "a\x7f", strings.Repeat("a", 5000)} {
		if _, err := ParseTemplate(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, text := range []string{"{code}", "sha256hex({client_id}:{code})", "token {client_id}:{access}", "base64(", "{ask.x}y"} {
		f.Add(text)
	}
	values := map[string]venuekey.Secret{"code": "1", "client_id": "2", "access": "3"}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := ParseTemplate(text)
		if err != nil {
			return
		}
		for _, name := range parsed.Names() {
			if !strings.Contains(text, "{"+name+"}") || !isName(name) {
				t.Errorf("%q has no %q", text, name)
			}
		}
		got := string(parsed.Render(values))
		if !strings.ContainsAny(text, "{(") && got != text {
			t.Errorf("%q became %q", text, got)
		}
		again, err := ParseTemplate(parsed.String())
		if err != nil || !reflect.DeepEqual(again, parsed) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func TestPaths(t *testing.T) {
	body := json.RawMessage(`{"a": {"b": "c", "n": null}, "list": [{"id": 1}, {"id": 2}], "x": 7}`)
	header := http.Header{"Cst": {"h"}}
	for text, want := range map[string]string{
		"a.b": `"c"`, "x": "7", "list.1.id": "2", "header:CST": `"h"`, "header:cst": `"h"`,
		"a.n": "", "a.b.c": "", "list.2.id": "", "list.-1": "", "none": "", "header:None": "", "x.0": "",
	} {
		path, err := ParsePath(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, found := path.Find(header, body); found != (want != "") || found && string(got) != want {
			t.Errorf("%q: %s %t", text, got, found)
		}
	}
	for _, text := range []string{"", ".", "a.", ".a", "a b", "header:", "header:a b", "a.b.c.d.e.f.g.h.i", strings.Repeat("a", 300), "ä"} {
		if _, err := ParsePath(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzPath(f *testing.F) {
	f.Add("data.token", `{"data": {"token": "x"}}`)
	f.Add("list.0", `{"list": [1]}`)
	f.Add("header:CST", `{}`)
	f.Fuzz(func(t *testing.T, text, body string) {
		path, err := ParsePath(text)
		if err != nil {
			return
		}
		if path.Header == "" && strings.Join(path.Steps, ".") != text || path.Header != "" && !strings.EqualFold("header:"+path.Header, text) {
			t.Errorf("%q became %q", text, path)
		}
		value, found := path.Find(http.Header{}, json.RawMessage(body))
		if found && !json.Valid(value) && json.Valid([]byte(body)) {
			t.Errorf("%q in %q: %q", text, body, value)
		}
		if slices.Contains(path.Steps, "") {
			t.Errorf("%q has an empty step", text)
		}
	})
}
