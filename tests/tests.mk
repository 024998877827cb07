# SPDX-License-Identifier: LGPL-2.1-only
# How the tests are built; check.sh runs them.  Each test program is built
# twice: with sanitizers to run as it is, and plain to run under valgrind.

T_CFLAGS = $(CMOCKA_CFLAGS) -Itests/store -Itests/unit -Itests/faults
T_LIBS = $(CMOCKA_LIBS) $(LIGHT_LIBS)

# The library below the calls into libxenlight, and without real devices.
CORE_SRC = $(L)/_libxl_vscsi_types.c $(patsubst %,$(L)/libxl_vscsi_%.c,addr \
           assignment attach attach_segments claim ctx detach domain expand fsm \
           identity index info json letgo life lock missing named place record \
           record_text request segments store users wait xs xs_disks xs_domain \
           xs_remove)
STORE_SRC = $(addprefix tests/store/,store.c store_nodes.c store_trace.c \
            trace.c rules.c ring.c peer.c peer_manners.c peer_bus.c \
            peer_backend.c peer_frontend.c)

UNIT_TESTS = $(filter-out $(if $(LIBVIRT),,test-definition), \
               $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test-*.c))) \
             _test_vscsi_types
STORE_TESTS = $(patsubst tests/store/%.c,%,$(wildcard tests/store/test-*.c))

