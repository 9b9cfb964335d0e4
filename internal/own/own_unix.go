//go:build unix

package own

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// own_unix.go owns owners, modes and links.

// modes says that the bits of a mode mean something here.
const modes = true

// mostLinks is how many links a path may contain, as many as Linux follows.
const mostLinks = 40

// walk is the way to a folder, as far as it was checked.
type walk struct {
	at    string   // the folder that was reached, without links
	rest  []string // what is left
	links int
}

func folder(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	w := begin(path)
	info, err := os.Stat(w.at)
	for {
		if err != nil {
			return err
		}
		if err := judgeFolder(w.at, info, len(w.rest) == 0); err != nil {
			return err
		}
		if len(w.rest) == 0 {
			return nil
		}
		info, err = w.step()
	}
}

// begin starts at the home folder if the path is inside it, as sshd does: whoever owns
// the folders above controls the home folder anyway.
func begin(path string) walk {
	at := "/"
	home := filepath.Clean(os.Getenv("HOME"))
	if filepath.IsAbs(home) && (path == home || strings.HasPrefix(path, strings.TrimSuffix(home, "/")+"/")) {
		at = home
	}
	return walk{at: at, rest: split(strings.TrimPrefix(path, at))}
}

func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// step continues to the next folder, through the links that lead there.
func (w *walk) step() (fs.FileInfo, error) {
	for {
		next := filepath.Join(w.at, w.rest[0])
		info, err := os.Lstat(next)
		if err != nil {
			return nil, err
		}
		w.rest = w.rest[1:]
		if info.Mode()&fs.ModeSymlink == 0 {
			w.at = next
			return info, nil
		}
		if err := ownLink(next, info); err != nil {
			return nil, err
		}
		target, err := os.Readlink(next)
		if err != nil {
			return nil, err
		}
		if w.links++; w.links > mostLinks {
			return nil, &fs.PathError{Op: "open", Path: next, Err: syscall.ELOOP}
		}
		w.rest = slices.Concat(split(target), w.rest)
		if filepath.IsAbs(target) {
			w.at = "/"
		}
		if len(w.rest) == 0 { // a link to the root
			return os.Stat(w.at)
		}
	}
}

// ownLink returns an error for a link that belongs to another user.
func ownLink(path string, info fs.FileInfo) error {
	if trusted(info) {
		return nil
	}
	return &Exposed{path, fmt.Sprintf("is a link that another user (%d) made", owner(info)), "run: rm " + path}
}

// judgeFolder checks the folder itself, or one above it.
func judgeFolder(path string, info fs.FileInfo, itself bool) error {
	if !info.IsDir() {
		return &fs.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
	}
	if !trusted(info) {
		return foreign(path, info, itself)
	}
	wrong, remedy := info.Mode().Perm()&0o022, "run: chmod 700 "
	if !itself {
		remedy = "run: chmod go-w "
		if info.Mode()&fs.ModeSticky != 0 {
			wrong = 0
		} else if wrong&0o020 != 0 && groupIsPrivate(info) {
			wrong &^= 0o020
		}
	}
	if wrong == 0 {
		return nil
	}
	return &Exposed{path, fmt.Sprintf("is a folder that other users may write to (mode %04o)", info.Mode().Perm()), remedy + path}
}

// owned returns an error for a file that belongs to another user.
func owned(path string, info fs.FileInfo) error {
	if trusted(info) {
		return nil
	}
	return foreign(path, info, true)
}

// foreign is that error. It suggests no chown for a folder above ours, such as a home
// folder under sudo, which would take everything in it from its owner; nor to root, for
// which foreign files are not root's.
func foreign(path string, info fs.FileInfo, itself bool) *Exposed {
	remedy := "run it as its owner, or choose a place of your own"
	if itself && os.Geteuid() != 0 {
		remedy += fmt.Sprintf("; if it is yours, run: chown -R %d %s", os.Geteuid(), path)
	}
	return &Exposed{path, fmt.Sprintf("belongs to another user (%d), and this one is %d", owner(info), os.Geteuid()), remedy}
}

// trusted reports whether a file belongs to this user or to root.
func trusted(info fs.FileInfo) bool { return Trusts(owner(info)) }

// Trusts reports whether a user is this one or root. Inside a user namespace root has another
// number, which is that of the root folder.
func Trusts(id int) bool {
	return id == os.Geteuid() || id == 0 || id == rootFolders()
}

var rootFolders = sync.OnceValue(func() int {
	info, err := os.Stat("/")
	if err != nil {
		return 0
	}
	return owner(info)
})

// owner returns the number of the user that a file belongs to, -1 if unknown.
func owner(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// onlyName returns an error for a file with a second name, which may be that of any file
// of this user.
func onlyName(path string, info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 {
		return &Exposed{path, "is a second name of another file", "run: rm " + path}
	}
	return nil
}

// nameless reports whether a file was deleted while it is open.
func nameless(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}

// open does not block on pipes or terminals, and follows no link to a file that is
// written.
func open(path string, flag int) (*os.File, error) {
	flag |= syscall.O_NONBLOCK | syscall.O_NOCTTY
	writes := flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE) != 0
	if writes {
		flag |= syscall.O_NOFOLLOW
	}
	file, err := os.OpenFile(path, flag, 0o600)
	if writes && isLoop(err) {
		return nil, isLink(path)
	}
	if errors.Is(err, syscall.ENXIO) { // a socket, or a pipe without a reader
		return nil, &Exposed{path, "is not a file", "move it away"}
	}
	return file, err
}

// isLoop reports whether err means that a link was not followed.
func isLoop(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK) // FreeBSD says the latter
}

// SyncFolder makes the entries of a folder durable.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
