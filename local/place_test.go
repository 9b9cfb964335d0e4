package local

import (
	"runtime"
	"strings"
	"testing"
)

// place_test.go owns where files lie.

func TestSpillFoldersAreOnDifferentDisksWhereThatCanBe(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the folders are those of Linux")
	}
	for _, row := range []struct {
		environ string
		want    string
	}{
		{"VENUEKEY_HOME=/h", "/h/spill"},
		{"VENUEKEY_HOME=/h XDG_RUNTIME_DIR=/run/user/7", "/h/spill /run/user/7/venuekey/spill"},
		{"VENUEKEY_HOME=/h XDG_RUNTIME_DIR=relative", "/h/spill"},
		{"HOME=/u XDG_CONFIG_HOME=/c XDG_DATA_HOME=/d", "/d/venuekey/spill /c/venuekey/spill"},
	} {
		place, err := Config{Environ: strings.Fields(row.environ)}.Place()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(place.Spills(), " "); got != row.want {
			t.Errorf("%s: %s, want %s", row.environ, got, row.want)
		}
	}
}
