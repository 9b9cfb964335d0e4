package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// fault_test.go owns what is said about addresses, servers, rights and schemas
// that are not as they should be, and that nothing is lost meanwhile.

// password is in every address here, and in no error.
const password = "geheim#7"

func TestAddresses(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	host := strings.Fields(address)[0]
	server.SQL(t, address, fmt.Sprintf(`CREATE ROLE wrongpw LOGIN PASSWORD '%s'`, password))
	t.Cleanup(func() { server.SQL(t, address, `DROP ROLE wrongpw`) })
	for name, test := range map[string]struct {
		address string
		class   venuekey.Class
		says    string
		remedy  string
	}{
		"no address":          {"postgres://u:" + password + "@[", venuekey.ClassMisconfigured, "cannot be read", "postgres://"},
		"a slash in password": {"postgres://u:geheim/7@h/d", venuekey.ClassMisconfigured, "cannot be read", "%xx"},
		"a port of letters":   {"postgres://u:secret@h:port/d", venuekey.ClassMisconfigured, "cannot be read", "5432"},
		"half a keyword":      {"host=h password=" + password + " user", venuekey.ClassMisconfigured, "cannot be read", "host="},
		"an sslmode of fancy": {"host=h sslmode=please password=" + password, venuekey.ClassMisconfigured, "sslmode is invalid", "host="},
		"no connections":      {"host=h pool_max_conns=0 password=" + password, venuekey.ClassMisconfigured, "pool_max_conns", "host="},
		"no such certificate": {"host=h sslmode=verify-full sslrootcert=/nowhere/ca.pem password=" + password, venuekey.ClassMisconfigured, "/nowhere/ca.pem", "host="},
		"a schema of signs":   {address + " schema='a\"; DROP' password=" + password, venuekey.ClassMisconfigured, "cannot have a schema", "lower-case"},
		"a schema of theirs":  {address + " schema=pg_vault password=" + password, venuekey.ClassMisconfigured, "cannot have a schema", "pg_"},
		"no such socket":      {"host=/nowhere user=u dbname=d password=" + password, venuekey.ClassNotSent, "cannot be reached", "start the server"},
		"nobody listens":      {"host=127.0.0.1 port=1 user=u dbname=d password=" + password, venuekey.ClassNotSent, "cannot be reached", "start the server"},
		"no such host":        {"host=nowhere.invalid user=u dbname=d password=" + password, venuekey.ClassNotSent, "cannot be found", "correct the host"},
		"no such database":    {host + " user=postgres dbname=none password=" + password, venuekey.ClassMisconfigured, "does not exist", "create it"},
		"no such user":        {host + " user=nobody_here dbname=postgres password=" + password, venuekey.ClassMisconfigured, "rejects the password", "correct"},
		"a wrong password":    {host + " user=wrongpw dbname=postgres password=" + password + "x", venuekey.ClassMisconfigured, "rejects the password", "correct the password"},
		"an unknown setting":  {address + " pasword=" + password, venuekey.ClassMisconfigured, "does not know a parameter", "correct the address"},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := Open(t.Context(), test.address)
			if err == nil {
				_ = store.Close()
			}
			says(t, err, test.class, test.says, test.remedy)
			_, _, err = Migrate(t.Context(), test.address)
			says(t, err, test.class, test.says, test.remedy)
		})
	}
}

// says checks that an error tells what is wrong and what to do, and gives no
// password away, however it is printed.
func says(t *testing.T, err error, class venuekey.Class, reason, remedy string) {
	t.Helper()
	var known *venuekey.Error
	if !errors.As(err, &known) {
		t.Fatalf("error: %v (%T), want one that says %q", err, err, reason)
	}
	if known.Class != class || !strings.Contains(known.Reason, reason) || !strings.Contains(known.Remedy, remedy) {
		t.Errorf("error: %v: %s; %s\nwant %v: …%s…; …%s…", known.Class, known.Reason, known.Remedy, class, reason, remedy)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if printed := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(printed, "geheim") || strings.Contains(printed, "secret@") {
			t.Errorf("error gives the password away: %s", printed)
		}
	}
}

// edit is a change to the schema, and the error that it causes.
type edit struct{ sql, says string }

