/* Secrets: memory and files that hold them, and sealing. */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/base/seal.h"
#include "plugin/base/secret.h"
#include "tests/unit/unit.h"

#define HEX_A  "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
#define BASE_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEX_B  "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define CLEAR  "cAnArY: what nobody may read"

static char directory[] = "/tmp/sfprov-seal-XXXXXX";
static char path[64], source[80];

static void
write_file(const void *bytes, size_t length, mode_t mode)
{
    int file;

    if (path[0])
        unlink(path);
    else if (!mkdtemp(directory))
        abort();
    snprintf(path, sizeof(path), "%s/key", directory);
    snprintf(source, sizeof(source), "file:%s", path);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (file < 0 || write(file, bytes, length) != (ssize_t)length || fchmod(file, mode) != 0)
        abort();
    close(file);
}

static void
write_text(const char *text)
{
    write_file(text, strlen(text), 0600);
}

static struct sealer *
load(const char *text)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct sealer *sealer = NULL;

    write_text(text);
    T_OK(sealer_load(source, &sealer, &err), &err);
    return sealer;
}

/* What loading this file says. */
static const char *
refused(const void *bytes, size_t length, mode_t mode)
{
    static struct prov_error err;
    struct sealer *sealer = NULL;

    err = (struct prov_error)PROV_ERROR_INIT;
    write_file(bytes, length, mode);
    T_INT(sealer_load(source, &sealer, &err), PROV_E_FIELDS);
    T_TRUE(!sealer);
    T_TRUE(!strstr(err.text, "0203040506")); /* no part of a key */
    return err.text;
}

static int
open_at(const struct sealer *sealer, const char *purpose, const char *place,
        const unsigned char *sealed, size_t length, struct prov_error *err)
{
    AUTO_SECRET char *text = NULL;
    size_t got = 0;
    int r = seal_open(sealer, purpose, place, sealed, length, &text, &got, err);

    if (!r) {
        T_INT(got, strlen(CLEAR));
        T_STR(text, CLEAR);
    }
    return r;
}

/* ---- sealing ---- */

static void
what_is_sealed_opens_again_whatever_its_length(void)
{
    CLEANUP(sealer_cleanup) struct sealer *sealer = load(HEX_A "\n");
    char clear[200];

    memset(clear, 0x80, sizeof(clear)); /* like the padding */
    for (size_t length = 0; length < sizeof(clear); length++) {
        struct prov_error err = PROV_ERROR_INIT;
        AUTO_FREE unsigned char *sealed = NULL;
        AUTO_SECRET char *text = NULL;
        size_t size = 0, got = 0;

        if (length % 2)
            clear[length - 1] = 0;
        T_OK(seal(sealer, "password", "row 1", clear, length, &sealed, &size, &err), &err);
        T_INT((size - 37) % 64, 0);
        T_OK(seal_open(sealer, "password", "row 1", sealed, size, &text, &got, &err), &err);
        T_INT(got, length);
        T_TRUE(text && memcmp(text, clear, length) == 0 && text[length] == 0);
    }
}

static void
the_clear_text_and_its_length_do_not_show(void)
{
    CLEANUP(sealer_cleanup) struct sealer *sealer = load(HEX_A "\n");
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE unsigned char *one = NULL;
    AUTO_FREE unsigned char *again = NULL;
    AUTO_FREE unsigned char *other = NULL;
    size_t size = 0, again_size = 0, other_size = 0;

    T_OK(seal(sealer, "password", "row", CLEAR, strlen(CLEAR), &one, &size, &err), &err);
    T_OK(seal(sealer, "password", "row", CLEAR, strlen(CLEAR), &again, &again_size, &err), &err);
    T_OK(seal(sealer, "password", "row", "x", 1, &other, &other_size, &err), &err);
    T_INT(size, other_size);
    T_TRUE(!memmem(one, size, "corr", 4) && !memmem(one, size, "horse", 5));
    T_TRUE(memcmp(one + 9, again + 9, size - 9) != 0); /* its own nonce each time */
}

