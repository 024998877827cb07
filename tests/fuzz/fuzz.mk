# SPDX-License-Identifier: LGPL-2.1-only
# libFuzzer on what reads text that others write.  run.sh runs the programs;
# each also counts which lines of the sources it has reached.

FUZZ_CC = clang
FUZZ_TARGETS = spec addr json hooks store
FUZZ_SAN = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
           -fprofile-instr-generate -fcoverage-mapping
FUZZ_BIN = $(addprefix $(B)/fuzz/fuzz-,$(FUZZ_TARGETS))

# The library on devices that are not there, as the store tests have it.
FUZZ_SRC = $(sort $(CORE_SRC) $(UTIL_SRC)) tests/store/fakehost.c
FUZZ_SRC_hooks = tools/xl/hooks_json.c tools/xl/hooks_table.c
FUZZ_SRC_store = tests/fuzz/fakexs.c

$(B)/fuzz/%.o: %.c $(ALL_H) $(wildcard tests/fuzz/*.h tests/store/*.h) \
    config.mk
	@mkdir -p $(@D)
	$(FUZZ_CC) -g -O1 $(FUZZ_SAN) -fsanitize=fuzzer-no-link $(BASE_CFLAGS) \
	    $(DEFS) -Itests/store -c -o $@ $<

define fuzz_rule
$(B)/fuzz/fuzz-$(1): $$(call obj,fuzz,tests/fuzz/fuzz-$(1).c \
    $$(FUZZ_SRC_$(1)) $$(FUZZ_SRC))
	$$(FUZZ_CC) $$(FUZZ_SAN) -fsanitize=fuzzer -o $$@ $$^ $$(LIGHT_LIBS)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_rule,$(t))))

build-fuzz: $(FUZZ_BIN)
list-fuzz:
	@echo $(FUZZ_TARGETS)

.PHONY: build-fuzz list-fuzz
