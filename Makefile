.PHONY: test unit lab build

build:
	CGO_ENABLED=0 go build -trimpath -o bin/ktriage ./cmd/ktriage
