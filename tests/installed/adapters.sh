#!/bin/sh
# The adapters that are installed beside a plugin, each loaded by its server, where that is installed:
# adapters.sh PLUGIN. With a wrong configuration the server must refuse, in the adapter's words; with a right one it
# must not. Needs no network, and touches nothing but a folder of its own.
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

# An instance without data, which listens on a socket in its folder alone. It reads nothing without starting, so it is
# started, and ended once it says its number.
load_389() {
    # the server names a semaphore of the whole system after its folder
    ds=$work/$(basename "$work") user=$(id -un)
    rm -rf "$ds"
    mkdir -p "$ds/schema"
    # those in /etc/dirsrv are not for everybody to read
    echo 'certmap default default' >"$ds/certmap.conf"
    echo 'collation "" "" "" 1 3 2.16.840.1.113730.3.3.2.0.1 default' >"$ds/slapd-collations.conf"
    echo 'dn: cn=schema' >"$ds/schema/99user.ldif"
    [ "$user" != root ] || user=dirsrv
    sed -e "s|%schema_dir%|$ds/schema|; s|%[a-z_]*_dir%|$ds|; s|%ds_user%|$user|; s|%ds_suffix%|dc=example,dc=org|" \
        -e "s|%fqdn%|localhost|; s|%ds_port%|0|; s|%ldapi_enabled%|on|; s|%ldapi%|$ds/ldapi|; s|%ldapi_autobind%|off|" \
        -e "s|%rootdn%|cn=root|; /%ds_passwd%/d; s|%db_lib%|bdb|" /usr/share/dirsrv/data/template-dse.ldif >"$ds/dse.ldif"
    printf '%s\n' 'dn: cn=sfprov,cn=plugins,cn=config' 'objectClass: nsSlapdPlugin' 'objectClass: extensibleObject' \
        'cn: sfprov' "nsslapd-pluginPath: $folder/sfprov-389.so" 'nsslapd-pluginInitfunc: sfprov_init' \
        'nsslapd-pluginType: postoperation' 'nsslapd-pluginEnabled: on' 'nsslapd-pluginId: sfprov' \
        'nsslapd-pluginVersion: 0' 'nsslapd-pluginVendor: sfprov' 'nsslapd-pluginDescription: sfprov' \
        "nsslapd-pluginarg0: $work/adapter.json" >>"$ds/dse.ldif"
    certutil -N -d "$ds" --empty-password
    [ "$(id -un)" = "$user" ] || chown -R "$user" "$work"
    ns-slapd -D "$ds" -i "$ds/pid" -d 16384 &
    server=$! tries=300
    while [ $tries -gt 0 ] && kill -0 $server && [ ! -s "$ds/pid" ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
    cat "$ds/errors"
    loaded=$(grep -c "$folder/sfprov-389.so" "/proc/$server/maps")
    kill $server && wait $server
    [ -s "$ds/pid" ] && [ "$loaded" -gt 0 ]
}

loads slapi slaptest
loads kadm5 kadmin.local
loads ldb ldbsearch
loads 389 ns-slapd
