package oauth

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// nobody is the number of another user of this machine.
const nobody = 65534

// asNobody sends a request as another user, from bash, and gives what is answered.
// With an end it hangs up at once.
func asNobody(t *testing.T, address, header string, hangUp bool) string {
	t.Helper()
	to, _ := url.Parse(address)
	script := `exec 3<>/dev/tcp/` + to.Hostname() + `/` + to.Port() + `; printf '%s' "$REQUEST" >&3; [ -n "$HANGUP" ] || cat <&3`
	command := exec.Command("bash", "-c", script)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), fmt.Sprintf("REQUEST=GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", to.RequestURI(), to.Host, header)}
	if hangUp {
		command.Env = append(command.Env, "HANGUP=yes")
	}
	command.Dir = "/"
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Run(); err != nil {
		t.Errorf("%v: %s", err, &said)
	}
	return said.String()
}

// Another user who reads the browser's arguments gets there first, every time: the
// browser needs a second to start. He is not let in, and uses nothing up.
func TestAttackAnotherUserOpensTheAddressInTheArguments(t *testing.T) {
	if os.Geteuid() != 0 {
		needs.Skip(t, "users", "only root can be another user")
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]"} {
		t.Run(host, func(t *testing.T) {
			if socket, err := net.Listen("tcp", host+":0"); err != nil {
				t.Skipf("not run from here on: this machine has no %s: %v", host, err)
			} else {
				socket.Close()
			}
			client, app := stage(t)
			app.RedirectURI = "http://" + host + ":0/auth/callback"
			ui := &person{}
			ui.visit = func(visit venuekey.Visit) error {
				for range 3 {
					if said := asNobody(t, visit.Open, "", false); !strings.Contains(said, "403 Forbidden") || strings.Contains(said, "Set-Cookie") || strings.Contains(said, "Location") {
						t.Errorf("another user got %q", said)
					}
				}
				browser := opens(t, visit.Open)
				go browser.get(t, visit.Redirect+"?code=good-code&state="+stateOf(visit), nil)
				return nil
			}
			if _, err := client.Login(soon(t), app, ui); err != nil {
				t.Fatal(err)
			}
			if told := strings.Join(ui.told, "\n"); strings.Count(told, "another user of this machine (uid 65534)") != 1 || len(ui.told) != 2 {
				t.Error(told)
			}
		})
	}
}

// Browsers show a cookie to every port of a host, so that another user's program can
// come by it. It is good for the user whose browser got it.
func TestAttackAnotherUserWithTheCookie(t *testing.T) {
	if os.Geteuid() != 0 {
		needs.Skip(t, "users", "only root can be another user")
	}
	client, app := stage(t)
	client.StateNotEchoed = true
	attacked(t, client, app, func(visit venuekey.Visit, browser agent) {
		address, _ := url.Parse(visit.Redirect)
		cookie := "Cookie: " + browser.jar.Cookies(address)[0].String() + "\r\n"
		for _, hangUp := range []bool{false, true} { // a connection that is closed has no user any more
			if said := asNobody(t, visit.Redirect+"?code=evil-code", cookie, hangUp); !hangUp && (!strings.Contains(said, "400 Bad Request") || strings.Contains(said, "<form")) {
				t.Errorf("another user got %q", said)
			}
		}
	})
}

func TestWhoMayOpenAnAddress(t *testing.T) {
	me, root, alice, bob := peer{os.Geteuid(), true}, peer{0, true}, peer{os.Geteuid() + 1, true}, peer{os.Geteuid() + 2, true}
	for _, row := range []struct {
		name     string
		who      peer
		exposed  bool
		login    peer
		stranger bool
	}{
		{"this user", me, true, alice, false},
		{"root", root, true, alice, false},
		{"nobody knows whom", peer{}, true, alice, false},
		{"whoever logged in, and became a service", alice, true, alice, false},
		{"another", bob, true, alice, true},
		{"another, at what was printed", bob, false, alice, true},
		{"another, where nobody logged in", bob, true, peer{}, true},
		{"another, at what a service printed", bob, false, peer{}, false},
	} {
		if got := row.who.isOther(row.exposed, row.login); got != row.stranger {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}
