# SPDX-License-Identifier: MIT OR Apache-2.0
#
# What people and packagers call. The kernel's build reads Kbuild instead, and
# `cargo xtask` does all that is more than a few lines.

SERIES ?= $(shell cat tests/kernel/series)
CACHE  := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/smplb
TARGET := $(or $(CARGO_TARGET_DIR),target)

# The kernel to build for: the one of the VM where it is built, else the one
# that runs.
PREPARED := $(patsubst %/smplb.stamp,%,$(lastword $(sort $(wildcard \
	$(CACHE)/linux-$(SERIES)/release/smplb.stamp $(CACHE)/linux-$(SERIES).*/release/smplb.stamp))))
KDIR     ?= $(or $(PREPARED),/lib/modules/$(shell uname -r)/build)

# With the toolchain it was built with, when `cargo xtask kernel` built it.
RUSTC ?= rustc
-include $(KDIR)/smplb-toolchain.mk
ifdef KMAKE_ARGS
# DKMS names a compiler of its own for every kernel that clang has built.
MAKEOVERRIDES := $(filter-out CC=% LD=%,$(MAKEOVERRIDES))
endif
KMAKE_RUSTC := $(patsubst RUSTC=%,%,$(filter RUSTC=%,$(KMAKE_ARGS)))
MO    ?= $(abspath $(TARGET))/kmod/$(if $(filter $(PREPARED),$(KDIR)),release,other)
KMAKE  = $(MAKE) -C $(KDIR) $(or $(KMAKE_ARGS),RUSTC=$(RUSTC)) M=$(CURDIR) MO=$(MO)

PREFIX  ?= /usr/local
DESTDIR ?=
XTASK    = cargo xtask

.DEFAULT_GOAL := modules
.PHONY: modules tools kernel setup demo test test-debug bench clippy fmt fmt-check \
	rust-analyzer install install-module install-tools clean help cargo check-kdir

modules: check-kdir ## Build smplb.ko for the kernel of KDIR
	+$(KMAKE) modules
	@echo "$(MO)/smplb.ko"

tools: cargo ## Build the programs of the user space
	cargo build --release --workspace --exclude xtask

setup: cargo ## Install the packages and tools everything else needs
	$(XTASK) setup

kernel: setup ## Fetch and build the kernel the VM runs
	$(XTASK) kernel

demo: cargo ## Run the main job in the VM, and show it
	$(XTASK) demo

test: cargo ## Run all tests
	$(XTASK) test

test-debug: cargo ## Run all tests on the debug kernel
	$(XTASK) test --kernel debug

bench: cargo ## Count instructions per packet, of IPVS and of smplb
	$(XTASK) bench

clippy: cargo ## Lint the module and the user space
	cargo clippy --workspace --all-targets -- -D warnings
	$(XTASK) build --clippy

fmt: cargo ## Format all Rust code
	cargo fmt --all
	find rust -name '*.rs' -exec rustfmt --edition 2021 {} +

fmt-check: cargo ## Fail when some Rust code is not formatted
	cargo fmt --all --check
	find rust -name '*.rs' -exec rustfmt --edition 2021 --check {} +

rust-analyzer: check-kdir ## Write rust-project.json for editors
	+$(KMAKE) rust-analyzer
	mv $(MO)/rust-project.json rust-project.json

install: install-module install-tools ## Install module, programs, man pages, completions and units

install-module: modules
	install -D -m 644 $(MO)/smplb.ko \
		$(DESTDIR)/lib/modules/$$(cat $(KDIR)/include/config/kernel.release)/updates/smplb.ko
	$(if $(DESTDIR),,/sbin/depmod $$(cat $(KDIR)/include/config/kernel.release))

install-tools: tools
	scripts/install-tools $(TARGET)/release $(PREFIX) $(DESTDIR)

clean: ## Remove all that was built in the clone; the cache stays
	rm -rf $(TARGET) rust-project.json

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

cargo:
	@scripts/need-cargo

check-kdir:
	@scripts/check-kdir $(KDIR) $(or $(KMAKE_RUSTC),$(RUSTC))
