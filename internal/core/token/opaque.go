package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
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

// opaqueOf makes the opaque token of a family's generation.
func opaqueOf(secret *[32]byte, f *Family, generation int32) *opaque {
	o := &opaque{key: f.TokenKey, reference: reference{f.ID, generation}}
	o.tag = o.wantTag(secret, f.ApplicationID)
	o.mac = o.wantMAC(secret, f)
	return o
}

// wantTag and wantMAC are over fields of which each has a fixed length or is
// preceded by it, so that no two lists of fields give the same bytes.
func (o *opaque) wantTag(secret *[32]byte, applicationID string) [8]byte {
	var buf [128]byte
	b := append(buf[:0], "access token tag\x00"...)
	b = appendField(b, applicationID)
	b = binary.BigEndian.AppendUint32(b, uint32(o.key)) //nolint:gosec // bits only
	b = o.appendTo(b)
	sum := sum(secret, b)
	return [8]byte(sum[:8])
}

func (o *opaque) wantMAC(secret *[32]byte, f *Family) [16]byte {
	var buf [256]byte
	b := append(buf[:0], "access token mac\x00"...)
	b = appendField(b, f.ApplicationID)
	b = appendField(b, f.ClientID)
	b = append(b, f.Salt[:]...)
	b = o.appendTo(b)
	sum := sum(secret, b)
	return [16]byte(sum[:16])
}

func (r reference) appendTo(b []byte) []byte {
	var raw [20]byte
	r.put(raw[:])
	return append(b, raw[:]...)
}

func appendField(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // ids are short
	return append(b, s...)
}

func sum(secret *[32]byte, message []byte) (out [32]byte) {
	mac := hmac.New(sha256.New, secret[:])
	_, _ = mac.Write(message)
	mac.Sum(out[:0])
	return out
}
