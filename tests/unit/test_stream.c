/* Streams: whatever the file is packed and encoded in, plain UTF-8 text comes out. */
#include "source/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "scratch.h"
#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

struct outcome {
    struct buf text;
    struct err err;
    bool failed;
};

static struct outcome read_in(const char *path, size_t portion)
{
    struct outcome outcome = {.failed = false};
    char *bytes = xmalloc(portion);
    size_t got = 1;
    buf_init(&outcome.text, 1 << 28);
    struct stream *stream = stream_open(path, &outcome.err);
    assert_non_null(stream);
    while (got && !outcome.failed) {
        outcome.failed = !stream_read(stream, bytes, portion, &got, &outcome.err);
        buf_add(&outcome.text, bytes, got);
    }
    stream_close(stream);
    free(bytes);
    return outcome;
}

static void assert_reads(const void *bytes, size_t len, const char *expected)
{
    static const size_t portions[] = {1, 7, 4095, 1 << 20};
    char *path = scratch_write("file", bytes, len);
    for (size_t i = 0; i < ARRAY_LEN(portions); i++) {
        struct outcome outcome = read_in(path, portions[i]);
        assert_false(outcome.failed);
        assert_string_equal(buf_str(&outcome.text), expected);
        buf_release(&outcome.text);
    }
    free(path);
}

static void test_plain(void **state)
{
    (void)state;
    assert_reads("", 0, "");
    assert_reads("one\ntwo", 7, "one\ntwo");
    assert_reads("\xEF\xBB\xBFone", 6, "one");
    assert_reads("\xEF\xBB", 2, "\xEF\xBB");
    assert_reads("latin \xE9", 7, "latin \xE9");
}

static void test_utf16(void **state)
{
    (void)state;
    assert_reads("\xFF\xFE"
                 "a\0\xE9\0\xAC\x20\x3D\xD8\x00\xDE\n",
                 13, "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBD");
    assert_reads("\xFE\xFF\0a\0b", 6, "ab");
    assert_reads("l\0i\0n\0e\0\n\0", 10, "line\n");
    assert_reads("\0l\0i\0n\0e\0\n", 10, "line\n");
    assert_reads("\xFF\xFE\x3D\xD8"
                 "a\0",
                 6,
                 "\xEF\xBF\xBD"
                 "a");
    assert_reads("\xFF\xFE\x00\xDE"
                 "a\0",
                 6,
                 "\xEF\xBF\xBD"
                 "a");
}

static void test_binary_is_no_utf16(void **state)
{
    static const char bytes[] = "\x7F"
                                "ELF\0\0\0\0\1\0\0\0";
    char *path = scratch_write("file", bytes, sizeof bytes);
    (void)state;
    struct outcome outcome = read_in(path, 4096);
    assert_int_equal(outcome.text.len, sizeof bytes);
    assert_memory_equal(outcome.text.data, bytes, sizeof bytes);
    buf_release(&outcome.text);
    free(path);
}

static void test_escapes(void **state)
{
    static const char endless[] = "a\x1B]0;title never ends\nnext";
    (void)state;
    assert_reads("\x1B[31mred\x1B[0m \x1B[1;32;4mx\x1B[K", 25, "red x");
    assert_reads("\x1B]0;title\x07text\x1B]8;;u\x1B\\link", 27, "textlink");
    assert_reads("\x1B(Bplain\x1B=x", 11, "plainx");
    assert_reads("cut\x1B[3", 6, "cut");
    assert_reads("a\x1B\nb\x1B[\nc", 8, "a\nb\nc");
    assert_reads("\x1B\x1B[1mb", 6, "b");
    assert_reads(endless, sizeof endless - 1, "a\nnext");
}

static void *packed(int method, const char *text, size_t len, size_t *out_len)
{
    size_t cap = len + (1 << 16);
    void *out = xmalloc(cap);
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    archive_write_set_format_raw(archive);
    archive_write_add_filter(archive, method);
    archive_write_set_bytes_per_block(archive, 0);
    assert_int_equal(archive_write_open_memory(archive, out, cap, out_len), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_header(archive, entry);
    archive_write_data(archive, text, len);
    archive_entry_free(entry);
    archive_write_close(archive);
    archive_write_free(archive);
    return out;
}

static char *long_text(size_t lines)
{
    struct buf text;
    buf_init(&text, 1 << 26);
    for (size_t i = 0; i < lines; i++)
        buf_addf(&text, "line %zu with %zu\n", i, i * 2654435761u % 1000003);
    return buf_take(&text);
}

static void test_compressed(void **state)
{
    static const int methods[] = {ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_BZIP2,
                                  ARCHIVE_FILTER_XZ};
    char *text = long_text(20000);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        size_t len;
        void *bytes = packed(methods[i], text, strlen(text), &len);
        assert_true(len < strlen(text));
        assert_reads(bytes, len, text);
        free(bytes);
    }
    free(text);
}

