MODULES   := events shared functions knative tests
FUNCTIONS := $(patsubst functions/%/main.go,./%,$(wildcard functions/*/main.go))
GOTEST    := go test -race -shuffle=on -timeout=20m

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run the whole system on this machine until Ctrl-C (PORT, 8080; RUN_DIR, .run)
	@echo "building the runner" && go build -v -o bin/local ./knative/cmd/local && exec bin/local

test: ## run all tests, then those of the functions again through PgBouncer
	$(GOTEST) work
	HONEYDUE_TEST_VIA=pgbouncer $(GOTEST) ./functions/...

lint: bin/golangci-lint ## check the dependency rule and the style
	bin/golangci-lint run $(MODULES:%=./%/...)

fmt: bin/golangci-lint ## format all Go code
	bin/golangci-lint fmt $(MODULES)

generate: ## rewrite what is made from code: OpenAPI documents, golden files
	tools/generate.sh

verify: generate ## check that generated files, formatting and modules are up to date
	tools/verify.sh $(MODULES)

images: bin/ko ## build the functions' images for amd64 and arm64 and push them to KO_DOCKER_REPO
	cd functions && KO_CONFIG_PATH=.. ../bin/ko build --base-import-paths $(FUNCTIONS)

deploy: ## roll out to the cluster of kubectl's context
	@echo "make deploy: there is no overlay of a cluster in knative/overlays yet, so nothing to apply" >&2
	@exit 1

bench: ## measure cold starts, memory, statements and round trips
	go run ./tests/bench

clean: ## remove what was built, and the data of make run
	rm -rf $$(realpath -q .run/servers) .run bin

bin/golangci-lint: tools/go.mod
	cd tools && GOWORK=off go build -o ../bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/ko: tools/go.mod
	cd tools && GOWORK=off go build -o ../bin/ github.com/google/ko

.PHONY: help run test lint fmt generate verify images deploy bench clean
