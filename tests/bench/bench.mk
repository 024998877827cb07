# SPDX-License-Identifier: LGPL-2.1-only
# What bench.sh measures with.
$(B)/bench/floor: tests/bench/floor.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 -D_GNU_SOURCE $(WARN) $(XENSTORE_CFLAGS) \
	    -o $@ $< $(XENSTORE_LIBS)

$(B)/bench/stopwatch: tests/bench/stopwatch.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 -D_GNU_SOURCE $(WARN) -static -o $@ $<

build-bench: build-system $(B)/bench/floor $(B)/bench/stopwatch

.PHONY: build-bench