static void
every_bit_that_flips_is_noticed(void)
{
    CLEANUP(sealer_cleanup) struct sealer *sealer = load(HEX_A "\n");
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE unsigned char *sealed = NULL;
    size_t size = 0;

    T_OK(seal(sealer, "password", "row", CLEAR, strlen(CLEAR), &sealed, &size, &err), &err);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bool in_key_id = bit / 8 >= 1 && bit / 8 < 9;
        sealed[bit / 8] ^= (unsigned char)(1U << bit % 8);
        T_INT(open_at(sealer, "password", "row", sealed, size, &err),
              in_key_id ? PROV_E_STATE : PROV_E_INVALID);
        sealed[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    T_OK(open_at(sealer, "password", "row", sealed, size, &err), &err);
}

static void
what_is_cut_or_longer_is_noticed(void)
{
    CLEANUP(sealer_cleanup) struct sealer *sealer = load(HEX_A "\n");
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE unsigned char *sealed = NULL;
    unsigned char longer[300] = { 0 };
    size_t size = 0;

    T_OK(seal(sealer, "password", "row", CLEAR, strlen(CLEAR), &sealed, &size, &err), &err);
    memcpy(longer, sealed, size);
    for (size_t length = 0; length < sizeof(longer); length++) {
        if (length != size)
            T_INT(open_at(sealer, "password", "row", longer, length, &err), PROV_E_INVALID);
    }
}

static void
a_record_of_another_row_or_purpose_does_not_open(void)
{
    CLEANUP(sealer_cleanup) struct sealer *sealer = load(HEX_A "\n");
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE unsigned char *sealed = NULL;
    size_t size = 0;

    T_OK(seal(sealer, "password", "row 1", CLEAR, strlen(CLEAR), &sealed, &size, &err), &err);
    T_INT(open_at(sealer, "password", "row 2", sealed, size, &err), PROV_E_INVALID);
    T_HAS(err.text, "'row 2' cannot be opened: it was cut, altered or taken from another row");
    T_INT(open_at(sealer, "token", "row 1", sealed, size, &err), PROV_E_INVALID);
    T_INT(open_at(sealer, "passwordrow", " 1", sealed, size, &err), PROV_E_INVALID);
}

static void
another_key_says_which_one_is_missing(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    CLEANUP(sealer_cleanup) struct sealer *a = load(HEX_A "\n");
    CLEANUP(sealer_cleanup) struct sealer *b = load(HEX_B "\n");
    AUTO_FREE unsigned char *sealed = NULL;
    char id[SEAL_KEY_ID_HEX];
    size_t size = 0;

    sealer_id(a, id);
    T_OK(seal(a, "password", "row", CLEAR, strlen(CLEAR), &sealed, &size, &err), &err);
    T_INT(open_at(b, "password", "row", sealed, size, &err), PROV_E_STATE);
    T_HAS(err.text, id);
    T_HAS(err.text, "nothing is lost");
    T_OK(open_at(a, "password", "row", sealed, size, &err), &err);
}

static void
after_a_rotation_the_old_key_opens_and_the_new_one_seals(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    CLEANUP(sealer_cleanup) struct sealer *old = load(HEX_A "\n");
    CLEANUP(sealer_cleanup)
    struct sealer *both = load("# since May\n\n " HEX_B "\r\n# until May\n" BASE_A);
    CLEANUP(sealer_cleanup) struct sealer *fresh = load(HEX_B);
    AUTO_FREE unsigned char *before = NULL;
    AUTO_FREE unsigned char *after = NULL;
    size_t before_size = 0, after_size = 0;

    T_OK(seal(old, "password", "row", CLEAR, strlen(CLEAR), &before, &before_size, &err), &err);
    T_OK(seal(both, "password", "row", CLEAR, strlen(CLEAR), &after, &after_size, &err), &err);
    T_OK(open_at(both, "password", "row", before, before_size, &err), &err);
    T_OK(open_at(both, "password", "row", after, after_size, &err), &err);
    T_OK(open_at(fresh, "password", "row", after, after_size, &err), &err);
    T_INT(open_at(old, "password", "row", after, after_size, &err), PROV_E_STATE);
}

/* ---- the file ---- */

static void
hex_base64_and_the_bare_bytes_are_the_same_key(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    CLEANUP(sealer_cleanup) struct sealer *hex = load(HEX_A "\n");
    CLEANUP(sealer_cleanup) struct sealer *base64 = load(BASE_A);
    CLEANUP(sealer_cleanup) struct sealer *bare = NULL;
    char a[SEAL_KEY_ID_HEX], b[SEAL_KEY_ID_HEX], c[SEAL_KEY_ID_HEX];
    unsigned char bytes[32];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    write_file(bytes, sizeof(bytes), 0400);
    T_OK(sealer_load(source, &bare, &err), &err);
    sealer_id(hex, a);
    sealer_id(base64, b);
    sealer_id(bare, c);
    T_STR(a, b);
    T_STR(a, c);
    T_INT(strlen(a), 16);
}

static void
a_file_that_holds_no_key_is_refused_with_its_line(void)
{
    static const char *const odd[] = { HEX_A "0\n", "00" HEX_A, "correct horse",
                                       HEX_A "\n\n" HEX_B "," HEX_A, "AAEC=\n",
                                       /* base64 of 33 bytes, and one with bits left over */
                                       "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
                                       "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=" };

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        T_HAS(refused(odd[i], strlen(odd[i]), 0600), "openssl rand -hex 32");
    T_HAS(refused(odd[3], strlen(odd[3]), 0600), "line 3 is no key: it has 129 letters");
    T_HAS(refused("", 0, 0600), "has 0 bytes");
    T_HAS(refused("# nothing\n", 10, 0600), "holds no key");
    T_HAS(refused(HEX_A "\n" BASE_A, strlen(HEX_A "\n" BASE_A), 0600), "line 2: this key stands");
}

static void
a_file_that_others_can_read_is_refused(void)
{
    T_HAS(refused(HEX_A, strlen(HEX_A), 0640), "others can read or change");
    T_HAS(refused(HEX_A, strlen(HEX_A), 0604), "others can read or change");
}

/* ---- memory ---- */

/* Whether the mapping with this address is left out of core dumps. */
static bool
is_left_out(const void *address)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[400];
    bool inside = false, found = false;

    while (maps && fgets(line, sizeof(line), maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (unsigned long)address >= from && (unsigned long)address < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, " dd") != NULL;
    }
    if (maps)
        fclose(maps);
    return found;
}

