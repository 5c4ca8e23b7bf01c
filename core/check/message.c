/* Stage: check, between processes. Reads and writes single-line JSON messages on a pipe. Deliberately
 * does not judge what is in them: a line that is no JSON object is noise of a killed writer. */
#include "check/message.h"

#include "base/alloc.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORTION = 16384 };

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        len -= (size_t)put;
    }
    return true;
}

bool message_send(int fd, const cJSON *message)
{
    struct buf line;
    buf_init(&line, MESSAGE_MAX + 1);
    buf_addch(&line, '\n');
    json_write(&line, message, false);
    buf_addch(&line, '\n');
    bool sent = !line.overflow && write_all(fd, line.data, line.len);
    buf_release(&line);
    return sent;
}

void message_reader_init(struct message_reader *reader, int fd)
{
    *reader = (struct message_reader){.fd = fd};
    buf_init(&reader->pending, MESSAGE_MAX + PORTION);
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void message_reader_release(struct message_reader *reader)
{
    buf_release(&reader->pending);
}

bool message_reader_fill(struct message_reader *reader)
{
    char bytes[PORTION];
    while (!reader->eof && reader->pending.len < MESSAGE_MAX) {
        ssize_t got = read(reader->fd, bytes, sizeof bytes);
        if (got > 0)
            buf_add(&reader->pending, bytes, (size_t)got);
        else if (got == 0)
            reader->eof = true;
        else if (errno != EINTR)
            break;
    }
    return reader->pending.len < MESSAGE_MAX || memchr(reader->pending.data, '\n', MESSAGE_MAX);
}

static cJSON *take_line(struct message_reader *reader, size_t len)
{
    cJSON *message = len ? json_parse(reader->pending.data, len, NULL) : NULL;
    buf_consume(&reader->pending, len + 1);
    reader->searched = 0;
    if (cJSON_IsObject(message))
        return message;
    cJSON_Delete(message);
    return NULL;
}

cJSON *message_reader_next(struct message_reader *reader)
{
    struct buf *pending = &reader->pending;
    while (pending->len > reader->searched) {
        const char *from = pending->data + reader->searched;
        const char *end = memchr(from, '\n', pending->len - reader->searched);
        if (!end) {
            reader->searched = pending->len;
            break;
        }
        cJSON *message = take_line(reader, (size_t)(end - pending->data));
        if (message)
            return message;
    }
    return NULL;
}
