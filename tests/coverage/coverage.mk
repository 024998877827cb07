# SPDX-License-Identifier: LGPL-2.1-only
# The unit and store tests once more, counting what they reach.

COV_CFLAGS = -g -O0 --coverage
$(B)/cov/tests/%.o: BASE_CFLAGS += $(T_CFLAGS)
$(B)/cov/%.o: %.c $(ALL_H) \
    $(wildcard tests/unit/*.h tests/store/*.h tests/faults/*.h) config.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(COV_CFLAGS) $(BASE_CFLAGS) $(DEFS) -c -o $@ $<
$(call obj,cov,$(XL_SRC)): DEFS = $(XL_DEFS)
$(call obj,cov,$(HOOKS_SRC)): DEFS = -DHOOKS_LIFE='"life"'

$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t),cov,--coverage)))
$(foreach t,$(STORE_TESTS),$(eval $(call store_rule,$(t),cov,--coverage)))
$(eval $(call xl_rule,cov,--coverage))
$(B)/cov/unit/test-types-nomem: LDFLAGS += -Wl,--wrap=calloc,--wrap=strdup

COV_TESTS = $(addprefix $(B)/cov/unit/,$(UNIT_TESTS)) \
            $(addprefix $(B)/cov/store/,$(STORE_TESTS))
# What no program has is built too, and counts as not reached.
build-coverage: $(COV_TESTS) $(call obj,cov,$(HOOKS_SRC) $(LIFE_SRC))
list-coverage:
	@echo $(COV_TESTS)

.PHONY: build-coverage list-coverage
