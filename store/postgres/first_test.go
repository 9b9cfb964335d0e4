package postgres

import (
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/venuekey/venuekey"
)

// testdata/first.sql is the schema as the first version made it, with records in
// it, written by pg_dump --inserts. Its secrets are made up.

func TestASchemaOfTheFirstVersionIsMigrated(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	script, err := os.ReadFile("testdata/first.sql")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), string(script), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), address)
	says(t, err, venuekey.ClassMisconfigured, "of an older venuekey", "then migrate it")
	if from, to, err := Migrate(t.Context(), address); from != 1 || to != len(migrations) || err != nil {
		t.Fatalf("migrated from %d to %d: %v", from, to, err)
	}
	store, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	records, err := store.List(t.Context(), "", "", 10)
	if err != nil || len(records) != 5 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	lost := records[4]
	if lost.Key != "token/ctrader/uncertain" || lost.Condition != venuekey.ConditionUncertain || lost.Attempt != 2 || lost.Failures != 2 ||
		lost.IntentAt.UTC() != time.Date(2026, 11, 26, 1, 37, 35, 451878000, time.UTC) || lost.Text != "the answer was lost" || len(lost.Sealed) == 0 {
		t.Errorf("the record of a lost answer: %+v", lost)
	}
	claimed, err := store.Claim(t.Context(), "token/", "a test", time.Minute, 10)
	if err != nil || len(claimed) != 1 || claimed[0].Key != lost.Key || claimed[0].Version != 14 {
		t.Errorf("claimed %+v, %v; one is due, and versions go on", claimed, err)
	}
}
