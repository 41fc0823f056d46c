package token_test

import (
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
)

func BenchmarkMint(b *testing.B) {
	for _, format := range formats {
		b.Run(string(format), func(b *testing.B) {
			bed := newBed(b)
			g := bed.grant(bed.app, bed.client(bed.app, format), "orders:read", "orders:write")
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := bed.tokens.Mint(b.Context(), g); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkFind(b *testing.B) {
	bed := newBed(b)
	jwt := bed.mint(bed.app, bed.client(bed.app, lifetime.JWT))
	opaque := bed.mint(bed.app, bed.client(bed.app, lifetime.Opaque))
	flip := func(text string) string {
		forged := []byte(text)
		forged[len(forged)-10] ^= 1
		return string(forged)
	}
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"jwt again", jwt, true},
		{"jwt forged", flip(jwt), false},
		{"opaque remembered", opaque, true},
		{"opaque forged tag", opaque[:45] + "AAAA" + opaque[49:], false},
		{"opaque forged mac", flip(opaque), false},
		{"noise", "noise", false},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := bed.tokens.Find(b.Context(), bed.app, c.text); err != nil || ok != c.want {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
