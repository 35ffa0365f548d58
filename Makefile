MODULES   := events shared functions knative tests
# Command bucket is for an operator, on a machine of theirs.
FUNCTIONS := $(filter-out ./functions/bucket,$(patsubst %/main.go,./%,$(wildcard functions/*/main.go)))
DEPLOY     = @go build -o bin/deploy ./knative/cmd/deploy && exec bin/deploy -overlay $(OVERLAY)
OVERLAY   ?= production
GOTEST    := go test -race -shuffle=on -timeout=20m

help: ## show this
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run the whole system on this machine until Ctrl-C (PORT, 8080; RUN_DIR, .run; UPLOADS_METHOD, post)
	@echo "building the runner" && go build -v -o bin/local ./knative/cmd/local && exec bin/local

# A year of ticks is too long for the race detector, and long enough once. Plans are asked of PostgreSQL itself either way.
test: ## run all tests, then those of the functions again through PgBouncer
	$(GOTEST) -skip='^TestYear$$' work
	go test -timeout=20m -run='^TestYear$$' ./functions/notifications
	HONEYDUE_TEST_VIA=pgbouncer $(GOTEST) -skip='^(TestPlans|TestTickPlans|TestYear)$$' ./functions/...

lint: bin/golangci-lint ## check the dependency rule and the style
	bin/golangci-lint run $(MODULES:%=./%/...)

fmt: bin/golangci-lint ## format all Go code
	bin/golangci-lint fmt $(MODULES)

generate: ## rewrite what is made from code: OpenAPI documents, golden files
	tools/generate.sh

verify: generate ## check that generated files, formatting and modules are up to date
	tools/verify.sh $(MODULES)

images: bin/ko ## build the functions' images for amd64 and arm64, push them to KO_DOCKER_REPO, print their digests
	@bin/ko build --base-import-paths $(FUNCTIONS)

deploy: bin/ko ## roll out to the cluster of kubectl's context (FN, all; OVERLAY, production; INGRESS)
	$(DEPLOY) deploy $(FN)

canary: bin/ko ## roll out FN to PERCENT of its requests; promote or rollback ends it
	$(DEPLOY) canary "$(FN)" "$(PERCENT)"

promote: ## give all requests of FN to the canary
	$(DEPLOY) promote "$(FN)"

rollback: ## give all requests of FN to the revision before: ends a canary, or undoes a deploy
	$(DEPLOY) rollback "$(FN)"

secrets: ## make the Secrets of the cluster of kubectl's context from ENV_FILE (OVERLAY, production)
	$(DEPLOY) secrets "$(ENV_FILE)"

e2e: ## deploy to the cluster of KUBECONFIG and prove everything there; takes it down again
	go test -tags=e2e -count=1 -timeout=45m -v ./tests/e2e

bench: ## measure cold starts, memory, statements, round trips, boards, uploads, their sweep, mail, reminders and recurrence
	go run ./tests/bench
	go run ./tests/bench/uploads
	go run ./tests/bench/sweep
	go run ./tests/bench/mail
	go test -run='^$$' -bench=. -benchmem ./shared/recur
	@test -z "$$CLUSTER_INGRESS" || go run ./tests/bench/cluster

clean: ## remove what was built, and the data of make run
	rm -rf $$(realpath -q .run/servers) .run bin

bin/golangci-lint: tools/go.mod
	cd tools && GOWORK=off go build -o ../bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/ko: tools/go.mod
	cd tools && GOWORK=off go build -o ../bin/ github.com/google/ko

.PHONY: help run test lint fmt generate verify images deploy canary promote rollback secrets e2e bench clean
