#!/bin/sh
# What is installed below a prefix works from where it is: check.sh PREFIX VERSION. The program with
# its plugin, a host compiled through pkg-config, the man pages, what the shells complete, the adapters.
set -eu
prefix=$1 version=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "installed: $*" >&2
    exit 1
}

pc=$(find "$prefix"/lib/pkgconfig "$prefix"/lib/*/pkgconfig -name sfprov.pc 2>/dev/null | head -n 1) || :
[ -n "$pc" ] || fail "no sfprov.pc below $prefix/lib"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
ask() {
    pkg-config --define-variable=prefix="$prefix" "$@" sfprov
}
[ "$(ask --modversion)" = "$version" ] || fail "sfprov.pc says version $(ask --modversion), not $version"
plugin=$(ask --variable=plugin)
[ -f "$plugin" ] || fail "sfprov.pc says '$plugin', which is not there"

# the example, as its author's reader would build and try it; there is no org, so it only accepts
example=$(find "$prefix"/share/doc/sfprov*/examples -name 'host.c*' 2>/dev/null | head -n 1) || :
[ -n "$example" ] || fail "no host.c in the examples below $prefix/share/doc"
case $example in
*.gz) gzip -dc "$example" >"$work/host.c" ;;
*) cp "$example" "$work/host.c" ;;
esac
# shellcheck disable=SC2046 # words
${CC:-cc} -std=c99 -Wall -Wextra -Werror $(ask --cflags) -o "$work/host" "$work/host.c" -pthread -ldl
cat >"$work/fields.json" <<END
{ "domain_name": "http://127.0.0.1:9", "client_id": "id", "client_secret": "secret", "profile": "Standard User",
  "provisioning_domain": "acme.example", "issuer": "https://idp.example.com", "store": "$work/store.db" }
END
chmod 600 "$work/fields.json"
cat >"$work/event" <<'END'
{"jti":"1","sub_id":{"format":"scim","uri":"/Users/7"},"events":{"urn:ietf:params:scim:event:prov:put:full":{"data":{"userName":"ada"}}}}
END
"$work/host" "$plugin" "$work/fields.json" <"$work/event" >"$work/out" 2>"$work/said" || fail "the host: $(cat "$work/said")"
said=$(grep -v '^outcome ' "$work/out") # which comes if delivery was quick
[ "$said" = "loaded salesforce $version
accepted" ] || fail "the host said '$said'"

[ "$("$prefix/bin/sfprov" --version)" = "sfprov $version" ] || fail "sfprov --version"
SFPROV_PLUGIN=$plugin "$prefix/bin/sfprov" fields >"$work/fields"
grep -q '^client_secret' "$work/fields" || fail "sfprov fields lists no client_secret"

runs() {
    cat "$prefix/lib/systemd/system/$1" "$prefix/../lib/systemd/system/$1" 2>/dev/null | sed 's/^    exec /ExecStart=/' |
        grep -q "^ExecStart=.*/bin/sfprov $2" || fail "no unit $1 that runs 'sfprov $2'"
}
# Whether systemd takes each line of the units, which it else says in its log; the programs may be elsewhere as yet.
verify() {
    if ! command -v systemd-analyze >/dev/null; then
        echo "left out: the units are not looked at: systemd-analyze is not there"
        return 0
    fi
    mkdir "$work/units"
    for unit in "$prefix"/lib/systemd/system/sfprov* "$prefix"/../lib/systemd/system/sfprov*; do
        [ ! -f "$unit" ] || sed 's|^ExecStart=/[^ ]*/sfprov |ExecStart=/bin/true |' "$unit" \
            >"$work/units/$(basename "$unit" | sed 's/@/@root/')"
    done
    systemd-analyze verify --man=no --recursive-errors=no "$work"/units/* >"$work/said" 2>&1 ||
        fail "systemd-analyze: $(cat "$work/said")"
}
runs sfprov@.service 'run --daemon$'
runs sfprov-follow@.service 'follow '
if [ -x "$prefix/sbin/sfprov-principals" ]; then
    runs sfprov-principals.service "sync -c .*--command .*/sbin/sfprov-principals'\$"
    find "$prefix/lib/systemd" "$prefix/../lib/systemd" -name sfprov-principals.timer 2>/dev/null | grep -q . ||
        fail "no timer for the list of principals"
fi
verify

for command in $("$prefix/bin/sfprov" complete -- '' | cut -f 1 | grep -vx help); do
    find "$prefix/share/man/man1" -name "sfprov-$command.1*" | grep -q . || fail "no page for '$command'"
done
for page in man1/sfprov.1 man5/sfprov-fields.5 man7/sfprov-connector.7; do
    find "$prefix/share/man" -path "*/$page*" | grep -q . || fail "no $page"
done
# shellcheck disable=SC2016 # for the other bash
bash --norc -c '
    . "$1/share/bash-completion/completions/sfprov"
    COMP_LINE="$1/bin/sfprov stat" COMP_POINT=${#COMP_LINE} COMP_WORDS=("$1/bin/sfprov" stat) COMP_CWORD=1
    _sfprov && [ "${COMPREPLY[*]}" = status ]' bash "$prefix" || fail "bash does not complete 'stat'"
function=$(find "$prefix/share/zsh" -name _sfprov | head -n 1)
[ -n "$function" ] || fail "nothing for zsh"
if command -v zsh >/dev/null; then
    # what it would show: the functions of zsh that it ends with say what they are given
    # shellcheck disable=SC2016 # for the other shell
    said=$(zsh -f -c '
        _describe() { print -rl -- "${(@P)2}" }
        _files() { print files }
        compset() { print -r -- "without $2" }
        autoload -Uz "$1"
        for line in "list --state=p" --config=my stat; do
            words=("$2" ${=line}) CURRENT=$#words
            _sfprov
        done' zsh "$function" "$prefix/bin/sfprov" | tr '\n' ';')
    [ "$said" = "--state=pending;--state=parked;without --*=;files;status:show how far the org is in step;" ] ||
        fail "zsh completes '$said'"
else
    echo "left out: completion in zsh is not tried: zsh is not there"
fi
sh "$here/adapters.sh" "$plugin"
echo "installed: version $version, below $prefix"
