package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/internal/pgtest"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/store/postgres"
	"github.com/venuekey/venuekey/store/sqlite"
)

// The stories of consumers: what they may do, and what becomes of their tokens.

var (
	alice = venuekey.ID{Venue: "ctrader", Name: "alice"}
	bob   = venuekey.ID{Venue: "ttp", Name: "bob"}
)

func memoryVault() *venuekey.Vault {
	return &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1, 2, 3}}
}

func add(t *testing.T, vault *venuekey.Vault, r consumer.Request) venuekey.Secret {
	t.Helper()
	token, _, err := consumer.Add(t.Context(), vault, r)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestWhatARuleAllows(t *testing.T) {
	for _, c := range []struct {
		rule string
		id   string
		verb consumer.Verb
		want bool
	}{
		{"ctrader/alice:token", "ctrader/alice", consumer.VerbToken, true},
		{"ctrader/alice:token", "ctrader/alice", consumer.VerbStatus, false},
		{"ctrader/alice:token", "ctrader/alice2", consumer.VerbToken, false},
		{"ctrader/alice:token", "ttp/alice", consumer.VerbToken, false},
		{"ctrader/alice:token", "ctrader/Alice", consumer.VerbToken, false},
		{"ctrader/alice:token,status", "ctrader/alice", consumer.VerbStatus, true},
		{"ttp/*:status", "ttp/bob", consumer.VerbStatus, true},
		{"ttp/*:status", "ttp/bob@example.com", consumer.VerbStatus, true},
		{"ttp/*:status", "ctrader/bob", consumer.VerbStatus, false},
		{"ttp/bot-*:token", "ttp/bot-7", consumer.VerbToken, true},
		{"ttp/bot-*:token", "ttp/bot-", consumer.VerbToken, true},
		{"ttp/bot-*:token", "ttp/bob", consumer.VerbToken, false},
		{"*/alice:proxy", "tradovate/alice", consumer.VerbProxy, true},
		{"*/alice:proxy", "tradovate/malice", consumer.VerbProxy, false},
		{"*/*:admin", "ctrader/default", consumer.VerbAdmin, true},
		{"*/*:admin", "ctrader/default", consumer.VerbToken, false},
		{"ttp/a.b:token", "ttp/axb", consumer.VerbToken, false},
		{"ttp/a+b:token", "ttp/aab", consumer.VerbToken, false},
	} {
		rule, err := consumer.ParseRule(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		id, err := venuekey.ParseID(c.id)
		if err != nil {
			t.Fatal(err)
		}
		if got := (consumer.Consumer{Allow: []consumer.Rule{rule}}).May(id, c.verb); got != c.want {
			t.Errorf("%s: %s of %s is %v", c.rule, c.verb, c.id, got)
		}
	}
}

func TestWhatIsNoRule(t *testing.T) {
	for text, why := range map[string]string{
		"":                                    "nothing of what is allowed",
		"ctrader/alice":                       "nothing of what is allowed",
		"ctrader/alice:":                      "nothing of what is allowed",
		"ctrader:token":                       "names no sign-in",
		"*:token":                             "names no sign-in",
		"ctrader/alice:tokens":                `no verb "tokens"`,
		"ctrader/alice:*":                     "no verb",
		"ctrader/alice:token,":                `no verb ""`,
		"ctrader/alice:Token":                 "no verb",
		"ctrader/:token":                      "does not name sign-ins",
		"/alice:token":                        "does not name sign-ins",
		"ctrader/../x:token":                  "does not name sign-ins",
		"ctrader/..:token":                    "does not name sign-ins",
		"CTRADER/alice:token":                 "does not name sign-ins",
		"ctrader/[a-z]:token":                 "does not name sign-ins",
		"ctrader/a?:token":                    "does not name sign-ins",
		`ctrader/a\*:token`:                   "does not name sign-ins",
		"ctrader/*a*a*a*a*a:token":            "more stars",
		"ctrader/\x1b[2J:token":               "does not name sign-ins",
		"ctrader/" + strings.Repeat("a", 400): "longer",
	} {
		_, err := consumer.ParseRule(text)
		if err == nil || !strings.Contains(err.Error(), why) || venuekey.ClassOf(err) != venuekey.ClassMisconfigured || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestHowLongATokenMayLive(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * 24 * time.Hour, "1d": 24 * time.Hour, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "1m": time.Minute, "3650d": 3650 * 24 * time.Hour,
		"": 0, "d": 0, "0d": 0, "-1d": 0, "90": 0, "1s": 0, "1.5d": 0, "9999d": 0, "99999999999d": 0, "90 d": 0, "ever": 0,
	} {
		if got, err := consumer.ParseLife(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func TestWhatARequestMayAskFor(t *testing.T) {
	rule := []string{"ctrader/alice:token"}
	for _, c := range []struct {
		request consumer.Request
		want    string
	}{
		{consumer.Request{Name: "bot"}, "one rule at least"},
		{consumer.Request{Name: "bot", Allow: slices.Repeat(rule, 65)}, "at most 64"},
		{consumer.Request{Name: "a/b", Allow: rule}, "the name must be"},
		{consumer.Request{Name: "vkc_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2Rl", Allow: rule}, "must not look like a secret"},
		{consumer.Request{Name: "grafana.prod-eu-west-1@example.com", Allow: rule}, ""},
		{consumer.Request{Name: "bot", Allow: rule, Life: -time.Hour}, "ten years"},
		{consumer.Request{Name: "bot", Allow: []string{"ctrader/alice"}}, "nothing of what is allowed"},
		{consumer.Request{Name: "bot", Allow: rule, ReadOnly: true}, "whoever has a token can trade"},
		{consumer.Request{Name: "bot", Allow: []string{"ttp/*:refresh"}, ReadOnly: true}, "cannot have the right refresh"},
		{consumer.Request{Name: "bot", Allow: []string{"ttp/*:status,proxy,gateway"}, ReadOnly: true}, ""},
	} {
		token, _, err := consumer.Add(t.Context(), memoryVault(), c.request)
		if c.want == "" && (err != nil || token == "") || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || token != "") {
			t.Errorf("%+v: %v", c.request, err)
		}
	}
}

// Every store keeps consumers alike: a fleet that shares one shares them.
func TestEveryStoreKeepsConsumers(t *testing.T) {
	stores := map[string]func(*testing.T) venuekey.Store{
		"memory": func(*testing.T) venuekey.Store { return &memory.Store{} },
		"sqlite": func(t *testing.T) venuekey.Store {
			store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "vault.db"))
			if err != nil {
				t.Fatal(err)
			}
			return store
		},
		"postgres": func(t *testing.T) venuekey.Store {
			store, err := postgres.Open(t.Context(), pgtest.URL(pgtest.Start(t).Database(t)))
			if err != nil {
				t.Fatal(err)
			}
			return store
		},
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			defer store.Close()
			vault := &venuekey.Vault{Store: store, Key: venuekey.SealKey{1, 2, 3}}
			token := add(t, vault, consumer.Request{Name: "b", Allow: []string{"ctrader/alice:token"}, Life: time.Hour})
			add(t, vault, consumer.Request{Name: "A", Allow: []string{"*/*:status"}, ReadOnly: true})
			if _, _, err := consumer.Add(t.Context(), vault, consumer.Request{Name: "b", Allow: []string{"*/*:admin"}}); !errors.Is(err, venuekey.ErrConflict) {
				t.Errorf("a name that is taken: %v", err)
			}
			var names []string
			for c, err := range consumer.All(t.Context(), vault) {
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, fmt.Sprint(c.Name, c.Allow, c.ReadOnly))
			}
			if want := []string{"A[*/*:status] true", "b[ctrader/alice:token] false"}; !slices.Equal(names, want) {
				t.Errorf("%v", names)
			}
			book := &consumer.Book{Vault: vault}
			if c, err := book.Find(t.Context(), token); err != nil || !c.May(alice, consumer.VerbToken) {
				t.Errorf("found %v, %v", c, err)
			}
			if err := vault.RemoveConsumer(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
			book.Forget()
			if c, err := book.Find(t.Context(), token); !errors.Is(err, consumer.ErrUnknown) {
				t.Errorf("after its end: %v, %v", c, err)
			}
		})
	}
}

func TestATokenLivesAsLongAsWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := memoryVault()
		book := &consumer.Book{Vault: vault}
		token := add(t, vault, consumer.Request{Name: "bot", Allow: []string{"ctrader/alice:token", "*/*:status"}, Life: 90 * 24 * time.Hour})
		c, err := book.Find(t.Context(), token)
		if err != nil || !c.May(alice, consumer.VerbToken) || !c.MayAll(consumer.VerbStatus) || c.MayAll(consumer.VerbToken) || c.May(bob, consumer.VerbToken) {
			t.Fatalf("%v, %v", c, err)
		}
		time.Sleep(90*24*time.Hour - time.Second)
		if _, err := book.Find(t.Context(), token); err != nil {
			t.Errorf("a second before its end: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := book.Find(t.Context(), token); !errors.Is(err, consumer.ErrUnknown) {
			t.Errorf("at its end: %v", err)
		}
		// What was found before has no rights either, as in a stream that goes on.
		if _, err := book.Still(t.Context(), c); !errors.Is(err, consumer.ErrUnknown) || c.May(alice, consumer.VerbToken) || c.MayAll(consumer.VerbStatus) {
			t.Errorf("it still may: %v", err)
		}
	})
}

