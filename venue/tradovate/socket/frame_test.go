package socket

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/venuekey/venuekey"
)

// frame_test.go holds the scanner of frames against encoding/json.

func TestFrames(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                               ``,
		` [ { } ] `:                        `0 false 0 "" ;`,
		`[{"s":200,"i":23,"d":{"a":[1]}}]`: `23 true 200 "" {"a":[1]};`,
		`[{"e":"md","d":"x\"]}"},{"s":429,"i":0,"new":[{}]}]`: `0 false 0 "md" "x\"]}";0 true 429 "" ;`,
		`[{"i":-1,"s":200,"d":null}]`:                         `-1 true 200 "" null;`,
	} {
		var got bytes.Buffer
		err := messagesOf([]byte(text), func(m said) {
			b, _ := json.Marshal(m.event)
			got.WriteString(string(num(m.id)) + " " + map[bool]string{true: "true", false: "false"}[m.hasID] + " " + string(num(int64(m.status))) + " " + string(b) + " " + string(m.data) + ";")
		})
		if err != nil || got.String() != want {
			t.Errorf("%s: %q, want %q, %v", text, got.String(), want, err)
		}
	}
	for _, text := range []string{``, `{}`, `[1]`, `[[]]`, `[{"i":"1"}]`, `[{"i":1.5}]`, `[{"s":"x"}]`, `[{"e":1}]`, `[{"i":1}`, `[{"i":1}]]`, `[{"i":99999999999999999999}]`} {
		if err := messagesOf([]byte(text), func(said) {}); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	for text, want := range map[string]string{`[3000,"Go away!"]`: "Go away!", ``: "", `{}`: "", `[1]`: "", `["a",1]`: ""} {
		if _, reason := closeOf([]byte(text)); reason != want {
			t.Errorf("%s: %q", text, reason)
		}
	}
}

func num(n int64) []byte { b, _ := json.Marshal(n); return b }

// Whatever the scanner takes says the same to encoding/json, and what it does not take
// is no array of objects, or one with fields of another kind.
func FuzzFrame(f *testing.F) {
	for _, text := range []string{`[{"s":200,"i":2,"d":{"a":"]}\\\""}}]`, `[{"e":"md","d":{"quotes":[{"entries":{}}]}}]`, `[{"i":1,"i":2}]`, "[ {\"d\" :\t\"\\u00e4\"} , {}]", `[{"e":"e"}]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got []said
		err := messagesOf(text, func(m said) { got = append(got, m) })
		var want []map[string]json.RawMessage
		judged := json.Unmarshal(text, &want)
		if err != nil {
			return
		}
		if judged != nil && !bytes.Contains(text, []byte("null")) {
			t.Fatalf("%q is taken: %v", text, judged)
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d messages, not %d", text, len(got), len(want))
		}
		for i, m := range got {
			if d := want[i]["d"]; !bytes.Equal(bytes.TrimSpace(d), m.data) && !bytes.ContainsRune(text, '\\') {
				t.Errorf("%q: data %q, not %q", text, m.data, d)
			}
			var id int64
			if raw, ok := want[i]["i"]; ok && !bytes.ContainsRune(text, '\\') && (json.Unmarshal(raw, &id) != nil || id != m.id || !m.hasID) {
				t.Errorf("%q: id %d, not %s", text, m.id, raw)
			}
		}
	})
}

// An answer of any kind is judged without a panic, and its text is one line.
func FuzzVerdict(f *testing.F) {
	f.Add("order/placeorder", 200, []byte(`{"failureReason":"x","failureText":"y"}`))
	f.Add("authorize", 401, []byte(`"Invalid access token"`))
	f.Add("a", 200, []byte(`{"p-ticket":"t","p-time":1e99}`))
	f.Add("a", 200, []byte(`{"p-time":"NaN","p-captcha":true}`))
	f.Fuzz(func(t *testing.T, endpoint string, status int, data []byte) {
		e := verdict(endpoint, status, data, func() []venuekey.Secret { return nil })
		if e == nil {
			if status < 200 || status > 299 {
				t.Errorf("status %d is no error", status)
			}
			return
		}
		if e.RetryAfter < 0 || e.RetryAfter > lockout || bytes.ContainsAny([]byte(e.Text+e.Code), "\n\r\x1b") {
			t.Errorf("%v %q %q", e.RetryAfter, e.Text, e.Code)
		}
		_, _ = e.Error(), e.SafeToRetry()
	})
}

// What a frame begins with is read to the end whatever it is, and is alone only if its data
// reach to the end.
func FuzzBeginning(f *testing.F) {
	for _, text := range []string{`a[{"e":"md","d":{"quotes":[`, `a[{"s":200,"i":3,"d":"xx`, `a[{"e":"md","d":{}},{`, "a[]]]", `a[{"i":[}`, `a[{"e":"md"`, `a[{"d":1,"e":"md"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if m, alone := beginning(frame); alone && m.event == "" && !m.hasID && m.status == 0 && len(frame) < 6 {
			t.Errorf("%q is one of nobody's", frame)
		}
	})
}
