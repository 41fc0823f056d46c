package key

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// Our compact JWS is read by another implementation, in every algorithm.
func TestCompactIsReadByGoJose(t *testing.T) {
	for _, algorithm := range Algorithms {
		t.Run(algorithm, func(t *testing.T) {
			private, err := generate(algorithm)
			if err != nil {
				t.Fatal(err)
			}
			sg := &signer{key: SigningKey{ID: "k1", Algorithm: algorithm}, private: private, public: private.Public()}
			for range 200 / len(Algorithms) { // r and s with leading zeros turn up once in 128
				compact, err := sg.compact(sg.header("at+jwt"), []byte(`{"sub":"x"}`))
				if err != nil {
					t.Fatal(err)
				}
				parsed, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.EdDSA})
				if err != nil {
					t.Fatal(err)
				}
				if payload, err := parsed.Verify(sg.public); err != nil || string(payload) != `{"sub":"x"}` {
					t.Fatalf("Verify = %q, %v", payload, err)
				}
				signed := compact[:strings.LastIndexByte(compact, '.')]
				if !sg.verify([]byte(signed), parsed.Signatures[0].Signature) || sg.verify([]byte(signed+"x"), parsed.Signatures[0].Signature) ||
					sg.verify([]byte(signed), parsed.Signatures[0].Signature[1:]) || sg.verify([]byte(signed), nil) {
					t.Fatal("our own verification disagrees")
				}
				if got := parsed.Signatures[0].Protected; got.KeyID != "k1" || got.ExtraHeaders[jose.HeaderType] != "at+jwt" {
					t.Fatalf("header %+v", got)
				}
			}
		})
	}
}

func FuzzRawSignature(f *testing.F) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	for range 8 {
		der, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Add([]byte{0x30, 0x02, 0x02, 0x00})
	f.Add([]byte{0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01})
	f.Fuzz(func(t *testing.T, der []byte) {
		raw, err := rawSignature(der)
		if err != nil {
			return
		}
		if len(raw) != 64 {
			t.Fatalf("%d bytes", len(raw))
		}
		if ecdsa.VerifyASN1(&private.PublicKey, digest[:], der) &&
			!ecdsa.Verify(&private.PublicKey, digest[:], new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])) {
			t.Fatal("the raw form of a good signature is none")
		}
	})
}

func BenchmarkCompactES256(b *testing.B) {
	private, err := generate("ES256")
	if err != nil {
		b.Fatal(err)
	}
	sg := &signer{key: SigningKey{ID: "0123456789abcdefghij", Algorithm: "ES256"}, private: private}
	header := sg.header("at+jwt")
	claims := []byte(`{"iss":"https://id.example.com/73jzx34tnr5ruhsze494ssgz2b","aud":"https://id.example.com/73jzx34tnr5ruhsze494ssgz2b","sub":"3bchk5hsx6v58dkn288nbybmxfyk32u7","client_id":"3bchk5hsx6v58dkn288nbybmxfyk32u7","iat":1767322800,"exp":1767326400,"jti":"AZt6qk0QcmFuZG9tYnl0ZXMAAAAA"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sg.compact(header, claims); err != nil {
			b.Fatal(err)
		}
	}
}

func TestScheduleKeepsAKeyAsLongAsItIsNeeded(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := &Signers{schedule: Schedule{Period: 10 * time.Hour, PublishAhead: time.Hour}}
	keys := []SigningKey{{ID: "a", Algorithm: "ES256", ActiveAt: start, NeededUntil: start.Add(30 * time.Hour)}}
	names := func() (out string) {
		for _, k := range keys {
			out += k.ID
		}
		return out
	}
	for _, at := range []struct {
		hour    int
		fresh   string
		want    string
		signing string
	}{
		{0, "x", "a", "a"},
		{8, "x", "a", "a"},
		{9, "b", "ab", "a"},  // published ahead
		{10, "x", "ab", "b"}, // signs
		{19, "c", "abc", "b"},
		{29, "d", "acd", "c"}, // b is retired since 20 and signed nothing: gone an hour later
		{31, "x", "acd", "d"}, // a is needed until 30, and kept an hour more
		{32, "x", "d", "d"},
	} {
		now := start.Add(time.Duration(at.hour) * time.Hour)
		keys, _ = s.step(keys, "ES256", now, SigningKey{ID: at.fresh, Algorithm: "ES256"})
		if got := names(); got != at.want {
			t.Fatalf("hour %d: keys %s, want %s", at.hour, got, at.want)
		}
		signing := ""
		for _, k := range keys {
			if k.signs(now) {
				signing += k.ID
			}
		}
		if signing != at.signing {
			t.Fatalf("hour %d: %q signs, want %s", at.hour, signing, at.signing)
		}
	}
}