// A revocation on another machine counts here after five seconds, and at once where the
// store says that something has changed.
func TestARevocationCountsEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := memoryVault()
		quick, slow := &consumer.Book{Vault: vault}, &consumer.Book{Vault: vault}
		token := add(t, vault, consumer.Request{Name: "bot", Allow: []string{"ctrader/alice:token"}})
		c, err := quick.Find(t.Context(), token)
		if _, other := slow.Find(t.Context(), token); err != nil || other != nil {
			t.Fatal(err, other)
		}
		if err := vault.RemoveConsumer(t.Context(), "bot"); err != nil {
			t.Fatal(err)
		}
		quick.Forget()
		if _, err := quick.Find(t.Context(), token); !errors.Is(err, consumer.ErrUnknown) {
			t.Errorf("after Forget: %v", err)
		}
		time.Sleep(5 * time.Second)
		if _, err := slow.Still(t.Context(), c); !errors.Is(err, consumer.ErrUnknown) {
			t.Errorf("five seconds later: %v", err)
		}
		// The name is free again, and the old token is not the new one's.
		add(t, vault, consumer.Request{Name: "bot", Allow: []string{"*/*:admin"}})
		slow.Forget()
		if _, err := slow.Find(t.Context(), token); !errors.Is(err, consumer.ErrUnknown) {
			t.Errorf("the old token: %v", err)
		}
	})
}

