// Package ipallow is the rule that a client is used from allowed addresses only.
// It holds for every surface, so the setting can also be asked by itself.
package ipallow

import (
	"net/netip"

	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// Setting is a list of CIDR prefixes, IPv4 and IPv6, as given: host bits are
// kept and masked when matching. Empty means everyone.
type Setting []string

// Parse reads one entry. A prefix length is required; zones and IPv4-mapped
// prefixes shorter than /96 are refused.
func Parse(entry string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(entry)
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// Complete gives entries as they are stored: an address without a prefix length
// means itself alone. What is no address stays as it is, for Parse to refuse.
func Complete(entries []string) Setting {
	var s Setting
	for _, entry := range entries {
		if address, err := netip.ParseAddr(entry); err == nil && address.Zone() == "" {
			entry = netip.PrefixFrom(address, address.BitLen()).String()
		}
		s = append(s, entry)
	}
	return s
}

// Allows reports whether an address is on the list. The IPv4 prefix of length 0
// admits every address, IPv6 too: that is what 0.0.0.0/0 means to the people
// who write it. An address that is not known is on no list but the empty one.
func (s Setting) Allows(address netip.Addr) bool {
	if len(s) == 0 {
		return true
	}
	address = address.Unmap().WithZone("")
	for _, entry := range s {
		p, ok := Parse(entry)
		if !ok {
			continue
		}
		if p.Contains(address) || (p.Bits() == 0 && p.Addr().Is4() && address.IsValid()) {
			return true
		}
	}
	return false
}

// Check refuses a request from elsewhere.
func (s Setting) Check(_ *rule.Subject, request *rule.Request) error {
	if s.Allows(request.Peer) {
		return nil
	}
	return oauth.AccessDenied("This address is not on the client's allow list; ask the operator to add it.")
}