static void
secret_memory_is_zeroed_and_in_no_core_dump(void)
{
    char *secret = secret_alloc(10000);

    T_TRUE(secret != NULL);
    for (size_t i = 0; i < 10000; i++)
        T_TRUE(secret[i] == 0);
    T_TRUE(is_left_out(secret));
    T_TRUE(!is_left_out(path));
    secret_free(secret);
    secret_free(NULL);
    T_TRUE(!secret_alloc((size_t)-1));
}

static const struct unit_case cases[] = {
    UNIT_CASE(what_is_sealed_opens_again_whatever_its_length),
    UNIT_CASE(the_clear_text_and_its_length_do_not_show),
    UNIT_CASE(every_bit_that_flips_is_noticed),
    UNIT_CASE(what_is_cut_or_longer_is_noticed),
    UNIT_CASE(a_record_of_another_row_or_purpose_does_not_open),
    UNIT_CASE(another_key_says_which_one_is_missing),
    UNIT_CASE(after_a_rotation_the_old_key_opens_and_the_new_one_seals),
    UNIT_CASE(hex_base64_and_the_bare_bytes_are_the_same_key),
    UNIT_CASE(a_file_that_holds_no_key_is_refused_with_its_line),
    UNIT_CASE(a_file_that_others_can_read_is_refused),
    UNIT_CASE(secret_memory_is_zeroed_and_in_no_core_dump),
};

int
main(int argc, char **argv)
{
    int result = unit_run("seal", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);

    if (path[0]) {
        unlink(path);
        rmdir(directory);
    }
    return result;
}
