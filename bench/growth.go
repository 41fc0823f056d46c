//go:build linux

package main

import (
	"context"
	"errors"

	"github.com/ostiary/ostiary/bench/load"
)

// stage is an instance of a certain size.
type stage struct {
	name              string
	clients, families int
	site              *site
	spread            []credentials // callers, spread over all clients
}

// shared is how many clients call in each stage, the same number in all of
// them; crowd is more than the memory for clients holds.
const (
	shared = 1000
	crowds = 50_000
)

// growth compares the cost of the same work in instances of different sizes, by
// turns.
func (b *bench) growth(ctx context.Context) (err error) {
	if !b.wants("growth") {
		return nil
	}
	stages := []*stage{
		{name: "small", clients: 1000, families: 10_000},
		{name: "clients", clients: 1_000_000, families: 10_000},
		{name: "families", clients: 1000, families: 1_000_000},
	}
	if b.full {
		stages = append(stages, &stage{name: "families10", clients: 1000, families: 10_000_000})
	}
	defer func() {
		for _, st := range stages {
			if st.site != nil {
				err = errors.Join(err, st.site.stop())
			}
		}
	}()
	for _, st := range stages {
		if err := b.prepare(ctx, st); err != nil {
			return err
		}
	}
	var cells []cell
	for _, st := range stages {
		cells = append(cells, st.cells()...)
	}
	for b.round = range b.runs {
		for _, c := range cells {
			if err := errors.Join(ctx.Err(), b.measure(c)); err != nil {
				return err
			}
		}
	}
	b.round = 0
	return b.recordMemory(stages[1].site, "sqlite", "rss_clients")
}

func (b *bench) prepare(ctx context.Context, st *stage) error {
	s, err := b.found(ctx, "growth-"+st.name, "")
	if err != nil {
		return err
	}
	b.say("seeding %d clients and %d families", st.clients, st.families)
	if st.spread, err = s.seed(ctx, st.clients, st.families, min(st.clients, crowds)); err != nil {
		return err
	}
	if st.name == "clients" {
		if err := b.measureStart(ctx, s, "sqlite", "start_clients"); err != nil {
			return err
		}
	}
	st.site = s
	_, err = s.start(ctx)
	return err
}

func (st *stage) cells() []cell {
	t := st.site.target("growth-"+st.name, nil)
	token := st.site.path("/oauth2/token")
	step := len(st.spread) / shared
	var requests [][]byte
	for i := range shared {
		requests = append(requests, form(token, st.spread[i*step], grant))
	}
	cells := []cell{
		{t, "cc_jwt", []int{64}, always(200, tokenKey, requests...)},
		{t, "introspect_jwt", []int{64}, known(t, token, st.site.path("/oauth2/introspect"), st.site.jwt)},
	}
	if len(st.spread) > shared {
		cells = append(cells, cell{t, "cc_jwt_crowd", []int{64}, st.crowd(token)})
	}
	return cells
}

// crowd has every request come from another client than the last 50,000.
func (st *stage) crowd(token string) func(int) (load.Work, error) {
	var requests [][]byte
	for _, c := range st.spread {
		requests = append(requests, form(token, c, grant))
	}
	return always(200, tokenKey, requests...)
}
