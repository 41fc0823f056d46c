package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"strings"
)

// The text of an opaque access token: a prefix that says what it is, so that
// scanners for leaked credentials can find it, then 48 bytes in base64url,
// which is 64 characters without a bit to spare: no two texts mean one token.
const (
	accessPrefix = "ost_at_"
	opaqueBytes  = 4 + 16 + 4 + 8 + 16
	opaqueLength = len(accessPrefix) + opaqueBytes*4/3
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

// opaque is an opaque token, parsed.
type opaque struct {
	reference
	key int32    // number of the token key
	tag [8]byte  // proves without the row that the server made it
	mac [16]byte // proves it with the row
}

func (o *opaque) text() string {
	var raw [opaqueBytes]byte
	binary.BigEndian.PutUint32(raw[:], uint32(o.key)) //nolint:gosec // read back the same way
	o.put(raw[4:])
	copy(raw[24:], o.tag[:])
	copy(raw[32:], o.mac[:])
	out := make([]byte, 0, opaqueLength)
	out = append(out, accessPrefix...)
	return string(base64.RawURLEncoding.AppendEncode(out, raw[:]))
}

func parseOpaque(text string) (o opaque, ok bool) {
	encoded, ok := strings.CutPrefix(text, accessPrefix)
	if !ok || len(text) != opaqueLength {
		return o, false
	}
	var raw [opaqueBytes]byte
	// The decoder skips line breaks, and then gives fewer bytes.
	if n, err := base64.RawURLEncoding.Decode(raw[:], []byte(encoded)); err != nil || n != opaqueBytes {
		return o, false
	}
	o.key = int32(binary.BigEndian.Uint32(raw[:])) //nolint:gosec // looked up only
	o.reference = readReference(raw[4:])
	o.tag, o.mac = [8]byte(raw[24:]), [16]byte(raw[32:])
	return o, true
}

// sealer computes what only holders of one token key can: tags and MACs. It has
// room of its own, so that it can be used again without allocations; it is not
// for concurrent use.
type sealer struct {
	mac     hash.Hash
	message []byte
	sum     [sha256.Size]byte
}

func newSealer(secret [32]byte) *sealer {
	return &sealer{mac: hmac.New(sha256.New, secret[:]), message: make([]byte, 0, 256)}
}

// seal gives an opaque token its tag and its MAC.
func (s *sealer) seal(o *opaque, f *Family) {
	o.tag = s.tag(o, f.ApplicationID)
	o.mac = s.full(o, f)
}

// tag and full are over fields each of which has a fixed length or is preceded
// by it, so that no two lists of fields give the same bytes.
func (s *sealer) tag(o *opaque, applicationID string) [8]byte {
	b := s.message[:0]
	b = append(b, "access token tag\x00"...)
	b = appendField(b, applicationID)
	b = binary.BigEndian.AppendUint32(b, uint32(o.key)) //nolint:gosec // bits only
	s.digest(o.appendTo(b))
	return [8]byte(s.sum[:8])
}

func (s *sealer) full(o *opaque, f *Family) [16]byte {
	b := s.message[:0]
	b = append(b, "access token mac\x00"...)
	b = appendField(b, f.ApplicationID)
	b = appendField(b, f.ClientID)
	b = append(b, f.Salt[:]...)
	s.digest(o.appendTo(b))
	return [16]byte(s.sum[:16])
}

func (s *sealer) digest(message []byte) {
	s.message = message
	s.mac.Reset()
	_, _ = s.mac.Write(message)
	s.mac.Sum(s.sum[:0])
}

func (r reference) appendTo(b []byte) []byte {
	b = append(b, r.id[:]...)
	return binary.BigEndian.AppendUint32(b, uint32(r.generation)) //nolint:gosec // bits only
}

func appendField(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // ids are short
	return append(b, s...)
}