// failing is a store that can be switched off, and counts how often it is read.
type failing struct {
	venuekey.Store
	down  bool
	lists int
}

func (f *failing) List(ctx context.Context, prefix, after string, limit int) ([]venuekey.Record, error) {
	f.lists++
	if f.down {
		return nil, errors.New("no route to host")
	}
	return f.Store.List(ctx, prefix, after, limit)
}

// Consumers go on while the store is away for a few minutes. After that nobody can know
// whether they were revoked.
func TestAStoreThatIsAwayForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := memoryVault()
		store := &failing{Store: vault.Store}
		book := &consumer.Book{Vault: &venuekey.Vault{Store: store, Key: vault.Key}}
		token := add(t, vault, consumer.Request{Name: "bot", Allow: []string{"ctrader/alice:token"}})
		if _, err := book.Find(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		store.down = true
		book.Forget()
		time.Sleep(5*time.Minute - time.Second)
		if _, err := book.Find(t.Context(), token); err != nil {
			t.Errorf("within five minutes: %v", err)
		}
		time.Sleep(2 * time.Second)
		reads := store.lists
		for range 100 {
			if _, err := book.Find(t.Context(), token); err == nil || errors.Is(err, consumer.ErrUnknown) {
				t.Fatalf("later: %v", err)
			}
		}
		if store.lists > reads+1 {
			t.Errorf("%d requests read the store %d times", 100, store.lists-reads)
		}
		store.down = false
		time.Sleep(time.Second)
		if _, err := book.Find(t.Context(), token); err != nil {
			t.Errorf("when it is back: %v", err)
		}
	})
}

