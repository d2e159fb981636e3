/* Private keys over OpenSSL. It decides which keys are strong enough and which forms are read; what is
 * signed is for salesforce/jwt.c. */
#include "plugin/base/key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plugin/base/fork.h"
#include "plugin/base/secret.h"

#define LEAST_BITS 2048

struct key {
    EVP_PKEY *private_key;
    X509 *certificate; /* NULL: none is known */
};

DEFINE_CLEANUP(BIO *, bio, BIO_free);

void
key_free(struct key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->private_key);
    X509_free(key->certificate);
    free(key);
}

/* Without it OpenSSL would ask on the terminal of the host. */
static int
give_password(char *buffer, int size, int for_writing, void *password)
{
    int length = password ? (int)strlen(password) : -1;

    (void)for_writing;
    if (length < 0 || length > size)
        return -1;
    memcpy(buffer, password, (size_t)length);
    return length;
}

static bool
holds(const char *bytes, size_t length, const char *words)
{
    return memmem(bytes, length, words, strlen(words)) != NULL;
}

/* A certificate of this key replaces none. Takes it over. */
static bool
take_certificate(struct key *key, X509 *certificate)
{
    if (key->certificate || X509_check_private_key(certificate, key->private_key) != 1) {
        X509_free(certificate);
        return false;
    }
    key->certificate = certificate;
    return true;
}

static int
read_pem(const char *bytes, size_t length, const char *password, struct key *key,
         struct prov_error *err)
{
    CLEANUP(bio_cleanup) BIO *memory = BIO_new_mem_buf(bytes, (int)length);
    CLEANUP(bio_cleanup) BIO *again = BIO_new_mem_buf(bytes, (int)length);
    X509 *certificate;

    if (!memory || !again)
        return error_nomem(err);
    key->private_key = PEM_read_bio_PrivateKey(memory, NULL, give_password, (void *)password);
    if (!key->private_key && holds(bytes, length, "ENCRYPTED"))
        return error_set(err, PROV_E_FIELDS,
                         "the key is encrypted, and %s; set private_key_password",
                         password ? "the password does not open it" : "no password is given");
    if (!key->private_key)
        return error_set(err, PROV_E_FIELDS,
                         "there is no private key in the PEM file that can be read; it begins "
                         "with -----BEGIN PRIVATE KEY-----");
    while ((certificate = PEM_read_bio_X509(again, NULL, give_password, NULL)))
        (void)take_certificate(key, certificate);
    return PROV_OK;
}

static int
read_pkcs12(const char *bytes, size_t length, const char *password, struct key *key,
            struct prov_error *err)
{
    const unsigned char *at = (const unsigned char *)bytes;
    PKCS12 *bundle = d2i_PKCS12(NULL, &at, (long)length);
    X509 *certificate = NULL;
    bool opened, right, told;

    if (!bundle)
        return error_set(err, PROV_E_FIELDS,
                         "the private key is neither PEM nor PKCS#12; write it with `openssl "
                         "genrsa -out key.pem 2048`");
    told = PKCS12_mac_present(bundle); /* whether the password is the right one */
    right = !told || PKCS12_verify_mac(bundle, password ? password : "", -1);
    opened =
        right &&
        PKCS12_parse(bundle, password ? password : "", &key->private_key, &certificate, NULL) &&
        key->private_key;
    PKCS12_free(bundle);
    if (!right)
        return error_set(err, PROV_E_FIELDS,
                         "the PKCS#12 file is encrypted, and %s; set private_key_password",
                         password ? "the password does not open it" : "no password is given");
    if (!opened) {
        X509_free(certificate);
        return error_set(
            err, PROV_E_FIELDS,
            "no private key can be taken from the PKCS#12 file; %s: write it anew with "
            "`openssl pkcs12 -export`",
            told ? "files of old tools use ciphers that OpenSSL 3 leaves out"
                 : "it has no MAC, by which a password is known to be the right one");
    }
    if (certificate)
        (void)take_certificate(key, certificate);
    return PROV_OK;
}

