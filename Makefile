# make check: what every change must pass, on top of the README's test command.
TOOLS = go tool -modfile=internal/tools/go.mod

.PHONY: python wheels web web-check report-check check docs fmt vet modules api licences staticcheck short manual bench fuzz release release-dry
check: fmt vet modules staticcheck short

fmt:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }

vet:
	go vet ./...
	go vet -tags manual ./cmd/weightprint

# Modules are what go.sum says.
modules:
	go mod verify

# Licences of all modules that are built or tested; fails on one that is not permissive.
licences:
	go run ./internal/release -licences

# The library's exported names against those of the last version.
api:
	internal/tools/api/check.sh

# make release V=v1.2.3 [KEY=key.pem]: the programs of a release; docs/RELEASING.md.
release:
	scripts/release.sh $(V) build/release-$(V) $(if $(KEY),-key $(KEY))

# One program of a release that is not made, to see that it can be.
release-dry:
	rm -rf build/dry
	scripts/release.sh v0.0.0-dry build/dry -targets linux/amd64
	rm -rf build/dry

# The wheel of this machine, tested in a fresh environment. EXTRA=torch adds packages.
python:
	python/check.sh $(EXTRA)

# make wheels V=v1.2.3: the wheels of all systems, in build/wheels.
wheels:
	python3 python/wheels.py --version $(V)
	python3 python/inspected.py build/wheels/*.whl

# The web page: one HTML file in which two models are compared without a server.
web:
	go run ./web/build -o build/web/weightprint.html

# The page in a real browser. PYTHON names one that has playwright.
PYTHON ?= python3
web-check: web
	go run ./internal/demo/extract build/demo
	$(PYTHON) web/check.py build/web/weightprint.html build/demo build/web/screens

# Reports in a real browser, at two widths, light and dark, and printed: contrast, width,
# silence. MODELS is a folder of models to compare.
MODELS ?= build/demo
report-check:
	mkdir -p build/reports
	go run ./internal/demo/extract build/demo
	for b in base fine-tune other-seed fine-tune-q8_0; do go run ./cmd/weightprint compare $(MODELS)/base $(MODELS)/$$b --depth full -q --force -o build/reports/$$b.html; done
	$(PYTHON) web/report_check.py build/reports/screens build/reports/*.html

staticcheck:
	$(TOOLS) staticcheck ./...

# What is left out runs at length, one after another, what other tests run as well.
unraced = TestHostileNamesInEveryVerb|TestAuditorPage|TestCompareJSONFollowsItsSchema|TestEveryValueIsDecodedOnce|TestSuiteGivesTheNamesOfVerdicts|TestUnknownArchitecture|TestHiddenUnitsInAnyLayout|TestExchangedNames|TestPartTakenOver|TestRolesFromShapes|TestEveryCallOfADisputeFails|TestEveryCallOfEveryVerbFails|TestColourOnTerminals
short:
	go test -race -short -skip '$(unraced)' -timeout 40m ./...

# make manual: man pages and completions for packagers.
manual:
	mkdir -p build
	go run -tags manual ./cmd/weightprint man build/man
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

# PostgreSQL 14 or later where none is found, and the program that keeps an index in it.
.PHONY: hub-postgres hub-postgres-test
hub-postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || apt-get install -y --no-install-recommends postgresql
	mkdir -p build
	go build -o build/weightprint ./cmd/weightprint
	cd store/postgres && go build -o ../../build/weightprint-postgres ./cmd/weightprint-postgres

hub-postgres-test: hub-postgres
	cd store/postgres && go vet ./... && WEIGHTPRINT_LONG=1 go test -timeout 30m ./...

# Spark in an environment of its own; Java 17 where none is found.
.PHONY: hub-spark hub-spark-test
hub-spark:
	@command -v java >/dev/null || apt-get install -y --no-install-recommends openjdk-17-jre-headless
	mkdir -p build
	CGO_ENABLED=0 go build -o build/weightprint ./cmd/weightprint
	test -x build/spark/bin/python || python3 -m venv build/spark
	build/spark/bin/pip -q install -r deploy/spark/requirements.txt

hub-spark-test: hub-spark
	go build -o build/weightprint-bench ./cmd/weightprint-bench
	cd deploy/spark && WEIGHTPRINT=$(CURDIR)/build/weightprint ../../build/spark/bin/python -m pytest -q
	deploy/spark/acceptance.sh $(CURDIR)/build/spark/bin/python $(CURDIR)/build/weightprint $(CURDIR)/build/weightprint-bench
