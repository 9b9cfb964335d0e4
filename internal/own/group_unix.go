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

// group_unix.go owns whether a group is private to this user, so that what it can write
// to is the user's alone. Systems with a group per user give it the user's number or name
// (useradd(8), USERGROUPS_ENAB), and let it write (pam_umask(8), usergroups).

// groupIsPrivate reports whether the group of a file or folder is private to this user.
func groupIsPrivate(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	groups, _ := os.ReadFile("/etc/group") // if there is none, only numbers count
	name := ""
	if itself, err := user.LookupId(strconv.Itoa(os.Geteuid())); err == nil {
		name = itself.Username
	}
	return isPrivate(string(groups), int(stat.Gid), os.Geteuid(), name)
}

// isPrivate reports whether a group has this user's number or name, and no other member
// (group(5)). Primary groups are recorded elsewhere; a group with this user's number or
// name is only this user's.
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
