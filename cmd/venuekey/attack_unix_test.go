//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/needs"
)

// attack_unix_test.go owns what another user of the machine does to a command:
// folders, links, pipes and files of his.

const suite = "a second user"

// ends runs the command in this process, and sees how it ends and what it says.
func (o outside) ends(t *testing.T, code int, words ...string) {
	t.Helper()
	got := run(t.Context(), o.host)
	said := o.out.String() + o.err.String()
	if got != code {
		t.Errorf("%q ended with %d, want %d:\n%s", o.args, got, code, said)
	}
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("%q does not say %q:\n%s", o.args, word, said)
		}
	}
}

// outsideAt is a run with an environment of its own.
func outsideAt(t *testing.T, environ []string, args ...string) outside {
	t.Helper()
	o := newOutside(t, args...)
	o.environ = append([]string{"VENUEKEY_KEY=file"}, environ...)
	return o
}

// Root with the home of another user would seal with that user's key.
func TestAttackAHomeOfAnotherUser(t *testing.T) {
	street := needs.Street(t)
	needs.StrangerDoes(t, suite, street, "mkdir -m 755 home alice alice/.config alice/.local alice/.local/share; ln -s /etc link")
	home, alice := filepath.Join(street, "home"), filepath.Join(street, "alice")
	for _, environ := range [][]string{{"VENUEKEY_HOME=" + home}, {"VENUEKEY_HOME=" + home + "/below"}, {"HOME=" + alice}, {"VENUEKEY_HOME=" + street + "/link"}} {
		for _, command := range []string{"init", "app add ttp --client-id x --secret-stdin", "list", "status", "token ttp/alice", "key list", "key export -", "store check"} {
			o := outsideAt(t, environ, strings.Fields(command)...)
			o.stdin = strings.NewReader("secret\n")
			o.ends(t, exitMisconfigured, "another user", "try: ")
		}
		o := outsideAt(t, environ, "doctor")
		o.ends(t, exitMisconfigured, "bad", "another user")
	}
	needs.StrangerDoes(t, suite, street, "test -z \"$(ls home)\"; test -z \"$(ls alice/.config alice/.local/share | grep venuekey)\"")
}

func TestAttackAFolderThatWasOpened(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	environ := []string{"VENUEKEY_HOME=" + home}
	outsideAt(t, environ, "init").ends(t, exitGood)
	for _, test := range []struct {
		folder string
		mode   os.FileMode
		code   int
		words  string
	}{
		{"", 0o777, exitMisconfigured, "chmod 700 " + home}, {"", 0o770, exitMisconfigured, "chmod 700 " + home}, {"", 0o755, exitGood, ""},
		{"..", 0o777, exitMisconfigured, "chmod go-w " + filepath.Dir(home)}, {"..", 0o755, exitGood, ""},
	} {
		path := filepath.Join(home, test.folder)
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"list", "app list", "key list", "doctor"} {
			outsideAt(t, environ, strings.Fields(command)...).ends(t, test.code, test.words)
		}
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// The folder of the system for what a restart takes away is believed only if it is
// this user's: su and sudo leave the variable as it was.
func TestAttackARuntimeFolderOfAnotherUser(t *testing.T) {
	street := needs.Street(t)
	needs.StrangerDoes(t, suite, street, "mkdir -m 777 run run/venuekey run/venuekey/spill")
	home := filepath.Join(t.TempDir(), "home")
	environ := []string{"VENUEKEY_HOME=" + home, "XDG_RUNTIME_DIR=" + street + "/run"}
	outsideAt(t, environ, "init").ends(t, exitGood)
	o := outsideAt(t, environ, "doctor")
	o.ends(t, exitGood, "warn", "XDG_RUNTIME_DIR")
	if strings.Contains(o.out.String(), street+"/run/venuekey/spill") {
		t.Errorf("it is used:\n%s", o.out)
	}
}

// command is the real command as a process.
func command(t *testing.T, environ []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("venuekey")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, args...)
	c.Env = append([]string{"VENUEKEY_KEY=file", "PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE")}, environ...)
	return c
}

