//go:build linux

package main

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
)

// players are the processes that the rounds measure by turns.
type players struct {
	cells    []cell
	database *postgres
	stop     []func() error
}

func (p *players) end() (err error) {
	for _, stop := range slices.Backward(p.stop) {
		err = errors.Join(err, stop())
	}
	return err
}

// rounds measures the floors, the server on both databases, and oidc-provider,
// one after the other in each round: what slows the machine for a while slows
// all of them.
func (b *bench) rounds(ctx context.Context) (err error) {
	if !b.wants("floors") && !b.wants("sqlite") && !b.wants("oidc-provider") && !b.wants("postgres") {
		return nil
	}
	p := &players{}
	defer func() { err = errors.Join(err, p.end()) }()
	for _, enter := range []func(context.Context, *players) error{b.enterFloors, b.enterSQLite, b.enterNode, b.enterPostgres} {
		if err := enter(ctx, p); err != nil {
			return err
		}
	}
	p.cells = slices.DeleteFunc(p.cells, func(c cell) bool { return c.target.name != "floor" && !b.asks(c.work) })
	slices.SortStableFunc(p.cells, inOrder)
	for b.round = range b.runs {
		if err := b.oneRound(ctx, p); err != nil {
			return err
		}
	}
	b.round = 0
	return nil
}

func (b *bench) oneRound(ctx context.Context, p *players) error {
	if b.wants("floors") {
		if err := b.floors(ctx, p); err != nil {
			return err
		}
	}
	for _, c := range p.cells {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.measure(c); err != nil {
			return err
		}
	}
	return nil
}

// floors measures those floors that are no server.
func (b *bench) floors(ctx context.Context, p *players) (err error) {
	c, err := startChild(ctx, "child-cpu")
	if err != nil {
		return err
	}
	computed := map[string]float64{}
	if err := errors.Join(c.work("all", &computed), c.stop()); err != nil {
		return err
	}
	for name, spent := range computed {
		b.record(figure("floor", name, 0, "cpu"), spent)
	}
	if err := b.rows(ctx, "sqlite", filepath.Join(b.dir, "floor"), nil); err != nil {
		return err
	}
	if p.database != nil {
		return b.rows(ctx, "postgres", "", p.database)
	}
	return nil
}

func (b *bench) enterFloors(ctx context.Context, p *players) error {
	if !b.wants("floors") {
		return nil
	}
	c, err := startChild(ctx, "child-http")
	if err != nil {
		return err
	}
	p.stop = append(p.stop, c.stop)
	address, err := netip.ParseAddrPort(c.Ready)
	if err != nil {
		return err
	}
	t := c.target("floor", address)
	p.cells = append(p.cells,
		cell{t, "get", everywhere, always(200, "hello", get("/hello"))},
		cell{t, "post", everywhere, always(200, tokenKey, form("/token", credentials{floorClient, nodeSecret}, grant))},
	)
	return nil
}

func (b *bench) enterSQLite(ctx context.Context, p *players) error {
	if !b.wants("sqlite") {
		return nil
	}
	s, err := b.found(ctx, "sqlite", "")
	if err != nil {
		return err
	}
	if _, err := s.start(ctx); err != nil {
		return err
	}
	p.stop = append(p.stop, s.stop)
	p.cells = append(p.cells, b.siteCells(ctx, s, s.target("sqlite", nil))...)
	return nil
}

func (b *bench) enterNode(ctx context.Context, p *players) error {
	if !b.wants("oidc-provider") {
		return nil
	}
	c, t, err := b.startNode(ctx)
	if err != nil {
		return err
	}
	p.stop = append(p.stop, c.stop)
	p.cells = append(p.cells, nodeCells(c, t)...)
	return nil
}

func (b *bench) enterPostgres(ctx context.Context, p *players) error {
	if !b.wants("postgres") {
		return nil
	}
	db, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	p.database, p.stop = db, append(p.stop, db.stop)
	s, err := b.found(ctx, "postgres", db.url("server"))
	if err != nil {
		return err
	}
	if _, err := s.start(ctx); err != nil {
		return err
	}
	p.stop = append(p.stop, s.stop)
	t := s.target("postgres", db)
	p.cells = append(p.cells,
		cell{t, "cc_opaque", everywhere, always(200, tokenKey, form(s.path("/oauth2/token"), s.opaque, grant))},
		cell{t, "cc_jwt", everywhere, always(200, tokenKey, form(s.path("/oauth2/token"), s.jwt, grant))},
		cell{t, "refresh", everywhere, s.refreshing(t)},
		cell{t, "introspect_opaque", everywhere, known(t, s.path("/oauth2/token"), s.path("/oauth2/introspect"), s.opaque)},
	)
	return nil
}
