/* Pseudonyms: equal where originals are, the same for the same key, of the same kind, known by their
 * looks; and a map that is one's own alone. */
#include "source/pseudonym.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include <arpa/inet.h>

static uint32_t seed = 1;

static unsigned next_random(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static struct pseudonyms *pseudonyms(const char *map)
{
    struct err err = ERR_INIT;
    struct pseudonyms *names = pseudonyms_new(map, &err);
    assert_string_equal(err.text, "");
    assert_non_null(names);
    return names;
}

static unsigned shared_bits(const unsigned char *a, const unsigned char *b, unsigned all)
{
    unsigned n = 0;
    while (n < all && !((a[n / 8] ^ b[n / 8]) >> (7 - n % 8) & 1))
        n++;
    return n;
}

static void make_address(unsigned char *address, size_t len)
{
    for (size_t i = 0; i < len; i++)
        address[i] = (unsigned char)next_random();
}

/* Whatever two addresses share, their pseudonyms share; private IPv4 keeps its last octet. */
static void test_prefixes_are_kept(void **state)
{
    static const unsigned char key[PSEUDONYM_KEY] = "a key";
    static const size_t lens[] = {4, 16};
    unsigned char a[16], b[16], x[16], y[16];
    (void)state;
    for (int i = 0; i < 20000; i++) {
        size_t len = lens[i % 2];
        unsigned keep = next_random() % (unsigned)(len * 8);
        make_address(a, len);
        make_address(b, len);
        if (len == 4 && i % 4 == 0)
            a[0] = 10;
        for (unsigned n = 0; n < keep; n++)
            b[n / 8] = (unsigned char)((b[n / 8] & ~(0x80 >> n % 8)) |
                                       (a[n / 8] & (0x80 >> n % 8)));
        bool moved = pseudonym_address(key, a, len, x);
        bool other = pseudonym_address(key, b, len, y);
        assert_int_equal(shared_bits(a, b, (unsigned)len * 8),
                         shared_bits(x, y, (unsigned)len * 8));
        if (moved)
            assert_memory_not_equal(a, x, len);
        else
            assert_memory_equal(a, x, len);
        (void)other;
    }
}

static const char *address_of(struct pseudonyms *names, const char *text, unsigned bits)
{
    unsigned char bytes[16];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(family, text, bytes), 1);
    size_t len = family == AF_INET ? 4 : 16;
    return pseudonyms_address(names, bytes, len, bits ? bits : (unsigned)len * 8);
}

static void test_kinds_of_addresses_are_kept(void **state)
{
    static const char *const stay[] = {
        "0.0.0.0",
        "127.0.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "255.255.0.0",
    };
    static const struct {
        const char *address, *prefix;
    } ranges[] = {{"10.1.2.3", "10."},
                  {"172.20.1.2", "172."},
                  {"192.168.7.9", "192.168."},
                  {"100.100.1.1", "100."},
                  {"fd12::5", "fd"},
                  {"fc00::1", "fc"},
                  {"::ffff:10.0.0.1", "::ffff:a"},
                  {"64:ff9b::10.0.0.1", "64:ff9b::a"}};
    struct pseudonyms *names = pseudonyms(NULL);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stay); i++)
        assert_null(address_of(names, stay[i], 0));
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        const char *pseudonym = address_of(names, ranges[i].address, 0);
        assert_int_equal(
            strncmp(pseudonym, ranges[i].prefix, strlen(ranges[i].prefix) - (i == 4 || i == 5)), 0);
        assert_string_not_equal(pseudonym, ranges[i].address);
    }
    /* Public stays public, whatever the key makes of it. */
    for (int i = 0; i < 5000; i++) {
        unsigned char in[4], out[4];
        const unsigned char key[PSEUDONYM_KEY] = {(unsigned char)i};
        make_address(in, 4);
        pseudonym_address(key, in, 4, out);
        bool private_in = in[0] == 10 || (in[0] == 172 && in[1] / 16 == 1) ||
                          (in[0] == 192 && in[1] == 168) || (in[0] == 100 && in[1] / 64 == 1);
        bool private_out = out[0] == 10 || (out[0] == 172 && out[1] / 16 == 1) ||
                           (out[0] == 192 && out[1] == 168) || (out[0] == 100 && out[1] / 64 == 1);
        assert_int_equal(private_in, private_out);
    }
    pseudonyms_free(names);
}

static void test_networks(void **state)
{
    struct pseudonyms *names = pseudonyms(NULL);
    char network[64];
    (void)state;
    snprintf(network, sizeof network, "%s", address_of(names, "10.7.0.0", 16));
    assert_string_equal(network + strlen(network) - 4, ".0.0");
    const char *inside = address_of(names, "10.7.3.4", 0);
    assert_int_equal(strncmp(network, inside, strlen(network) - 3), 0);
    assert_string_equal(inside + strlen(inside) - 2, ".4");
    pseudonyms_free(names);
}

