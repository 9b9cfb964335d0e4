package consumer_test

import (
	"fmt"
	"testing"

	"github.com/venuekey/venuekey/agent/consumer"
)

// bench_test.go owns what it costs to find one of many consumers.

func BenchmarkFind(b *testing.B) {
	for _, count := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			vault := memoryVault()
			for i := range count {
				if _, _, err := consumer.Add(b.Context(), vault, consumer.Request{Name: fmt.Sprint(i), Allow: []string{"*/*:status"}}); err != nil {
					b.Fatal(err)
				}
			}
			token, _, err := consumer.Add(b.Context(), vault, consumer.Request{Name: "bot", Allow: []string{"ctrader/alice:token"}})
			if err != nil {
				b.Fatal(err)
			}
			book := &consumer.Book{Vault: vault}
			for b.Loop() {
				if c, err := book.Find(b.Context(), token); err != nil || !c.May(alice, consumer.VerbToken) {
					b.Fatal(err)
				}
			}
		})
	}
}
