# SPDX-License-Identifier: LGPL-2.1-only
# Static analysis of all C and shell.  What is not to be reported is said,
# with the reason, in .clang-tidy, cppcheck.supp, here, or where it stands.
# A file without findings is looked at again when it changes.

LINT_GCC = gcc
LINT_TIDY = clang-tidy
LINT_C = $(sort $(filter-out %/_test_vscsi_types.c,$(wildcard tools/*/*.c \
         tests/unit/*.c tests/store/*.c tests/fuzz/*.c tests/system/*.c \
         tests/faults/*.c tests/hooks/*.c tests/bench/*.c)) $(L)/_libxl_vscsi_types.c)
# The programs; what bash reads in, which has no #!; and what the name of the
# image of the system tests is made of, where a comment would cost everybody
# a new image: lists of packages and modules are words there.
LINT_PARTS = $(addprefix tests/system/,hbas.sh lib.sh life.sh vscsi.sh \
             libvirt.sh matrix.sh demo-in-dom0) \
             tests/bench/in-dom0.sh tests/packages/tap.sh
LINT_IMAGE = tests/system/image.sh tests/system/image-hook.sh
LINT_PROGRAMS = $(sort bootstrap tools/owned.sh tests/check.sh \
                $(addprefix tests/system/, \
                dom0-init domu-init remote-sh) $(filter-out $(LINT_PARTS) \
                $(LINT_IMAGE),$(wildcard tests/*/*.sh)) $(LINT_PACKAGES))
# What dpkg runs, and what makes packages.
LINT_PACKAGES = $(wildcard packaging/*.sh) debian/generate \
                debian/tests/unit debian/tests/installed \
                $(wildcard debian/xen-vscsi-*.p[or]* \
                debian/templates/*.p[or]*)
LINT_SH = $(LINT_PROGRAMS) $(LINT_PARTS) $(LINT_IMAGE)
LINT_CPPFLAGS = -D_GNU_SOURCE= -I$(L) -Itests/lint -Itests/store \
                -Itests/unit -DXL_REAL='"xl"' -DXL_SCSI='"scsi"' \
                -DVERSION='"0"' -DLIBXL__VSCSI_CLEANER='"xl-scsi"' \
                -DXL_HOOKS='"hooks"' -DHOOKS_LIFE='"life"' \
                -DXL_LIBVIRT='"libvirt"'
LINT_CFLAGS = -std=gnu11 $(LINT_CPPFLAGS) $(XENLIGHT_CFLAGS) \
              $(XENSTORE_CFLAGS) $(YAJL_CFLAGS) \
              $(CMOCKA_CFLAGS) $(LIBXML_CFLAGS) $(LIBVIRT_CFLAGS)
# gcc 12 loses sight of memory that is put into an array or a list, and then
# calls it leaked; LeakSanitizer and valgrind look for leaks in every test.
LINT_FAN = -O1 -fanalyzer -Wno-analyzer-malloc-leak \
           -Wno-analyzer-file-leak -Werror

LINT_DONE = $(patsubst %.c,$(B)/lint/%.tidy,$(LINT_C)) \
            $(patsubst %.c,$(B)/lint/%.fan,$(LINT_C)) \
            $(B)/lint/cppcheck $(B)/lint/shellcheck $(B)/lint/rooms
LINT_H = $(ALL_H) $(wildcard tests/*/*.h) tests/lint/lint.mk

# One file a run: clang 14 mistakes a va_list in every file but the first.
$(B)/lint/%.tidy: %.c $(LINT_H) .clang-tidy tests/.clang-tidy
	@mkdir -p $(@D)
	@echo clang-tidy $<
	@$(LINT_TIDY) --quiet $< -- $(LINT_CFLAGS) > $@.log 2>&1 || \
	    { cat $@.log; exit 1; }
	@touch $@

$(B)/lint/%.fan: %.c $(LINT_H)
	@mkdir -p $(@D)
	@echo gcc -fanalyzer $<
	@$(LINT_GCC) $(LINT_CFLAGS) $(LINT_FAN) -c -o $@ $<

$(B)/lint/cppcheck: $(LINT_C) $(LINT_H) tests/lint/cppcheck.supp
	@mkdir -p $(@D)
	@echo cppcheck
	@cppcheck -q -j2 --error-exitcode=1 --inline-suppr \
	    --enable=warning,style,performance,portability \
	    --suppressions-list=tests/lint/cppcheck.supp $(LINT_CPPFLAGS) \
	    --std=c11 $(LINT_C)
	@touch $@

$(B)/lint/shellcheck: $(LINT_SH) .shellcheckrc
	@mkdir -p $(@D)
	@echo shellcheck
	@shellcheck $(LINT_PROGRAMS)
	@shellcheck -s bash $(LINT_PARTS)
	@shellcheck -s sh -e SC2086,SC2116 $(LINT_IMAGE)
	@touch $@

$(B)/lint/rooms: tests/lint/rooms.sh docs/misc/design.txt $(LINT_H) $(LINT_C)
	@mkdir -p $(@D)
	@echo rooms
	@tests/lint/rooms.sh
	@touch $@

run-lint: $(LINT_DONE)
	@echo "lint: no findings in $(words $(LINT_C)) C files" \
	    "and $(words $(LINT_SH)) scripts"

.PHONY: run-lint
