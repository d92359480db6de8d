# make help lists the targets. The checks themselves are in .ci/run.
PREFIX ?= /usr/local
VERSION ?=
SHARE = $(DESTDIR)$(PREFIX)/share

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

build: ## build the program as ./parley; VERSION=1.2.3 names a release
	go build -trimpath -ldflags "-X parley/internal/cli.version=$(VERSION)" -o parley ./cmd/parley

fmt: ## format all Go files
	gofmt -w .

lint: ## gofmt, go vet, staticcheck, go mod tidy, without changing anything
	.ci/run format vet staticcheck tidy

test: ## run the tests
	go test ./...

race: ## run the tests under the race detector
	go test -race ./...

fuzz: ## run every fuzz target for 5 s; FUZZTIME=1m for longer
	.ci/run fuzz

bench: ## measure parley beside its peers (Linux, about an hour)
	go -C bench run .

man: ## make the man pages anew from the help of the program
	go -C tools run ./man ../docs/man

docs: ## check that what docs/ says is so: man pages, examples
	.ci/run docs
	go test . ./frame ./transcript ./examples

ci: ## all that CI does
	.ci/run

install: build ## install program, man pages and completions under PREFIX (/usr/local)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(SHARE)/man/man1" "$(SHARE)/man/man7" \
		"$(SHARE)/bash-completion/completions" "$(SHARE)/zsh/site-functions" "$(SHARE)/fish/vendor_completions.d"
	install -m 755 parley "$(DESTDIR)$(PREFIX)/bin/parley"
	install -m 644 docs/man/*.1 "$(SHARE)/man/man1"
	install -m 644 docs/man/*.7 "$(SHARE)/man/man7"
	./parley completion bash >"$(SHARE)/bash-completion/completions/parley"
	./parley completion zsh >"$(SHARE)/zsh/site-functions/_parley"
	./parley completion fish >"$(SHARE)/fish/vendor_completions.d/parley.fish"

.PHONY: help build fmt lint test race fuzz bench man docs ci install
