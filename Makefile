# `make` lists the targets. On a fresh Debian with Go, git and make, `make demo` and `make test` bring the rest themselves.

LINT     := go tool -modfile=tools/go.mod golangci-lint
FUZZTIME ?= 10s

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/pulih, one static file
	@CGO_ENABLED=0 go build -trimpath -o bin/pulih ./cmd/pulih

.PHONY: demo
demo: build ## run the whole service on http://localhost:8028 with simulated letters; Ctrl-C ends it
	@scripts/setup demo
	@bin/pulih demo

.PHONY: demo-once
demo-once: build ## run the same world on a fast clock, without a person, and check how each letter ended
	@scripts/setup demo
	@bin/pulih demo --once

.PHONY: test
test: ## run every test, on real parts and with the race detector (about 10 minutes on 2 cores)
	@scripts/setup test
	go vet ./...
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not formatted by gofmt:" $$unformatted >&2; exit 1; }
	CGO_ENABLED=1 go test -race -shuffle=on -timeout 10m $(TESTFLAGS) ./...

.PHONY: soak
soak: ## run the tests in their large doses (hours)
	@scripts/setup test
	CGO_ENABLED=1 PULIH_SOAK=1 go test -race -shuffle=on -count=1 -timeout 6h $(TESTFLAGS) ./...

.PHONY: eval-letters
eval-letters: ## read the labelled corpus of letters and tell how well
	@scripts/setup demo
	go run ./internal/letter/corpus/eval

.PHONY: bench-letters
bench-letters: ## letters read a second by kind of source, next to pdftotext alone; the worst of the hostile files
	@scripts/setup test
	go run ./internal/letter/corpus/bench
	@go test -run '^$$' -bench Hostile -benchtime 1x ./internal/letter

.PHONY: bench-mail
bench-mail: ## 5,000 mails of 40 KB from Dovecot, next to mbsync; and from a letter's arrival to the verifier's mail
	@scripts/setup bench
	@go test -run '^$$' -bench Mail -benchtime 1x -timeout 30m ./mailflow/endtoend

.PHONY: bench-reset
bench-reset: ## from the approval to BSrE's journal, next to a bare HTTP call
	@scripts/setup test
	go run ./scheduler/bench

.PHONY: bench-clocks
bench-clocks: ## a sweep over 100,000 open requests and a digest over a year of 100,000, with the queries' plans
	@scripts/setup test
	go run ./internal/report/bench

.PHONY: bench-srikandi
bench-srikandi: ## a backlog of 10,000 letters from Srikandi, next to a bare loop that only downloads it; an idle poll
	@scripts/setup test
	go test -run '^$$' -bench Srikandi -benchtime 1x -timeout 60m ./scheduler

.PHONY: bench-desk
bench-desk: ## the pages over 100,000 requests: milliseconds on the server and kilobytes, next to a page without any
	@scripts/setup test
	@go test -run '^$$' -bench Desk -benchtime 1x -timeout 30m ./internal/console

.PHONY: fuzz
fuzz: ## run each fuzz test for FUZZTIME (10s)
	@scripts/setup test
	@scripts/fuzz $(FUZZTIME)

.PHONY: lint
lint: ## run golangci-lint (built from tools/go.mod at the first time)
	@scripts/check-dependencies
	$(LINT) run ./...

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
