//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ostiary/ostiary/bench/load"
)

// nodeDirectory holds the program that is compared with, pinned by its lock file.
const nodeDirectory = "bench/node"

const nodeSecret = "abcdefghijklmnopqrstuvwxyz0123456789"

// startNode installs and starts npm's oidc-provider.
func (b *bench) startNode(ctx context.Context) (*child, *target, error) {
	version, err := b.installNode(ctx)
	if err != nil {
		return nil, nil, err
	}
	b.facts = append(b.facts, [2]string{"oidc-provider", version})
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "node", "provider.mjs", nodeSecret)
	cmd.Dir = nodeDirectory
	cmd.Env = append(os.Environ(), "NODE_ENV=production")
	// It warns that its memory is no database, which is just what is wanted.
	if cmd.Stderr, err = os.Create(filepath.Join(b.dir, "node.log")); err != nil {
		return nil, nil, err
	}
	c, err := startProcess(cmd)
	if err != nil {
		return nil, nil, err
	}
	address, err := netip.ParseAddrPort("127.0.0.1:" + c.Ready)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("oidc-provider's port: %w", err), c.stop())
	}
	return c, c.target("oidc-provider", address), nil
}

// installNode installs what the lock file names, where that is not there yet.
func (b *bench) installNode(ctx context.Context) (version string, err error) {
	wanted, err := nodeVersion("package-lock.json", func(d nodePackage) string { return d.Packages["node_modules/oidc-provider"].Version })
	if err != nil {
		return "", err
	}
	have, err := nodeVersion("node_modules/oidc-provider/package.json", func(d nodePackage) string { return d.Version })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if have == wanted {
		return wanted, nil
	}
	b.say("npm ci in %s", nodeDirectory)
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = nodeDirectory
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return wanted, nil
}

type nodePackage struct {
	Version  string
	Packages map[string]struct{ Version string }
}

func nodeVersion(file string, pick func(nodePackage) string) (string, error) {
	text, err := os.ReadFile(filepath.Join(nodeDirectory, file))
	if err != nil {
		return "", err
	}
	var d nodePackage
	if err := json.Unmarshal(text, &d); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return pick(d), nil
}

// nodeCells is what both do, asked of oidc-provider. Its memory holds 1,000
// records, so that half as many tokens are inspected, and a tenth as many
// families refreshed, new ones each time: it has forgotten those before.
func nodeCells(c *child, t *target) []cell {
	opaque, jwt := credentials{"opaque", nodeSecret}, credentials{"jwt", nodeSecret}
	return []cell{
		{t, "discovery", everywhere, always(200, `"issuer"`, get("/.well-known/openid-configuration"))},
		{t, "jwks", everywhere, always(200, `"keys"`, get("/jwks"))},
		{t, "cc_opaque", everywhere, always(200, tokenKey, form("/token", opaque, grant))},
		{t, "cc_jwt", everywhere, always(200, tokenKey, form("/token", jwt, grant))},
		{t, "refresh", []int{16}, func(int) (load.Work, error) {
			var tokens []string
			err := c.work("families", &tokens)
			return refreshed("/token", jwt, tokens), err
		}},
		{t, "introspect_opaque", everywhere, known(t, "/token", "/token/introspection", opaque)},
	}
}