static void test_members_of_gzip_follow_each_other(void **state)
{
    size_t first_len, second_len;
    (void)state;
    char *first = packed(ARCHIVE_FILTER_GZIP, "one ", 4, &first_len);
    char *second = packed(ARCHIVE_FILTER_GZIP, "two", 3, &second_len);
    char *both = xcalloc(1, first_len + second_len + 512);
    memcpy(both, first, first_len);
    memcpy(both + first_len, second, second_len);
    assert_reads(both, first_len + second_len, "one two");
    assert_reads(both, first_len + second_len + 512, "one two"); /* padding is no damage */
    free(both);
    free(second);
    free(first);
}

static void test_a_cut_file_gives_what_it_has(void **state)
{
    size_t len;
    char *text = long_text(3000);
    (void)state;
    char *bytes = packed(ARCHIVE_FILTER_GZIP, text, strlen(text), &len);
    char *path = scratch_write("cut.gz", bytes, len / 2);
    struct outcome outcome = read_in(path, 4096);
    assert_true(outcome.failed);
    assert_string_equal(outcome.err.text, "compressed data ends early");
    assert_true(outcome.text.len > strlen(text) / 3);
    assert_memory_equal(outcome.text.data, text, outcome.text.len);
    buf_release(&outcome.text);
    free(path);
    memset(bytes + len / 2, 0xFF, len / 4);
    path = scratch_write("damaged.gz", bytes, len);
    outcome = read_in(path, 4096);
    assert_true(outcome.failed);
    assert_string_equal(outcome.err.text, "compressed data is damaged");
    buf_release(&outcome.text);
    free(path);
    free(bytes);
    free(text);
}

static void test_a_bomb_ends(void **state)
{
    char *path = scratch_path("bomb.gz");
    char *zeros = xcalloc(1, 1 << 20);
    size_t len; /* bzip2, because deflate itself ends at 1032 to 1 */
    (void)state;
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    archive_write_set_format_raw(archive);
    archive_write_add_filter_bzip2(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_header(archive, entry);
    for (int i = 0; i < 80; i++)
        archive_write_data(archive, zeros, 1 << 20);
    archive_entry_free(entry);
    archive_write_close(archive);
    archive_write_free(archive);
    struct err err = ERR_INIT;
    struct stream *stream = stream_open(path, &err);
    size_t total = 0;
    bool fine;
    while ((fine = stream_read(stream, zeros, 1 << 20, &len, &err)) && len)
        total += len;
    assert_false(fine);
    assert_string_equal(err.text, "compressed data expands more than 1000 times; the rest was not "
                                  "read");
    assert_true(total <= 66 << 20);
    stream_close(stream);
    free(zeros);
    free(path);
}

static void test_peek_consumes_nothing(void **state)
{
    char *text = long_text(5000);
    char *path = scratch_write("peek", text, strlen(text));
    char bytes[100];
    size_t len, got;
    bool whole;
    struct err err = ERR_INIT;
    (void)state;
    struct stream *stream = stream_open(path, &err);
    const char *peek = stream_peek(stream, &len, &whole);
    assert_int_equal(len, 1 << 16);
    assert_false(whole);
    assert_memory_equal(peek, text, len);
    size_t at = 0;
    while (stream_read(stream, bytes, sizeof bytes, &got, &err) && got) {
        assert_memory_equal(bytes, text + at, got);
        at += got;
    }
    assert_int_equal(at, strlen(text));
    stream_close(stream);
    free(path);
    path = scratch_write("short", "short", 5);
    stream = stream_open(path, &err);
    peek = stream_peek(stream, &len, &whole);
    assert_int_equal(len, 5);
    assert_true(whole);
    assert_memory_equal(peek, "short", 5);
    stream_close(stream);
    free(path);
    free(text);
}

static void test_what_is_no_file(void **state)
{
    struct err err = ERR_INIT;
    char *pipe = scratch_path("pipe");
    (void)state;
    assert_null(stream_open("/nonexistent/x", &err));
    assert_string_equal(err.text, "cannot open '/nonexistent/x': No such file or directory");
    assert_null(stream_open(scratch_dir, &err));
    assert_non_null(strstr(err.text, "not a regular file"));
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_null(stream_open(pipe, &err)); /* and does not wait for a writer */
    free(pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_binary_is_no_utf16),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_members_of_gzip_follow_each_other),
        cmocka_unit_test(test_a_cut_file_gives_what_it_has),
        cmocka_unit_test(test_a_bomb_ends),
        cmocka_unit_test(test_peek_consumes_nothing),
        cmocka_unit_test(test_what_is_no_file),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
