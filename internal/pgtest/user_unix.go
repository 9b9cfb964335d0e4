//go:build unix

package pgtest

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// user_unix.go owns the user that the server runs as: this one, or another one if root
// runs the tests, because PostgreSQL refuses to run as root.

// detach makes a program run as that user, out of reach of the keys that interrupt the
// tests.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() == 0 {
		uid, gid := somebody()
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
}

func giveAway(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid := somebody()
	return os.Chown(dir, int(uid), int(gid))
}

func somebody() (uid, gid uint32) {
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		u, err := strconv.ParseUint(account.Uid, 10, 32)
		if err != nil {
			continue
		}
		if g, err := strconv.ParseUint(account.Gid, 10, 32); err == nil {
			return uint32(u), uint32(g)
		}
	}
	return 65534, 65534
}
