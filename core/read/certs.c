/* Stage: read. /certs: the certificates that the proxy has loaded, one record each. */
#include "base/buf.h"
#include "read/proto.h"
#include "read/readers.h"
#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 16 << 10 };

static int recognise(const struct peek *peek)
{
    if (peek->shape == PEEK_JSON_OBJECT && peek_has_key(peek, "certificates") &&
        (peek_has(peek, "\"ca_cert\"") || peek_has(peek, "\"cert_chain\"")))
        return 95;
    bool excerpt = peek_has(peek, "\"ca_cert\"") && peek_has(peek, "\"expiration_time\"");
    bool named = strstr(peek->name, "certs") != NULL;
    if (peek->shape == PEEK_JSON_OBJECT && peek->whole && named)
        return peek_has_key(peek, "certificates") || !peek->keys[0] ? 70 : 0;
    return excerpt ? 50 : 0;
}

static void add_names(struct buf *names, const cJSON *certificate)
{
    static const char *const kinds[] = {"dns", "uri", "ip_address"};
    const cJSON *name;
    cJSON_ArrayForEach (name, proto_at(certificate, "subject_alt_names")) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            const char *text = proto_str(name, kinds[i]);
            if (text)
                buf_addf(names, "%s%s", names->len ? "," : "", text);
        }
    }
}

/* "/certificates/12" is of entry 12 */
static const char *entry_of(const char *pointer)
{
    const char *slash = strrchr(pointer, '/');
    return slash && slash[1] ? slash + 1 : "0";
}

static void add_certificate(struct reading *reading, const char *role, const cJSON *certificate,
                            const char *entry, const char *pointer)
{
    static const char *const columns[][2] = {{"path", "path"},
                                             {"serial", "serial_number"},
                                             {"valid_from", "valid_from"},
                                             {"expires", "expiration_time"},
                                             {"days", "days_until_expiration"}};
    char number[32];
    struct record *record = reading_add(reading, "certs", pointer);
    if (!record)
        return;
    struct buf names;
    buf_init(&names, NAMES_MAX);
    add_names(&names, certificate);
    evidence_set(reading->evidence, record, "role", role);
    evidence_set(reading->evidence, record, "entry", entry);
    if (names.len)
        evidence_set(reading->evidence, record, "names", names.data);
    buf_release(&names);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        evidence_set(reading->evidence, record, columns[i][0],
                     proto_scalar(certificate, columns[i][1], number));
}

static void add_all(struct reading *reading, const struct json_piece *piece, const char *member,
                    const char *role)
{
    const cJSON *certificate;
    int index = 0;
    cJSON_ArrayForEach (certificate, proto_at(piece->value, member)) {
        char pointer[512];
        snprintf(pointer, sizeof pointer, "%s/%s/%d", piece->pointer, member, index++);
        add_certificate(reading, role, certificate, entry_of(piece->pointer), pointer);
    }
}

static void take(void *user, const struct json_piece *piece)
{
    struct reading *reading = user;
    if (piece->rule < 0)
        return;
    add_all(reading, piece, "ca_cert", "ca");
    add_all(reading, piece, "cert_chain", "leaf");
}

static void read_source(struct reading *reading)
{
    static const char *const rules[] = {"certificates", NULL};
    reading_split(reading, rules, take, reading);
    evidence_supplied(reading->evidence, "certs", reading->complete);
}

const struct reader read_certs = {"certs", (const char *const[]){"certs", NULL}, recognise,
                                  read_source};