$(B)/pic/tests/%.o $(B)/san/tests/%.o: BASE_CFLAGS += $(T_CFLAGS)
$(B)/%/tests/unit/test-definition.o: BASE_CFLAGS += $(LIBXML_CFLAGS)
$(B)/san/unit/test-definition $(B)/pic/unit/test-definition: T_LIBS += $(LIBXML_LIBS)
$(B)/pic/tests/%.o $(B)/san/tests/%.o: \
    $(wildcard tests/unit/*.h tests/store/*.h tests/faults/*.h)

unit_src = tests/unit/$(1).c $(EXTRA_$(1)) $(sort $(LIGHT_SRC) $(UTIL_SRC)) \
           tools/xl/xl_table.c
# What some tests need beside the rest.
EXTRA_test-lio = tests/unit/fakeconfigfs.c tests/unit/lio_stage.c
EXTRA_test-export = $(EXTRA_test-lio)
EXTRA_test-medium = $(EXTRA_test-lio) tests/unit/fakesys.c
EXTRA_test-device = tests/unit/fakesys.c
EXTRA_test-again = tests/unit/fakesys.c
EXTRA_test-inuse = tests/unit/fakenodes.c tests/fuzz/fakexs.c
EXTRA_test-gate = tests/hooks/rig.c
EXTRA_test-life = tests/hooks/rig.c
EXTRA_test-preload = tests/hooks/rig.c
EXTRA_test-hooks = tools/xl/hooks_json.c tools/xl/hooks_table.c
EXTRA_test-definition = $(LV)/definition.c
EXTRA_test-record = tests/fuzz/fakexs.c
EXTRA_test-index = tests/fuzz/fakexs.c
EXTRA_test-harness = tests/store/hand.c
EXTRA_test-peer = tests/store/hand.c
EXTRA_test-api = tools/libxl/libxl_vscsi.c
store_src = tests/store/$(1).c $(EXTRA_$(1)) tests/store/fakehost.c tests/store/rig.c \
            $(STORE_SRC) $(sort $(CORE_SRC) $(UTIL_SRC))

# The operations with the real LIO code on a fake configfs: what comes first
# stands in for what fakehost.c has of the same name.
FAULTS_TESTS = $(patsubst tests/faults/%.c,%,$(wildcard tests/faults/test-*.c))
FAULTS_SRC = $(addprefix tests/faults/,stage.c steps.c) \
             $(patsubst %,$(L)/libxl_vscsi_%.c,configfs export leftovers lio \
               lio_stores modules release unlink) \
             $(addprefix tests/unit/,fakeconfigfs.c lio_stage.c) \
             tests/store/fakehost.c tests/store/rig.c $(STORE_SRC) \
             $(sort $(CORE_SRC) $(UTIL_SRC))
comma = ,
STEPS = xs_directory xs_read xs_write xs_mkdir xs_rm xs_get_permissions \
        xs_set_permissions \
        xs_watch xs_transaction_start xs_transaction_end \
        mkdir rmdir unlink symlink write

$(B)/%/tests/unit/test-xl-commands.o: DEFS = $(XL_DEFS)

define unit_rule
$(B)/$(2)/unit/$(1): $$(call obj,$(2),$$(call unit_src,$(1)))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $(3) -o $$@ $$^ $$(T_LIBS)
endef
define store_rule
$(B)/$(2)/store/$(1): $$(call obj,$(2),$$(call store_src,$(1))) \
    $(B)/$(2)/store/fakexen.so
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $(3) -o $$@ $$(filter %.o,$$^) $$(T_LIBS)
endef
define faults_rule
$(B)/$(2)/faults/$(1): $$(call obj,$(2),tests/faults/$(1).c $$(FAULTS_SRC)) \
    $(B)/$(2)/faults/fakexen.so
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $(3) $$(patsubst %,-Wl$$(comma)--wrap=%,$$(STEPS)) \
	    -Wl,-z,muldefs -o $$@ $$(filter %.o,$$^) $$(T_LIBS)
endef
$(foreach t,$(FAULTS_TESTS),$(eval $(call faults_rule,$(t),san,$$(SAN))))
$(foreach t,$(FAULTS_TESTS),$(eval $(call faults_rule,$(t),pic,)))
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t),san,$$(SAN))))
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t),pic,)))
$(foreach t,$(STORE_TESTS),$(eval $(call store_rule,$(t),san,$$(SAN))))
$(foreach t,$(STORE_TESTS),$(eval $(call store_rule,$(t),pic,)))

# The launcher, and our commands with a libxl that answers by script; a
# script is in the place of the distribution's xl.
TEST_XL_DEFS = -DXL_REAL='"./real-xl"' -DXL_RELEASE='"."' \
    -DXL_SCSI='"$(abspath $(B)/$(1)/unit/xl-scsi-under-test)"'
define xl_rule
$(B)/$(1)/unit/xl-scsi-under-test: $$(call obj,$(1),tests/unit/xl_stub.c \
    $$(filter-out $$(LAUNCH_SRC),$$(XL_SRC)) \
    $$(sort $$(LIGHT_SRC) $$(UTIL_SRC))) $(B)/$(1)/unit/xl_exec.o \
    $(B)/$(1)/unit/xl_preload.o
	$$(CC) $$(LDFLAGS) $(2) -Wl,-z,muldefs -o $$@ $$^ $$(T_LIBS)
$(B)/$(1)/unit/xl-under-test: $(B)/$(1)/unit/xl_launch.o \
    $(B)/$(1)/unit/xl_exec.o $(B)/$(1)/unit/xl_preload.o | $(B)/$(1)/unit/xl-scsi-under-test
	$$(CC) $$(LDFLAGS) $(2) -o $$@ $$^
$(patsubst %,$(B)/$(1)/unit/%.o,xl_exec xl_launch xl_preload): \
    $(B)/$(1)/unit/%.o: tools/xl/%.c $(LAUNCH_H)
	@mkdir -p $$(@D)
	$$(CC) -g -O1 $(2) $$(BASE_CFLAGS) $(TEST_XL_DEFS) -c -o $$@ $$<
$(B)/$(1)/unit/xl-of-releases: $(LAUNCH_SRC) $(LAUNCH_H)
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -g -O1 $(2) $$(BASE_CFLAGS) $(TEST_XL_DEFS) \
	    -UXL_SCSI -DXL_SCSI='"./xen-%s-scsi"' \
	    -DXL_HOOKS='"./xen-%s-hooks"' -o $$@ $$(filter %.c,$$^)
$(B)/$(1)/unit/test-launcher $(B)/$(1)/unit/test-xl-commands: \
    $(B)/$(1)/tests/unit/runner.o | $(B)/$(1)/unit/xl-under-test
$(B)/$(1)/unit/test-releases: \
    $(B)/$(1)/tests/unit/runner.o | $(B)/$(1)/unit/xl-of-releases \
    $(B)/$(1)/hooks/xl-vscsi-hooks.so
endef
$(eval $(call xl_rule,san,$$(SAN)))
$(eval $(call xl_rule,pic,))

# xenstored loads it: it must not need a sanitizer.
define fakexen_rule
$(B)/$(1)/fakexen.so: tests/store/fakexen.c
	@mkdir -p $$(@D)
	$$(CC) -std=gnu11 -D_GNU_SOURCE $$(WARN) -O1 -shared -fPIC -o $$@ $$<
endef
$(eval $(call fakexen_rule,%/store))
$(eval $(call fakexen_rule,%/faults))

# It makes every allocation fail in turn.
$(B)/san/unit/test-types-nomem $(B)/pic/unit/test-types-nomem: \
    LDFLAGS += -Wl,--wrap=calloc,--wrap=strdup

# It puts the lock file elsewhere.
$(B)/san/store/test-api $(B)/pic/store/test-api $(B)/cov/store/test-api: \
    LDFLAGS += -Wl,--wrap=libxl__vscsi_ctx_init

SAN_UNIT = $(addprefix $(B)/san/unit/,$(UNIT_TESTS))
SAN_STORE = $(addprefix $(B)/san/store/,$(STORE_TESTS))
PLAIN = $(addprefix $(B)/pic/unit/,$(UNIT_TESTS)) \
        $(addprefix $(B)/pic/store/,$(STORE_TESTS))

# Sanitizers do not go with processes that are forked beside threads.
FORKING = test-kill test-races
FAULTS = $(patsubst %,$(B)/pic/faults/%,$(filter $(FORKING),$(FAULTS_TESTS))) \
         $(patsubst %,$(B)/san/faults/%, \
           $(filter-out $(FORKING),$(FAULTS_TESTS)))

# configure does not insist on it.
need-cmocka:
	@test -n '$(CMOCKA_LIBS)' || { \
	    echo 'cmocka is missing: run ./bootstrap check' >&2; exit 1; }
.PHONY: need-cmocka
build-unit: need-cmocka $(SAN_UNIT)
build-store: need-cmocka $(SAN_STORE)
build-faults: need-cmocka $(FAULTS)
build-valgrind: $(PLAIN)
# What goes into dom0: an installation, and a program of a third party's that
# was built against it.
# Another build's object is one of another number.
HOOKS_INTERFACE := $(shell sed -n \
    's/^.define HOOKS_INTERFACE //p' tools/xl/hooks_version.h)
build-system: all
	rm -rf $(B)/dom0
	$(MAKE) -s --no-print-directory install DESTDIR=$(abspath $(B)/dom0)
	mkdir -p $(B)/dom0/tests/guest/bin
	for t in tapeio pattern; do \
	    $(CC) $(WARN) -Os -static -s -o $(B)/dom0/tests/guest/bin/$$t \
	        tests/system/$$t.c || exit; \
	done
	for t in hostile forge; do \
	    $(CC) $(WARN) -Os -static -s -o $(B)/dom0/tests/guest/bin/$$t \
	        tests/system/$$t.c -lxenstore -lxentoolcore || exit; \
	done
	cp $(addprefix tests/system/,vscsi.sh life.sh matrix.sh libvirt.sh hbas.sh \
	    remote-sh) \
	    $(B)/dom0/tests
	$(CC) $(WARN) -O1 -o $(B)/dom0/tests/ask tests/system/ask.c -lxenstore
	export PKG_CONFIG_SYSROOT_DIR=$(abspath $(B)/dom0) \
	    PKG_CONFIG_PATH=$(abspath $(B)/dom0)$(pkgconfigdir) && \
	for t in thirdparty soak; do \
	    $(CC) $(WARN) -o $(B)/dom0/tests/$$t tests/system/$$t.c \
	        $$(pkg-config --cflags --libs xlutil-vscsi xentoollog) \
	        -Wl,-rpath,$(libdir) || exit; \
	done
	rm -rf $(B)/other && mkdir -p $(B)/other
	cp $(LIFE_SRC) $(wildcard tools/xl/hooks*.h) $(B)/other
	sed -i '/HOOKS_INTERFACE/s/ $(HOOKS_INTERFACE)\b/ 99/' $(B)/other/*.h
	$(CC) $(BASE_CFLAGS) -fPIC -shared -o $(B)/dom0/tests/other-life.so \
	    $(B)/other/*.c -L$(B) -lxlutil-vscsi -lxenlight-vscsi $(LIGHT_LIBS)
list-unit:
	@echo $(SAN_UNIT)
list-store:
	@echo $(SAN_STORE)
list-faults:
	@echo $(FAULTS)
list-valgrind:
	@echo $(PLAIN)

.PHONY: build-unit build-store build-faults build-valgrind build-system \
        list-unit list-store list-faults list-valgrind
.SECONDARY:
include tests/hooks/hooks.mk
include tests/fuzz/fuzz.mk
include tests/bench/bench.mk
include tests/lint/lint.mk
include tests/coverage/coverage.mk
