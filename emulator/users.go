package emulator

// users.go owns who exists at a venue: the apps, the users with their accounts, and
// the defaults that a zero-value server knows.

// App is an application registered at the venue.
type App struct {
	ClientID     string
	ClientSecret string
	RedirectURIs []string
	// Name is what the consent page calls the app; empty means the client ID.
	Name string
}

// User is a made-up person with a password and trading accounts.
type User struct {
	Name     string
	Password string
	Email    string
	ID       int64
	Accounts []Account
}

// Account is one trading account of a user.
type Account struct {
	// ID is the venue's internal number of the account.
	ID int64
	// Login is the account number that the trader sees.
	Login int64
	// Live is true for a live account and false for a demo account.
	Live   bool
	Broker string
}

// DefaultApp returns the app of a server whose Apps are empty: client ID "demo-client",
// client secret "demo-secret", redirect URI http://localhost:8080/auth/callback.
func DefaultApp() App {
	return App{
		ClientID:     "demo-client",
		ClientSecret: "demo-secret",
		RedirectURIs: []string{"http://localhost:8080/auth/callback"},
		Name:         "Demo application",
	}
}

// DefaultUser returns "alice" with password "wonderland", a demo and a live account.
func DefaultUser() User {
	return User{
		Name: "alice", Password: "wonderland", Email: "alice@example.com", ID: 1001,
		Accounts: []Account{
			{ID: 5001, Login: 3100001, Live: false, Broker: "Looking Glass Markets"},
			{ID: 5002, Login: 3100002, Live: true, Broker: "Looking Glass Markets"},
		},
	}
}

// DefaultUsers returns the users of a server whose Users are empty: [DefaultUser], and
// "bob" with password "builder" and a demo account.
func DefaultUsers() []User {
	return []User{DefaultUser(), {
		Name: "bob", Password: "builder", Email: "bob@example.com", ID: 1002,
		Accounts: []Account{{ID: 5003, Login: 3100003, Live: false, Broker: "Brick & Mortar"}},
	}}
}
