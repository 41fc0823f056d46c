package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies says whose word about a client's address is believed.
type Proxies struct {
	Trusted []netip.Prefix // peers that are believed; none: nobody
	Header  string         // the one header they speak through, canonical form
}

// ClientAddress gives the address that a request comes from. The header's lines
// are joined and read from the right: the first address that is not a trusted
// proxy's is the client's. What an untrusted peer says is not looked at. Without
// the header the proxy speaks for itself; an entry that is no address makes the
// client's unknown, the zero Addr, which is on no allow list.
//
// proxied reports whether the peer is a trusted proxy.
func (p Proxies) ClientAddress(r *http.Request) (address netip.Addr, proxied bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	address = peer.Addr().Unmap().WithZone("")
	if len(p.Trusted) == 0 || !p.trusts(address) {
		return address, false
	}
	chain := strings.Join(r.Header[p.Header], ",")
	if chain == "" {
		return address, true
	}
	entries := strings.Split(chain, ",")
	for _, entry := range slices.Backward(entries) {
		hop, ok := parseHop(strings.TrimSpace(entry))
		if !ok {
			return netip.Addr{}, true
		}
		address = hop
		if !p.trusts(address) {
			break
		}
	}
	return address, true
}

func (p Proxies) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(p.Trusted, func(t netip.Prefix) bool { return t.Contains(a) })
}

// parseHop reads an address with or without a port, as proxies write them.
func parseHop(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}