// A client that leaves while the list is read says nothing about the store.
func TestAClientThatLeavesWhileTheListIsRead(t *testing.T) {
	vault := memoryVault()
	book := &consumer.Book{Vault: vault}
	token := add(t, vault, consumer.Request{Name: "bot", Allow: []string{"ctrader/alice:token"}})
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := book.Find(gone, token); err == nil || errors.Is(err, consumer.ErrUnknown) {
		t.Errorf("the one that left: %v", err)
	}
	if _, err := book.Find(t.Context(), token); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func ExampleAdd() {
	ctx := context.Background()
	vault := &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1}}
	request := consumer.Request{
		Name:  "grafana",
		Allow: []string{"ctrader/alice:status", "ttp/*:status"},
		Life:  90 * 24 * time.Hour,
	}
	fmt.Println(request.Check())
	token, _, err := consumer.Add(ctx, vault, request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(token), token) // show it once, by string(token)
	for c := range consumer.All(ctx, vault) {
		fmt.Println(c.Name, c.Allow[0], c.Allow[1].Pattern(), c.Expired())
	}
	// Output:
	// <nil>
	// 47 [secret]
	// grafana ctrader/alice:status ttp/* false
}

func ExampleBook_Find() {
	ctx := context.Background()
	vault := &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1}}
	life, _ := consumer.ParseLife("12h")
	token, _, _ := consumer.Add(ctx, vault, consumer.Request{Name: "bot-7", Allow: []string{"ctrader/alice:token"}, Life: life})
	book := &consumer.Book{Vault: vault}

	c, err := book.Find(ctx, token)
	id := venuekey.ID{Venue: "ctrader", Name: "alice"}
	fmt.Println(c.Name, err, c.May(id, consumer.VerbToken), c.May(id, consumer.VerbAdmin), c.MayAll(consumer.VerbToken))

	_ = vault.RemoveConsumer(ctx, "bot-7")
	book.Forget() // when the store says that a consumer's record has changed
	_, err = book.Still(ctx, c)
	fmt.Println(err)
	_, err = book.Find(ctx, "vkc_guessed")
	fmt.Println(err)
	// Output:
	// bot-7 <nil> true false false
	// the token is not that of a consumer: it is wrong, revoked or expired
	// the token is not that of a consumer: it is wrong, revoked or expired
}

func ExampleParseRule() {
	rule, err := consumer.ParseRule("ttp/bot-*:token,refused")
	fmt.Println(rule, err)
	_, err = consumer.ParseRule("ctrader/alice:tokens")
	fmt.Println(err)
	fmt.Println(consumer.Verbs())
	// Output:
	// ttp/bot-*:token,refused <nil>
	// rule "ctrader/alice:tokens": there is no verb "tokens"
	// [status token refused refresh proxy gateway admin]
}

// A consumer of the proxy that may look at accounts and do everything with orders.
func ExampleParseCall() {
	var calls []consumer.Call
	for _, text := range []string{"GET account/*", "* order/**"} {
		call, err := consumer.ParseCall(text)
		if err != nil {
			fmt.Println(err)
		}
		calls = append(calls, call)
	}
	desk := consumer.Consumer{Name: "desk", Calls: calls}
	fmt.Println(desk.MayCall("GET", "account/list", venuekey.EffectNone))
	fmt.Println(desk.MayCall("POST", "order/placeorder", venuekey.EffectUnknown))
	fmt.Println(desk.MayCall("GET", "position/list", venuekey.EffectNone))
	viewer := consumer.Consumer{Name: "viewer", ReadOnly: true}
	fmt.Println(viewer.MayCall("POST", "order/placeorder", venuekey.EffectUnknown))
	// Output:
	// <nil>
	// <nil>
	// the consumer desk may not call GET position/list
	// the consumer viewer is read-only, and order/placeorder is not known to read only
}

