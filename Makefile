# make test is all there is to know before a change goes in.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

# The exam, about two hours: every fault, control and mixture on a real Kafka, and
# docs/accuracy.md written anew. It can be ended and begun again: what this very
# ktriage was graded by is kept in bin/grades.jsonl.
grade:
	go run ./cmd/lab grade -recordings bin/recordings

# The recordings of the exam's right rows become the cases that the unit tests grade.
cases:
	go run ./cmd/lab cases

.PHONY: build test test-all lint unit lab grade cases kerberos gcviewer clean

build:
	CGO_ENABLED=0 go build -trimpath -o bin/ktriage ./cmd/ktriage

test: lint unit lab

# What is too long for every change, about an hour more on two cores: the faults
# that make lab leaves out, about a minute each, a cluster with ZooKeeper (40 s), a
# real KDC (15 s), the other collectors of JDK 25 (15 s), and every playbook that is run
# for real, half a minute each. It wants the packages that kerberos does.
test-all: test
	go test -tags labmore -run '^TestLab' -p 1 -count 1 -timeout 90m -v ./probes/... ./cmd/lab

lint:
	@unformatted=$$(gofmt -l cmd diagnose playbooks probes tui); \
	if [ -n "$$unformatted" ]; then echo "not gofmt clean:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go vet -tags lab ./probes/... ./cmd/...
	go vet -tags labmore ./probes/... ./cmd/...
	go run $(STATICCHECK) ./...
	go run $(STATICCHECK) -tags lab ./probes/... ./cmd/...
	go run $(STATICCHECK) -tags lab,labmore ./probes/... ./cmd/...

# -race wants a C compiler. Without one the tests run all the same, and say so.
unit:
	@if command -v "$${CC:-gcc}" >/dev/null; then \
		go test -race -timeout 5m ./...; \
	else \
		echo "NO C COMPILER: the race detector is off"; \
		[ -z "$$CI" ] || exit 1; \
		go test -timeout 5m ./...; \
	fi

# The tests against a real Kafka: one package after another, for there is one
# cluster at a time. Where they cannot run, that is said loudly, and is a
# failure when CI is set.
lab:
	@if go run ./cmd/lab doctor; then \
		go test -tags lab -run '^TestLab' -p 1 -count 1 -timeout 20m -v ./probes/... ./cmd/ktriage; \
	else \
		echo; \
		echo "*** THE TESTS AGAINST A REAL KAFKA DID NOT RUN, for the reasons above:"; \
		grep -rhoE '^func (TestLab[A-Za-z]+)' --include='*_test.go' probes cmd | sed 's/^func /***   /'; \
		echo; \
		[ -z "$$CI" ] || exit 1; \
	fi

# The test against a real KDC, about 20 s: it wants krb5kdc, kadmin.local and
# kdb5_util of Debian's krb5-kdc and krb5-admin-server.
kerberos:
	go test -tags labmore -run '^TestLabKerberos' -count 1 -v ./probes/kafka

# What gclog counts beside what GCViewer does, which Maven fetches, about 20 s.
gcviewer:
	go test -tags labmore -run '^TestLabGCViewer' -count 1 -v ./probes/gclog

clean:
	rm -rf bin