var edits = map[string]edit{
	"a column dropped":           {`ALTER TABLE venuekey.record DROP COLUMN reason`, "column record.reason is missing"},
	"a column renamed":           {`ALTER TABLE venuekey.record RENAME COLUMN sealed TO token`, "column record.sealed is missing"},
	"a column of another type":   {`ALTER TABLE venuekey.record ALTER COLUMN attempt TYPE integer`, "column record.attempt is integer not null, not bigint not null"},
	"a column that may be null":  {`ALTER TABLE venuekey.record ALTER COLUMN sealed DROP NOT NULL`, "column record.sealed is bytea, not bytea not null"},
	"another order of keys":      {`ALTER TABLE venuekey.record ALTER COLUMN key TYPE text COLLATE "POSIX"`, "column record.key is text not null, not text not null, collate C"},
	"a column that must be set":  {`ALTER TABLE venuekey.record ADD COLUMN tenant text; UPDATE venuekey.record SET tenant = ''; ALTER TABLE venuekey.record ALTER COLUMN tenant SET NOT NULL`, "column record.tenant: text not null was added"},
	"due computed otherwise":     {`ALTER TABLE venuekey.record DROP COLUMN due; ALTER TABLE venuekey.record ADD COLUMN due timestamptz GENERATED ALWAYS AS (next_refresh) STORED; CREATE INDEX due ON venuekey.record (due, key) WHERE due IS NOT NULL`, "column record.due is"},
	"the index dropped":          {`DROP INDEX venuekey.due`, "index due is missing"},
	"the index of other columns": {`DROP INDEX venuekey.due; CREATE INDEX due ON venuekey.record (due) WHERE due IS NOT NULL`, "index due is on record due"},
	"the key dropped":            {`ALTER TABLE venuekey.record DROP CONSTRAINT record_pkey`, "index record_pkey is missing"},
	"the table dropped":          {`DROP TABLE venuekey.record`, "table record is missing"},
	"a view in its place":        {`ALTER TABLE venuekey.record RENAME TO r; CREATE VIEW venuekey.record AS SELECT * FROM venuekey.r`, "table record is logged, not an ordinary table"},
	"a table that crashes empty": {`ALTER TABLE venuekey.record SET UNLOGGED`, "table record is unlogged"},
	"the sequence dropped":       {`DROP SEQUENCE venuekey.version`, "sequence version is missing"},
	"a sequence in blocks":       {`ALTER SEQUENCE venuekey.version CACHE 100`, "sequence version is bigint by 1, cached"},
	"a sequence in a circle":     {`ALTER SEQUENCE venuekey.version CYCLE MAXVALUE 1000`, "in a circle"},
	"no note of steps":           {`DELETE FROM venuekey.migration`, "table migration is empty"},
	"no table of steps":          {`DROP TABLE venuekey.migration`, "is not a vault"},
	"a schema of somebody else":  {`DROP SCHEMA venuekey CASCADE; CREATE SCHEMA venuekey; CREATE TABLE venuekey.mine (n int)`, "is not a vault"},
}

// An edited schema is told apart from a missing one, and stays as it is.
func TestEditedSchemas(t *testing.T) {
	needs.Time(t, "a database is made for each of many edits")
	t.Parallel()
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := server.Database(t)
			fill(t, address, 3)
			server.SQL(t, address, edit.sql)
			before := dump(t, address)
			for range 2 {
				store, err := Open(t.Context(), address)
				if err == nil {
					_ = store.Close()
				}
				class := venuekey.ClassDamaged
				if strings.Contains(edit.says, "not a vault") {
					class = venuekey.ClassMisconfigured
				}
				says(t, err, class, edit.says, "restore")
			}
			if after := dump(t, address); after != before {
				t.Errorf("schema was changed by opening it:\n%s\nwas\n%s", after, before)
			}
		})
	}
}

// Additional columns and indexes do no harm.
func TestHarmlessEdits(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	fill(t, address, 3)
	server.SQL(t, address, `
		ALTER TABLE venuekey.record ADD COLUMN note text, ADD COLUMN since timestamptz NOT NULL DEFAULT now();
		CREATE INDEX reasons ON venuekey.record (reason);
		CREATE TABLE venuekey.mine (n int);
		ALTER TABLE venuekey.record SET (fillfactor = 80)`)
	fill(t, address, 5)
}

// A table that goes while it is in use is told of, and found when it comes back.
func TestEditedWhileOpen(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	fill(t, address, 1)
	store := openVault(t, address)
	if _, err := store.Get(t.Context(), "k0"); err != nil {
		t.Fatal(err)
	}
	for _, edit := range []struct{ do, undo, says string }{
		{`ALTER TABLE venuekey.record RENAME TO gone`, `ALTER TABLE venuekey.gone RENAME TO record`, "lost a table"},
		{`ALTER TABLE venuekey.record RENAME COLUMN sealed TO gone`, `ALTER TABLE venuekey.record RENAME COLUMN gone TO sealed`, "lost a column"},
	} {
		server.SQL(t, address, edit.do)
		_, get := store.Get(t.Context(), "k0")
		_, put := store.Put(t.Context(), venuekey.Record{Key: "new"})
		_, claim := store.Claim(t.Context(), "", "a", aLease, 1)
		for _, err := range []error{get, put, claim} {
			says(t, err, venuekey.ClassDamaged, edit.says, "backup")
		}
		server.SQL(t, address, edit.undo)
		if _, err := store.Get(t.Context(), "k0"); err != nil {
			t.Errorf("get after the edit was undone: %v", err)
		}
	}
}

