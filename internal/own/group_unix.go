//go:build unix

package own

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// group_unix.go owns whether a group is a user's own, so that what it may write to
// is his alone. Systems that give each user a group give it his number or his name
// (useradd(8), USERGROUPS_ENAB), and let it write (pam_umask(8), usergroups).

// groupIsPrivate is whether the group of something is this user's own.
func groupIsPrivate(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	groups, _ := os.ReadFile("/etc/group") // where there is none, numbers count
	name := ""
	if itself, err := user.LookupId(strconv.Itoa(os.Geteuid())); err == nil {
		name = itself.Username
	}
	return isPrivate(string(groups), int(stat.Gid), os.Geteuid(), name)
}

// isPrivate is whether a group has this user's number or name, and nobody else as a
// member (group(5)). Whose first group it is stands elsewhere, and is by its number
// or name this user's alone.
func isPrivate(groups string, group, id int, name string) bool {
	private := group == id
	for line := range strings.Lines(groups) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 4 || fields[2] != strconv.Itoa(group) {
			continue
		}
		private = private || name != "" && fields[0] == name
		for member := range strings.SplitSeq(fields[3], ",") {
			if member != "" && member != name {
				return false
			}
		}
	}
	return private
}
