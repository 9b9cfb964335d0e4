package tradovate

import (
	"strings"
	"testing"
)

// Whatever a client sends is a request of one line's endpoint, or none.
func FuzzSocketRequest(f *testing.F) {
	for _, text := range []string{"authorize\n1\n\ntoken", "account/list\n2", "md/getChart\n3\na=b\n{}", "[]", "", "\n\n\n", "x\n9999999999999999999", "{\"a\":\n1}", "a\n1\n%zz"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := parseRequest(text)
		if ok && (r.endpoint == "" || strings.ContainsAny(r.endpoint, "\n {[\"")) {
			t.Errorf("%q: %q", text, r.endpoint)
		}
		if ok && r.body != nil && len(strings.TrimSpace(string(r.body))) == 0 {
			t.Errorf("%q has an empty body", text)
		}
		rest, _ := withoutTicket(r.body)
		if again, ticket := withoutTicket(rest); ok && string(again) != string(rest) || ticket != "" && r.body[0] == '{' {
			t.Errorf("%q keeps a ticket: %q", text, rest)
		}
	})
}