// A role has what it was granted, and is told what it lacks.
func TestRights(t *testing.T) {
	needs.Time(t, "roles and their databases are made")
	t.Parallel()
	address := server.Database(t)
	server.SQL(t, address, fmt.Sprintf(`CREATE ROLE guest LOGIN PASSWORD '%s'`, password))
	t.Cleanup(func() { server.SQL(t, address, `DROP OWNED BY guest; DROP ROLE guest`) })
	guest := strings.Replace(address, "user=postgres", "user=guest password="+password, 1)

	_, err := Open(t.Context(), guest)
	says(t, err, venuekey.ClassMisconfigured, "does not let this user create the schema", "CREATE SCHEMA venuekey AUTHORIZATION")
	fill(t, address, 1)
	for _, step := range []struct{ grant, lacks string }{
		{``, "USAGE on schema"},
		{`GRANT USAGE ON SCHEMA venuekey TO guest`, "SELECT on table venuekey.migration"},
		{`GRANT SELECT ON venuekey.migration TO guest`, "record: DELETE, INSERT, SELECT, UPDATE"},
		{`GRANT SELECT, INSERT, UPDATE ON venuekey.record TO guest`, "record: DELETE, INSERT, SELECT, UPDATE"},
		{`GRANT DELETE ON venuekey.record TO guest`, "version: SELECT, USAGE"},
		{`GRANT USAGE, SELECT ON SEQUENCE venuekey.version TO guest; ALTER TABLE venuekey.record ENABLE ROW LEVEL SECURITY`, "row security hides rows"},
	} {
		server.SQL(t, address, "SELECT 1; "+step.grant)
		_, err := Open(t.Context(), guest)
		class, remedy := venuekey.ClassMisconfigured, "grant them"
		if strings.Contains(step.lacks, "row security") {
			class, remedy = venuekey.ClassDamaged, "undo that change"
		}
		says(t, err, class, step.lacks, remedy)
	}
	server.SQL(t, address, `ALTER TABLE venuekey.record DISABLE ROW LEVEL SECURITY`)
	store := openVault(t, guest)
	if _, err := store.Put(t.Context(), venuekey.Record{Key: "mine"}); err != nil {
		t.Errorf("put by a role with rights: %v", err)
	}
	server.SQL(t, address, `REVOKE UPDATE ON venuekey.record FROM guest`)
	held, err := store.Get(t.Context(), "k0")
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Put(t.Context(), held)
	says(t, err, venuekey.ClassMisconfigured, "refuses for lack of privileges", "grant")
}

// An administrator may make the schema, for a role that may not make any.
func TestSchemaMadeBefore(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	server.SQL(t, address, fmt.Sprintf(`CREATE ROLE owner LOGIN PASSWORD '%s'; CREATE SCHEMA vault AUTHORIZATION owner`, password))
	t.Cleanup(func() { server.SQL(t, address, `DROP OWNED BY owner; DROP ROLE owner`) })
	owner := strings.Replace(address, "user=postgres", "user=owner schema=vault password="+password, 1)
	if _, err := openVault(t, owner).Put(t.Context(), venuekey.Record{Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if got := server.SQL(t, address, `SELECT count(*) FROM vault.record; SELECT to_regnamespace('venuekey')`); got != "1" {
		t.Errorf("records in the schema: %q, want 1, and no other schema", got)
	}
}

func TestServersThatWillNotDo(t *testing.T) {
	needs.Time(t, "servers of other kinds are started")
	t.Parallel()
	latin := server.DatabaseAs(t, "ENCODING LATIN1 TEMPLATE template0")
	_, err := Open(t.Context(), latin)
	says(t, err, venuekey.ClassMisconfigured, "has the encoding LATIN1", "createdb -E UTF8")

	address := server.Database(t)
	fill(t, address, 1)
	store := openVault(t, address+" default_transaction_read_only=on")
	_, err = store.Put(t.Context(), venuekey.Record{Key: "new"})
	says(t, err, venuekey.ClassLater, "is read-only", "primary") // a failover passes
	server.SQL(t, address, fmt.Sprintf(`CREATE ROLE few LOGIN PASSWORD '%s' CONNECTION LIMIT 0`, password))
	t.Cleanup(func() { server.SQL(t, address, `DROP ROLE few`) })
	_, err = Open(t.Context(), strings.Replace(address, "user=postgres", "user=few password="+password, 1))
	says(t, err, venuekey.ClassLater, "has no free connection", "max_connections")
}

// Neither a text that is no UTF-8 nor a key that is none may cost a token.
func TestTextsThatAreNone(t *testing.T) {
	t.Parallel()
	store := openVault(t, server.Database(t))
	record := venuekey.Record{Key: "k", Text: "venue said \xff\x00!", LeaseOwner: "host\xfe", Condition: "odd\x00", Sealed: []byte{0, 0xff}}
	if _, err := store.Put(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	got, err := store.Get(t.Context(), "k")
	if err != nil || got.Text != "venue said \ufffd\ufffd!" || string(got.Sealed) != "\x00\xff" {
		t.Errorf("get: reason %q, sealed %q, %v", got.Text, got.Sealed, err)
	}
	_, err = store.Put(t.Context(), venuekey.Record{Key: "k\xff"})
	says(t, err, venuekey.ClassMisconfigured, "not UTF-8", "")
	_, err = store.Put(t.Context(), venuekey.Record{Key: strings.Repeat(noise(4000), 2)})
	says(t, err, venuekey.ClassMisconfigured, "does not accept a key that long", "")
	if keys := keysOf(t, store); len(keys) != 1 {
		t.Errorf("list: %q, want what was there", keys)
	}
}
