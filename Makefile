# make run    credit the contributors of the default study (STUDY=config/studies/... for another)
# make test   run the tests; those that need Slurm, Chromium or Fashion-MNIST are skipped where these are not installed
# make quick  the unit tests alone, within three minutes: for every edit
# make slurm-test   only those on a private Slurm cluster
# make docs   README and docs as a site, in site/

PYTHON ?= python3
CORES  ?= all
STUDY  ?= config/config.yaml

export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)

.PHONY: run test quick slurm-test docs check

run: .venv/installed
	.venv/bin/snakemake --cores $(CORES) --configfile "$(STUDY)"
	.venv/bin/diffusion-credit show "$(STUDY)"

# a third worker, as the cluster's tests wait much of the time
test: .venv/installed
	.venv/bin/lint-imports
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 3 --durations=25

quick: .venv/installed
	.venv/bin/lint-imports
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2 -q tests/unit

slurm-test: .venv/installed
	.venv/bin/python -m pytest tests/slurm

docs: .venv/installed
	.venv/bin/mkdocs build --strict

check: .venv/installed
	.venv/bin/uv pip install -q --system-certs --python .venv -c constraints.txt -e .[test,dev]
	.venv/bin/ruff check . && .venv/bin/ruff format --check .
	.venv/bin/snakefmt --check Snakefile rules
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/snakemake --lint

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q uv==0.13.9
	.venv/bin/uv pip install -q --system-certs --python .venv --compile-bytecode -c constraints.txt -e .[test]
	touch $@
