package terminal_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/terminal"
)

// In a terminal the zero value is enough. A program that is fed by another one, or a
// test, says where answers come from and where questions go.
func ExampleUI() {
	ui := &terminal.UI{In: strings.NewReader("alice\nwonderland\n"), Out: os.Stdout}
	ui.Tell("signing in")
	answers, err := ui.Ask(context.Background(), []venuekey.Field{{Name: "name", Help: "user name"}, {Name: "password", Secret: true}})
	fmt.Println(string(answers["name"]), answers["password"], err)
	fmt.Println("somebody sits here:", ui.Interactive())
	// Output:
	// signing in
	// alice [secret] <nil>
	// somebody sits here: false
}

// Where no listener can take the callback, the user pastes the address that the browser
// ended at. Piped takes it from an input that is no terminal as well.
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

// What is shown to a person is cut to the terminal; a file has no width.
func ExampleWidth() {
	_, terminalThere := terminal.Of(new(strings.Builder))
	fmt.Println(terminalThere, terminal.Width(new(strings.Builder)))
	// Output:
	// false 0
}
