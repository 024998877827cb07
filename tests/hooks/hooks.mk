# SPDX-License-Identifier: LGPL-2.1-only
# The rig for the hooks: the real preloaded object in a program named xl, with
# a libxl that only says what it is asked, and second objects of every kind.
# No sanitizers: what is preloaded comes before their library.

R_DEFS = -DHOOKS_LIFE='"./xl-vscsi-life.so"' -DBACKENDS='"./backends"' \
         -DANSWER_MS=1000
R_CC = $(CC) $(CPPFLAGS) -g -O1 $(BASE_CFLAGS) $(R_DEFS) -fPIC
R_LIFE = good old newer foreign unable broken
R_LIFE_old = -DLIFE_INTERFACE=0
R_LIFE_newer = -DLIFE_INTERFACE=99
R_LIFE_foreign = -DLIFE_FOREIGN
R_LIFE_unable = -DLIFE_UNABLE
R_LIFE_broken = -DLIFE_BROKEN
# Around the real second object, in the place of libxenlight-vscsi.
R_REAL = $(LIFE_SRC) tests/hooks/fakevscsi.c $(L)/_libxl_vscsi_types.c \
         $(L)/libxl_vscsi_json.c $(L)/libxl_vscsi_addr.c $(XLU_SRC)
R_NAMES = xl launch libfakexl.so xl-vscsi-hooks.so \
          $(patsubst %,life-%.so,$(R_LIFE) real)
R_H = $(ALL_H) $(wildcard tests/hooks/*.h) config.mk

define hooks_rule
$(B)/$(1)/hooks/libfakexl.so: tests/hooks/fakelibxl.c $$(R_H)
	@mkdir -p $$(@D)
	$$(R_CC) $(2) -shared -Wl,-soname,$$(@F) -o $$@ $$< $$(YAJL_LIBS)
$(B)/$(1)/hooks/xl: tests/hooks/fakexl.c $(B)/$(1)/hooks/libfakexl.so
	$$(R_CC) $(2) -o $$@ $$^ $$(YAJL_LIBS) '-Wl,-rpath,$$$$ORIGIN'
$(B)/$(1)/hooks/launch: $$(LAUNCH_SRC) $$(LAUNCH_H)
	@mkdir -p $$(@D)
	$$(R_CC) $(2) -DXL_REAL='"./xl"' -DXL_SCSI='"./none"' \
	    -DXL_HOOKS='"./xl-vscsi-hooks.so"' -o $$@ $$(LAUNCH_SRC)
$(B)/$(1)/hooks/xl-vscsi-hooks.so: $$(HOOKS_SRC) $$(R_H)
	@mkdir -p $$(@D)
	$$(R_CC) $(2) -fvisibility=hidden -shared -o $$@ $$(HOOKS_SRC)
$(B)/$(1)/hooks/life-real.so: $$(R_REAL) $(B)/$(1)/hooks/libfakexl.so $$(R_H)
	$$(R_CC) $(2) -shared -Wl,-z,defs -o $$@ $$(filter %.c %.so,$$^) \
	    $$(YAJL_LIBS) $$(XENTOOLLOG_LIBS) -lpthread '-Wl,-rpath,$$$$ORIGIN'
$(B)/$(1)/hooks/life-%.so: tests/hooks/fakelife.c \
    $(B)/$(1)/hooks/libfakexl.so $$(R_H)
	$$(R_CC) $(2) $$(R_LIFE_$$*) -shared -o $$@ $$< \
	    $(B)/$(1)/hooks/libfakexl.so '-Wl,-rpath,$$$$ORIGIN'
$(addprefix $(B)/$(1)/unit/,test-gate test-life test-preload): \
    | $(addprefix $(B)/$(1)/hooks/,$(R_NAMES))
endef
$(eval $(call hooks_rule,san,))
$(eval $(call hooks_rule,pic,))
$(eval $(call hooks_rule,cov,--coverage))
