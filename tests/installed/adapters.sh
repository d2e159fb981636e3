#!/bin/sh
# The adapters that are installed beside a plugin, each loaded by its server, where that is installed:
# adapters.sh PLUGIN. With a wrong configuration the server must refuse, in the adapter's words; with a right one it
# must not. Needs no network, and touches nothing but a folder of its own. 389 Directory Server's needs an instance,
# which is more than a look (tests/servers).
set -eu
plugin=$1
folder=$(dirname "$plugin")
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
words="set it to a URL that stands for"

fail() {
    echo "installed: $*" >&2
    cat "$work/out" >&2
    exit 1
}

configure() {
    cat >"$work/fields.json" <<EOF
{"domain_name":"https://acme.my.salesforce.com","client_id":"id","client_secret":"cAnArY","profile":"Standard User",
 "provisioning_pattern":"{UN}","store":"$work/store.db"$1}
EOF
    echo "{\"fields\":\"$work/fields.json\",\"plugin\":\"$plugin\"}" >"$work/adapter.json"
}

# loads NAME SERVER: the function load_NAME, where adapter and server are there
loads() {
    if [ ! -f "$folder/sfprov-$1.so" ] || ! command -v "$2" >/dev/null; then
        echo "left out: sfprov-$1.so is not loaded: it or $2 is not there"
        return 0
    fi
    configure ''
    ! "load_$1" >"$work/out" 2>&1 || fail "sfprov-$1.so takes connector fields without an issuer"
    grep -q "$words" "$work/out" || fail "$2 fails, but not for sfprov-$1.so"
    configure ',"issuer":"https://idp.example"'
    "load_$1" >"$work/out" 2>&1 || fail "$2 does not load sfprov-$1.so"
    echo "installed: sfprov-$1.so is loaded by $2"
}

load_slapi() {
    mkdir -p "$work/db"
    printf '%s\n' 'include /etc/ldap/schema/core.schema' 'modulepath /usr/lib/ldap' 'moduleload back_mdb' 'database mdb' \
        'suffix dc=example,dc=org' "directory $work/db" \
        "plugin postoperation $folder/sfprov-slapi.so sfprov_init $work/adapter.json" >"$work/slapd.conf"
    slaptest -u -f "$work/slapd.conf"
}

load_kadm5() {
    printf '%s\n' '[libdefaults]' ' default_realm = EXAMPLE.ORG' '[plugins]' ' kadm5_hook = {' \
        "  module = sfprov:$folder/sfprov-kadm5.so" ' }' '[appdefaults]' ' sfprov = {' \
        "  kadm5_config = $work/adapter.json" ' }' >"$work/krb5.conf"
    printf '%s\n' '[realms]' ' EXAMPLE.ORG = {' "  database_name = $work/principal" "  key_stash_file = $work/stash" \
        ' }' >"$work/kdc.conf"
    KRB5_CONFIG=$work/krb5.conf KRB5_KDC_PROFILE=$work/kdc.conf
    export KRB5_CONFIG KRB5_KDC_PROFILE
    rm -f "$work"/principal*
    kdb5_util create -s -P master-key-1 -r EXAMPLE.ORG && kadmin.local -q 'addprinc -pw Hello-1-2 ada' &&
        [ -f "$work/store.db" ]
}

# a plain database, of no domain; the module is found where ldb looks for all, if it is linked there
load_ldb() {
    rm -f "$work/test.ldb"
    mkdir -p "$work/modules"
    ln -sf "$folder/sfprov-ldb.so" "$work/modules/"
    where=$(pkg-config --variable=modulesdir ldb 2>/dev/null) || where=
    [ "$(readlink -f "$where/sfprov-ldb.so")" = "$(readlink -f "$folder/sfprov-ldb.so")" ] || where=$work/modules
    printf '%s\n' 'dn: @SFPROV' "config: $work/adapter.json" '' 'dn: @MODULES' '@LIST: sfprov' '' |
        ldbadd -H "$work/test.ldb" && LDB_MODULES_PATH=$where ldbsearch -H "$work/test.ldb" -s base -b '@MODULES'
}

loads slapi slaptest
loads kadm5 kadmin.local
loads ldb ldbsearch
