package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey/internal/loopback"
)

// person.go owns the made-up user who operates the real pages over HTTP.

// Person is a made-up user. It does with the pages of an emulated venue what a user with
// a browser would do: open the address, sign in, tick accounts, press a button, follow
// the redirects.
type Person struct {
	Name     string
	Password string
	// Deny makes the person deny access.
	Deny bool
	// Accounts are the IDs of the accounts to tick; empty means all that are offered.
	Accounts []int64
	// Client makes the requests, but its CheckRedirect is ignored. Nil means a new
	// client with an empty cookie jar and a new connection for each request.
	Client *http.Client
}

// Visit signs in and gives consent, up to and including the request to the app's
// callback. The address is the venue's authorize URL, or one of the app's that redirects
// there. The callback must be on loopback. Any answer from it will do except 404; if it is
// a page that asks the user to confirm the sign-in, Visit confirms.
func (p Person) Visit(ctx context.Context, address string) error {
	b, err := p.browser()
	if err != nil {
		return err
	}
	callback, err := p.drive(ctx, b, address)
	if err != nil {
		return err
	}
	if !loopback.Host(callback.Hostname()) {
		return fmt.Errorf("emulator: callback on %q is not on loopback, use Redirected", callback.Host)
	}
	res, body, err := b.fetch(ctx, http.MethodGet, callback, nil)
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusNotFound {
		return fmt.Errorf("emulator: callback %s%s does not exist", callback.Host, callback.Path)
	}
	return p.confirm(ctx, b, callback, body)
}

// confirm presses the button of the app's own page, if there is one: without scripts the
// app cannot recognise the tab.
func (p Person) confirm(ctx context.Context, b browser, at *url.URL, body string) error {
	form := readPage(body).form
	if form == nil {
		return nil
	}
	fields, err := p.fill(form)
	if err != nil {
		return err
	}
	method, to, err := form.target(at, fields)
	if err != nil {
		return err
	}
	_, _, err = b.fetch(ctx, method, to, fields)
	return err
}

// Redirected does what Visit does but stops before the callback. It returns the address
// to which the browser was redirected, as a user would copy it from the address bar.
func (p Person) Redirected(ctx context.Context, address string) (string, error) {
	b, err := p.browser()
	if err != nil {
		return "", err
	}
	callback, err := p.drive(ctx, b, address)
	if err != nil {
		return "", err
	}
	return callback.String(), nil
}

// drive goes through the pages until a redirect leaves the venue.
func (p Person) drive(ctx context.Context, b browser, address string) (*url.URL, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("emulator: authorize URL is not a URL")
	}
	home, callback := origin(at), at.Query().Get("redirect_uri")
	method, form, signedIn := http.MethodGet, url.Values(nil), false
	for range 12 {
		res, body, err := b.fetch(ctx, method, at, form)
		if err != nil {
			return nil, err
		}
		page := readPage(body)
		if location := cmp.Or(res.Header.Get("Location"), page.onward); location != "" && (res.StatusCode/100 == 3 || page.onward != "") {
			if at, err = at.Parse(location); err != nil {
				return nil, errors.New("emulator: venue redirects to something that is not a URL")
			}
			switch to := at.Query().Get("redirect_uri"); {
			case callback == "" && to != "":
				home, callback = origin(at), to // from the app's own address to the venue's
			case origin(at) != home || withoutQuery(at) == callback:
				return at, nil
			}
			method, form = http.MethodGet, nil
			continue
		}
		if page.form == nil {
			return nil, fmt.Errorf("emulator: page %q (status %d): %s", page.title, res.StatusCode, page.alert)
		}
		if page.form.has("password") && signedIn {
			return nil, fmt.Errorf("emulator: sign-in as %q refused: %s", p.Name, page.alert)
		}
		signedIn = signedIn || page.form.has("password")
		if form, err = p.fill(page.form); err != nil {
			return nil, err
		}
		if method, at, err = page.form.target(at, form); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("emulator: venue shows page after page and never redirects")
}

// target returns the method and the address that the form is sent with. A GET form has
// its fields in the query.
func (f *webForm) target(base *url.URL, fields url.Values) (string, *url.URL, error) {
	to, err := base.Parse(f.action)
	if err != nil {
		return "", nil, errors.New("emulator: action of the form is not a URL")
	}
	if f.method == http.MethodPost {
		return http.MethodPost, to, nil
	}
	to.RawQuery = fields.Encode()
	return http.MethodGet, to, nil
}

// fill fills in the form and presses one of its buttons.
func (p Person) fill(f *webForm) (url.Values, error) {
	out := make(url.Values)
	var ticked []int64
	for _, x := range f.fields {
		switch {
		case x.name == "":
		case x.kind == "password":
			out.Add(x.name, p.Password)
		case x.kind == "text" || x.kind == "email":
			out.Add(x.name, p.Name)
		case x.kind == "hidden":
			out.Add(x.name, x.value)
		case x.kind == "checkbox" && x.name == "account":
			id, err := strconv.ParseInt(x.value, 10, 64)
			if err == nil && (len(p.Accounts) == 0 || slices.Contains(p.Accounts, id)) {
				out.Add(x.name, x.value)
				ticked = append(ticked, id)
			}
		case x.kind == "checkbox" && x.checked:
			out.Add(x.name, x.value)
		}
	}
	if err := p.press(f, out); err != nil {
		return nil, err
	}
	for _, id := range p.Accounts {
		if f.has("checkbox") && !slices.Contains(ticked, id) {
			return nil, fmt.Errorf("emulator: account %d is not offered to %q", id, p.Name)
		}
	}
	return out, nil
}

func (p Person) press(f *webForm, out url.Values) error {
	wanted := []string{"allow", "sign-in", "finish"}
	if p.Deny {
		wanted = []string{"deny", "sign-in", "finish"}
	}
	for _, value := range wanted {
		if b, ok := f.button(value); ok {
			out.Add(b.name, b.value)
			return nil
		}
	}
	return fmt.Errorf("emulator: page has no button %s", strings.Join(wanted, " or "))
}

// maxPage is how much of a page is read.
const maxPage = 1 << 20

// browser fetches one page at a time and does not follow redirects.
type browser struct{ client *http.Client }

func (p Person) browser() (browser, error) {
	// Not http.DefaultTransport: each httptest.Server that closes also closes its idle
	// connections, and with them one on which another test is about to send a form.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if p.Client != nil {
		*client = *p.Client
	}
	if client.Jar == nil {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return browser{}, err
		}
		client.Jar = jar
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return browser{client}, nil
}

// fetch keeps addresses out of its errors, since they carry codes.
func (b browser) fetch(ctx context.Context, method string, to *url.URL, form url.Values) (*http.Response, string, error) {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), body)
	if err != nil {
		return nil, "", fmt.Errorf("emulator: invalid request to %s%s", to.Host, to.Path)
	}
	req.Header.Set("Accept", "text/html")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, "", fmt.Errorf("emulator: %s %s%s: %w", method, to.Host, to.Path, err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(io.LimitReader(res.Body, maxPage))
	if err != nil {
		return nil, "", fmt.Errorf("emulator: %s %s%s: %w", method, to.Host, to.Path, err)
	}
	return res, string(page), nil
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

func withoutQuery(u *url.URL) string {
	v := *u
	v.RawQuery, v.Fragment = "", ""
	return v.String()
}
