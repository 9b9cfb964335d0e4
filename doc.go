// Package venuekey signs users in to trading venues once and keeps every
// program that they run signed in.
//
// In one breath: a [Venue] gives a [Token], the [Vault] holds it, the [Keeper]
// keeps it fresh, a [Source] hands it out.
//
//	store, err := sqlite.Open(ctx, path)
//	vault, _, err := key.Config{Dir: dir}.Vault(ctx, store)
//	keeper := &venuekey.Keeper{
//		Vault:  vault,
//		Venues: []venuekey.Venue{ctrader.Venue{}, ttp.Venue{}},
//		Spills: []string{dir + "/spill"}, // for what the store refuses
//		Marks:  dir + "/marks",           // for noticing an older copy of it
//	}
//	defer keeper.Close()
//	source := keeper.Source(venuekey.ID{Venue: "ctrader", Name: "alice"})
//	token, err := source.Token(ctx) // good, or an error that says what to do
//
// [Keeper.Run] keeps everything fresh, and [Keeper.Events] tells what happens to
// sign-ins, whichever program did it.
//
// What the Keeper promises about single-use refresh tokens:
//
//   - A refresh token of a venue that rotates is presented at most once, across
//     goroutines and processes, save for the one retry that the venue's Policy
//     allows after a lost answer.
//   - No rotation that was received is lost: it is durable before anybody sees
//     it.
//   - A lost answer is noticed, even after a crash, never silently retried, and
//     settled by the venue's Policy; the old access token is served while it
//     lives.
//
// The order that keeps these promises is one page, renew.go.
//
// This package needs nothing but the standard library. Drivers live in store/,
// venues in venue/, and an emulator of every venue in emulator/.
package venuekey
