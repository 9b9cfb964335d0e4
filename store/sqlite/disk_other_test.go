//go:build unix && !linux

package sqlite

import (
	"os"
	"testing"
)

// asNobody does nothing: modes bind whoever is not root.
func asNobody(t *testing.T, _ string) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("modes do not bind root: run this test as another user")
	}
}