static int
check_strength(const struct key *key, struct prov_error *err)
{
    if (EVP_PKEY_base_id(key->private_key) != EVP_PKEY_RSA)
        return error_set(err, PROV_E_FIELDS,
                         "the private key is no RSA key, and Salesforce takes RS256 only; make "
                         "one with `openssl genrsa -out key.pem 2048`");
    if (EVP_PKEY_bits(key->private_key) < LEAST_BITS)
        return error_set(err, PROV_E_FIELDS,
                         "the private key has %d bits, at least %d are needed; make one with "
                         "`openssl genrsa -out key.pem %d`",
                         EVP_PKEY_bits(key->private_key), LEAST_BITS, LEAST_BITS);
    return PROV_OK;
}

int
key_read(const char *bytes, size_t length, const char *password, struct key **ret,
         struct prov_error *err)
{
    CLEANUP(fork_gate_leave) int inside = fork_gate_enter();
    CLEANUP(key_cleanup) struct key *key = calloc(1, sizeof(*key));
    int r;

    if (!key)
        return error_nomem(err);
    if (length > INT32_MAX)
        return error_set(err, PROV_E_FIELDS, "the private key is too long");
    r = holds(bytes, length, "-----BEGIN") ? read_pem(bytes, length, password, key, err)
                                           : read_pkcs12(bytes, length, password, key, err);
    ERR_clear_error(); /* the host may read the thread's queue */
    if (!r)
        r = check_strength(key, err);
    if (!r)
        *ret = STEAL(key);
    return r;
}

int
key_add_certificate(struct key *key, const char *bytes, size_t length, struct prov_error *err)
{
    CLEANUP(fork_gate_leave) int inside = fork_gate_enter();
    CLEANUP(bio_cleanup) BIO *memory = BIO_new_mem_buf(bytes, (int)length);
    const unsigned char *at = (const unsigned char *)bytes;
    X509 *certificate;

    if (!memory)
        return error_nomem(err);
    certificate = holds(bytes, length, "-----BEGIN")
                      ? PEM_read_bio_X509(memory, NULL, give_password, NULL)
                      : d2i_X509(NULL, &at, (long)length);
    ERR_clear_error();
    if (!certificate)
        return error_set(err, PROV_E_FIELDS,
                         "there is no certificate in the file; it begins with -----BEGIN "
                         "CERTIFICATE-----");
    X509_free(STEAL(key->certificate)); /* what was named outright counts */
    if (!take_certificate(key, certificate))
        return error_set(err, PROV_E_FIELDS,
                         "the certificate is not of this private key; name the one that was "
                         "uploaded to the app together with it");
    return PROV_OK;
}

int64_t
key_expires_us(const struct key *key)
{
    struct tm end;

    if (!key->certificate || ASN1_TIME_to_tm(X509_get0_notAfter(key->certificate), &end) != 1)
        return 0;
    return (int64_t)timegm(&end) * 1000000;
}

char *
key_base64url(const void *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *in = bytes;
    char *text = malloc(length / 3 * 4 + 5), *out = text;

    if (!text)
        return NULL;
    for (size_t i = 0; i < length; i += 3) {
        size_t rest = length - i;
        unsigned group = (unsigned)in[i] << 16 | (rest > 1 ? (unsigned)in[i + 1] << 8 : 0) |
                         (rest > 2 ? in[i + 2] : 0);
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        if (rest > 1)
            *out++ = digits[group >> 6 & 63];
        if (rest > 2)
            *out++ = digits[group & 63];
    }
    *out = '\0';
    return text;
}

int
key_sign(const struct key *key, const char *text, char **ret, struct prov_error *err)
{
    CLEANUP(fork_gate_leave) int inside = fork_gate_enter();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[2048]; /* of a key of up to 16384 bits */
    size_t length = sizeof(signature);
    bool made =
        context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->private_key) == 1 &&
        EVP_DigestSign(context, signature, &length, (const unsigned char *)text, strlen(text)) == 1;

    EVP_MD_CTX_free(context);
    ERR_clear_error();
    *ret = made ? secret_take(key_base64url(signature, length)) : NULL;
    explicit_bzero(signature, sizeof(signature));
    return *ret ? PROV_OK : error_nomem(err);
}
