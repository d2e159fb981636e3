#!/bin/sh
# What the plugin is for the process that loads it: one exported symbol, never unloaded under a
# running thread, bound and write-protected at load, found without a search path of its own (design
# rule 21).
. "${0%/*}/frame.sh"

so=$build/.libs/sfprov.so
need "$so" "build the plugin first (make)"
need_command nm "it comes with the compiler (binutils)"
need_command readelf "it comes with the compiler (binutils)"

make_work
nm -D --defined-only "$so" >"$work/defined" || die "$so: nm cannot read it"
readelf -W -d "$so" >"$work/dynamic" || die "$so: readelf cannot read it"
readelf -W -l "$so" >"$work/segments" || die "$so: readelf cannot read it"
grep -q '(SYMTAB)' "$work/dynamic" || die "$so: has no dynamic section to look at"

# The last column; a symbol version (@@) does not make it another one.
exported=$(awk '{ sub(/@.*/, "", $NF); print $NF }' "$work/defined" | sort -u | tr '\n' ' ')
if [ "$exported" = "prov_connector_init " ]; then
	ok
else
	bad "$so: exports '$exported', not prov_connector_init alone; make the others static or hidden"
fi

has_flag()
{
	if grep -E 'FLAGS' "$work/dynamic" | grep -qw "$1"; then
		ok
	else
		bad "$so: is not marked $1: $2"
	fi
}
has_flag NODELETE "dlclose() would unload code that threads and fork handlers still use"
has_flag NOW "a symbol would be looked up, and perhaps not found, in the middle of a call"

if grep -q GNU_RELRO "$work/segments"; then
	ok
else
	bad "$so: has no RELRO segment: its tables of functions stay writable"
fi
if awk '/GNU_STACK/ { found = 1; if ($0 ~ /RWE/) found = 2 } END { exit found != 1 }' \
	"$work/segments"; then
	ok
else
	bad "$so: asks for an executable stack"
fi
for tag in TEXTREL RPATH RUNPATH; do
	if grep -qw "$tag" "$work/dynamic"; then
		bad "$so: has $tag: $(grep -w "$tag" "$work/dynamic")"
	else
		ok
	fi
done

# A library of ours that is no longer needed, or one more that every host has to load.
for library in $(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$work/dynamic"); do
	case $library in
	libjson-c.so.* | libcurl.so.* | libsqlite3.so.* | libcrypto.so.* | libpcre2-8.so.*) ok ;;
	libc.so.* | libm.so.* | libpthread.so.* | libdl.so.* | ld-linux* | libgcc_s.so.*) ok ;;
	libasan.so.* | libubsan.so.*) ok ;; # --enable-sanitizers
	*) bad "$so: needs $library, which a host would have to load too" ;;
	esac
done

# The linker checks this too (-z defs), but not in a build with sanitizers.
need_command ldd "it comes with the C library"
ldd -r "$so" >"$work/ldd" 2>&1
if grep -E 'undefined symbol|not found' "$work/ldd" >"$work/undefined"; then
	bad "$so: $(head -n 5 "$work/undefined")"
else
	ok
fi
finish
