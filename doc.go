// Package venuekey signs users in to trading venues once and keeps every
// program they run signed in.
//
// In one sentence: a [Venue] issues a [Token], the [Vault] holds it, the [Keeper]
// keeps it fresh, and a [Source] hands it out.
//
//	store, err := sqlite.Open(ctx, path)
//	vault, _, err := key.Config{Dir: dir}.Vault(ctx, store)
//	keeper := &venuekey.Keeper{
//		Vault:  vault,
//		Venues: []venuekey.Venue{ctrader.Venue{}, ttp.Venue{}},
//		Spills: []string{dir + "/spill"}, // for tokens that the store refuses
//		Marks:  dir + "/marks",           // to notice an older copy of the vault
//	}
//	defer keeper.Close()
//	source := keeper.Source(venuekey.ID{Venue: "ctrader", Name: "alice"})
//	token, err := source.Token(ctx) // good, or an error that says what to do
//
// [Keeper.Run] renews every sign-in before its token expires. [Keeper.Events]
// reports what happens to sign-ins, whichever program caused it.
//
// What the Keeper promises about single-use refresh tokens:
//
//   - A refresh token of a venue that rotates is presented at most once, across
//     goroutines and processes, except for the retries that the venue's Policy
//     allows after a lost answer.
//   - No rotation that was received is lost: it is durable before any caller sees
//     it.
//   - A lost answer is noticed, even after a crash. It is never silently retried;
//     the venue's Policy decides what happens next, and the old access token is
//     served until it expires.
//
// The code that keeps these promises fits on one page, renew.go.
//
// This package depends on the standard library only. Drivers live in store/,
// venues in venue/, and an emulator of every venue in emulator/. Package local
// opens the vault of the venuekey command from any Go program.
package venuekey
