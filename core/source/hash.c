/* Source: sha256. Reads bytes that pass by, or files; writes source->sha256. Deliberately reads
 * files a second time, beside the reader and from the page cache, so that reading stays a single
 * plain pass. */
#include "source/hash.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PORTION = 1 << 17 };

struct hash {
    EVP_MD_CTX *context;
};

struct hash *hash_new(void)
{
    struct hash *hash = xcalloc(1, sizeof *hash);
    hash->context = EVP_MD_CTX_new();
    if (!hash->context || !EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL))
        BUG("sha256 is not available");
    return hash;
}

void hash_add(struct hash *hash, const void *bytes, size_t len)
{
    if (!EVP_DigestUpdate(hash->context, bytes, len))
        BUG("sha256 fails");
}

void hash_end(struct hash *hash, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!EVP_DigestFinal_ex(hash->context, digest, &len))
        BUG("sha256 fails");
    for (unsigned i = 0; out && i < len; i++) {
        out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    if (out)
        out[2 * len] = '\0';
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

static int open_regular(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

bool hash_file(const char *path, char out[65], struct err *err)
{
    int fd = open_regular(path);
    if (fd < 0)
        return err_set(err, "cannot open '%s': %s", path, strerror(errno));
    char *bytes = xmalloc(PORTION);
    struct hash *hash = hash_new();
    ssize_t got;
    while ((got = read(fd, bytes, PORTION)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0)
            hash_add(hash, bytes, (size_t)got);
    if (got < 0)
        err_set(err, "cannot read '%s': %s", path, strerror(errno));
    hash_end(hash, got == 0 ? out : NULL);
    free(bytes);
    close(fd);
    return got == 0;
}

bool hash_source(struct source *source, struct err *err)
{
    if (!source->path || source->sha256[0])
        return true;
    return hash_file(source->path, source->sha256, err);
}

struct hash_job {
    struct source *source;
    const char *path;
    char sha256[65]; /* the thread's own: readers write to the source meanwhile */
};

struct hash_thread {
    pthread_t id;
    size_t len;
    struct hash_job jobs[];
};

static void *hash_all(void *user)
{
    struct hash_thread *thread = user;
    for (size_t i = 0; i < thread->len; i++)
        hash_file(thread->jobs[i].path, thread->jobs[i].sha256, NULL);
    return NULL;
}

struct hash_thread *hash_start(struct sources *sources)
{
    struct hash_thread *thread = xcalloc(1,
                                         sizeof *thread + sources->len * sizeof(struct hash_job));
    for (size_t i = 0; i < sources->len; i++) {
        struct source *source = &sources->items[i];
        if (source->path && !source->sha256[0])
            thread->jobs[thread->len++] = (struct hash_job){.source = source, .path = source->path};
    }
    if (thread->len == 0) {
        free(thread);
        return NULL;
    }
    if (pthread_create(&thread->id, NULL, hash_all, thread) != 0) {
        hash_all(thread);
        thread->id = pthread_self();
    }
    return thread;
}

void hash_join(struct hash_thread *thread)
{
    if (!thread)
        return;
    if (!pthread_equal(thread->id, pthread_self()))
        pthread_join(thread->id, NULL);
    for (size_t i = 0; i < thread->len; i++)
        memcpy(thread->jobs[i].source->sha256, thread->jobs[i].sha256, 65);
    free(thread);
}
