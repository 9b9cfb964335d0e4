package notify

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// An outbox is of one process, which is named to the next; what is in it nobody else reads.
func TestAttackAnOutboxThatOthersReach(t *testing.T) {
	folder := newFolder(t)
	outbox, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) || venuekey.ClassOf(err) != venuekey.ClassMisconfigured {
		t.Error(err)
	}
	l := Letter{Notice: noticeOf(alice, "revoked"), Queued: time.Now()}
	if err := outbox.keep(l); err != nil {
		t.Fatal(err)
	}
	if err := outbox.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if info, _ := entry.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %04o", entry.Name(), info.Mode().Perm())
		}
	}
	path := filepath.Join(folder, l.Notice.Delivery+waiting)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if all, odd, err := list(folder, waiting, nil); len(all) > 0 || len(odd) != 1 || err != nil {
		t.Error(all, odd, err)
	}
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder); venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !strings.Contains(err.Error(), "other users may write to") {
		t.Error(err)
	}
	if _, _, err := Dead(folder); venuekey.ClassOf(err) != venuekey.ClassMisconfigured {
		t.Error(err)
	}
}

// A file that holds no letter is named and left alone, and a link is not followed.
func TestAttackFilesInTheOutboxThatNobodyWrote(t *testing.T) {
	folder := newFolder(t)
	outbox, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer outbox.Close()
	old := trouble(alice, "revoked")
	old.At = old.At.Add(-time.Hour)
	good := Letter{Notice: Of(old, ""), Queued: time.Now()}
	if _, err := outbox.bury(good, 10); err != nil {
		t.Fatal(err)
	}
	text, _ := good.text()
	other := Letter{Notice: noticeOf(bob, "revoked"), Queued: time.Now()}
	for name, content := range map[string]string{
		"20260101-000000000-0123456789abcdef": "{",
		"20260101-000000000-0123456789abcdea": string(text), // it says another name
		"20260101-000000000-0123456789abcdeb": strings.Repeat("x", longestLetter+1),
		"..%2f..%2fetc":                       string(text),
	} {
		if err := os.WriteFile(filepath.Join(folder, name+given), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(folder, other.Notice.Delivery+given)); err != nil {
		t.Fatal(err)
	}
	all, unread, err := Dead(folder)
	if err != nil || len(all) != 1 || all[0].Notice.Delivery != good.Notice.Delivery || len(unread) != 5 {
		t.Errorf("%v\n%v\n%v", all, unread, err)
	}
	if _, odd, _ := outbox.list(given, nil); len(odd) != 5 {
		t.Error(odd)
	}
	if _, odd, _ := outbox.list(given, nil); len(odd) != 0 { // it is said once
		t.Error(odd)
	}
	if _, err := outbox.bury(other, 1); err != nil { // the oldest that can be read goes
		t.Fatal(err)
	}
	if all, _, _ := Dead(folder); len(all) != 1 || all[0].Notice.Delivery != other.Notice.Delivery {
		t.Error(all)
	}
	if all, _, err := Dead(filepath.Join(folder, "nowhere")); all != nil || err != nil {
		t.Error(all, err)
	}
}

func FuzzLetter(f *testing.F) {
	text, _ := Letter{Notice: noticeOf(alice, "revoked"), Queued: time.Now(), Why: "500", Attempts: 3}.text()
	f.Add(text)
	text, _ = Letter{Notice: Test(time.Now()), Queued: time.Now(), Died: time.Now()}.text()
	f.Add(text)
	f.Add([]byte(`{"notice":{"delivery":"20260101-000000000-0123456789abcdef","event":"trouble","id":"ctrader","at":"2026-01-01T00:00:00Z","left_seconds":-1},"queued":"2026-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := readLetter(text)
		if err != nil {
			if !errors.Is(err, errNoLetter) {
				t.Error(err)
			}
			return
		}
		again, err := l.text()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := readLetter(again)
		body, _ := json.Marshal(l.Notice)
		if same, _ := json.Marshal(back.Notice); err != nil || string(same) != string(body) || back.Attempts != l.Attempts {
			t.Errorf("%v\n%s\n%s", err, body, same)
		}
		if strings.ContainsAny(l.Notice.Reason+l.Notice.Help+string(l.Notice.State)+l.Why, "\x1b\n\r\x00") || strings.ContainsAny(l.Notice.Delivery+l.Notice.ID, "/.\\ ") && !isID(l.Notice.ID) {
			t.Errorf("%+v", l)
		}
	})
}

func FuzzTold(f *testing.F) {
	f.Add([]byte(`{"told":[{"id":"ctrader/alice","event":"trouble","state":"needs sign-in","since":"2026-01-01T00:00:00Z","said":"2026-01-01T00:00:00Z","next":"2026-01-01T01:00:00Z","count":1}]}`))
	f.Add([]byte(`{"told":[{"id":"ctrader","event":"warning","since":"2026-01-01T00:00:00Z","said":"2026-01-01T00:00:00Z","count":9}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := readTold(text)
		for id, said := range all {
			if err != nil || id.IsZero() || said.Count < 1 || id.String() != said.ID && id.String() != said.ID+"/default" {
				t.Errorf("%v %+v %v", id, said, err)
			}
		}
	})
}

// actAsSender is a process of its own that has notices to send and no endpoint that takes
// them: it says when they are on the disk, and waits to be killed.
func actAsSender() bool {
	folder := os.Getenv("NOTIFY_TEST_SENDER")
	if folder == "" {
		return false
	}
	outbox, err := Open(folder)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	c := &Courier{Webhook: Webhook{Key: testKey, Transport: &endpoint{answer: refusing}}, Outbox: outbox}
	c.Webhook.Address, _ = ParseAddress("https://hooks.example.com")
	for i := range 20 {
		n := noticeOf(venuekey.ID{Venue: "ctrader", Name: fmt.Sprintf("user%02d", i)}, "revoked")
		c.Tell(n)
		fmt.Println(n.Delivery)
	}
	fmt.Println("all")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // it never comes
	return true
}

// What is on its way when a process is killed is sent by the next one, with the same
// delivery. The lock ends with the process.
func TestAKilledProcessLosesNoNotice(t *testing.T) {
	folder := newFolder(t)
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "NOTIFY_TEST_SENDER="+folder)
	if _, err := command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var want []string
	for scanner := bufio.NewScanner(out); scanner.Scan() && scanner.Text() != "all"; {
		want = append(want, scanner.Text())
	}
	if _, err := Open(folder); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), fmt.Sprint(command.Process.Pid)) {
		t.Errorf("%v", err)
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	if len(want) != 20 {
		t.Fatal(want)
	}
	arrived := make(chan string, len(want))
	end := &endpoint{answer: func(r *http.Request) (*http.Response, error) {
		arrived <- r.Header.Get(HeaderDelivery)
		return answering(204, "")(r)
	}}
	p := newPost(t, folder, end, nil)
	var got []string
	for range want {
		select {
		case delivery := <-arrived:
			got = append(got, delivery)
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of %d have arrived", len(got), len(want))
		}
	}
	p.stop()
	for _, delivery := range want {
		if !strings.Contains(strings.Join(got, " "), delivery) {
			t.Errorf("%s has not arrived", delivery)
		}
	}
	if waits, dead := p.files(); len(waits)+len(dead) > 0 {
		t.Error(waits, dead)
	}
}
