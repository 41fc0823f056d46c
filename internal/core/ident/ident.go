// Package ident makes the random identifiers and secrets of the server. It
// decides their alphabet and their lengths and nothing else.
package ident

import (
	"crypto/rand"
	"encoding/hex"
)

// alphabet is lower-case letters and digits without those that people confuse
// (i, l, o, 0, 1): 31 characters, 4.954 bits each.
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789"

// Lengths in characters. 32 characters carry 158.5 bits.
const (
	applicationLength = 26
	clientLength      = 32
	secretLength      = 32
	requestLength     = 16
	recordLength      = 20 // 99 bits: rows that are named, never guessed at
)

// SecretPrefix marks client secrets made outside the Configuration API, so that
// scanners for leaked credentials can find them.
const SecretPrefix = "ost_cs_"

// Application makes an application id, 26 characters.
func Application() string { return random(applicationLength) }

// Client makes a client id, 32 characters.
func Client() string { return random(clientLength) }

// PlainSecret makes a client secret in the form of the Configuration API, 32
// characters without a prefix.
func PlainSecret() string { return random(secretLength) }

// Secret makes a client secret that says what it is.
func Secret() string { return SecretPrefix + random(secretLength) }

// Request makes a request id, 16 characters.
func Request() string { return random(requestLength) }

// Record makes the id of a row that is only ever named by the server (a secret,
// an audit event, a signing key), 20 characters.
func Record() string { return random(recordLength) }

// User makes a user's uuid: RFC 9562, version 4, 122 random bits.
func User() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// random draws n characters, each with the same probability: bytes at or above
// the largest multiple of the alphabet's size are drawn again. crypto/rand
// never fails (Go 1.24 on: it ends the program instead).
func random(n int) string {
	const limit = 256 - 256%len(alphabet)
	out := make([]byte, 0, n)
	var buf [64]byte
	for {
		_, _ = rand.Read(buf[:])
		for _, b := range buf {
			if int(b) >= limit {
				continue
			}
			out = append(out, alphabet[int(b)%len(alphabet)])
			if len(out) == n {
				return string(out)
			}
		}
	}
}
