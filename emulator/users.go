package emulator

// users.go owns who exists at a venue: the apps, the users with their accounts, and
// the defaults that a zero-value server knows.

// App is an application registered at the venue.
type App struct {
	ClientID     string
	ClientSecret string
	RedirectURIs []string
	// Name is what the consent page calls the app; empty means the client id.
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
	// ID is the venue's number for the account.
	ID int64
	// Login is the number the trader knows it by.
	Login  int64
	Live   bool
	Broker string
}

// DefaultApp is the app that a server knows whose Apps are empty: client
// "demo-client", secret "demo-secret", redirect
// http://localhost:8080/auth/callback.
func DefaultApp() App {
	return App{
		ClientID:     "demo-client",
		ClientSecret: "demo-secret",
		RedirectURIs: []string{"http://localhost:8080/auth/callback"},
		Name:         "Demo application",
	}
}

// DefaultUser is "alice" with password "wonderland", one demo and one live account.
func DefaultUser() User {
	return User{
		Name: "alice", Password: "wonderland", Email: "alice@example.com", ID: 1001,
		Accounts: []Account{
			{ID: 5001, Login: 3100001, Live: false, Broker: "Looking Glass Markets"},
			{ID: 5002, Login: 3100002, Live: true, Broker: "Looking Glass Markets"},
		},
	}
}

// DefaultUsers are the users that a server knows whose Users are empty:
// [DefaultUser] and "bob" with password "builder" and one demo account.
func DefaultUsers() []User {
	return []User{DefaultUser(), {
		Name: "bob", Password: "builder", Email: "bob@example.com", ID: 1002,
		Accounts: []Account{{ID: 5003, Login: 3100003, Live: false, Broker: "Brick & Mortar"}},
	}}
}