func TestAttackALinkInThePlaceOfTheCertificate(t *testing.T) {
	base := t.TempDir()
	victim, home := filepath.Join(base, "victim"), filepath.Join(base, "home-emulated")
	certificate := filepath.Join(home, "ctrader-ca.pem")
	if err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o600), os.Mkdir(home, 0o700), os.Symlink(victim, certificate)); err != nil {
		t.Fatal(err)
	}
	emulates := func() (string, error) {
		c := command(t, []string{"VENUEKEY_HOME=" + filepath.Join(base, "home")}, "emulate", "ctrader", "--port-base", strconv.Itoa(freeBase()))
		out, err := c.StdoutPipe()
		var said strings.Builder
		c.Stderr = &said
		if err = errors.Join(err, c.Start()); err != nil {
			t.Fatal(err)
		}
		if n, _ := out.Read(make([]byte, 1)); n == 1 { // it runs, and prints its environment
			_ = c.Process.Signal(os.Interrupt)
		}
		_, _ = io.Copy(io.Discard, out)
		err = c.Wait()
		return said.String(), err
	}
	if said, err := emulates(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
		t.Errorf("the other file holds %.30q now (%v)", text, err)
	}
	if info, err := os.Lstat(certificate); err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := os.Chmod(home, 0o777); err != nil {
		t.Fatal(err)
	}
	if said, err := emulates(); err == nil || !strings.Contains(said, "chmod 700 "+home) {
		t.Errorf("in a folder of everybody's: %v %s", err, said)
	}
}

// A command that waits for what never comes holds nothing, and ends at the first
// signal.
func TestAttackAPipeThatIsWaitedFor(t *testing.T) {
	for name, args := range map[string][]string{
		"backup":     {"backup", "import", "PIPE"},
		"identity":   {"backup", "import", "--identity", "PIPE", "/dev/null"},
		"recipients": {"backup", "export", "--recipients-file", "PIPE", "-"},
		"keys":       {"key", "import", "PIPE"},
		"token":      {"import", "ttp/alice", "PIPE"},
		"ca":         {"app", "add", "ttp", "--client-id", "x", "--secret-stdin", "--ca", "PIPE"},
		"secret":     {"app", "add", "ttp", "--client-id", "x"},
		"passphrase": {"init", "--key", "passphrase"},
	} {
		for _, stage := range []string{"nobody writes", "nothing is written"} {
			t.Run(name+" "+stage, func(t *testing.T) {
				t.Parallel()
				base := t.TempDir()
				pipe := filepath.Join(base, "pipe")
				if err := syscall.Mkfifo(pipe, 0o600); err != nil {
					t.Fatal(err)
				}
				c := command(t, []string{"VENUEKEY_HOME=" + base + "/home", environ.Variable("ttp", "CLIENT_SECRET_FILE") + "=" + pipe, "VENUEKEY_PASSPHRASE_FILE=" + pipe})
				for _, arg := range args {
					c.Args = append(c.Args, strings.Replace(arg, "PIPE", pipe, 1))
				}
				var said strings.Builder
				c.Stdout, c.Stderr = io.Discard, &said
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				writer := awaitReader(t, pipe)
				if stage == "nobody writes" {
					defer writer.Close()
				} else {
					fmt.Fprint(writer, " ")
					defer writer.Close()
				}
				_ = c.Process.Signal(syscall.SIGTERM)
				hung := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
				err := c.Wait()
				if !hung.Stop() {
					t.Errorf("%q does not end: %v %s", args, err, &said)
				} else if c.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(said.String(), "interrupted") {
					t.Errorf("%q: %v %s", args, err, &said)
				}
			})
		}
	}
}

// Standard input cannot be interrupted at all.
func TestAttackAnInputThatNeverEnds(t *testing.T) {
	needs.Time(t, "an input is given up in real time")
	c := command(t, []string{"VENUEKEY_HOME=" + t.TempDir() + "/home"}, "import", "ttp/alice", "-")
	var said strings.Builder
	c.Stderr = &said
	stdin, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	// More than a pipe holds: when it is written, the command reads.
	if _, err := stdin.Write(make([]byte, 200<<10)); err != nil {
		t.Fatal(err)
	}
	_ = c.Process.Signal(syscall.SIGTERM)
	hung := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
	err = c.Wait()
	if !hung.Stop() || c.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(said.String(), "interrupted") {
		t.Errorf("%v %s", err, &said)
	}
}

// awaitReader waits until somebody has opened a pipe for reading, or is about to.
func awaitReader(t *testing.T, pipe string) *os.File {
	t.Helper()
	opened := make(chan *os.File, 1)
	go func() {
		writer, _ := os.OpenFile(pipe, os.O_WRONLY, 0) // waits
		opened <- writer
	}()
	select {
	case writer := <-opened:
		return writer
	case <-time.After(20 * time.Second):
		if reader, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
			defer reader.Close()
		}
		t.Fatal("nobody reads the pipe")
		return nil
	}
}

