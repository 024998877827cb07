# SPDX-License-Identifier: LGPL-2.1-only
# What bench.sh measures with.
$(B)/bench/floor: tests/bench/floor.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 -D_GNU_SOURCE $(WARN) $(XENSTORE_CFLAGS) \
	    -o $@ $< $(XENSTORE_LIBS)

$(B)/bench/stopwatch: tests/bench/stopwatch.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 -D_GNU_SOURCE $(WARN) -static -o $@ $<

$(B)/bench/store: $(call obj,pic,tests/bench/store.c $(STORE_SRC) \
    $(sort $(LIGHT_SRC))) $(B)/bench/fakexen.so
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(T_LIBS)

$(B)/bench/others: $(call obj,pic,tests/bench/others.c $(sort $(LIGHT_SRC)))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIGHT_LIBS)

$(B)/bench/fakexen.so: $(B)/pic/store/fakexen.so
	@mkdir -p $(@D)
	cp $< $@

# xl-scsi as it is, but for Xen.
$(B)/bench/xl-on-store: $(call obj,pic,tests/bench/fakexl.c $(XL_SRC) \
    $(sort $(LIGHT_SRC) $(UTIL_SRC)))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIGHT_LIBS)

build-bench: build-system $(addprefix $(B)/bench/,floor stopwatch others \
             store xl-on-store)

.PHONY: build-bench
