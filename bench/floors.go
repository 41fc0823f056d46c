//go:build linux

package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/ostiary/ostiary/internal/core/key"
)

// serveFloors is what net/http costs by itself: a GET that says hello, and a
// POST whose form and credentials are parsed.
func serveFloors([]string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		id, secret, ok := r.BasicAuth()
		if err := r.ParseForm(); err != nil || !ok || id == "" || secret == "" || r.PostForm.Get("grant_type") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, `{"access_token":"0123456789abcdef0123456789abcdef0123456789abcdef","token_type":"Bearer","expires_in":3600}`)
	})
	listener, err := (&net.ListenConfig{}).Listen(background, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	go func() {
		failed <- converse(listener.Addr().String(), func(string) (any, error) { return nil, errors.ErrUnsupported })
	}()
	return errors.Join(<-failed, server.Close())
}

// measureCPU measures the computations that no answer can do without, in CPU
// seconds a 1,000, this process alone.
func measureCPU([]string) error {
	floors, err := computations()
	if err != nil {
		return err
	}
	return converse("ready", func(string) (any, error) {
		result := map[string]float64{}
		for _, f := range floors {
			spent, err := spend(f.work)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.name, err)
			}
			result[f.name] = spent
		}
		return result, nil
	})
}

type computation struct {
	name string
	work func() error
}

// spend repeats work for a while and gives the CPU seconds of 1,000 times.
func spend(work func() error) (float64, error) {
	const atLeast = 250 * time.Millisecond
	before := ownCPU()
	for n := 1; ; n++ {
		if err := work(); err != nil {
			return 0, err
		}
		if spent := ownCPU() - before; spent >= atLeast {
			return spent.Seconds() * 1000 / float64(n), nil
		}
	}
}

// ownCPU is this process's CPU time; unlike /proc it counts microseconds.
func ownCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// claims has the length of what the server signs.
const claims = `{"iss":"http://127.0.0.1:8080/73jzx34tnr5ruhsze494ssgz2b","aud":"http://127.0.0.1:8080/73jzx34tnr5ruhsze494ssgz2b",` +
	`"sub":"3bchk5hsx6v58dkn288nbybmxfyk32u7","client_id":"3bchk5hsx6v58dkn288nbybmxfyk32u7","jti":"AZkq0y1xT3mYw8m7m3p4NwAAAAA","iat":1790000000,"exp":1790003600}`

const header = `{"alg":"ES256","typ":"at+jwt","kid":"3bchk5hsx6v58dkn288nbybm"}`

func computations() ([]computation, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	rivest, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	serializer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "3bchk5hsx6v58dkn288nbybm"}},
		(&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(claims))
	signature, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
	if err != nil {
		return nil, err
	}
	encoded := base64.RawURLEncoding.AppendEncode(nil, []byte(header))
	return []computation{
		{"es256", func() error { _, err := ecdsa.SignASN1(rand.Reader, private, digest[:]); return err }},
		{"jwt", func() error { return byHand(encoded, es256(private)) }},
		{"jwt_jose", func() error { return bySerializer(serializer) }},
		{"verify", func() error {
			if !ecdsa.VerifyASN1(&private.PublicKey, digest[:], signature) {
				return errSignature
			}
			return nil
		}},
		{"jwt_eddsa", func() error {
			return byHand(encoded, func(input []byte) ([]byte, error) { return ed25519.Sign(edwards, input), nil })
		}},
		{"rsa2048", func() error { _, err := rsa.SignPKCS1v15(nil, rivest, crypto.SHA256, digest[:]); return err }},
		{"hmac", func() error {
			mac := hmac.New(sha256.New, digest[:])
			_, _ = mac.Write([]byte(claims[:64]))
			_ = mac.Sum(nil)
			return nil
		}},
		{"argon2id", func() error { _ = key.HashPassword("correct horse battery staple"); return nil }},
	}, nil
}

var errSignature = errors.New("a good signature does not verify")

// byHand writes a compact JWS with nothing but what it takes.
func byHand(header []byte, sign func([]byte) ([]byte, error)) error {
	enc := base64.RawURLEncoding
	out := make([]byte, 0, 640)
	out = append(append(out, header...), '.')
	out = enc.AppendEncode(out, []byte(claims))
	signature, err := sign(out)
	if err != nil {
		return err
	}
	_ = string(enc.AppendEncode(append(out, '.'), signature))
	return nil
}

func es256(private *ecdsa.PrivateKey) func([]byte) ([]byte, error) {
	return func(input []byte) ([]byte, error) {
		digest := sha256.Sum256(input)
		der, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
		if err != nil {
			return nil, err
		}
		// SEQUENCE { INTEGER r, INTEGER s }, each with the length in one byte.
		out := make([]byte, 64)
		for half, rest := 0, der[2:]; half < 2; half++ {
			n := rest[2 : 2+rest[1]]
			rest = rest[2+len(n):]
			n = bytes.TrimLeft(n, "\x00")
			copy(out[32*(half+1)-len(n):], n)
		}
		return out, nil
	}
}

func bySerializer(signer jose.Signer) error {
	signed, err := signer.Sign([]byte(claims))
	if err != nil {
		return err
	}
	_, err = signed.CompactSerialize()
	return err
}
