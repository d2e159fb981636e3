/* A CA and a server certificate in memory, with keys nobody keeps. Decides in what a bad
 * certificate is bad: in that one thing only, so that a client which refuses it has seen just
 * that. */
#include "tests/org/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "tests/org/text.h"

#define DAY_SECONDS 86400
#define VALID_DAYS  90 /* so long that no client warns */

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

static void
authority_free(struct authority *authority)
{
    EVP_PKEY_free(authority->key);
    X509_free(authority->certificate);
}

static bool
add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    bool added;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

/* Serial numbers are random: a client that keeps certificates must not take one for another. */
static bool
set_serial(X509 *certificate)
{
    uint64_t number = 0;

    return RAND_bytes((unsigned char *)&number, sizeof(number)) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number >> 1) == 1;
}

static bool
set_name(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);

    return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                                      (const unsigned char *)"Simulated Salesforce org", -1, -1,
                                      0) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                      -1, 0) == 1;
}

/* A certificate without extensions, valid from `from_days` to `to_days` from now. */
static X509 *
new_certificate(EVP_PKEY *key, const char *name, int from_days, int to_days)
{
    X509 *certificate = X509_new();

    if (!certificate)
        return NULL;
    if (X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
        set_name(certificate, name) && X509_set_pubkey(certificate, key) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), (long)from_days * DAY_SECONDS) &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), (long)to_days * DAY_SECONDS))
        return certificate;
    X509_free(certificate);
    return NULL;
}

static bool
make_authority(const char *name, struct authority *ret)
{
    X509 *certificate;

    ret->key = EVP_EC_gen("P-256");
    ret->certificate = certificate =
        ret->key ? new_certificate(ret->key, name, -1, VALID_DAYS) : NULL;
    return certificate &&
           X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
           add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(certificate, certificate, NID_subject_key_identifier, "hash") &&
           X509_sign(certificate, ret->key, EVP_sha256()) > 0;
}

/* authority NULL: signed by itself. */
static X509 *
make_server(EVP_PKEY *key, const struct authority *authority, enum org_sim_certificate kind)
{
    const char *hosts = kind == ORG_SIM_WRONG_HOST ? "DNS:elsewhere.example,IP:192.0.2.1"
                                                   : "DNS:localhost,IP:127.0.0.1,IP:::1";
    bool expired = kind == ORG_SIM_EXPIRED;
    X509 *certificate =
        new_certificate(key, "sfprov-org", expired ? -4 : -1, expired ? -1 : VALID_DAYS);
    X509 *issuer = authority ? authority->certificate : certificate;

    if (certificate && X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
        add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
        add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") &&
        add_extension(certificate, issuer, NID_subject_alt_name, hosts) &&
        X509_sign(certificate, authority ? authority->key : key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* Takes over the memory; NULL stays NULL. */
static char *
text_of(BIO *memory)
{
    char *data = NULL, *text = NULL;
    long length = memory ? BIO_get_mem_data(memory, &data) : 0;

    if (length > 0) {
        text = text_block((size_t)length + 1);
        memcpy(text, data, (size_t)length);
    }
    BIO_free(memory);
    return text;
}

static char *
certificate_text(X509 *certificate)
{
    BIO *memory = BIO_new(BIO_s_mem());

    if (memory)
        PEM_write_bio_X509(memory, certificate);
    return text_of(memory);
}

static char *
key_text(EVP_PKEY *key)
{
    BIO *memory = BIO_new(BIO_s_mem());

    if (memory)
        PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL);
    return text_of(memory);
}

bool
tls_identity_make(enum org_sim_certificate kind, struct tls_identity *ret)
{
    struct authority told = { NULL, NULL }, other = { NULL, NULL };
    const struct authority *signer = kind == ORG_SIM_SELF_SIGNED  ? NULL
                                     : kind == ORG_SIM_UNKNOWN_CA ? &other
                                                                  : &told;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = NULL;

    *ret = (struct tls_identity){ NULL, NULL, NULL };
    if (key && make_authority("Simulated CA", &told) && make_authority("Another CA", &other))
        certificate = make_server(key, signer, kind);
    if (certificate) {
        ret->ca = certificate_text(told.certificate);
        ret->certificate = certificate_text(certificate);
        ret->key = key_text(key);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    authority_free(&told);
    authority_free(&other);
    if (ret->ca && ret->certificate && ret->key)
        return true;
    tls_identity_free(ret);
    return false;
}

void
tls_identity_free(struct tls_identity *identity)
{
    free(identity->ca);
    free(identity->certificate);
    free(identity->key);
    *identity = (struct tls_identity){ NULL, NULL, NULL };
}
