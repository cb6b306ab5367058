# make check: what every change must pass, on top of the README's test command.
TOOLS = go tool -modfile=internal/tools/go.mod

.PHONY: check docs fmt vet staticcheck short manual bench fuzz
check: fmt vet staticcheck short

fmt:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }

vet:
	go vet ./...

staticcheck:
	$(TOOLS) staticcheck ./...

short:
	go test -race -short -timeout 40m ./...

# make manual: man pages and completions for packagers.
manual:
	mkdir -p build
	go run ./cmd/weightprint man build/man
	for s in bash zsh fish powershell; do go run ./cmd/weightprint completion $$s > build/weightprint.$$s; done

# The pictures of the README, from the JSON files beside them.
docs:
	go run ./cmd/weightprint-bench pictures docs/pictures

bench:
	go test -run xxx -bench . ./...

# make fuzz T=60s: every fuzz target for a while.
T ?= 30s
fuzz:
	@for p in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; go test -run xxx -fuzz "^$$f$$" -fuzztime $(T) -fuzzminimizetime 10x $$p || exit 1; \
	  done; \
	done
