# SPDX-License-Identifier: BSD-3-Clause
# nsclone. On a fresh machine: `sudo make try`, `sudo make check`. Everything is built below $(B).

B          ?= build
DESTDIR    ?=
prefix     ?= /usr
sysconfdir ?= /etc
multiarch  := $(shell $(CC) -print-multiarch 2>/dev/null)
libdir     ?= $(prefix)/lib$(if $(multiarch),/$(multiarch))
pamdir     ?= $(libdir)/security
sbindir    ?= $(prefix)/sbin
includedir ?= $(prefix)/include
mandir     ?= $(prefix)/share/man
docdir     ?= $(prefix)/share/doc/nsclone
pkglibdir  ?= $(prefix)/lib/nsclone
vendordir  ?= $(pkglibdir)/policy.d
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
unitdir    ?= $(prefix)/lib/systemd/system

VERSION := $(shell sed -n 's/^#define NSCLONE_VERSION "\(.*\)"/\1/p' lib/core/nsclone.h)

CFLAGS  ?= -O2 -g
fortify := $(if $(findstring -O,$(filter-out -O0,$(CFLAGS))),-D_FORTIFY_SOURCE=2)
HARDEN  ?= -fstack-protector-strong -fstack-clash-protection -fcf-protection=$(if $(filter x86_64%,$(multiarch)),full,none) \
	   $(fortify)
WARN    := -Wall -Wextra -Wswitch-enum -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wundef \
	   -Wpointer-arith -Wwrite-strings -Wvla -Wcast-qual
override CFLAGS += -std=gnu11 -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections $(HARDEN) $(WARN) $(SANITIZE)
override CPPFLAGS += -D_GNU_SOURCE -I. -DNSCLONE_SYSCONF_DIR='"$(sysconfdir)/security"' -DNSCLONE_VENDOR_DIR='"$(vendordir)"' \
	-DNSCLONE_LIB_DIR='"$(pkglibdir)"' -DNSCLONE_SBIN_DIR='"$(sbindir)"'
override LDFLAGS += -Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,--as-needed $(SANITIZE)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $1 $(@:$(B)/%=%))

