package definition

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

var update = flag.Bool("update", false, "write what is there now into testdata and schema.json")

// bases is what the definitions of the tests extend.
func bases(name string) (string, []byte, error) {
	switch name {
	case "circle":
		return "circle.json", []byte(`{"extends": "circle"}`), nil
	case "broken":
		return "broken.json", []byte("{\n\"extends\": \"code\",\n\"rename\": 1}"), nil
	}
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		return "", nil, errors.New("no such file")
	}
	return name + ".json", text, nil
}

// Each kind of mistake has its line, its field, and words that say what to do.
func TestEveryMistakeSaysWhatToDo(t *testing.T) {
	text, err := os.ReadFile("testdata/mistakes.txt")
	if err != nil {
		t.Fatal(err)
	}
	var now strings.Builder
	for _, block := range strings.Split("\n"+string(text), "\n== ")[1:] {
		name, rest, _ := strings.Cut(block, "\n")
		file, want, _ := strings.Cut(rest, "\n-- is\n")
		_, err := ParseWith("my.json", []byte(file), bases)
		got := ""
		if err == nil {
			t.Errorf("%s: no mistake", name)
		} else if got = err.Error(); !venuekey.Misconfigured(err) {
			t.Errorf("%s: class %s", name, venuekey.ClassOf(err))
		}
		if strings.TrimSpace(want) != got && !*update {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
		fmt.Fprintf(&now, "== %s\n%s\n-- is\n%s\n\n", name, file, got)
	}
	if *update {
		if err := os.WriteFile("testdata/mistakes.txt", []byte(now.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGoodDefinitions(t *testing.T) {
	for name, text := range map[string]string{
		"as it is":             `{"extends": "code"}`,
		"a key":                `{"extends": "key"}`,
		"no environment":       `{"extends": "code", "environments": {"live": {}, "demo": {"base": "https://demo.example"}}}`,
		"a daily end":          `{"extends": "code", "life": {"access": null, "cutoff": {"time": "03:30", "zone": "Asia/Kolkata"}}, "renew": {"with": "none", "life": null, "life_from": null}}`,
		"loopback":             `{"extends": "code", "exchange": {"url": "http://127.0.0.1:9000/token"}}`,
		"a checksum":           `{"extends": "code", "exchange": {"params": {"code": "{code}", "checksum": "sha256hex({client_id}{code}{client_secret})"}}, "renew": {"request": {"url": "https://acme.example/token"}}}`,
		"a pasted grant":       `{"name": "pasted", "login": "paste", "client": "public", "ask": [{"name": "grant", "help": "h", "secret": true, "keep": "never"}], "renew": {"with": "refresh", "request": {"url": "https://acme.example/token"}}}`,
		"a list of paths":      `{"extends": "code", "answer": {"access": ["data.token", "header:CST"], "life": {"expires_at": "at", "layout": "2006-01-02T15:04:05", "zone": "Asia/Kolkata"}}}`,
		"a list that replaces": `{"extends": "key", "ask": [{"name": "user", "help": "h", "keep": "app"}, {"name": "key", "help": "h", "keep": "app"}], "exchange": {"url": "https://acme.example/login"}}`,
	} {
		if _, err := ParseWith("my.json", []byte(text), bases); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An extension keeps what it does not change, and null removes.
func TestAnExtensionChangesParts(t *testing.T) {
	got, err := ParseWith("my.json", []byte(`{"extends": "code", "name": "other", "authorize": {"pkce": null, "scopes": ["a"]}}`), bases)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "other" || got.Authorize.PKCE != "" || got.Authorize.URL != "https://acme.example/authorize" || got.Authorize.Scopes[0] != "a" || got.Renew.LifeFrom != FromIssue {
		t.Errorf("%+v %+v", got, got.Authorize)
	}
}

func TestAFileHasABound(t *testing.T) {
	for name, text := range map[string][]byte{
		"large": append([]byte(`{"about": "`), make([]byte, Most)...), "not UTF-8": []byte("{\"name\": \"\xff\"}"),
		"many": []byte(`{"docs": [` + strings.Repeat("1,", 300) + `1]}`),
	} {
		_, err := Parse("my.json", text)
		var mistakes Mistakes
		if !errors.As(err, &mistakes) || len(mistakes) != 1 || mistakes[0].What == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a file says goes into no message as it is: a file may be from anybody.
func TestAttackADefinitionThatWritesOnTheTerminal(t *testing.T) {
	_, err := Parse("a\nb", []byte(`{"x\u001b[2Jy\nz": 1, "name": "\u202e", "client": "\n"}`))
	var mistakes Mistakes
	if !errors.As(err, &mistakes) {
		t.Fatal(err)
	}
	for _, m := range mistakes {
		if strings.ContainsAny(m.Error(), "\n\x1b\u202e") {
			t.Errorf("%q", m.Error())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"code", "key"} {
		_, text, err := bases(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(`{"extends": "code", "renew": null}`)
	f.Fuzz(func(t *testing.T, text string) {
		definition, err := ParseWith("fuzz.json", []byte(text), bases)
		if (definition == nil) == (err == nil) {
			t.Fatalf("%v %v", definition, err)
		}
		var mistakes Mistakes
		if err != nil && (!errors.As(err, &mistakes) || len(mistakes) == 0) {
			t.Fatal(err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	_, text, err := bases("code")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Parse("code.json", text); err != nil {
			b.Fatal(err)
		}
	}
}
