//go:build unix

package own

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/venuekey/venuekey/internal/needs"
)

// own_unix_test.go owns what another user does to folders and files.

const suite = "a second user"

const asOwner = "run it as its owner"

// exposed sees that something is refused, and with what remedy.
func exposed(t *testing.T, err error, reason, remedy string) {
	t.Helper()
	told, ok := errors.AsType[*Exposed](err)
	if !ok || !strings.Contains(told.Reason, reason) || !strings.Contains(told.Remedy, remedy) {
		t.Errorf("%v, want that it %s, and %q", err, reason, remedy)
	}
}

func mkdir(t *testing.T, mode os.FileMode, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	if err := errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestModesOfFolders(t *testing.T) {
	info, err := os.Stat(mkdir(t, 0o700, t.TempDir(), "any"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		above, itself os.FileMode
		ok            bool
	}{
		{0o755, 0o700, true}, {0o755, 0o755, true}, {0o777 | os.ModeSticky, 0o700, true}, {0o711, 0o500, true},
		{0o755, 0o770, false}, {0o755, 0o702, false}, {0o755, 0o777 | os.ModeSticky, false}, {0o777, 0o700, false},
		{0o775, 0o700, groupIsPrivate(info)}, // the user's private group
	} {
		above := mkdir(t, test.above, t.TempDir(), "above")
		itself := mkdir(t, test.itself, above, "itself")
		if err := Folder(itself); (err == nil) != test.ok {
			t.Errorf("%v in %v: %v", test.itself, test.above, err)
		}
		if err := Folder(filepath.Join(above, "none")); (test.above.Perm()&0o002 == 0 || test.above&os.ModeSticky != 0) != errors.Is(err, fs.ErrNotExist) && test.above != 0o775 {
			t.Errorf("none in %v: %v", test.above, err)
		}
	}
}

// A group that is not the user's own may not write above either.
func TestAFolderOfASharedGroup(t *testing.T) {
	needs.Stranger(t, suite)
	above := mkdir(t, 0o775, t.TempDir(), "above")
	if err := errors.Join(os.Chown(above, 0, 100), os.Chmod(above, 0o775)); err != nil {
		t.Fatal(err)
	}
	exposed(t, Folder(mkdir(t, 0o700, above, "itself")), "other users may write to", "chmod go-w "+above)
}

func TestAttackAFolderThatAnotherUserMade(t *testing.T) {
	street := needs.Street(t)
	needs.StrangerDoes(t, suite, street, "mkdir -m 755 home; mkdir -m 755 home/below; ln -s /etc link; ln -s home/below mine")
	for name, remedy := range map[string]string{"home": asOwner, "home/below": asOwner, "home/none": asOwner, "link": "rm ", "link/none": "rm ", "mine": "rm "} {
		exposed(t, Folder(filepath.Join(street, name)), "another user", remedy)
		exposed(t, MakeFolder(filepath.Join(street, name)), "another user", remedy)
	}
	mine := filepath.Join(street, "own", "deep")
	if err := MakeFolder(mine); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(mine); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
	// It was ours, and is given away.
	if err := os.Chown(filepath.Dir(mine), needs.StrangerID, needs.StrangerID); err != nil {
		t.Fatal(err)
	}
	exposed(t, Folder(mine), "another user", asOwner)
}

// Under sudo HOME may be another user's. No remedy suggests making that root's.
func TestNobodyIsToldToTakeAHomeFolder(t *testing.T) {
	needs.Stranger(t, suite)
	home := mkdir(t, 0o755, t.TempDir(), "bob")
	itself := mkdir(t, 0o700, home, "itself")
	if err := errors.Join(os.Chown(home, needs.StrangerID, needs.StrangerID), os.Chown(itself, needs.StrangerID, needs.StrangerID)); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{home, "/elsewhere"} {
		t.Setenv("HOME", at)
		for _, path := range []string{home, itself, filepath.Join(home, "none")} {
			err := Folder(path)
			if exposed(t, err, "another user", asOwner); strings.Contains(err.Error(), "chown") {
				t.Errorf("HOME=%s: %v", at, err)
			}
		}
	}
}

// The home folder is judged, and what is above it is the machine's.
func TestFoldersAboveTheHomeAreNotJudged(t *testing.T) {
	above := mkdir(t, 0o777, t.TempDir(), "above")
	home := mkdir(t, 0o755, above, "alice")
	itself := mkdir(t, 0o700, home, "itself")
	exposed(t, Folder(itself), "other users may write to", "chmod go-w "+above)
	t.Setenv("HOME", home)
	if err := Folder(itself); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(home, 0o777); err != nil {
		t.Fatal(err)
	}
	exposed(t, Folder(itself), "other users may write to", "chmod go-w "+home)
	t.Setenv("HOME", home+"/itself/..")
	exposed(t, Folder(itself), "other users may write to", "chmod go-w "+home)
}

func TestLinksOfOnesOwn(t *testing.T) {
	base := t.TempDir()
	itself := mkdir(t, 0o700, base, "itself")
	for _, l := range []struct{ name, target string }{{"relative", "itself"}, {"absolute", itself}, {"up", "itself/../itself"}, {"twice", "relative"}} {
		link := filepath.Join(base, l.name)
		if err := os.Symlink(l.target, link); err != nil {
			t.Fatal(err)
		}
		if err := Folder(link); err != nil {
			t.Errorf("%s: %v", l.name, err)
		}
	}
	if err := os.Symlink("round", filepath.Join(base, "round")); err != nil {
		t.Fatal(err)
	}
	if err := Folder(filepath.Join(base, "round")); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a link to itself: %v", err)
	}
	if err := os.WriteFile(filepath.Join(base, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Folder(filepath.Join(base, "file")); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a file: %v", err)
	}
}

func TestAttackFilesOfAnotherUser(t *testing.T) {
	street := needs.Street(t)
	own := filepath.Join(street, "own")
	if err := os.WriteFile(own, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	needs.StrangerDoes(t, suite, street, "echo his >foreign; ln -s own link; mkfifo -m 666 pipe; mkdir folder")
	for name, test := range map[string]struct{ read, write, named string }{
		"foreign": {"belongs to another user", "belongs to another user", "belongs to another user"},
		"link":    {"", "is a link", "is a link"},
		"pipe":    {"is not a file", "is not a file", "is not a file"},
		"folder":  {"is not a file", "", "is not a file"},
		"own":     {"", "", ""},
		"none":    {"", "", ""},
	} {
		path := filepath.Join(street, name)
		for way, does := range map[string]struct {
			reason string
			err    error
		}{
			"read": {test.read, second(Read(path, 9, 0o077))}, "write": {test.write, second(Open(path, os.O_WRONLY, 0))}, "named": {test.named, Named(path, false)},
		} {
			if does.reason != "" {
				exposed(t, does.err, does.reason, "")
			} else if does.err != nil && name != "none" && name != "folder" && !errors.Is(does.err, fs.ErrPermission) { // some systems follow no link in such a folder
				t.Errorf("%s %s: %v", way, name, does.err)
			}
		}
	}
	if text, err := os.ReadFile(own); err != nil || string(text) != "mine" {
		t.Errorf("%q %v", text, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("text"), 0o640); err != nil {
		t.Fatal(err)
	}
	if text, err := Read(path, 4, 0o022); err != nil || string(text) != "text" {
		t.Errorf("%q %v", text, err)
	}
	if text, err := Read(path, 3, 0o022); !errors.Is(err, ErrLong) || string(text) != "tex" {
		t.Errorf("%q %v", text, err)
	}
	exposed(t, second(Read(path, 4, 0o077)), "open to other users (mode 0640)", "chmod 600 "+path)
	if err := os.Link(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	exposed(t, Named(path, true), "second name", "rm ")
	if err := Named(path, false); err != nil {
		t.Error(err)
	}
	if _, err := Read(path+"3", 4, 0); !errors.Is(err, fs.ErrNotExist) || Named(path+"3", true) != nil {
		t.Errorf("none: %v", err)
	}
}
