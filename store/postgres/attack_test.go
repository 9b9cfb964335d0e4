package postgres

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// attack_test.go owns the attacks of other roles that can connect to the database.

// roleIn makes a role that may log in and nothing else, and gives its address.
func roleIn(t *testing.T, address, name string) string {
	t.Helper()
	server.SQL(t, address, `CREATE ROLE `+name+` LOGIN PASSWORD 'pw'`)
	t.Cleanup(func() { server.SQL(t, address, `DROP OWNED BY `+name+`; DROP ROLE `+name) })
	return strings.Replace(address, "user=postgres", "user="+name+" password=pw", 1)
}

// heap is what lives in memory.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// A role that may do nothing but connect listens, and floods. It is told no name
// of a user on the channel that it can guess, and what it sends, even on the
// channel that it cannot, takes no memory and wakes nobody.
func TestAttackARoleWithoutRights(t *testing.T) { // not in parallel: it looks at the memory
	address := server.Database(t)
	store := openVault(t, address)
	keys := told(t, store)
	stranger, err := pgx.Connect(t.Context(), roleIn(t, address, "stranger"))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close(context.Background())
	run := func(sql string, args ...any) {
		t.Helper()
		if _, err := stranger.Exec(t.Context(), sql, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...); err != nil {
			t.Fatal(err)
		}
	}
	for _, sql := range []string{`SELECT announcing FROM venuekey.migration`, `SELECT key FROM venuekey.record`, `SELECT last_value FROM venuekey.version`} {
		if _, err := stranger.Exec(t.Context(), sql); codeOf(err) == "" {
			t.Errorf("%s: %v, want to be refused", sql, err)
		}
	}
	var listens int
	if err := stranger.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%' || $1 || '%' AND pid <> pg_backend_pid()`, channelOf(store)).Scan(&listens); err != nil || listens > 0 {
		t.Errorf("the channel's name can be read from the statements of others (%v)", err)
	}
	run(`LISTEN venuekey`)
	record := mustPut(t, store, venuekey.Record{Key: "token/ctrader/alice"})
	hears(t, keys, record.Key)
	quiet(keys)
	before := heap()
	run(`SELECT count(pg_notify($1, payload)) FROM generate_series(1, 1500) i,
		LATERAL (SELECT string_agg(1000 * i + n || ' ', E'\n') AS payload FROM generate_series(1, 800) n) p`, channelOf(store))
	mustPut(t, store, record)
	hears(t, keys, record.Key, "")
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("a flood of notifications took %d KiB of memory", grown>>10)
	}
	if woken := len(keys); woken > 8 {
		t.Errorf("a flood of notifications woke the watch %d times", woken)
	}
	wait, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for {
		heard, err := stranger.WaitForNotification(wait)
		if err != nil {
			break
		}
		if strings.Contains(heard.Payload, "alice") {
			t.Fatalf("a role without rights was told %q", heard.Payload)
		}
	}
}

func channelOf(s *Store) string { return s.whisper.channel }

// The rights that the documentation lists are enough for everything, and a role
// that has none of them gets nowhere.
func TestARoleWithItsRightsAndNoMore(t *testing.T) {
	needs.Time(t, "roles and their databases are made")
	t.Parallel()
	address := server.Database(t)
	openVault(t, address)
	_, err := Open(t.Context(), roleIn(t, address, "nobody_at_all"))
	says(t, err, venuekey.ClassMisconfigured, "does not give nobody_at_all the privileges it needs", "grant")
	doc, err := os.ReadFile("postgres.go")
	if err != nil {
		t.Fatal(err)
	}
	grants := regexp.MustCompile(`(?m)^//\t(GRANT .*;)$`).FindAllStringSubmatch(string(doc), -1)
	if len(grants) < 4 {
		t.Fatalf("the documentation lists %d rights", len(grants))
	}
	agent := roleIn(t, address, "agent")
	for _, grant := range grants {
		server.SQL(t, address, strings.ReplaceAll(grant[1], "the_role", "agent"))
	}
	store := openVault(t, agent)
	keys := told(t, store)
	record := mustPut(t, store, venuekey.Record{Key: "k", NextRefresh: time.Now().Add(-time.Hour)})
	hears(t, keys, "k")
	claimed, err := store.Claim(t.Context(), "", "a", aLease, 1)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("claim: %d records, %v", len(claimed), err)
	}
	record = mustPut(t, store, claimed[0])
	if listed := keysOf(t, store); len(listed) != 1 {
		t.Errorf("list: %q", listed)
	}
	if err := store.Delete(t.Context(), "k", record.Version); err != nil {
		t.Error(err)
	}
	if from, to, err := Migrate(t.Context(), agent); err != nil || from != to {
		t.Errorf("migrate of what is up to date: from %d to %d, %v", from, to, err)
	}
}