CORE    := $(patsubst %,$(B)/%.o,$(basename $(wildcard lib/core/*.c)))
POLICY  := $(patsubst %.c,$(B)/%.o,$(wildcard lib/policy/*.c))
SESSION := $(patsubst %.c,$(B)/%.o,$(wildcard lib/session/*.c))
CMD     := $(patsubst %.c,$(B)/%.o,nsclone.c $(wildcard cmd/*.c))
KEEPER  := $(patsubst %.c,$(B)/%.o,$(wildcard keeper/*.c))
UNIT    := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
HELPERS := $(patsubst tests/helpers/%.c,$(B)/tests/%,$(wildcard tests/helpers/*.c))
BENCH   := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
PRODUCTS := $(B)/pam_nsclone.so $(B)/nsclone $(B)/nsclone-keeper $(B)/nsclone-init $(B)/nsclone-keeper.service $(B)/libnsclone.so.0 \
	    $(B)/libnsclone.a $(B)/libnsclone.pc

all: $(PRODUCTS)

$(B)/%.o: %.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/liball.a: $(CORE) $(POLICY) $(SESSION)
	$(call say,AR)
	$(Q)rm -f $@; $(AR) rcs $@ $^

# Apart, so that the module's and the command's archive stays what they need
$(B)/libkeeper.a: $(KEEPER)
	$(call say,AR)
	@mkdir -p $(@D)
	$(Q)rm -f $@; $(AR) rcs $@ $^

$(B)/libnsclone.a: $(CORE)
	$(call say,AR)
	$(Q)rm -f $@; $(AR) rcs $@ $^

$(B)/libnsclone.so.0: $(CORE) lib/core/libnsclone.map
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libnsclone.so.0 -Wl,--version-script=lib/core/libnsclone.map \
		-o $@ $(CORE)

$(B)/nsclone-keeper.service: packaging/nsclone-keeper.service.in
	@mkdir -p $(@D)
	$(Q)sed 's|@pkglibdir@|$(pkglibdir)|' $< >$@

$(B)/libnsclone.pc: packaging/libnsclone.pc.in lib/core/nsclone.h
	@mkdir -p $(@D)
	$(Q)sed 's|@VERSION@|$(VERSION)|; s|@prefix@|$(prefix)|; s|@libdir@|$(libdir)|; s|@includedir@|$(includedir)|' $< >$@

# A guest in login daemons: libc and libpam, nothing else; only pam_sm_* to be seen. Every pam_start maps it: so what nobody
# calls is left out; it has no constructors, and without startfiles no page to write to but those of its relocations; and
# constants share the pages of code (noseparate-code; read-only, executable), which makes two segments of four.
$(B)/pam_nsclone.so: $(B)/pam_nsclone.o $(B)/liball.a pam_nsclone.map
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -nostartfiles -Wl,-z,nodelete -Wl,-z,noseparate-code -Wl,--gc-sections \
		-Wl,--version-script=pam_nsclone.map -o $@ $< $(B)/liball.a -lpam

$(B)/nsclone: $(CMD) $(B)/liball.a
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $(CMD) $(B)/liball.a -lmount -lsmartcols

$(B)/nsclone-keeper: $(B)/nsclone-keeper.o $(B)/libkeeper.a $(B)/liball.a
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $^

# Process 1 of a user's PID namespace: the system calls and nothing else
$(B)/nsclone-init: $(B)/nsclone-init.o $(B)/libnsclone.a
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $^

# A unit test names the functions that it stands in for: /* WRAP: sys_mkdirat sys_fchown */
$(B)/tests/test_%: tests/unit/test_%.c $(B)/libkeeper.a $(B)/liball.a
	$(call say,TEST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes -MMD -MP -MF $@.d $(LDFLAGS) -pie -o $@ $< \
		$(addprefix -Wl$(comma)--wrap=,$(shell sed -n 's|^/\* WRAP: \(.*\) \*/$$|\1|p' $<)) $(B)/libkeeper.a $(B)/liball.a -lcmocka -lpam
comma := ,

$(B)/tests/test_spawn: | $(B)/nsclone-init

# Small programs for the behaviour tests: name.c is a program, name.so.c a shared object, both with libpam at hand
$(B)/tests/%.so: tests/helpers/%.so.c
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -fvisibility=hidden,$(CFLAGS)) -Wno-missing-prototypes -MMD -MP -MF $@.d $(LDFLAGS) -shared -o $@ $< -lpam

$(B)/tests/%: tests/helpers/%.c
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -pie -o $@ $< -lpam

# The same for what `make bench` measures with
$(B)/bench/%.so: tests/bench/%.so.c
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -fvisibility=hidden,$(CFLAGS)) -Wno-missing-prototypes -MMD -MP -MF $@.d $(LDFLAGS) \
		-Wl,-z,nodelete -shared -o $@ $<

$(B)/bench/%: tests/bench/%.c $(B)/liball.a
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -pie -o $@ $< $(B)/liball.a -lpam

tests: all $(UNIT) $(HELPERS) $(BENCH)

try:
	$(Q)packaging/deps.sh build
	$(Q)$(MAKE) --no-print-directory -j2 all $(B)/tests/pam-login
	$(Q)B=$(B) tests/try.sh

check:
	$(Q)packaging/deps.sh check
	$(Q)$(MAKE) --no-print-directory -j2 tests
	$(Q)B=$(B) tests/run.sh

# Downloads a Debian once, then boots copies of it
check-system:
	$(Q)packaging/deps.sh build
	$(Q)$(MAKE) --no-print-directory -j2 all $(B)/tests/pty
	$(Q)B=$(B) tests/system/run.sh

check-mutants: ; $(Q)packaging/deps.sh check && tests/mutants/run.sh
asan:          ; $(Q)tests/sanitize.sh asan
valgrind:      ; $(Q)tests/sanitize.sh valgrind
fuzz:          ; $(Q)tests/sanitize.sh fuzz
lint:          ; $(Q)packaging/deps.sh lint && tests/lint.sh

bench:
	$(Q)packaging/deps.sh bench
	$(Q)$(MAKE) --no-print-directory -j2 $(B)/pam_nsclone.so $(B)/nsclone-keeper $(B)/nsclone-init $(BENCH)
	$(Q)B=$(B) tests/bench/run.sh

compile_commands.json: Makefile
	bear -- $(MAKE) -B all

install: all
	install -d $(DESTDIR)$(pamdir) $(DESTDIR)$(sbindir) $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir) \
		$(DESTDIR)$(vendordir) $(DESTDIR)$(sysconfdir)/security/nsclone.d $(DESTDIR)$(docdir)/samples \
		$(DESTDIR)$(tmpfilesdir) $(DESTDIR)$(unitdir) $(addprefix $(DESTDIR)$(mandir)/man,3 5 8)
	install -m 644 $(B)/pam_nsclone.so $(DESTDIR)$(pamdir)
	install -m 755 $(B)/nsclone $(DESTDIR)$(sbindir)
	install -m 755 $(B)/nsclone-keeper $(B)/nsclone-init $(DESTDIR)$(pkglibdir)
	install -m 644 $(B)/libnsclone.a $(B)/libnsclone.so.0 $(DESTDIR)$(libdir)
	ln -sf libnsclone.so.0 $(DESTDIR)$(libdir)/libnsclone.so
	install -m 644 $(B)/libnsclone.pc $(DESTDIR)$(libdir)/pkgconfig
	install -m 644 lib/core/nsclone.h $(DESTDIR)$(includedir)
	install -m 644 docs/*.3 $(DESTDIR)$(mandir)/man3
	install -m 644 docs/*.5 $(DESTDIR)$(mandir)/man5
	install -m 644 docs/*.8 $(DESTDIR)$(mandir)/man8
	install -m 644 README.md LICENSE conf/pam.d.sample $(DESTDIR)$(docdir)
	install -m 644 conf/samples/*.conf $(DESTDIR)$(docdir)/samples
	install -m 644 packaging/nsclone-keeper.socket $(B)/nsclone-keeper.service $(DESTDIR)$(unitdir)
	install -m 644 packaging/tmpfiles.conf $(DESTDIR)$(tmpfilesdir)/nsclone.conf
	test -e $(DESTDIR)$(sysconfdir)/security/nsclone.conf || install -m 644 conf/nsclone.conf $(DESTDIR)$(sysconfdir)/security

clean:
	rm -rf $(B)

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
.PHONY: all tests try check check-system check-mutants asan valgrind fuzz lint bench install clean
.DELETE_ON_ERROR:
.SECONDARY:
