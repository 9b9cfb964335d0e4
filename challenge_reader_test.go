package venuekey_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
)

// Every form of the field that RFC 9110 §11.6.1 allows, and some that it does not.
func TestChallenges(t *testing.T) {
	for _, row := range []struct {
		field string
		want  string
	}{
		{``, ``},
		{`Bearer`, `Bearer`},
		{`  ,, Bearer , ,`, `Bearer`},
		{`Bearer realm="x"`, `Bearer realm=x`},
		{`bearer REALM=x`, `bearer realm=x`},
		{`Bearer   realm = "x" ,	error="y"`, `Bearer error=y realm=x`},
		{`Bearer realm="a, b=\"c\", Basic realm=d"`, `Bearer realm=a, b="c", Basic realm=d`},
		{`Bearer realm="a\\b\""`, `Bearer realm=a\b"`},
		{`Bearer realm=""`, `Bearer realm=`},
		{`Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple"`, `Newauth realm=apps title=Login to "apps" type=1|Basic realm=simple`}, // the RFC's own
		{`Negotiate, Bearer error="x"`, `Negotiate|Bearer error=x`},
		{`Negotiate dG9rZW4=, Bearer error=x`, `Negotiate dG9rZW4=|Bearer error=x`},
		{`Negotiate a==`, `Negotiate a==`},
		{`Negotiate abc/+-._~=`, `Negotiate abc/+-._~=`},
		{`Negotiate abc, Bearer`, `Negotiate abc|Bearer`},
		{`Basic realm="x",Bearer error="y",scope="a b"`, `Basic realm=x|Bearer error=y scope=a b`},

		// What cannot be read is not believed, nor what comes behind it in the field.
		{`Bearer error="x`, ``},
		{`Bearer error="x"y`, ``},
		{`Bearer error=`, `Bearer error=`},          // a token68, by the grammar
		{`Bearer error=, scope=x`, `Bearer error=`}, // which allows nothing beside itself
		{`Bearer error="a", error="b"`, ``},
		{`Bearer error="a", Error=b`, ``},
		{`Bearer "x"`, ``},
		{`Bearer error="x" scope="y"`, ``},
		{`Basic realm="x", Bearer error=(y)`, `Basic realm=x`},
		{`Basic realm="x", @`, `Basic realm=x`},
		{`error="x"`, ``},
		{`Bearer error="x` + "\x00" + `"`, ``},
		{`Bearer error="x` + "\r\n" + `y"`, ``},
	} {
		if got := written(venuekey.ChallengesIn(row.field)); got != row.want {
			t.Errorf("%s\n got %s\nwant %s", row.field, got, row.want)
		}
	}
	if got := written(venuekey.ChallengesIn(`Bearer error="x`, `Bearer error=y`)); got != `Bearer error=y` {
		t.Error("a field that cannot be read spoils another:", got)
	}
}

func written(challenges []venuekey.Challenge) string {
	var list []string
	for _, c := range challenges {
		text := c.Scheme
		if c.Token68 != "" {
			text += " " + c.Token68
		}
		for _, name := range slices.Sorted(maps.Keys(c.Params)) {
			text += " " + name + "=" + c.Params[name]
		}
		list = append(list, text)
	}
	return strings.Join(list, "|")
}

// FuzzChallenges: whatever comes is read in a bounded time, and what was read is
// read again when it is written as the RFC has it.
func FuzzChallenges(f *testing.F) {
	for _, seed := range []string{`Bearer realm="a, \"b\"", error=x, Basic realm=y, Negotiate a==`, `Bearer error="`, `a b c`, `, ,x=y`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		read := venuekey.ChallengesIn(field)
		var again []string
		for _, c := range read {
			if c.Scheme == "" || c.Token68 != "" && len(c.Params) > 0 {
				t.Fatalf("%q: %+v", field, c)
			}
			text := c.Scheme
			if c.Token68 != "" {
				text += " " + c.Token68
			}
			for i, name := range slices.Sorted(maps.Keys(c.Params)) {
				if i > 0 {
					text += ","
				}
				text += fmt.Sprintf(` %s="%s"`, name, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(c.Params[name]))
			}
			again = append(again, text)
		}
		if got := written(venuekey.ChallengesIn(strings.Join(again, ", "))); got != written(read) {
			t.Fatalf("%q was read as %s, and again as %s", field, written(read), got)
		}
	})
}