// squatter listens on a port of PostgreSQL's and asks for the password. It gives
// its port and what it was told.
func squatter(t *testing.T, asks pgproto3.BackendMessage, certificate *tls.Certificate) (port string, told <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port, squat(t, listener, asks, certificate)
}

// squat answers every client of a listener.
func squat(t *testing.T, listener net.Listener, asks pgproto3.BackendMessage, certificate *tls.Certificate) (told <-chan string) {
	said := make(chan string, 10)
	answering(t, listener, func(client net.Conn) {
		if password, ok := asked(client, asks, certificate); ok {
			said <- password
		}
	})
	return said
}

// asked is one client of a squatter's.
func asked(client net.Conn, asks pgproto3.BackendMessage, certificate *tls.Certificate) (password string, ok bool) {
	for {
		backend := pgproto3.NewBackend(client, client)
		message, err := backend.ReceiveStartupMessage()
		if err != nil {
			return "", false
		}
		if _, wantsTLS := message.(*pgproto3.SSLRequest); wantsTLS {
			if certificate == nil {
				_, _ = client.Write([]byte("N"))
				continue
			}
			_, _ = client.Write([]byte("S"))
			client = tls.Server(client, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
			continue
		}
		backend.Send(asks)
		if backend.Flush() != nil || backend.SetAuthType(pgproto3.AuthTypeCleartextPassword) != nil {
			return "", false
		}
		answer, err := backend.Receive()
		given, ok := answer.(*pgproto3.PasswordMessage)
		if err != nil || !ok {
			return "", false
		}
		return given.Password, true
	}
}

// Whoever got hold of the port, as another user of the machine can while the
// server is down, does not get the password by asking for it. A server that has
// proved who it is does, and so does one to which the address allows it.
func TestAttackAStrangerOnPostgreSQLsPortAsksForThePassword(t *testing.T) {
	t.Parallel()
	certificate, file := certify(t, "127.0.0.1", time.Now().Add(24*time.Hour))
	plain, md5 := &pgproto3.AuthenticationCleartextPassword{}, &pgproto3.AuthenticationMD5Password{Salt: [4]byte{1, 2, 3, 4}}
	for name, test := range map[string]struct {
		asks  pgproto3.BackendMessage
		tls   *tls.Certificate
		extra string
		given bool
	}{
		"in clear":                     {plain, nil, "sslmode=disable", false},
		"in clear, by default":         {plain, nil, "", false},
		"as MD5":                       {md5, nil, "sslmode=disable", false},
		"over TLS that proves nothing": {plain, &certificate, "sslmode=require", false},
		"over TLS by default":          {plain, &certificate, "", false},
		"MD5 over such TLS":            {md5, &certificate, "sslmode=prefer", false},
		"over TLS, verified":           {plain, &certificate, "sslmode=verify-full sslrootcert=" + file, true},
		"over TLS, its authority":      {plain, &certificate, "sslmode=verify-ca sslrootcert=" + file, true},
		"where the address allows it":  {plain, nil, "sslmode=disable require_auth=password", true},
	} {
		t.Run(name, func(t *testing.T) {
			port, told := squatter(t, test.asks, test.tls)
			_, err := Open(t.Context(), fmt.Sprintf("host=127.0.0.1 port=%s user=u dbname=d password=%s %s", port, password, test.extra))
			if err == nil {
				t.Fatal("a squatter's database opens")
			}
			select {
			case secret := <-told:
				if !test.given {
					t.Fatalf("the squatter was told %q", secret)
				}
				return
			default:
			}
			if test.given {
				t.Fatalf("the password was not given: %v", err)
			}
			says(t, err, venuekey.ClassMisconfigured, "asks for the password in a way that gives it away", "sslmode=verify-full")
			if strings.Contains(err.Error(), password) {
				t.Error("the password is in the error")
			}
		})
	}
}

// Many servers have their socket in /tmp, where anybody may put one while the server
// does not run.
func TestAttackAStrangersSocketAsksForThePassword(t *testing.T) {
	t.Parallel()
	street, err := os.MkdirTemp("", "street") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(street) })
	if err := os.Chmod(street, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(street, ".s.PGSQL.5432"))
	if err != nil {
		needs.Skip(t, "sockets", err.Error())
	}
	told := squat(t, listener, &pgproto3.AuthenticationCleartextPassword{}, nil)
	for extra, given := range map[string]bool{"": false, "sslmode=disable": false, "require_auth=password": true} {
		if _, err := Open(t.Context(), fmt.Sprintf("host=%s port=5432 user=u dbname=d password=%s %s", street, password, extra)); err == nil {
			t.Fatal("a stranger's database opens")
		} else if !given {
			says(t, err, venuekey.ClassMisconfigured, "asks for the password in a way that gives it away", "a folder that other users cannot write to")
		}
		select {
		case <-told:
			if !given {
				t.Errorf("%q: the stranger was told", extra)
			}
		default:
			if given {
				t.Errorf("%q: the password was not given", extra)
			}
		}
	}
	if runtime.GOOS != "windows" && (!sheltered("/usr/bin") || sheltered(filepath.Join(street, "none")) || sheltered(street)) {
		t.Error("folders are not told apart")
	}
}

