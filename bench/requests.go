//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/ostiary/ostiary/bench/load"
)

// credentials of a client.
type credentials struct{ id, secret string }

// basic is the value of the header Authorization (RFC 6749 §2.3.1).
func (c credentials) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.id)+":"+url.QueryEscape(c.secret)))
}

func get(path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path)
}

func post(path string, c credentials, contentType, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, c.basic(), contentType, len(body), body)
}

func form(path string, c credentials, body string) []byte {
	return post(path, c, "application/x-www-form-urlencoded", body)
}

// asked is what a gateway sends about a request.
func asked(path, token string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nX-Original-Method: GET\r\nX-Original-URI: /orders/17/items?page=2\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n", path, token)
}

const grant = "grant_type=client_credentials"

// introspections asks about each token once.
func introspections(path string, c credentials, tokens []string) [][]byte {
	requests := make([][]byte, len(tokens))
	for i, t := range tokens {
		requests[i] = form(path, c, "token="+t)
	}
	return requests
}

// mint gets n tokens.
func mint(t *target, path string, c credentials, n int) ([]string, error) {
	connections, err := load.Dial(t.address(), 16)
	if err != nil {
		return nil, err
	}
	defer connections.Close()
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = form(path, c, grant)
	}
	var tokens []string
	_, err = connections.Run(load.Work{Requests: requests, Once: true, Status: 200, Contains: tokenKey, Then: func(_ int, a load.Answer) []byte {
		tokens = append(tokens, member(a.Body, tokenKey))
		return nil
	}})
	return tokens, err
}

// How members of answers begin that are looked for.
const (
	tokenKey   = `"access_token":"`
	refreshKey = `"refresh_token":"`
	idKey      = `"id_token":"`
)

// member gives the text in a JSON object that begins so; "" where there is none.
func member(body []byte, key string) string {
	_, after, _ := bytes.Cut(body, []byte(key))
	text, _, _ := bytes.Cut(after, []byte(`"`))
	return string(text)
}

// forgeJWT replaces the signature of tokens by another of the right length,
// whose halves are in range, so that a verifier has to do all of its work.
func forgeJWT(tokens []string) ([]string, error) {
	forged := make([]string, len(tokens))
	for i, t := range tokens {
		end := strings.LastIndexByte(t, '.')
		if end < 0 {
			return nil, errors.New("not a JWT: nothing to forge")
		}
		var signature [64]byte
		_, _ = rand.Read(signature[:])
		signature[0], signature[32] = 1, 1
		forged[i] = t[:end+1] + base64.RawURLEncoding.EncodeToString(signature[:])
	}
	return forged, nil
}

// forgeOpaque replaces everything in tokens behind their prefix and the number
// of the key by noise.
func forgeOpaque(tokens []string) ([]string, error) {
	const prefix = "ost_at_"
	forged := make([]string, len(tokens))
	for i, t := range tokens {
		plain, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(t, prefix))
		if err != nil || len(plain) < 8 {
			return nil, fmt.Errorf("not an opaque token: nothing to forge: %w", err)
		}
		_, _ = rand.Read(plain[4:])
		forged[i] = prefix + base64.RawURLEncoding.EncodeToString(plain)
	}
	return forged, nil
}
