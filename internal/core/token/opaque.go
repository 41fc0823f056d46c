package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"slices"
	"strings"
	"time"
)

// kind is what a text of this server's own form is. Its prefix says so, that
// scanners for leaked credentials can find it; its words are in tag and MAC, so
// that nothing of one kind passes for another.
type kind struct{ prefix, tag, mac string }

var (
	accessKind  = kind{"ost_at_", "access token tag\x00", "access token mac\x00"}
	refreshKind = kind{"ost_rt_", "refresh token tag\x00", "refresh token mac\x00"}
	codeKind    = kind{"ost_ac_", "authorization code tag\x00", "authorization code mac\x00"}
)

// After the prefix stand 48 bytes in base64url, which is 64 characters without a
// bit to spare: no two texts mean one token. An access token of a family that
// can be refreshed has more to say, in further bytes by threes (extra).
const (
	opaqueBytes = 4 + 16 + 4 + 8 + 16
	expiryBytes = 6
)

// reference says which token of which family is meant.
type reference struct {
	id         ID
	generation int32
}

// String is the token's `jti`.
func (r reference) String() string {
	var raw [20]byte
	r.put(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func (r reference) put(raw []byte) {
	copy(raw, r.id[:])
	binary.BigEndian.PutUint32(raw[16:], uint32(r.generation)) //nolint:gosec // read back the same way
}

func readReference(raw []byte) reference {
	return reference{ID(raw[:16]), int32(binary.BigEndian.Uint32(raw[16:]))} //nolint:gosec // written the same way
}

// parseJTI reads what String wrote.
func parseJTI(s string) (reference, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != 20 {
		return reference{}, false
	}
	return readReference(raw), true
}

// opaque is a text of this server's own form, parsed.
type opaque struct {
	reference
	key   int32    // number of the token key
	tag   [8]byte  // proves without the row that the server made it
	mac   [16]byte // proves it with the row
	extra []byte   // what Family.extra gave; none of most
}

func (o *opaque) text(k kind) string {
	var room [256]byte // more than a text without scopes needs; else append makes its own
	raw := room[:opaqueBytes]
	binary.BigEndian.PutUint32(raw, uint32(o.key)) //nolint:gosec // read back the same way
	o.put(raw[4:])
	copy(raw[24:], o.tag[:])
	copy(raw[32:], o.mac[:])
	raw = append(raw, o.extra...)
	out := append(make([]byte, 0, 256), k.prefix...)
	return string(base64.RawURLEncoding.AppendEncode(out, raw))
}

func parseOpaque(k kind, text string) (o opaque, ok bool) {
	const opaqueLength = opaqueBytes / 3 * 4
	encoded, ok := strings.CutPrefix(text, k.prefix)
	if !ok || len(encoded) < opaqueLength || len(encoded)%4 != 0 {
		return o, false
	}
	var raw [opaqueBytes]byte
	// The decoder skips line breaks, and then gives fewer bytes.
	if n, err := base64.RawURLEncoding.Decode(raw[:], []byte(encoded[:opaqueLength])); err != nil || n != opaqueBytes {
		return o, false
	}
	o.key = int32(binary.BigEndian.Uint32(raw[:])) //nolint:gosec // looked up only
	o.reference = readReference(raw[4:])
	o.tag, o.mac = [8]byte(raw[24:]), [16]byte(raw[32:])
	if encoded = encoded[opaqueLength:]; encoded == "" {
		return o, true
	}
	extra, err := base64.RawURLEncoding.DecodeString(encoded)
	o.extra = extra
	return o, err == nil && k == accessKind && len(extra) == len(encoded)/4*3 && len(extra) >= expiryBytes
}

// extra is what the text of an opaque access token says of itself where its
// family can be refreshed, since the row then speaks of its successor: when it
// ends, in seconds since 1970 (0: never), and, where it is less than the family,
// a bit for each scope and each resource of the family that it has.
func (f *Family) extra(a *access) []byte {
	if !f.Refreshable() {
		return nil
	}
	var ends [8]byte
	if !a.expires.IsZero() {
		binary.BigEndian.PutUint64(ends[:], uint64(a.expires.Unix())) //nolint:gosec // after 1970
	}
	out := append(make([]byte, 0, 9), ends[2:]...)
	if a.scopes != nil || a.audience != nil {
		out = appendSubset(out, f.Scopes, a.scopes)
		out = appendSubset(out, f.Audience, a.audience)
		for len(out)%3 != 0 {
			out = append(out, 0)
		}
	}
	return out
}

// appendSubset writes a bit for each of all, set where it is in part; a nil part
// is all of them.
func appendSubset(b []byte, all, part []string) []byte {
	for i := 0; i < len(all); i += 8 {
		var bits byte
		for j := i; j < min(i+8, len(all)); j++ {
			if part == nil || slices.Contains(part, all[j]) {
				bits |= 1 << (j - i)
			}
		}
		b = append(b, bits)
	}
	return b
}

// readSubset gives the part that appendSubset wrote, nil where it is all, and
// what follows it.
func readSubset(b []byte, all []string) (part []string, rest []byte, ok bool) {
	n := (len(all) + 7) / 8
	if len(b) < n {
		return nil, nil, false
	}
	for i, name := range all {
		if b[i/8]&(1<<(i%8)) != 0 {
			part = append(part, name)
		}
	}
	if len(part) == len(all) {
		part = nil
	}
	return part, b[n:], true
}

// readExtra gives what extra wrote: the access token that an opaque text with a
// good MAC is.
func (f *Family) readExtra(o *opaque) (a access, ok bool) {
	if o.extra == nil {
		return f.latest(), o.generation == f.Generation
	}
	a = access{generation: o.generation}
	if o.generation == f.Generation {
		a.issued = f.issuedAt()
	}
	var ends [8]byte
	copy(ends[2:], o.extra)
	if seconds := binary.BigEndian.Uint64(ends[:]); seconds > 0 {
		a.expires = time.Unix(int64(seconds), 0).UTC() //nolint:gosec // 48 bits
	}
	if rest := o.extra[expiryBytes:]; len(rest) > 0 {
		if a.scopes, rest, ok = readSubset(rest, f.Scopes); !ok {
			return a, false
		}
		if a.audience, _, ok = readSubset(rest, f.Audience); !ok {
			return a, false
		}
	}
	return a, true
}

// sealer computes what only holders of one token key can: tags and MACs. It has
// room of its own, so that it can be used again without allocations; it is not
// for concurrent use.
type sealer struct {
	hash    hash.Hash
	message []byte
	sum     [sha256.Size]byte
}

func newSealer(secret [32]byte) *sealer {
	return &sealer{hash: hmac.New(sha256.New, secret[:]), message: make([]byte, 0, 256)}
}

// seal gives an opaque text its tag and its MAC.
func (s *sealer) seal(k kind, o *opaque, f *Family) {
	o.tag = s.tag(k, o, f.ApplicationID)
	o.mac = s.mac(k, o, f)
}

// tag and mac are over fields each of which has a fixed length or is preceded by
// it, the last one excepted, so that no two lists of fields give the same bytes.
func (s *sealer) tag(k kind, o *opaque, applicationID string) [8]byte {
	b := s.message[:0]
	b = append(b, k.tag...)
	b = appendField(b, applicationID)
	b = binary.BigEndian.AppendUint32(b, uint32(o.key)) //nolint:gosec // bits only
	s.digest(append(o.appendTo(b), o.extra...))
	return [8]byte(s.sum[:8])
}

func (s *sealer) mac(k kind, o *opaque, f *Family) [16]byte {
	b := s.message[:0]
	b = append(b, k.mac...)
	b = appendField(b, f.ApplicationID)
	b = appendField(b, f.ClientID)
	b = append(b, f.Salt[:]...)
	s.digest(append(o.appendTo(b), o.extra...))
	return [16]byte(s.sum[:16])
}

func (s *sealer) digest(message []byte) {
	s.message = message
	s.hash.Reset()
	_, _ = s.hash.Write(message)
	s.hash.Sum(s.sum[:0])
}

func (r reference) appendTo(b []byte) []byte {
	b = append(b, r.id[:]...)
	return binary.BigEndian.AppendUint32(b, uint32(r.generation)) //nolint:gosec // bits only
}

func appendField(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // ids are short
	return append(b, s...)
}
