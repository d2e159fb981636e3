# Builds the fuzz targets with clang and runs them: `make fuzz` of the top directory hands in top,
# out, targets, seconds, and the sources and flags of the rooms. Everything lands below $(out): what
# libFuzzer found interesting in corpus/, what breaks a target in crashes/.
CLANG ?= clang
CFLAGS_FUZZ = -std=gnu11 -g -O1 -pthread -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
CPPFLAGS_FUZZ = $(cppflags)

plugin_objects = $(plugin_sources:%.c=$(out)/%.o)
list_objects = $(list_sources:%.c=$(out)/%.o)
org_objects = $(org_sources:%.c=$(out)/%.o)
programs = $(targets:%=$(out)/fuzz_%)

run: $(programs:%=%.run)

$(out)/%.o: $(top)/%.c
	@mkdir -p $(@D)
	@echo '  CLANG    $*.c'
	@$(CLANG) $(CFLAGS_FUZZ) $(CPPFLAGS_FUZZ) -MMD -c $< -o $@

$(out)/libplugin.a: $(plugin_objects)
	@rm -f $@; ar rcs $@ $^
$(out)/liborg.a: $(org_objects)
	@rm -f $@; ar rcs $@ $^

$(out)/liblists.a: $(list_objects)
	@rm -f $@; ar rcs $@ $^

$(out)/fuzz_csv $(out)/fuzz_ldif: rooms = $(out)/liblists.a
$(out)/fuzz_csv $(out)/fuzz_ldif: $(out)/liblists.a
$(out)/fuzz_soql: rooms = $(out)/liborg.a
$(out)/fuzz_soql: $(out)/liborg.a
$(out)/fuzz_%: rooms = $(out)/libplugin.a
$(out)/fuzz_%: $(out)/tests/fuzz/fuzz_%.o $(out)/libplugin.a
	@echo '  CLANGLD  fuzz_$*'
	@$(CLANG) -fsanitize=fuzzer,address,undefined -pthread \
		$< $(rooms) $(libs) -o $@

# A crash ends the run with the input's path and what did not hold.
$(programs:%=%.run): $(out)/fuzz_%.run: $(out)/fuzz_%
	@mkdir -p $(out)/corpus/$* $(out)/crashes
	$(out)/fuzz_$* -max_total_time=$(seconds) -max_len=8192 -timeout=20 -rss_limit_mb=2048 \
		-verbosity=0 -print_final_stats=1 -artifact_prefix=$(out)/crashes/$*- \
		$(out)/corpus/$* $(top)/tests/fuzz/corpus/$*

.PHONY: run $(programs:%=%.run)
.SECONDARY:
-include $(plugin_objects:.o=.d) $(org_objects:.o=.d)
