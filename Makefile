# SPDX-License-Identifier: LGPL-2.1-only
# PVSCSI for xl.  "make help" lists the targets.

ifneq ($(wildcard config.mk),)
include config.mk
else ifneq ($(filter-out help clean distclean dist deb,$(or $(MAKECMDGOALS),all)),)
$(error config.mk is missing: run ./bootstrap, or autoconf and ./configure)
endif

L = tools/libxl
B = build
SOVERSION = $(XEN_RELEASE)

WARN = -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wswitch-enum \
       -Werror=implicit-function-declaration \
       -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef \
       -Wpointer-arith -Wwrite-strings -Wvla
BASE_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARN) -I$(L) $(XENLIGHT_CFLAGS) \
              $(XENSTORE_CFLAGS) $(YAJL_CFLAGS)
LIGHT_LIBS = $(XENLIGHT_LIBS) $(XENSTORE_LIBS) $(XENTOOLLOG_LIBS) \
             $(YAJL_LIBS) -lpthread
# The loader looks there by itself.
RPATH = $(if $(filter /usr/lib /usr/lib/% /usr/lib64,$(libdir)),,\
        -Wl,-rpath,$(libdir))
SAN = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
      -fno-omit-frame-pointer

GENERATED_H = $(L)/_libxl_vscsi_types.h
GENERATED = $(GENERATED_H) $(L)/_libxl_vscsi_types.c \
            tests/unit/_test_vscsi_types.c

LIGHT_SRC = $(L)/_libxl_vscsi_types.c \
            $(sort $(filter-out $(L)/_%,$(wildcard $(L)/libxl_vscsi*.c)))
XLU_SRC = $(sort $(wildcard $(L)/libxlu_vscsi*.c))
UTIL_SRC = $(XLU_SRC) $(L)/libxl_vscsi_addr.c
HOOKS_SRC = $(addprefix tools/xl/,gate.c xl_vscsi_hooks.c xl_vscsi_stream.c \
              preloaded.c backends.c)
LIFE_SRC = $(sort $(wildcard tools/xl/hooks_*.c))
LAUNCH_SRC = $(addprefix tools/xl/,xl_launch.c xl_exec.c xl_preload.c)
LAUNCH_H = tools/xl/xl_exec.h tools/xl/hooks_version.h
LV = tools/libvirt
LIBVIRT_HOOK_SRC = $(addprefix $(LV)/,hook.c definition.c attach.c hold.c \
                     image.c say.c) tools/xl/backends.c tools/xl/places.c
LIBVIRT_LOAD_SRC = $(addprefix $(LV)/,preload.c definition.c attach.c say.c) \
                   tools/xl/preloaded.c tools/xl/places.c
LIBVIRT_XL_SRC = $(addprefix $(LV)/,xl_scsi_libvirt.c definition.c say.c)
XL_SRC = $(filter-out $(HOOKS_SRC) $(LIFE_SRC) tools/xl/xl_launch.c,\
           $(sort $(wildcard tools/xl/*.c)))
HEADERS = $(L)/libxl_vscsi.h $(L)/libxlutil_vscsi.h $(GENERATED_H)
ALL_H = $(sort $(wildcard $(L)/*.h tools/xl/*.h $(LV)/*.h)) $(GENERATED_H)
MAN1 = $(sort $(wildcard docs/man/*.1))
MAN5 = $(sort $(wildcard docs/man/*.5))
MAN7 = $(if $(LIBVIRT),$(sort $(wildcard docs/man/*.7)))

obj = $(patsubst %.c,$(B)/$(1)/%.o,$(2))

LIGHT = libxenlight-vscsi
UTIL = libxlutil-vscsi
LIGHT_SO = $(B)/$(LIGHT).so.$(SOVERSION)
UTIL_SO = $(B)/$(UTIL).so.$(SOVERSION)
HOOKS_SO = $(B)/xl-vscsi-hooks.so
LIFE_SO = $(B)/xl-vscsi-life.so
# Where libvirt is: its hook program, what xl scsi-attach --libvirt starts, and
# the object for libvirtd.
LIBVIRT_HOOK = $(B)/libvirt/xen-vscsi
LIBVIRT_XL = $(B)/xl-scsi-libvirt
LIBVIRT_LOAD = $(B)/libvirtd-vscsi.so
LIBVIRT_PRODUCTS = $(if $(LIBVIRT),$(LIBVIRT_HOOK) $(LIBVIRT_XL) $(LIBVIRT_LOAD))
UDEV_RULES = 60-xen-vscsi.rules
PRODUCTS = $(LIGHT_SO) $(UTIL_SO) $(B)/$(LIGHT).a $(B)/$(UTIL).a \
           $(B)/xl $(B)/xl-scsi $(B)/$(UDEV_RULES) $(B)/bash-completion \
           $(HOOKS_SO) $(LIFE_SO) $(LIBVIRT_PRODUCTS) \
           $(B)/xenlight-vscsi.pc $(B)/xlutil-vscsi.pc

.DELETE_ON_ERROR:
.SUFFIXES:

##@ Building
all: $(PRODUCTS)                      ## libraries and launcher (the default)

# An older one lacks what this file has come to use since, and an empty
# directory would be installed to.  make reads it anew when it has been made.
config.mk: config.mk.in config.status
	./config.status
	touch $@
config.status: configure
	./config.status --recheck
configure: configure.ac
	autoconf

help:                                 ## this list
	@echo "PVSCSI for xl: targets of make"
	@awk 'BEGIN { FS = ":.*## " } \
	    /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' Makefile

$(GENERATED) &: $(L)/libxl_types.idl $(wildcard $(L)/*.py)
	$(PYTHON) $(L)/gentypes.py $(L)/libxl_types.idl $(GENERATED)

$(B)/pic/%.o: %.c $(ALL_H) config.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC $(BASE_CFLAGS) $(DEFS) -c -o $@ $<

$(B)/san/%.o: %.c $(ALL_H) config.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -g -O1 $(SAN) $(BASE_CFLAGS) $(DEFS) -c -o $@ $<

$(LIGHT_SO): $(call obj,pic,$(LIGHT_SRC)) $(L)/$(LIGHT).map
	$(CC) $(LDFLAGS) -shared -Wl,-soname,$(@F) -Wl,-z,defs \
	    -Wl,--version-script=$(L)/$(LIGHT).map \
	    -o $@ $(filter %.o,$^) $(LIGHT_LIBS)
	ln -sf $(@F) $(B)/$(LIGHT).so

$(UTIL_SO): $(call obj,pic,$(UTIL_SRC)) $(L)/$(UTIL).map $(LIGHT_SO)
	$(CC) $(LDFLAGS) -shared -Wl,-soname,$(@F) -Wl,-z,defs \
	    -Wl,--version-script=$(L)/$(UTIL).map \
	    -o $@ $(filter %.o,$^) -L$(B) -lxenlight-vscsi $(XENLIGHT_LIBS)
	ln -sf $(@F) $(B)/$(UTIL).so

$(B)/$(LIGHT).a: $(call obj,pic,$(LIGHT_SRC))
	rm -f $@
	$(AR) rcs $@ $^

# The addresses' code is in the other archive already.
$(B)/$(UTIL).a: $(call obj,pic,$(XLU_SRC))
	rm -f $@
	$(AR) rcs $@ $^

# What goes on where a process was left behind in the kernel.
$(foreach k,pic san cov fuzz,$(B)/$(k)/$(L)/libxl_vscsi_ctx.o): \
    DEFS = -DLIBXL__VSCSI_CLEANER='"$(hooksdir)/xl-scsi"'

XL_DEFS = -DXL_REAL='"$(XL_REAL)"' -DVERSION='"$(VERSION)"' \
          -DXL_SCSI='"$(HOOKS_DIR_RUNNING)/xl-scsi"' \
          -DXL_HOOKS='"$(HOOKS_DIR_RUNNING)/$(notdir $(HOOKS_SO))"' \
          -DXL_LIBVIRT='"$(hooksdir)/$(notdir $(LIBVIRT_XL))"'
$(foreach k,pic san,$(call obj,$(k),$(XL_SRC) tools/xl/xl_launch.c)): \
    DEFS = $(XL_DEFS)

$(call obj,pic,$(HOOKS_SRC)): \
    DEFS = -DHOOKS_LIFE='"$(hooksdir)/$(notdir $(LIFE_SO))"' \
           -fvisibility=hidden

# It comes into every program that xl's wrapper starts: it may need nothing.
$(HOOKS_SO): $(call obj,pic,$(HOOKS_SRC))
	$(CC) $(LDFLAGS) -shared -Wl,-z,defs -Wl,-z,noseparate-code -o $@ \
	    $(filter %.o,$^)

$(LIFE_SO): $(call obj,pic,$(LIFE_SRC)) $(LIGHT_SO) $(UTIL_SO)
	$(CC) $(LDFLAGS) -shared -Wl,-z,defs -o $@ $(filter %.o,$^) -L$(B) \
	    -lxlutil-vscsi -lxenlight-vscsi $(LIGHT_LIBS) $(RPATH)

$(foreach k,pic san,$(call obj,$(k),$(sort $(LIBVIRT_HOOK_SRC) \
    $(LIBVIRT_LOAD_SRC) $(LIBVIRT_XL_SRC)))): \
    BASE_CFLAGS += $(LIBXML_CFLAGS) $(LIBVIRT_CFLAGS)
$(LIBVIRT_HOOK): $(call obj,pic,$(LIBVIRT_HOOK_SRC)) $(LIGHT_SO) $(UTIL_SO)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -L$(B) -lxlutil-vscsi \
	    -lxenlight-vscsi $(LIGHT_LIBS) $(LIBXML_LIBS) $(RPATH)
$(LIBVIRT_XL): $(call obj,pic,$(LIBVIRT_XL_SRC)) $(LIGHT_SO) $(UTIL_SO)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -L$(B) -lxlutil-vscsi \
	    -lxenlight-vscsi $(LIGHT_LIBS) $(LIBXML_LIBS) $(LIBVIRT_LIBS) $(RPATH)
$(call obj,pic,$(wildcard $(LV)/*.c)): DEFS = -fvisibility=hidden
$(LIBVIRT_LOAD): $(call obj,pic,$(LIBVIRT_LOAD_SRC)) $(LIGHT_SO) $(UTIL_SO)
	$(CC) $(LDFLAGS) -shared -Wl,-z,defs -o $@ $(filter %.o,$^) -L$(B) \
	    -lxlutil-vscsi -lxenlight-vscsi $(LIGHT_LIBS) $(LIBXML_LIBS) $(RPATH)

# It stands before every command: it needs libc only.
$(B)/xl: $(call obj,pic,$(LAUNCH_SRC))
	$(CC) $(LDFLAGS) -o $@ $^

$(B)/xl-scsi: $(call obj,pic,$(XL_SRC)) $(LIGHT_SO) $(UTIL_SO)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -L$(B) -lxlutil-vscsi \
	    -lxenlight-vscsi $(LIGHT_LIBS) $(RPATH)

$(B)/%.pc: $(L)/%.pc.in config.mk
	@mkdir -p $(@D)
	sed -e 's|@prefix@|$(prefix)|' -e 's|@includedir@|$(includedir)|' \
	    -e 's|@libdir@|$(libdir)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@XEN_RELEASE@|$(XEN_RELEASE)|' \
	    -e 's|@XEN_NEXT_RELEASE@|$(XEN_NEXT_RELEASE)|' $< > $@

$(B)/$(UDEV_RULES): tools/xl/$(UDEV_RULES).in config.mk
	@mkdir -p $(@D)
	sed -e 's|@XL_SCSI@|$(CLEANUP)|' $< > $@

$(B)/bash-completion: tools/xl/bash-completion config.mk
	@mkdir -p $(@D)
	sed -e 's|=/usr/share/bash-completion/completions/xl|=$(XL_COMPLETION)|' \
	    $< > $@

##@ Testing
check:                                ## every test; with T=NAME one file of them
	tests/check.sh $(if $(T),one $(T),unit store faults fuzz packages other system)

check-unit:                           ## the pure parts; no root, seconds
	tests/check.sh unit

check-store:                          ## the library on a real xenstored
	tests/check.sh store

check-faults:                         ## kills, hostile guests, races; a table
	tests/check.sh faults-long system-faults

check-valgrind:                       ## unit and store tests once more, slowly
	tests/check.sh valgrind

check-fuzz:                           ## readers of text on 20000 inputs each
	tests/check.sh fuzz

FUZZ_SECONDS = 600
fuzz: build-fuzz                      ## the same for FUZZ_SECONDS each
	tests/fuzz/run.sh max_total_time=$(FUZZ_SECONDS)

check-packages:                       ## Debian's packages, of SUITE
	tests/check.sh packages

check-system:                         ## on real Xen in QEMU
	tests/check.sh system

check-all:                            ## check, and Xen on both Debian releases
	tests/check.sh unit store faults fuzz packages other-all system

bench: build-bench                    ## ratios, as one table; on real Xen
	tests/bench/bench.sh

lint: $(GENERATED)                    ## clang-tidy, cppcheck, -fanalyzer
	$(MAKE) -s --no-print-directory -k -j2 run-lint

coverage: build-coverage              ## of tools/, by unit and store tests
	tests/coverage/run.sh

demo: all                             ## attach, use, detach a disk on Xen
	tests/system/demo.sh

shell: all                            ## a root shell in dom0 of that Xen
	tests/system/shell.sh

include tests/tests.mk

##@ Installing
DOCS = docs/misc/pvscsi.txt docs/misc/design.txt README COPYING
# Beside what was there before, and never over it.  DESTDIR is a packager's.
INSTALLED = $(addprefix $(libdir)/,$(notdir $(LIGHT_SO) $(UTIL_SO)) \
              $(LIGHT).so $(UTIL).so $(LIGHT).a $(UTIL).a) \
            $(addprefix $(includedir)/,$(notdir $(HEADERS))) \
            $(addprefix $(pkgconfigdir)/,xenlight-vscsi.pc xlutil-vscsi.pc) \
            $(addprefix $(hooksdir)/,$(notdir $(HOOKS_SO) $(LIFE_SO)) xl-scsi) \
            $(sbindir)/xl $(completiondir)/xl $(udevrulesdir)/$(UDEV_RULES) \
            $(addprefix $(mandir)/man1/,$(notdir $(MAN1))) \
            $(addprefix $(mandir)/man5/,$(notdir $(MAN5))) \
            $(if $(LIBVIRT),$(libvirthooksdir)/$(notdir $(LIBVIRT_HOOK)) \
              $(addprefix $(hooksdir)/,$(notdir $(LIBVIRT_XL) $(LIBVIRT_LOAD))) \
              $(addprefix $(mandir)/man7/,$(notdir $(MAN7)))) \
            $(addprefix $(docdir)/,$(notdir $(DOCS)))
OWNED = $(if $(DESTDIR),:,tools/owned.sh)
BACKENDS = /sys/bus/xen-backend/devices

install: all                          ## to DESTDIR and prefix
	@$(OWNED) check $(hooksdir)/installed $(INSTALLED)
	$(INSTALL) -d $(DESTDIR)$(hooksdir) $(DESTDIR)$(includedir) \
	    $(DESTDIR)$(pkgconfigdir) $(DESTDIR)$(sbindir) \
	    $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5 \
	    $(DESTDIR)$(docdir) $(DESTDIR)$(completiondir) \
	    $(DESTDIR)$(udevrulesdir)
	$(INSTALL) -m 755 $(LIGHT_SO) $(UTIL_SO) $(DESTDIR)$(libdir)
	ln -sf $(notdir $(LIGHT_SO)) $(DESTDIR)$(libdir)/$(LIGHT).so
	ln -sf $(notdir $(UTIL_SO)) $(DESTDIR)$(libdir)/$(UTIL).so
	$(INSTALL) -m 644 $(B)/$(LIGHT).a $(B)/$(UTIL).a $(DESTDIR)$(libdir)
	$(INSTALL) -m 644 $(HEADERS) $(DESTDIR)$(includedir)
	$(INSTALL) -m 644 $(B)/xenlight-vscsi.pc $(B)/xlutil-vscsi.pc \
	    $(DESTDIR)$(pkgconfigdir)
	$(INSTALL) -m 755 $(HOOKS_SO) $(LIFE_SO) $(B)/xl-scsi \
	    $(DESTDIR)$(hooksdir)
	$(INSTALL) -m 755 $(B)/xl $(DESTDIR)$(sbindir)
	$(INSTALL) -m 644 $(MAN1) $(DESTDIR)$(mandir)/man1
	$(INSTALL) -m 644 $(MAN5) $(DESTDIR)$(mandir)/man5
	$(if $(LIBVIRT),$(INSTALL) -d $(DESTDIR)$(libvirthooksdir) \
	    $(DESTDIR)$(mandir)/man7)
	$(if $(LIBVIRT),$(INSTALL) -m 755 $(LIBVIRT_HOOK) \
	    $(DESTDIR)$(libvirthooksdir))
	$(if $(LIBVIRT),$(INSTALL) -m 755 $(LIBVIRT_XL) $(LIBVIRT_LOAD) \
	    $(DESTDIR)$(hooksdir))
	$(if $(LIBVIRT),$(INSTALL) -m 644 $(MAN7) $(DESTDIR)$(mandir)/man7)
	$(INSTALL) -m 644 $(DOCS) $(DESTDIR)$(docdir)
	$(INSTALL) -m 644 $(B)/bash-completion \
	    $(DESTDIR)$(completiondir)/xl
	$(INSTALL) -m 644 $(B)/$(UDEV_RULES) $(DESTDIR)$(udevrulesdir)
	@$(OWNED) add $(hooksdir)/installed $(INSTALLED)
	test -n "$(DESTDIR)" || ldconfig $(libdir) || true

uninstall:                            ## what install put there, and no more
	@$(OWNED) unused $(BACKENDS)
	@$(OWNED) remove $(hooksdir)/installed
	$(if $(DESTDIR),rm -f $(addprefix $(DESTDIR),$(INSTALLED)))
	rmdir $(DESTDIR)$(docdir) $(DESTDIR)$(hooksdir) 2>/dev/null || true

##@ Packages
deb:                                  ## Debian's, for SUITE, in a clean room
	packaging/deb.sh

##@ Keeping house
dist:                                 ## a tar.gz of what git has, and configure
	rm -rf dist/$(DISTNAME)
	mkdir -p dist
	git archive --prefix=$(DISTNAME)/ HEAD | tar -C dist -x
	cd dist/$(DISTNAME) && autoconf && rm -r autom4te.cache
	tar -C dist --sort=name --owner=0 --group=0 --numeric-owner \
	    --mtime=@$$(git log -1 --format=%ct) -czf dist/$(DISTNAME).tar.gz \
	    $(DISTNAME)
	rm -r dist/$(DISTNAME)
	@echo dist/$(DISTNAME).tar.gz

DISTNAME = xen-vscsi-$(shell sed -n \
    's/^AC_INIT(.*\[\(.*\)\])/\1/p' configure.ac)

clean:                                ## what make made
	rm -rf $(B) dist $(GENERATED)

distclean: clean                      ## and what configure made
	rm -rf config.mk config.log config.status configure autom4te.cache

.PHONY: all help check check-all check-unit check-store check-faults check-valgrind \
        check-fuzz fuzz check-packages check-system bench lint coverage demo \
        shell install uninstall deb dist clean distclean
