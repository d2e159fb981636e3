/* One thread a connection; HTTP/1.1 as libcurl and h2load speak it. A create is answered with new ids,
 * an update with the ids that were sent. */
#include "tests/bench/canned.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/org/tls.h"

#define REQUEST_MOST (1u << 20)
#define ANSWER_MOST  (1u << 16)

static struct canned *canned;
static SSL_CTX *context;

static void
fail(const char *what)
{
    fprintf(stderr, "canned server: %s\n", what);
    exit(1);
}

static long long
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- answers ---- */

static size_t
answer_collection(const char *body, int update, char *ret)
{
    const char *mark = update ? "\"id\":\"" : "\"attributes\"";
    static atomic_int next;
    size_t length = 0;
    const char *at = body;

    ret[length++] = '[';
    while ((at = strstr(at, mark))) {
        at += strlen(mark);
        length += (size_t)sprintf(ret + length, "%s{\"id\":\"", length > 1 ? "," : "");
        length += update
                      ? (size_t)sprintf(ret + length, "%.18s", at)
                      : (size_t)sprintf(ret + length, "0055g00%08dAAA", atomic_fetch_add(&next, 1));
        length += (size_t)sprintf(ret + length, "\",\"success\":true,\"errors\":[]}");
    }
    ret[length++] = ']';
    return length;
}

static size_t
answer_body(const char *request, const char *body, char *ret)
{
    const char *line_end = strstr(request, "\r\n");
    const char *collection = strstr(request, "/composite/sobjects");

    if (strncmp(request, "POST /services/oauth2/token", 27) == 0)
        return (size_t)sprintf(ret,
                               "{\"access_token\":\"00D000000000001!token\",\"instance_url\":"
                               "\"https://127.0.0.1:%d\",\"id\":\"https://127.0.0.1:%d/id/"
                               "00D000000000001EAA/005000000000001AAA\",\"token_type\":\"Bearer\"}",
                               canned->port, canned->port);
    if (collection && collection < line_end)
        return answer_collection(body, request[1] == 'A', ret);
    if (strstr(request, "FROM%20Profile%20"))
        return (size_t)sprintf(ret, "{\"totalSize\":1,\"done\":true,\"records\":[{\"attributes\":{"
                                    "\"type\":\"Profile\"},\"Id\":\"00e000000000001AAA\","
                                    "\"Name\":\"Standard User\",\"UserLicense\":null}]}");
    return (size_t)sprintf(ret, "{\"totalSize\":0,\"done\":true,\"records\":[]}");
}

/* ---- a connection ---- */

/* One request with its body, ended by NUL; 0 when the other side has closed. */
static size_t
read_request(SSL *ssl, char *buffer, char **ret_body)
{
    size_t length = 0, wanted = 0;

    for (;;) {
        int got = SSL_read(ssl, buffer + length, (int)(REQUEST_MOST - length - 1));
        if (got <= 0)
            return 0;
        if (length == 0 && strstr(buffer, "/composite/sobjects"))
            atomic_store(&canned->collection_at_us, now_us());
        length += (size_t)got;
        buffer[length] = '\0';
        if (!wanted) {
            char *end = strstr(buffer, "\r\n\r\n"), *field;
            if (!end)
                continue;
            field = strcasestr(buffer, "\r\nContent-Length:");
            *ret_body = end + 4;
            wanted = (size_t)(end + 4 - buffer) +
                     (field && field < end ? strtoul(field + 17, NULL, 10) : 0);
        }
        if (length >= wanted)
            return length;
    }
}

static void *
serve(void *argument)
{
    int descriptor = (int)(intptr_t)argument;
    char *buffer = malloc(REQUEST_MOST), *answer = malloc(ANSWER_MOST + 512), *body = NULL;
    char *written = malloc(ANSWER_MOST);
    SSL *ssl = SSL_new(context);

    if (!buffer || !answer || !written || !ssl)
        fail("out of memory");
    SSL_set_fd(ssl, descriptor);
    if (SSL_accept(ssl) == 1) {
        buffer[0] = '\0';
        while (read_request(ssl, buffer, &body)) {
            int collection = strstr(buffer, "/composite/sobjects") != NULL;
            int latency_ms = atomic_load(&canned->latency_ms);
            size_t length = answer_body(buffer, body, written);
            int total =
                sprintf(answer,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\n"
                        "Sforce-Limit-Info: api-usage=1/1000000\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        length);
            memcpy(answer + total, written, length);
            if (collection && latency_ms)
                usleep((unsigned)latency_ms * 1000);
            if (collection)
                atomic_fetch_add(&canned->collections, 1);
            if (SSL_write(ssl, answer, total + (int)length) <= 0)
                break;
            buffer[0] = '\0';
        }
    }
    SSL_free(ssl);
    close(descriptor);
    free(buffer);
    free(answer);
    free(written);
    return NULL;
}

static void
serve_all(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "canned"); /* apart from ours in a profile */
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int descriptor = accept(listener, NULL, NULL), on = 1;
        pthread_t thread;
        if (descriptor < 0)
            continue;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)descriptor))
            fail("cannot start a thread");
        pthread_detach(thread);
    }
}

/* ---- begin and end ---- */

static void
use_identity(const struct tls_identity *identity)
{
    BIO *certificate = BIO_new_mem_buf(identity->certificate, -1);
    BIO *key = BIO_new_mem_buf(identity->key, -1);
    X509 *parsed = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
    EVP_PKEY *parsed_key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);

    context = SSL_CTX_new(TLS_server_method());
    if (!context || SSL_CTX_use_certificate(context, parsed) != 1 ||
        SSL_CTX_use_PrivateKey(context, parsed_key) != 1)
        fail("the certificate cannot be used");
    X509_free(parsed);
    EVP_PKEY_free(parsed_key);
    BIO_free(certificate);
    BIO_free(key);
}

static int
listen_on_loopback(int *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) ||
        listen(listener, 64) || getsockname(listener, (struct sockaddr *)&address, &length))
        fail("cannot listen");
    *ret_port = ntohs(address.sin_port);
    return listener;
}

struct canned *
canned_start(const char *ca_file)
{
    struct tls_identity identity;
    FILE *file;
    pid_t process;
    int listener;

    canned = mmap(NULL, sizeof(*canned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (canned == MAP_FAILED || !tls_identity_make(ORG_SIM_GOOD, &identity))
        fail("cannot be made");
    file = fopen(ca_file, "w");
    if (!file || fputs(identity.ca, file) < 0 || fclose(file))
        fail(ca_file);
    use_identity(&identity);
    tls_identity_free(&identity);
    listener = listen_on_loopback(&canned->port);
    process = fork();
    if (process < 0)
        fail("cannot fork");
    if (process == 0)
        serve_all(listener);
    canned->process = process; /* the memory is the child's as well */
    close(listener);
    return canned;
}

void
canned_stop(struct canned *what)
{
    kill(what->process, SIGKILL);
    waitpid(what->process, NULL, 0);
    munmap(what, sizeof(*what));
}
