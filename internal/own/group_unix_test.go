//go:build unix

package own

import "testing"

func TestWhoseGroupIsPrivate(t *testing.T) {
	for _, test := range []struct {
		groups      string
		group, user int
		name        string
		private     bool
	}{
		{"", 1000, 1000, "", true}, // no such file, or another service knows the group
		{"", 1001, 1000, "alice", false},
		{"alice:x:1000:\n", 1000, 1000, "alice", true},
		{"docker:x:999:bob\nalice:x:1001:\n", 1001, 1000, "alice", true}, // numbers that went apart
		{"alice:x:1001:alice\n", 1001, 1000, "alice", true},
		{"bob:x:1000:\nalice:x:1001:", 1001, 1000, "alice", true},
		{"users:x:100:\n", 100, 1000, "alice", false},
		{"users:x:100:\n", 100, 1000, "", false},
		{":x:100:\n", 100, 1000, "", false},
		{"alice:x:1001:\n", 100, 1000, "alice", false},
		// Another user is a member.
		{"alice:x:1000:www-data\n", 1000, 1000, "alice", false},
		{"alice:x:1001:alice,www-data\n", 1001, 1000, "alice", false},
		{"alice:x:1000:\nalias:x:1000:www-data\n", 1000, 1000, "alice", false},
	} {
		if got := isPrivate(test.groups, test.group, test.user, test.name); got != test.private {
			t.Errorf("group %d of user %d (%s) in %q: %t", test.group, test.user, test.name, test.groups, got)
		}
	}
}
