package key

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// key_test.go owns the stories: making a key, finding it again, and everything
// that can have happened to it in between.

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		createInChild(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// cheap makes a passphrase fast to try.
var cheap = cost{time: 1, memory: 8, threads: 1}

// config has a keyring that works and a passphrase.
func config(t *testing.T) Config {
	t.Helper()
	return Config{Dir: filepath.Join(t.TempDir(), "venuekey"), Keyring: newRing(), Passphrase: says("a few words"), cost: cheap}
}

func says(passphrase string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return passphrase, nil }
}

var choices = []Choice{ChoiceKeyring, ChoiceFile, ChoicePassphrase}

func mustCreate(t *testing.T, c Config, choice Choice) ([Size]byte, Info) {
	t.Helper()
	key, info, err := c.Create(t.Context(), choice)
	if err != nil {
		t.Fatalf("create %s: %v", choice, err)
	}
	return key, info
}

// wants checks the question that an error answers, and that it says what to do.
func wants(t *testing.T, what string, err, question error, hint string) {
	t.Helper()
	if question != nil && !errors.Is(err, question) || err == nil || !strings.Contains(err.Error(), hint) {
		t.Errorf("%s: %v\nwant %v: …%s…", what, err, question, hint)
	}
}

func TestCreateAndLoad(t *testing.T) {
	for _, choice := range choices {
		t.Run(string(choice), func(t *testing.T) {
			c := config(t)
			_, _, err := c.Load(t.Context())
			wants(t, "load of nothing", err, ErrNoKey, c.Dir)

			key, info := mustCreate(t, c, choice)
			if key == ([Size]byte{}) || info.Choice != choice || len(info.ID) != 16 || info.Note != "" {
				t.Errorf("create: key %x…, %+v", key[:2], info)
			}
			loaded, again, err := c.Load(t.Context())
			if err != nil || loaded != key || again != info {
				t.Errorf("load: %+v, want %+v (%v)", again, info, err)
			}
			for _, other := range append(choices, ChoiceAutomatic) {
				_, _, err = c.Create(t.Context(), other)
				wants(t, "second create", err, ErrExists, "key.json")
			}
			if loaded, _, err = c.Load(t.Context()); err != nil || loaded != key {
				t.Errorf("load after a second create: another key (%v)", err)
			}
		})
	}
}

// The name is the one that venuekey.SealKey gives, and files are found by it: it
// cannot change any more.
func TestIdentify(t *testing.T) {
	var key [Size]byte
	for i := range key {
		key[i] = byte(i)
	}
	if got, want := identify(key), "9067408613aeb406"; got != want {
		t.Errorf("identify: %s, want %s", got, want)
	}
}

// No file but the key file holds the key, and no file may be read by others.
func TestWhatIsOnDisk(t *testing.T) {
	for _, choice := range choices {
		c := config(t)
		key, info := mustCreate(t, c, choice)
		files, err := os.ReadDir(c.Dir)
		if err != nil || len(files) > 2 {
			t.Errorf("%s: %d files, want key.json and at most one more (%v)", choice, len(files), err)
		}
		for _, file := range files {
			path := filepath.Join(c.Dir, file.Name())
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			holds := bytes.Contains(text, key[:]) || strings.Contains(string(text), base64.StdEncoding.EncodeToString(key[:]))
			if holds != (choice == ChoiceFile && path == info.Where) {
				t.Errorf("%s: %s holds the key: %v", choice, file.Name(), holds)
			}
			if path == info.Where && !strings.HasPrefix(string(text), "venuekey key file") {
				t.Errorf("%s: %s does not say what it is", choice, file.Name())
			}
			if stat, err := file.Info(); err != nil || runtime.GOOS != "windows" && stat.Mode().Perm() != 0o600 {
				t.Errorf("%s: %s has mode %v (%v)", choice, file.Name(), stat.Mode(), err)
			}
		}
		if stat, err := os.Stat(c.Dir); err != nil || runtime.GOOS != "windows" && stat.Mode().Perm() != 0o700 {
			t.Errorf("%s: folder has mode %v (%v)", choice, stat.Mode(), err)
		}
	}
}