// Whoever may write to the table writes what no program does. The other rows are
// read all the same, and every time can be written as JSON.
func TestAttackRowsThatNoProgramWrote(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	store := openVault(t, address)
	for _, key := range []string{"a", "b", "c"} {
		mustPut(t, store, venuekey.Record{Key: key, NextRefresh: time.Now().Add(-time.Hour)})
	}
	for _, moment := range []string{"infinity", "-infinity", "294276-01-01", "4000-01-01 BC", "10000-01-01"} {
		server.SQL(t, address, `UPDATE venuekey.record SET next_refresh = '`+moment+`', lease_until = '`+moment+`', intent_at = '`+moment+`' WHERE key = 'b'`)
		records, err := store.List(t.Context(), "", "", 10)
		if err != nil || len(records) != 3 {
			t.Fatalf("%s: list: %d records, %v", moment, len(records), err)
		}
		odd := records[1]
		if text, err := json.Marshal(odd); err != nil {
			t.Errorf("%s: record %s is no JSON: %v", moment, text, err)
		}
		if odd.NextRefresh.IsZero() || odd.LeaseUntil.IsZero() || odd.IntentAt.IsZero() {
			t.Errorf("%s: a time that is there is taken for none", moment)
		}
		if _, err := store.Put(t.Context(), odd); err != nil {
			t.Errorf("%s: put: %v", moment, err)
		}
	}
	// And one that is due, but missing from the index of due records.
	server.SQL(t, address, `UPDATE venuekey.record SET next_refresh = now() - interval '2 hours', due = 'infinity', lease_until = NULL, intent_at = NULL WHERE key = 'b'`)
	hidden, err := store.Get(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), hidden); err != nil {
		t.Fatal(err)
	}
	if claimed, err := store.Claim(t.Context(), "", "x", aLease, 10); err != nil || len(claimed) != 3 {
		t.Errorf("claim: %d records, %v", len(claimed), err)
	}
}

// A row as large as the server takes is refused before it is read: it would take
// the memory of every program.
func TestAttackARowThatFillsTheMemory(t *testing.T) {
	needs.Time(t, "a row of 60 megabytes")
	t.Parallel()
	address := server.Database(t)
	store := openVault(t, address)
	mustPut(t, store, venuekey.Record{Key: "a"})
	record := mustPut(t, store, venuekey.Record{Key: "b"})
	server.SQL(t, address, `UPDATE venuekey.record SET reason = repeat('x', 60000000) WHERE key = 'b'`)
	_, err := store.Get(t.Context(), "b")
	says(t, err, venuekey.ClassDamaged, "sent a row that is larger than any real one", "find out who can write")
	if _, err := store.Get(t.Context(), "a"); err != nil {
		t.Errorf("another row cannot be read: %v", err)
	}
	if err := store.Delete(t.Context(), "b", record.Version); err != nil {
		t.Errorf("it cannot be deleted: %v", err)
	}
}