// What a person pipes in is read as ever.
func TestSecretsFromAPipe(t *testing.T) {
	base := t.TempDir()
	script := `VENUEKEY_PASSPHRASE_FILE=/dev/fd/3 venuekey init --key passphrase 3<<END
correct horse battery
END
VENUEKEY_PASSPHRASE_FILE=/dev/stdin venuekey key list <<END
correct horse battery
END
mkfifo pipe
echo "correct horse battery" >pipe &
VENUEKEY_PASSPHRASE_FILE=pipe venuekey key list
`
	c := exec.Command("/bin/sh", "-ec", script)
	c.Dir, c.Env = base, command(t, []string{"VENUEKEY_HOME=" + base + "/home"}).Env
	if said, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

func TestAttackASecretInAFileOfOthers(t *testing.T) {
	street := needs.Street(t)
	secret := filepath.Join(street, "secret")
	if err := os.WriteFile(secret, []byte("demo-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"VENUEKEY_HOME=" + filepath.Join(t.TempDir(), "home"), environ.Variable("ttp", "CLIENT_ID") + "=x", environ.Variable("ttp", "CLIENT_SECRET_FILE") + "=" + secret}
	outsideAt(t, environ, "init").ends(t, exitGood)
	for _, test := range []struct {
		mode  os.FileMode
		owner int
		code  int
		words string
	}{
		{0o600, 0, exitGood, ""}, {0o640, 0, exitGood, ""}, {0o644, 0, exitGood, "chmod 600 " + secret}, {0o604, 0, exitGood, "chmod 600 " + secret},
		{0o660, 0, exitMisconfigured, "chmod 600 " + secret}, {0o602, 0, exitMisconfigured, "chmod 600 " + secret}, {0o600, needs.StrangerID, exitMisconfigured, "another user"},
	} {
		if err := errors.Join(os.Chown(secret, test.owner, 0), os.Chmod(secret, test.mode)); err != nil {
			t.Fatal(err)
		}
		o := outsideAt(t, environ, "app", "list")
		o.ends(t, test.code, test.words)
		if warned := strings.Contains(o.err.String(), "warning: "); test.code == exitGood && warned != (test.words != "") {
			t.Errorf("mode %04o: %s", test.mode, o.err)
		}
	}
}

func TestAttackALetterForAPassphrase(t *testing.T) {
	for _, passphrase := range []string{"p", "1234567"} {
		o := newOutside(t, "init", "--key", "passphrase")
		o.environ = append(o.environ, "VENUEKEY_PASSPHRASE="+passphrase)
		o.ends(t, exitMisconfigured, "venuekey: passphrase is too short: it has fewer than 8 characters")
		w := newOutside(t, "app", "add", "ttp", "--client-id", "x", "--secret-stdin")
		w.stdin = strings.NewReader("secret\n")
		w.ends(t, exitGood)
		for _, command := range []string{"backup export ", "key export "} {
			file := filepath.Join(t.TempDir(), "file")
			o := newOutside(t, strings.Fields(command+file)...)
			o.environ = append(w.environ, "VENUEKEY_BACKUP_PASSPHRASE="+passphrase)
			o.ends(t, exitMisconfigured, "fewer than 8 characters")
			if exists(file) {
				t.Errorf("%s wrote it all the same", command)
			}
		}
	}
}

// Whatever the umask, what is made is this user's alone.
func TestAttackTheWidestUmask(t *testing.T) {
	w := newWorld(t)
	w.set("XDG_RUNTIME_DIR", w.dir)
	script := `umask 000
printf 'demo-secret\n' | venuekey app add ctrader --client-id demo-client --secret-stdin
venuekey login ctrader/alice
venuekey refresh ctrader/alice
venuekey key rotate
venuekey backup export backup.age
venuekey key export keys.age
venuekey store copy copy/vault.db
venuekey doctor
venuekey logout ctrader/alice
`
	if err := os.Mkdir(filepath.Join(w.dir, "copy"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := map[string]bool{}
	walkModes(t, w.dir, func(path string, _ fs.FileInfo) { before[path] = true })
	c := exec.Command("/bin/sh", "-ec", script)
	c.Dir, c.Env = w.dir, w.env
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	seen := 0
	walkModes(t, w.dir, func(path string, info fs.FileInfo) {
		if before[path] {
			return
		}
		seen++
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	})
	if seen < 12 {
		t.Errorf("only %d files and folders were made", seen)
	}
}

func walkModes(t *testing.T, folder string, each func(string, fs.FileInfo)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			each(path, info)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