func TestAutomatic(t *testing.T) {
	t.Run("a keyring that works", func(t *testing.T) {
		c := config(t)
		if _, info := mustCreate(t, c, ChoiceAutomatic); info.Choice != ChoiceKeyring || info.Note != "" {
			t.Errorf("create: %+v", info)
		}
	})
	for name, break_ := range map[string]func(*ring){
		"a keyring that refuses":            func(r *ring) { r.refuse = errors.New("no such interface") },
		"a keyring that forgets":            func(r *ring) { r.forgets = true },
		"a keyring that returns other text": func(r *ring) { r.garbles = true },
	} {
		t.Run(name, func(t *testing.T) {
			c := config(t)
			break_(c.Keyring.(*ring))
			key, info := mustCreate(t, c, ChoiceAutomatic)
			if info.Choice != ChoiceFile || !strings.Contains(info.Note, "keyring") {
				t.Errorf("create: %+v, want a file and a note why", info)
			}
			if loaded, _, err := c.Load(t.Context()); err != nil || loaded != key {
				t.Errorf("load: %v", err)
			}
			// A user who asked for the keyring does not get a file.
			c = config(t)
			break_(c.Keyring.(*ring))
			if _, info, err := c.Create(t.Context(), ChoiceKeyring); err == nil {
				t.Errorf("create in the keyring: %+v", info)
			}
			if _, _, err := c.Load(t.Context()); !errors.Is(err, ErrNoKey) {
				t.Errorf("load after a create that failed: %v", err)
			}
		})
	}
}

// What was chosen is the only thing that will do. Whatever happens to it, the
// answer is an error, and the next answer is the same: nothing was made anew.
// mishap is what may happen to a key, and what is said of it.
type mishap struct {
	choice   Choice
	name     string
	happens  func(t *testing.T, c *Config)
	question error
	hint     string
}

// where is the file, or the item, that the key is kept in.
func where(t *testing.T, c Config) string {
	m, err := c.remembered()
	if err != nil {
		t.Fatal(err)
	}
	k, err := c.keeper(m.Choice)
	if err != nil {
		t.Fatal(err)
	}
	return k.where(m.ID)
}

