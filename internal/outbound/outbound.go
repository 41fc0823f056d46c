// Package outbound sends the requests that the server makes by itself, to URLs
// that clients chose: logout tokens for now. It reaches nothing that only the
// server's own network does, and is bounded in time and size. What is sent, and
// when again, is not decided here.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Bounds of a request.
const (
	connectTime = 2 * time.Second
	totalTime   = 4 * time.Second // a logout token is to arrive within 5
	idleTime    = 30 * time.Second
	maxHeaders  = 16 << 10
	maxAnswer   = 16 << 10
	maxIdle     = 100
	perHost     = 16
)

// ErrRefused says that a host's address is one that clients may not have the
// server call.
var ErrRefused = errors.New("the address is private, or of this machine; --outbound-allow admits it")

// Client sends requests. It is safe for concurrent use.
type Client struct{ http *http.Client }

// New makes a client that reaches public addresses, and those of allow. Where
// loopback is set, those of this machine too.
func New(allow []netip.Prefix, loopback bool) *Client {
	// The address is looked at when it is connected to, after all resolution: a
	// name may resolve to one address when it is checked and to another when it is
	// used.
	dialer := &net.Dialer{Timeout: connectTime, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		if !admitted(at.Addr(), allow, loopback) {
			return ErrRefused
		}
		return nil
	}}
	return &Client{&http.Client{
		Timeout: totalTime,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: connectTime, ResponseHeaderTimeout: totalTime, IdleConnTimeout: idleTime,
			MaxIdleConns: maxIdle, MaxIdleConnsPerHost: 1, MaxConnsPerHost: perHost, MaxResponseHeaderBytes: maxHeaders,
		},
		// A redirect is the answer: nothing is sent to where the client did not say.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Post sends a form and gives the status of the answer. The error repeats
// neither the URL nor the form.
func (c *Client) Post(ctx context.Context, target string, form url.Values) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil || r.URL.Scheme != "https" && r.URL.Scheme != "http" {
		return 0, errors.New("the URL is malformed")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "Ostiary")
	answer, err := c.http.Do(r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	// What is read to its end leaves the connection for the next request.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, nil
}

// ErrTooLarge says that there is more than was asked for.
var ErrTooLarge = errors.New("the answer is too large")

// maxRedirects is how many redirects a Get follows.
const maxRedirects = 3

// Get gives what is at a URL, of at most limit bytes: ErrTooLarge beyond. The
// error repeats no URL.
func (c *Client) Get(ctx context.Context, target string, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil || r.URL.Scheme != "https" && r.URL.Scheme != "http" {
		return nil, errors.New("the URL is malformed")
	}
	r.Header.Set("User-Agent", "Ostiary")
	following := *c.http
	following.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects || to.URL.Scheme != via[0].URL.Scheme {
			return errors.New("too many redirects, or one to another scheme")
		}
		return nil
	}
	answer, err := following.Do(r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has the status %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = ErrTooLarge
	}
	return body, err
}

// special are the addresses that are not of the public internet, beside those
// that net/netip knows (IANA's registries of special-purpose addresses).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // shared by carriers (RFC 6598)
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4: an IPv4 address is in it
	netip.MustParsePrefix("3fff::/20"),       // documentation
}

// global is where the public addresses of IPv6 are; NAT64's prefix, in which an
// IPv4 address stands, is outside it.
var global = netip.MustParsePrefix("2000::/3")

// admitted reports whether an address may be called.
func admitted(a netip.Addr, allow []netip.Prefix, loopback bool) bool {
	a = a.Unmap().WithZone("")
	within := func(p netip.Prefix) bool { return p.Contains(a) }
	switch {
	case slices.ContainsFunc(allow, within):
		return true
	case a.IsLoopback():
		return loopback
	case !a.IsGlobalUnicast(), a.IsPrivate(), a.Is6() && !global.Contains(a):
		return false
	default:
		return !slices.ContainsFunc(special, within)
	}
}

// Loopback reports whether a public URL is that of a machine by itself, for
// development: then the clients are on it, too.
func Loopback(publicURL string) bool {
	u, err := url.Parse(publicURL)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
}
