package typo

import "testing"

func TestDistance(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"login", "login", 0},
		{"logn", "login", 1}, {"loggin", "login", 1}, {"lagin", "login", 1},
		{"lgoin", "login", 1}, {"status", "stauts", 1}, {"ca", "abc", 3},
		{"kitten", "sitting", 3},
	} {
		if got := Distance(row.a, row.b); got != row.want {
			t.Errorf("from %q to %q: %d, want %d", row.a, row.b, got, row.want)
		}
		if got := Distance(row.b, row.a); got != row.want {
			t.Errorf("from %q to %q: %d, want %d", row.b, row.a, got, row.want)
		}
	}
}