func fileIs(text string) func(*testing.T, *Config) {
	return func(t *testing.T, c *Config) {
		if err := os.WriteFile(where(t, *c), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// change replaces text in a file of the folder; "" is the one that the key is in.
func change(name, old, new string) func(*testing.T, *Config) {
	return func(t *testing.T, c *Config) {
		path := c.path(name)
		if name == "" {
			path = where(t, *c)
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), old) {
			t.Fatalf("%s: %v\n%s", path, err, text)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func fileGone(t *testing.T, c *Config) {
	if err := os.Remove(where(t, *c)); err != nil {
		t.Fatal(err)
	}
}

func keyringMishaps() []mishap {
	return []mishap{
		{ChoiceKeyring, "the item is gone", func(_ *testing.T, c *Config) { c.Keyring = newRing() }, ErrLost, "restore the keyring"},
		{ChoiceKeyring, "the keyring refuses", func(_ *testing.T, c *Config) { c.Keyring.(*ring).refuse = errors.New("prompt dismissed") }, ErrLocked, "unlock"},
		{ChoiceKeyring, "the item is something else", func(_ *testing.T, c *Config) { c.Keyring.(*ring).fill("hunter2") }, ErrLost, "restore the keyring"},
		{ChoiceKeyring, "the item is too long", func(_ *testing.T, c *Config) {
			c.Keyring.(*ring).fill(base64.StdEncoding.EncodeToString(make([]byte, 33)))
		}, ErrLost, "restore the keyring"},
		{ChoiceKeyring, "the item is another key", func(_ *testing.T, c *Config) {
			c.Keyring.(*ring).fill(base64.StdEncoding.EncodeToString(make([]byte, 32)))
		}, ErrLost, "holds another key"},
	}
}

func fileMishaps() []mishap {
	other := plainTitle + "\nkey: " + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, Size)) + "\n"
	return []mishap{
		{ChoiceFile, "the file is gone", fileGone, ErrLost, "bring it back"},
		{ChoiceFile, "the file is empty", fileIs(""), ErrLost, "is damaged"},
		{ChoiceFile, "the file is garbage", fileIs("\x00\xff\x13"), ErrLost, "is damaged"},
		{ChoiceFile, "the file is huge", fileIs(strings.Repeat("venuekey ", 100_000)), ErrLost, "is damaged"},
		{ChoiceFile, "the file has no key", fileIs(plainTitle + "\n"), ErrLost, "is damaged"},
		{ChoiceFile, "the key is short", fileIs(plainTitle + "\nkey: AAAA\n"), ErrLost, "is damaged"},
		{ChoiceFile, "the title is another", change("", "version 1", "version 9"), ErrLost, "is damaged"},
		{ChoiceFile, "the key is twice there", change("", "key: ", "key: A\nkey: "), ErrLost, "is damaged"},
		{ChoiceFile, "the key is another", fileIs(other), ErrLost, "holds another key"},
		{ChoiceFile, "the choice is garbage", change("key.json", "{", "?"), ErrLost, "bring it back"},
		{ChoiceFile, "the choice is empty", change("key.json", `"id": "`, `"no": "`), ErrLost, "bring it back"},
		{ChoiceFile, "the choice leads elsewhere", change("key.json", `"id": "`, `"id": "../../`), ErrLost, "bring it back"},
		{ChoiceFile, "the choice is a newer one", change("key.json", `"version": 1`, `"version": 2`), nil, "update this program"},
		{ChoiceFile, "the choice is unknown", change("key.json", `"file"`, `"tpm"`), nil, "unknown"},
	}
}

func passphraseMishaps() []mishap {
	return []mishap{
		{ChoicePassphrase, "the file is gone", fileGone, ErrLost, "bring it back"},
		{ChoicePassphrase, "the file is garbage", fileIs("garbage"), ErrLost, "is damaged"},
		{ChoicePassphrase, "another passphrase", func(_ *testing.T, c *Config) { c.Passphrase = says("other words") }, ErrPassphrase, "try again"},
		{ChoicePassphrase, "an empty passphrase", func(_ *testing.T, c *Config) { c.Passphrase = says("") }, ErrLocked, "empty"},
		{ChoicePassphrase, "nobody to ask", func(_ *testing.T, c *Config) { c.Passphrase = nil }, ErrLocked, "cannot ask for one"},
		{ChoicePassphrase, "no answer", func(_ *testing.T, c *Config) {
			c.Passphrase = func(context.Context) (string, error) { return "", io.ErrUnexpectedEOF }
		}, ErrLocked, "not given"},
		{ChoicePassphrase, "the wrapped key is changed", change("", "\nkey: ", "\nkey: AAAA"), ErrLost, "is damaged"},
		{ChoicePassphrase, "the parameters are monstrous", change("", "memory=8", "memory=4294967295"), ErrLost, "is damaged"},
		{ChoicePassphrase, "the parameters are none", change("", "time=1", "time=0"), ErrLost, "is damaged"},
		{ChoicePassphrase, "the parameters are others", change("", "time=1", "time=2"), ErrPassphrase, "try again"},
		{ChoicePassphrase, "the parameters are missing", change("", "argon2id", "scrypt"), ErrLost, "is damaged"},
	}
}

func TestFailsClosed(t *testing.T) {
	for _, test := range slices.Concat(keyringMishaps(), fileMishaps(), passphraseMishaps()) {
		t.Run(string(test.choice)+"/"+test.name, func(t *testing.T) {
			c := config(t)
			key, _ := mustCreate(t, c, test.choice)
			test.happens(t, &c)
			for range 2 {
				got, _, err := c.Load(t.Context())
				wants(t, "load", err, test.question, test.hint)
				if got != ([Size]byte{}) {
					t.Error("load: an error and a key")
				}
				if err != nil && strings.Contains(err.Error(), base64.StdEncoding.EncodeToString(key[:])) {
					t.Error("load: the error tells the key")
				}
			}
			if _, _, err := c.Create(t.Context(), ChoiceAutomatic); err == nil {
				t.Error("create: made another key")
			}
		})
	}
}

// A damaged seal is not mistaken for a wrong passphrase.
func TestSpoiltSeal(t *testing.T) {
	c := config(t)
	_, info := mustCreate(t, c, ChoicePassphrase)
	text, err := os.ReadFile(info.Where)
	if err != nil {
		t.Fatal(err)
	}
	fields, _ := parse(text, wrappedTitle)
	sealed, err := base64.StdEncoding.DecodeString(fields["key"])
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		spoilt := bytes.Clone(sealed)
		spoilt[i] ^= 1
		text := strings.Replace(string(text), fields["key"], base64.StdEncoding.EncodeToString(spoilt), 1)
		if err := os.WriteFile(info.Where, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := c.Load(t.Context())
		wants(t, fmt.Sprintf("load with byte %d changed", i), err, ErrLost, "is damaged")
	}
}

func TestChangePassphrase(t *testing.T) {
	c := config(t)
	key, info := mustCreate(t, c, ChoicePassphrase)
	wants(t, "change to nothing", c.ChangePassphrase(t.Context(), says("")), ErrLocked, "empty")
	wants(t, "change to a letter", c.ChangePassphrase(t.Context(), says("x")), ErrWeak, "fewer than 8")
	wrong := c
	wrong.Passphrase = says("guess")
	wants(t, "change by a stranger", wrong.ChangePassphrase(t.Context(), says("mine")), ErrPassphrase, "try again")
	if err := c.ChangePassphrase(t.Context(), says("new words")); err != nil {
		t.Fatal(err)
	}
	_, _, err := c.Load(t.Context())
	wants(t, "load with the old one", err, ErrPassphrase, "try again")
	c.Passphrase = says("new words")
	if got, again, err := c.Load(t.Context()); err != nil || got != key || again != info {
		t.Errorf("load with the new one: %+v (%v)", again, err)
	}

	c = config(t)
	mustCreate(t, c, ChoiceFile)
	wants(t, "change of a key file", c.ChangePassphrase(t.Context(), says("x")), nil, "has no passphrase")
}

// The usual cost is written down and read back, not assumed.
func TestUsualCost(t *testing.T) {
	c := config(t)
	c.cost = cost{}
	key, info := mustCreate(t, c, ChoicePassphrase)
	text, err := os.ReadFile(info.Where)
	if err != nil || !strings.Contains(string(text), "argon2id: time=3 memory=65536 threads=4\n") {
		t.Errorf("key file: %s (%v)", text, err)
	}
	c.cost = cheap
	if got, _, err := c.Load(t.Context()); err != nil || got != key {
		t.Errorf("load: %v", err)
	}
}

func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ dir, hint string }{
		{"", "is not named"},
		{filepath.Join(dir, "not", "there"), "mkdir -p " + filepath.Join(dir, "not")},
		{filepath.Join(dir, "file"), "is a file"},
		{filepath.Join(dir, "file", "below"), "cannot be created"},
	} {
		_, _, err := Config{Dir: test.dir}.Create(t.Context(), ChoiceFile)
		wants(t, "create in "+test.dir, err, nil, test.hint)
	}
	_, _, err := Config{Dir: dir}.Create(t.Context(), "tpm")
	wants(t, "create by an unknown choice", err, nil, "unknown")
}

// Many first starts at once agree on one key and leave nothing of the others.
func TestRacingGoroutines(t *testing.T) {
	for _, choice := range choices {
		c := config(t)
		var wg sync.WaitGroup
		keys := make(chan [Size]byte, 16)
		for range cap(keys) {
			wg.Go(func() {
				key, _, err := c.Create(t.Context(), choice)
				if errors.Is(err, ErrExists) {
					key, _, err = c.Load(t.Context())
				}
				if err != nil {
					t.Errorf("%s: %v", choice, err)
				}
				keys <- key
			})
		}
		wg.Wait()
		first := <-keys
		for len(keys) > 0 {
			if <-keys != first {
				t.Errorf("%s: two first starts came to two keys", choice)
			}
		}
		files, err := os.ReadDir(c.Dir)
		if err != nil || len(files) > 2 {
			t.Errorf("%s: %d files are left, want key.json and at most one more (%v)", choice, len(files), err)
		}
		if items := c.Keyring.(*ring).count(); items > 1 {
			t.Errorf("%s: %d items are left in the keyring", choice, items)
		}
	}
}

// childVariable makes this program a child that creates a key in the folder
// that it names.
const childVariable = "VENUEKEY_KEY_TEST_DIR"

func createInChild(dir string) {
	in := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	_, _ = in.ReadString('\n')
	c := Config{Dir: dir}
	key, _, err := c.Create(context.Background(), ChoiceFile)
	made := err == nil
	if errors.Is(err, ErrExists) {
		key, _, err = c.Load(context.Background())
	}
	fmt.Printf("%v %x %v\n", made, key, err)
}

func TestRacingProcesses(t *testing.T) {
	for range 3 {
		dir := filepath.Join(t.TempDir(), "venuekey")
		winners, keys := 0, map[string]bool{}
		for _, said := range raceChildren(t, 4, dir) {
			made, rest, _ := strings.Cut(said, " ")
			key, problem, _ := strings.Cut(rest, " ")
			if problem != "<nil>" {
				t.Errorf("child: %s", problem)
			}
			if made == "true" {
				winners++
			}
			keys[key] = true
		}
		if winners != 1 || len(keys) != 1 {
			t.Errorf("%d children made a key, and they came to %d keys; want one of each", winners, len(keys))
		}
	}
}

// raceChildren starts n children, lets them go together, and gives what each
// says.
func raceChildren(t *testing.T, n int, dir string) (said []string) {
	t.Helper()
	var begin []io.Writer
	var outs []*bufio.Reader
	for range n {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+dir)
		in, inErr := cmd.StdinPipe()
		out, outErr := cmd.StdoutPipe()
		if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Wait() })
		begin, outs = append(begin, in), append(outs, bufio.NewReader(out))
	}
	for _, out := range outs {
		if _, err := out.ReadString('\n'); err != nil {
			t.Fatalf("child did not start: %v", err)
		}
	}
	for _, in := range begin {
		if _, err := in.Write([]byte("go\n")); err != nil {
			t.Fatal(err)
		}
	}
	for _, out := range outs {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatalf("child said nothing: %v", err)
		}
		said = append(said, strings.TrimSpace(line))
	}
	return said
}