/* What hides an IPv4 address in an IPv6 one shows the pseudonym of it, in hexadecimal. */
static void test_addresses_within_addresses(void **state)
{
    static const char *const holders[] = {"::ffff:172.19.44.23", "64:ff9b::172.19.44.23",
                                          "64:ff9b:1::172.19.44.23"};
    struct pseudonyms *names = pseudonyms(NULL);
    unsigned char inner[4], outer[16];
    (void)state;
    assert_int_equal(inet_pton(AF_INET, address_of(names, "172.19.44.23", 0), inner), 1);
    for (size_t i = 0; i < ARRAY_LEN(holders); i++) {
        const char *shown = address_of(names, holders[i], 0);
        assert_null(strchr(shown, '.'));
        assert_int_equal(inet_pton(AF_INET6, shown, outer), 1);
        assert_memory_equal(outer + 12, inner, 4);
    }
    pseudonyms_free(names);
}

static const char *card_of(struct pseudonyms *names, const char *text)
{
    unsigned int in[6];
    unsigned char card[6];
    assert_int_equal(sscanf(text, "%x:%x:%x:%x:%x:%x", in, in + 1, in + 2, in + 3, in + 4, in + 5),
                     6);
    for (int i = 0; i < 6; i++)
        card[i] = (unsigned char)in[i];
    return pseudonyms_card(names, card);
}

static void test_cards(void **state)
{
    static const char *const stay[] = {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff",
                                       "01:00:5e:00:00:01", "f2:00:12:34:56:78"};
    struct pseudonyms *names = pseudonyms(NULL);
    char first[32];
    (void)state;
    snprintf(first, sizeof first, "%s", card_of(names, "02:42:ac:11:00:02"));
    assert_int_equal(strncmp(first, "f2:00:", 6), 0);
    assert_string_equal(card_of(names, "02:42:ac:11:00:02"), first);
    assert_string_not_equal(card_of(names, "02:42:ac:11:00:03"), first);
    for (size_t i = 0; i < ARRAY_LEN(stay); i++)
        assert_null(card_of(names, stay[i]));
    pseudonyms_free(names);
}

/* WORD with "@" where a stretch of it is replaced. */
static void assert_stretches(struct pseudonyms *names, const char *word, const char *expected)
{
    struct pseudonym_stretch found[PSEUDONYM_STRETCHES];
    char shown[2 * PSEUDONYM_MAX];
    size_t at = 0, to = 0, len = pseudonyms_stretches(names, word, strlen(word), found);
    for (size_t i = 0; i < len; i++) {
        while (at < found[i].start)
            shown[to++] = word[at++];
        shown[to++] = '@';
        at = found[i].end;
    }
    snprintf(shown + to, sizeof shown - to, "%s", word + at);
    assert_string_equal(shown, expected);
}

static void test_words_in_words(void **state)
{
    static const char *const rows[][2] = {
        {"okapiService", "@Service"},
        {"OkapiTaskRole", "@TaskRole"},
        {"myOkapi", "my@"},
        {"ZEBRACORPPROD", "@PROD"},
        {"zebrabackend", "@backend"},
        {"backendzebra", "backend@"},
        {"prodzebra01", "prod@01"},
        {"zebras", "@s"},
        {"okapizebra", "@@"},
        {"okapiv2", "@v2"},
        {"v2okapi", "v2@"},
        {"ZebraCorpAPI", "@API"},
        {"myOkapiTeamZebra", "my@Team@"},
        {"OkapiZebraKiwi", "@@@"},
        /* What is left over is no plain word: a long name hides all of it, a short one nothing. */
        {"zebracorpfish", "@"},
        {"newzebracorp", "new@"},
        {"xyzebracorp", "@"},
        {"zebrafish", "zebrafish"},
        {"kiwis", "@s"},
        {"kiwifruit", "kiwifruit"},
        /* Plain words, ids and pseudonyms hold no names. */
        {"stacktrace", "stacktrace"},
        {"startup", "startup"},
        {"anonk3fqab7zebra", "anonk3fqab7zebra"},
        {"", ""},
    };
    static const char *const known[] = {"okapi", "zebra", "zebracorp", "kiwi", "stac", "startu"};
    struct pseudonyms *names = pseudonyms(NULL);
    char word[200];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        pseudonyms_name(names, known[i], strlen(known[i]));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_stretches(names, rows[i][0], rows[i][1]);
    for (size_t len = 1; len < sizeof word; len++) { /* of any length */
        memset(word, 'z', len);
        memcpy(word, "zebra", len < 5 ? len : 5);
        word[len] = '\0';
        pseudonyms_stretches(names, word, len,
                             (struct pseudonym_stretch[PSEUDONYM_STRETCHES]){{0}});
    }
    for (size_t at = 0; at + 5 < sizeof word; at += 5)
        memcpy(word + at, "zebra", 6);
    for (size_t len = 5; len <= 60; len += 5)
        assert_true(pseudonyms_stretches(names, word, len,
                                         (struct pseudonym_stretch[PSEUDONYM_STRETCHES]){{0}}) >
                        0 ||
                    len == 5);
    pseudonyms_forget(names);
    assert_stretches(names, "okapiService", "okapiService");
    pseudonyms_free(names);
}

