/* A bundle: one target's sources on disk, with `bundle.json` to say who collected what, when and
 * how. The collector writes one for every target, so that a live check is collecting and
 * checking a bundle by construction. An unpacked working bundle may refer to local files where
 * they stand ("path") instead of copying them; a bundle that leaves the machine never does. */
#ifndef DEBRIEF_SOURCE_BUNDLE_H
#define DEBRIEF_SOURCE_BUNDLE_H

#include "base/err.h"
#include "source/redact.h"
#include "source/source.h"

#define BUNDLE_SCHEMA "debrief.bundle/1"
#define BUNDLE_INDEX  "bundle.json"

struct bundle {
    char *dir;    /* where it lies */
    char *target; /* name of the target it was collected from */
    char *how;    /* how it was collected, for people; NULL when not known */
    int64_t when; /* when collecting began, ns since the epoch */
    struct sources sources;
};

#define BUNDLE_FILES_MAX 20000

/* Reads the bundle that this program's own collector has put into DIR: "path" is followed
 * wherever it leads. Never for a bundle that came from elsewhere. */
bool bundle_open(struct bundle *bundle, const char *dir, struct err *err);

/* Adds what a directory that came from anywhere holds: what DIR/bundle.json lists, and every
 * regular file below DIR that it does not list as a source under its own path, in sorted order.
 * Without an index all files are. An index that is broken, names files outside of DIR or one
 * file twice is not used, and its problem stands at a source of its own; a "path" in it is never
 * followed. False only when DIR cannot be listed. */
bool bundle_add_directory(struct bundle *bundle, const char *dir, struct err *err);

/* For whoever has bundle.json and its files in another form (an archive's members): each row of
 * the index becomes a source, whose file LOCATE gives (owned by the arena of bundle->sources;
 * NULL when there is none; what err says, then or beside a file, is a problem of the source).
 * Target, time and manner are taken from it where not known yet. False, with nothing added, when
 * the index is not to be used. */
typedef const char *bundle_locate_fn(void *user, const cJSON *row, struct err *err);
bool bundle_read_index(struct bundle *bundle, const char *index_path, bundle_locate_fn *locate,
                       void *user, struct err *err);

/* All fields empty; DIR and TARGET are copied, TARGET may be NULL. */
void bundle_init(struct bundle *bundle, const char *dir, const char *target);
void bundle_release(struct bundle *bundle);

/* Writes DIR/bundle.json atomically. */
bool bundle_write_index(const struct bundle *bundle, struct err *err);

/* Writes a bundle for keeping: each source copied through redaction (none when POLICY is NULL) into
 * PATH: .tar.gz, .tar.zst or .zip by its ending, else a directory. Index rows gain origin, size,
 * sha256 (as stored), original_sha256, redactions; what was compressed is stored plain, in the file
 * that the row's "file" names; where POLICY has pseudonyms, names of sources and the index hold them,
 * too. Nothing already at PATH is overwritten (an empty directory may be
 * filled). A source that cannot be copied costs that source, and says so in its row. */
bool bundle_pack(const struct bundle *bundle, const char *path, const struct redact_policy *policy,
                 struct err *err);

#endif
