package words

import (
	"strings"
	"testing"
	"time"
)

func TestADurationIsWrittenShortAndReadBack(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"0s": 0, "1m": time.Minute, "10m": 10 * time.Minute, "24h": 24 * time.Hour, "1h20m": 80 * time.Minute,
		"730h": 2628000 * time.Second, "200ms": 200 * time.Millisecond, "1h0m10s": time.Hour + 10*time.Second, "10s": 10 * time.Second,
	} {
		written, err := Duration(d).MarshalText()
		var back Duration
		if err != nil || string(written) != text || back.UnmarshalText(written) != nil || time.Duration(back) != d {
			t.Errorf("%s is written %s: %v", d, written, err)
		}
	}
	var d Duration
	if err := d.UnmarshalText([]byte("80")); err == nil || !strings.Contains(err.Error(), "80m") {
		t.Error(err)
	}
}

func TestAWordIsOneOfTheKnownOnes(t *testing.T) {
	list := List{"colour", []string{"red", "green"}}
	for value, word := range list.Words {
		back := -1
		if written, err := Of(list, value); err != nil || string(written) != word || Read(list, written, &back) != nil || back != value {
			t.Errorf("%d is written %s: %v", value, written, err)
		}
	}
	kept := 1
	if err := Read(list, []byte("blue\x1b[2J"), &kept); err == nil || kept != 1 || err.Error() != `colour "blue" is not one of red, green` {
		t.Error(kept, err)
	}
	for _, value := range []int{-1, 2} {
		if _, err := Of(list, value); err == nil {
			t.Errorf("%d has a word", value)
		}
	}
}