func TestWhichCallsARuleAllows(t *testing.T) {
	t.Parallel()
	for rule, rows := range map[string]string{
		"GET account/*":   "+GET account/list, -GET account, -GET account/, -GET account/a/b, -POST account/list, +GET ACCOUNT/List, -GET accounts/list",
		"* order/**":      "+GET order/list, +DELETE order/a/b/c, -GET order, -GET orders/x",
		"* **":            "+GET x, +POST a/b, +SOCKET authorize",
		"SOCKET md/*":     "+SOCKET md/subscribequote, -GET md/subscribequote",
		"POST */placeo*":  "+POST order/placeorder, +POST strategy/placeoso, -POST order/cancelorder",
		"GET a*/b/**":     "+GET abc/b/x, -GET abc/c/x, -GET abc/b",
		"GET /account/id": "+GET account/id, +GET /account/id/",
	} {
		call, err := consumer.ParseCall(rule)
		if err != nil {
			t.Error(rule, err)
			continue
		}
		for row := range strings.SplitSeq(rows, ", ") {
			method, name, _ := strings.Cut(row[1:], " ")
			err := consumer.Consumer{Name: "c", Calls: []consumer.Call{call}}.MayCall(method, name, venuekey.EffectUnknown)
			if got := err == nil; got != (row[0] == '+') {
				t.Errorf("%q: %s: %v", rule, row, err)
			}
		}
	}
	for _, wrong := range []string{"", "GET", "GET ", "get a", "PUSH a", "GET a**", "GET **/a", "GET a/**b", "GET a?b", "GET a b", "GET [a]", "GET a*b*c*d*e*f", "TRACE a", "GET a/**/b"} {
		if _, err := consumer.ParseCall(wrong); !venuekey.Misconfigured(err) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// A token would get around what the proxy forbids.
func TestAConsumerOfSomeCallsGetsNoToken(t *testing.T) {
	t.Parallel()
	vault := memoryVault()
	request := consumer.Request{Name: "desk", Allow: []string{"stage/*:proxy,token"}, Calls: []string{"GET account/*"}}
	if err := request.Check(); !venuekey.Misconfigured(err) {
		t.Error(err)
	}
	request.Allow = []string{"stage/*:proxy"}
	add(t, vault, request)
	for c, err := range consumer.All(t.Context(), vault) {
		id := venuekey.ID{Venue: "stage", Name: "alice"}
		if err != nil || c.MayCall("GET", "order/list", venuekey.EffectNone) == nil || c.MayCall("GET", "account/list", venuekey.EffectNone) != nil || !c.May(id, consumer.VerbProxy) {
			t.Error(c, err)
		}
	}
}

func FuzzParseCall(f *testing.F) {
	f.Add("GET account/*", "GET", "account/list")
	f.Add("* order/**", "POST", "order/a/b")
	f.Fuzz(func(t *testing.T, text, method, name string) {
		call, err := consumer.ParseCall(text)
		if err != nil {
			return
		}
		c := consumer.Consumer{Name: "c", Calls: []consumer.Call{call}}
		may := c.MayCall(method, name, venuekey.EffectUnknown) == nil
		if rule, _, _ := strings.Cut(text, " "); may && rule != "*" && rule != method {
			t.Errorf("%q allows %s", text, method)
		}
		if !strings.Contains(text, "*") && may && !strings.EqualFold(strings.Trim(name, "/"), strings.TrimPrefix(strings.SplitN(text, " ", 2)[1], "/")) {
			t.Errorf("%q allows %s", text, name)
		}
	})
}

// Where the store reports changes, a new consumer and a revocation count at once.
func TestARevocationThatTheStoreReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := memoryVault()
		book := &consumer.Book{Vault: vault}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go book.Watch(ctx)
		synctest.Wait()
		if _, err := book.Find(t.Context(), "vkc_none"); !errors.Is(err, consumer.ErrUnknown) {
			t.Fatal(err)
		}
		token := add(t, vault, consumer.Request{Name: "bot", Allow: []string{"ctrader/alice:token"}})
		synctest.Wait() // and no time passes
		found, err := book.Find(t.Context(), token)
		if err != nil {
			t.Errorf("it was added: %v", err)
		}
		if err := vault.RemoveConsumer(t.Context(), "bot"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := book.Still(t.Context(), found); !errors.Is(err, consumer.ErrUnknown) {
			t.Errorf("it was revoked: %v", err)
		}
	})
}

func ExampleBook_Watch() {
	ctx, end := context.WithCancel(context.Background())
	book := &consumer.Book{Vault: &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1}}}
	over := make(chan bool)
	go func() {
		book.Watch(ctx) // beside the server, for as long as it runs
		close(over)
	}()
	end()
	<-over
	fmt.Println("revocations count within five seconds again")
	// Output: revocations count within five seconds again
}
