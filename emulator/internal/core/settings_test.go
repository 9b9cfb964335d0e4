package core

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

type someKnobs struct {
	CodeLife time.Duration
	Rotation emulator.Rotation
	Echo     bool
	Status   int
	Codes    struct{ Client, Redirect string }
}

func TestSettings(t *testing.T) {
	t.Parallel()
	b := NewSettings(someKnobs{Status: 200})
	if err := b.Merge([]byte(`{"codelife":"90s","ROTATION":"grace-same-pair","Echo":true,"codes":{"client":"NO"}}`)); err != nil {
		t.Fatal(err)
	}
	k := b.Current()
	if k.CodeLife != 90*time.Second || k.Rotation != emulator.RotationGraceSamePair || !k.Echo || k.Status != 200 || k.Codes.Client != "NO" {
		t.Errorf("%+v", k)
	}
	shown, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"CodeLife":"1m30s","Codes":{"Client":"NO","Redirect":""},"Echo":true,"Rotation":"grace-same-pair","Status":200}`
	if string(shown) != want {
		t.Errorf("shown %s", shown)
	}
	if err := NewSettings(someKnobs{}).Merge(shown); err != nil {
		t.Errorf("what is shown cannot be read: %v", err)
	}
	b.Reset()
	if b.Current() != (someKnobs{Status: 200}) {
		t.Errorf("after Reset: %+v", b.Current())
	}
}

func TestSettingsRefuses(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`[]`:                           "want a JSON object",
		`{"codes":3}`:                  "want a JSON object in Codes",
		`{"codeLive":"1s"}`:            `no field "codeLive"`,
		`{"codes":{"x":1}}`:            `no field "Codes.x"`,
		`{"codeLife":5}`:               "duration",
		`{"codeLife":"soon"}`:          "duration",
		`{"status":"hunter2"}`:         "field Status: want a int",
		`{"rotation":"sideways"}`:      "unknown rotation",
		`{"echo":true,"status":"200"}`: "Status",
	} {
		b := NewSettings(someKnobs{})
		err := b.Merge([]byte(body))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
		if b.Current() != (someKnobs{}) {
			t.Errorf("%s: turned %+v although refused", body, b.Current())
		}
	}
}
