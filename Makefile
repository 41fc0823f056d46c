# `make` alone lists the targets. Everything runs on Linux with Go; what else is
# needed is installed by tools/need.sh, or named by it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

TOOL := go tool -modfile=tools/go.mod
# Packages that take long, or need more than Go and PostgreSQL, have targets of their own.
APART := /test/(e2e|torture)(/|$$)
PACKAGES = $$(go list ./... | grep -vE '$(APART)')
FUZZTIME ?= 20s
TORTURE ?= short
MAX_BINARY := 45000000

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: build
build: ## bin/ostiary, static; fails above 45 MB
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/ostiary ./cmd/ostiary
	@size=$$(stat -c %s bin/ostiary)
	echo "bin/ostiary: $$size bytes"
	if (( size > $(MAX_BINARY) )); then echo "more than $(MAX_BINARY) bytes" >&2; exit 1; fi
	if ldd bin/ostiary >/dev/null 2>&1; then echo "not static" >&2; exit 1; fi

.PHONY: run
run: ## a server on 127.0.0.1:8080, its data in ./ostiary-data
	go run ./cmd/ostiary serve

.PHONY: test
test: build ## all tests: units, the store on SQLite and PostgreSQL, the commands in the documents
	@tools/need.sh test
	go test -timeout 10m $(PACKAGES)

.PHONY: test-race
test-race: ## the same under the race detector
	@tools/need.sh test
	CGO_ENABLED=1 go test -race -timeout 20m $(PACKAGES)

.PHONY: e2e
e2e: build ## a real server and programs that other people wrote; every page in a browser
	@tools/need.sh e2e
	go test -count=1 -timeout 25m ./test/e2e/...

.PHONY: torture
torture: build ## kills, full disks, many at once; TORTURE=long for hours rather than minutes
	@tools/need.sh test
	case '$(TORTURE)' in short) limit=15m ;; long) limit=6h ;; *) echo 'TORTURE is short or long' >&2; exit 2 ;; esac
	TORTURE='$(TORTURE)' go test -count=1 -timeout "$$limit" ./test/torture/...

.PHONY: bench
bench: build ## the budgets, measured against floors of the same run
	@tools/need.sh bench
	go run ./bench

.PHONY: bench-full
bench-full: build ## the same with 10,000,000 families
	@tools/need.sh bench
	go run ./bench -full

.PHONY: bench-lists
bench-lists: build ## every list, search and filter with 1,000,000 clients, on both databases
	@tools/need.sh bench
	go run ./bench --only lists --check

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (20s)
	@grep -rnoE '^func Fuzz[A-Za-z0-9_]*' --include="*_test.go" internal bench | while IFS=: read -r file _ name; do
		echo "$$(dirname "$$file") $${name#func }"
		go test -run '^$$' -fuzz "^$${name#func }\$$" -fuzztime '$(FUZZTIME)' -timeout 1h "./$$(dirname "$$file")" </dev/null
	done

.PHONY: lint
lint: ## golangci-lint, gofumpt, go vet, go mod tidy -diff in each module
	@unformatted=$$($(TOOL) gofumpt -l .)
	if [[ -n $$unformatted ]]; then echo "not as gofumpt writes it:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	for module in $$(git ls-files '*go.mod'); do echo "go mod tidy -diff: $$module"; go -C "$$(dirname "$$module")" mod tidy -diff; done
	$(TOOL) golangci-lint run ./...

.PHONY: format
format: ## write the files as gofumpt does, and mend what the linters can
	$(TOOL) gofumpt -w .
	$(TOOL) golangci-lint run --fix ./...

.PHONY: generate
generate: ## apiclient/, from the OpenAPI document that the server serves
	document=$$(go run ./apiclient/internal/document)
	echo "$$document" > apiclient/openapi-3.0.json
	$(TOOL) oapi-codegen -config apiclient/generate.yaml -o apiclient/client.gen.go apiclient/openapi-3.0.json

.PHONY: cover
cover: ## coverage of internal/ by all tests; bin/cover.html
	@tools/need.sh test
	mkdir -p bin
	go test -timeout 10m -coverprofile=bin/cover.out -coverpkg=./internal/... $(PACKAGES)
	go tool cover -html=bin/cover.out -o bin/cover.html
	go tool cover -func=bin/cover.out | tail -n 1