/* Of a compound its parts are known, so that it fits the same name elsewhere. */
static void test_compounds_are_learned_by_parts(void **state)
{
    struct pseudonyms *names = pseudonyms(NULL);
    char part[PSEUDONYM_MAX];
    (void)state;
    pseudonyms_name(names, "OkapiTaskRoleKJ8QW", 18);
    assert_null(pseudonyms_word(names, "okapitaskrolekj8qw", 18));
    assert_null(pseudonyms_word(names, "task", 4));
    assert_null(pseudonyms_word(names, "qw", 2));
    snprintf(part, sizeof part, "%s", pseudonyms_word(names, "okapi", 5));
    assert_string_equal(pseudonyms_any(names, "okapi", 5), part);
    pseudonyms_name(names, "anonk3fqab7Service", 18);
    assert_null(pseudonyms_word(names, "anonk3fqab7service", 18));
    pseudonyms_free(names);
}

static void test_words(void **state)
{
    static const char *const plain[] = {"envoy",   "web",      "TaskExecutionRole",
                                        "v1beta1", "9f86d081", "dc1",
                                        "12345",   "ab",       "840364872350"};
    struct pseudonyms *names = pseudonyms(NULL);
    char first[PSEUDONYM_MAX];
    (void)state;
    assert_null(pseudonyms_word(names, "acme", 4)); /* nobody said that it names somebody */
    pseudonyms_name(names, "Acme", 4);
    snprintf(first, sizeof first, "%s", pseudonyms_word(names, "acme", 4));
    assert_int_equal(strlen(first), 11);
    assert_int_equal(strncmp(first, "anon", 4), 0);
    assert_string_equal(pseudonyms_word(names, "acme", 4), first);
    assert_int_equal(strncmp(pseudonyms_word(names, "Acme", 4), "Anon", 4), 0);
    assert_int_equal(strncmp(pseudonyms_word(names, "ACME", 4), "ANON", 4), 0);
    pseudonyms_name(names, first, strlen(first)); /* a pseudonym has none */
    assert_null(pseudonyms_word(names, first, strlen(first)));
    assert_null(pseudonyms_any(names, first, strlen(first)));
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        pseudonyms_name(names, plain[i], strlen(plain[i]));
        assert_null(pseudonyms_word(names, plain[i], strlen(plain[i])));
    }
    pseudonyms_forget(names);
    assert_null(pseudonyms_word(names, "acme", 4));
    pseudonyms_name(names, "acme", 4);
    assert_string_equal(pseudonyms_word(names, "acme", 4), first);
    const char *account = pseudonyms_account(names, "111122223333");
    assert_int_equal(strlen(account), 12);
    assert_int_equal(strncmp(account, "0000", 4), 0);
    assert_null(pseudonyms_account(names, "000012345678"));
    assert_null(pseudonyms_account(names, "602401143452"));
    pseudonyms_free(names);
}

static void test_map(void **state)
{
    char *path = scratch_path("map"), first[PSEUDONYM_MAX], text[4096] = "";
    struct err err = ERR_INIT;
    struct stat facts;
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct pseudonyms *names = pseudonyms(path);
        pseudonyms_name(names, "acme", 4);
        const char *word = pseudonyms_word(names, "acme", 4);
        if (run)
            assert_string_equal(word, first); /* the key was kept */
        snprintf(first, sizeof first, "%s", word);
        assert_true(pseudonyms_save(names, &err));
        assert_true(pseudonyms_save(names, &err));
        pseudonyms_free(names);
    }
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    int fd = open(path, O_RDONLY);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    char *pair = strstr(text, "\tacme\n");
    assert_non_null(pair);
    assert_null(strstr(pair + 1, "\tacme\n")); /* once */
    free(path);
}

static void refuse_map(const char *path, const char *says)
{
    struct err err = ERR_INIT;
    assert_null(pseudonyms_new(path, &err));
    if (!strstr(err.text, says))
        fail_msg("'%s' does not say '%s'", err.text, says);
}

static void test_maps_that_are_refused(void **state)
{
    char *open_to_all = scratch_write("open", "", 0), *other = scratch_write("other", "text\n", 5);
    char *link = scratch_path("link"), *dir = scratch_path("dir");
    (void)state;
    chmod(open_to_all, 0640);
    chmod(other, 0600);
    assert_int_equal(symlink(other, link), 0);
    mkdir(dir, 0700);
    refuse_map(open_to_all, "chmod 600");
    refuse_map(other, "is no map of pseudonyms");
    refuse_map(link, "is a symbolic link");
    refuse_map(dir, "cannot use the map");
    refuse_map("/nowhere/at/all", "No such file or directory");
    free(open_to_all);
    free(other);
    free(link);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes_are_kept),
        cmocka_unit_test(test_kinds_of_addresses_are_kept),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_addresses_within_addresses),
        cmocka_unit_test(test_cards),
        cmocka_unit_test(test_words_in_words),
        cmocka_unit_test(test_compounds_are_learned_by_parts),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_maps_that_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
