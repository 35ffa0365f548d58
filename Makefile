MODULES   := events shared functions knative k3s tests
# Command bucket is for an operator, on a machine of theirs; backup has a base image of its own.
FUNCTIONS := $(filter-out ./functions/backup ./functions/bucket,$(patsubst %/main.go,./%,$(wildcard functions/*/main.go)))
DEPLOY     = @go build -o bin/deploy ./knative/cmd/deploy && exec bin/deploy -overlay $(OVERLAY)
OVERLAY   ?= production
# Everything is compiled as the images' programs are, and so once; the race detector alone needs cgo.
export GOFLAGS     := $(GOFLAGS) -trimpath
export CGO_ENABLED := 0
# Lint has vet's checks, and more.
GOTEST    := go test -shuffle=on -timeout=20m -vet=off

help: ## show this
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run the whole system on this machine until Ctrl-C (PORT, 8080; RUN_DIR, .run; UPLOADS_METHOD, post)
	@echo "building the runner" && go build -v -o bin/local ./knative/cmd/local && exec bin/local

# A year of ticks is too long for the race detector, and long enough once. Plans are asked of PostgreSQL itself either way. What
# races does so without the pooler as well, which is there for the SQL.
test: tests/browser/node_modules/.package-lock.json ## run all tests, then those of the functions again through PgBouncer
	CGO_ENABLED=1 $(GOTEST) -race -skip='^TestYear$$' work
	go test -timeout=20m -run='^TestYear$$' ./functions/notifications
	HONEYDUE_TEST_VIA=pgbouncer $(GOTEST) -skip='^(TestPlans|TestTickPlans|TestYear)$$' ./functions/...

k3s: ## test the scripts of k3s/ in a throw-away root, and its firewall in network namespaces (as root)
	go test -tags=k3s -count=1 -timeout=10m ./k3s/...

doctor: ## look at this machine and the cluster of kubectl's context, and say how to mend what is wrong
	@go run ./k3s/cmd/doctor

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

admin: ## let an operator in: prints a link for EMAIL (ROLE; ENV_FILE, what make run writes)
	@tools/admin.sh "$(EMAIL)" "$(ROLE)" "$(or $(ENV_FILE),$(or $(RUN_DIR),.run)/admin.env)"

secrets: ## make the Secrets of the cluster of kubectl's context from ENV_FILE (OVERLAY, production)
	$(DEPLOY) secrets "$(ENV_FILE)"

renew: ## start FN anew, as it runs, with the Secrets as they are now (FN, all; OVERLAY, production)
	$(DEPLOY) renew $(FN)

rotate: ## go on with the rotation of WHAT, or begin one: docs/secrets.md (ENV_FILE, the new values of what a provider made)
	$(DEPLOY) rotate "$(WHAT)" "$(ENV_FILE)"

e2e: ## deploy to the cluster of KUBECONFIG and prove everything there; takes it down again
	go test -tags=e2e -count=1 -timeout=45m -v ./tests/e2e

restore-drill: ## dump a million tasks to a bucket, restore them into an empty server, and compare every row
	go run ./tests/drill

bench: ## measure everything, and write docs/performance.md from it (ONLY, some by name; the others stay on the page)
	go run ./tests/bench -only=$(ONLY)

load: ## load FN as its people do (TARGET, a system of its own or cluster; RATE; DURATION; PROFILES, a folder)
	@test -d "tests/load/$(FN)" -a -n "$(FN)" || { echo "FN is one of: $(patsubst tests/load/%/main.go,%,$(wildcard tests/load/*/main.go))" >&2; exit 2; }
	go run ./tests/load/$(FN) $(if $(TARGET),-target=$(TARGET)) $(if $(RATE),-rate=$(RATE)) $(if $(DURATION),-duration=$(DURATION)) $(if $(PROFILES),-profiles=$(PROFILES))

clean: ## remove what was built, and the data of make run
	rm -rf $$(realpath -q .run/servers) .run bin tests/browser/node_modules tests/browser/screenshots

tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	cd tests/browser && npm ci --ignore-scripts

bin/golangci-lint: tools/go.mod
	cd tools && GOWORK=off go build -o ../bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/ko: tools/go.mod
	cd tools && GOWORK=off go build -o ../bin/ github.com/google/ko

.PHONY: help run test k3s doctor lint fmt generate verify images deploy canary promote rollback admin secrets renew rotate e2e restore-drill bench load clean
