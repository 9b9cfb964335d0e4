package postgres_test

import (
	"context"
	"fmt"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/postgres"
)

// Machines that share a database share every sign-in. This needs a server, so it is not
// run here.
func ExampleOpen() {
	ctx := context.Background()
	store, err := postgres.Open(ctx, "postgres://venuekey@db.example.com/venuekey?sslrootcert=/etc/ssl/db.pem")
	if err != nil {
		fmt.Println(err) // says what to do, and holds no address and no password
		return
	}
	defer store.Close()
	keeper := &venuekey.Keeper{Vault: &venuekey.Vault{Store: store /* and the keys, see key.Config.Vault */}}
	defer keeper.Close()
}

// Open never changes an existing schema. After an update that needs a newer one it
// returns an error until Migrate has run, once, while no older program runs.
func ExampleMigrate() {
	from, to, err := postgres.Migrate(context.Background(), "host=/run/postgresql dbname=venuekey")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the schema was", from, "and is", to)
}
