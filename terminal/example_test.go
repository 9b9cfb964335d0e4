package terminal_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/terminal"
)

// In a terminal the zero value is enough. A test, or a program that is driven by another
// one, sets In and Out.
func ExampleUI() {
	ui := &terminal.UI{In: strings.NewReader("alice\nwonderland\n"), Out: os.Stdout}
	ui.Tell("signing in")
	answers, err := ui.Ask(context.Background(), []venuekey.Field{{Name: "name", Help: "user name"}, {Name: "password", Secret: true}})
	fmt.Println(string(answers["name"]), answers["password"], err)
	fmt.Println("interactive:", ui.Interactive())
	// Output:
	// signing in
	// alice [secret] <nil>
	// interactive: false
}

// Without a terminal there is nobody to say yes.
func ExampleUI_Confirm() {
	ui := &terminal.UI{In: strings.NewReader("yes\n"), Out: os.Stdout}
	fmt.Println(ui.Confirm(context.Background(), "Sign in all the same?"))
	// Output: false <nil>
}

// If no listener can receive the callback, the user pastes the address at which the
// browser ended up. Piped accepts it from an input that is not a terminal.
func ExampleUI_Paste() {
	ui := &terminal.UI{In: strings.NewReader("http://localhost:8080/auth/callback?code=x&state=y\n"), Out: new(strings.Builder), Piped: true}
	visit := venuekey.Visit{Elsewhere: "https://venue.example/authorize", Redirect: "http://localhost:8080/auth/callback"}
	fmt.Println(ui.TakesPaste(), "a browser that is opened here would go astray:", ui.Astray(visit))
	if err := ui.Visit(context.Background(), visit); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ui.Paste(context.Background()))
	// Output:
	// true a browser that is opened here would go astray: false
	// http://localhost:8080/auth/callback?code=x&state=y <nil>
}

// Text for a person is cut to the width of the terminal; a file has no width.
func ExampleWidth() {
	_, terminalThere := terminal.Of(new(strings.Builder))
	fmt.Println(terminalThere, terminal.Width(new(strings.Builder)))
	// Output:
	// false 0
}
