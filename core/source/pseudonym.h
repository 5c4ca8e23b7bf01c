/* Pseudonyms: what stands for a name, an account or an address, computed by a key alone, so that
 * processes with the same key agree without a word. They are known by their looks, and have no
 * pseudonyms of their own; only those of addresses look like any other address.
 *   a word        anon and seven characters, the last one a digit: anonk3fqab7
 *   a card        a local one that begins with f2:00
 *   an account    twelve digits, the first four zeros: 000012345678
 *   an address    private stays private, public stays public, what shares its first n bits with another
 *                 one does so after (Crypto-PAn); the last octet of a private IPv4 address stays */
#ifndef DEBRIEF_SOURCE_PSEUDONYM_H
#define DEBRIEF_SOURCE_PSEUDONYM_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PSEUDONYM_KEY = 32,
    PSEUDONYM_MAX = 64,       /* of a word that is looked at, its NUL included */
    PSEUDONYMS_MAX = 200000,  /* that are remembered */
    PSEUDONYMS_NAMED = 20000, /* words known to name somebody */
};

struct pseudonyms;

/* With a new key. MAP: a file that keeps key and pairs, read when it is there, made (0600) when not;
 * NULL: none. NULL with an error when the map cannot be used. */
struct pseudonyms *pseudonyms_new(const char *map, struct err *err);
void pseudonyms_free(struct pseudonyms *names);

/* Adds the pairs of this process to the map, when there is one. Several processes may do so. */
bool pseudonyms_save(struct pseudonyms *names, struct err *err);

/* WORD (letters and digits) or a number of twelve digits names somebody: it is replaced wherever it
 * stands from now on. Words that identify nobody, ids and pseudonyms are not taken; of "okapiService" it
 * is each part that is no plain word. */
void pseudonyms_name(struct pseudonyms *names, const char *word, size_t len);

/* Nobody is known by name any more: what one target tells must not decide what another one shows. */
void pseudonyms_forget(struct pseudonyms *names);

/* The pseudonym of WORD when it is known to name somebody, in the case of its letters; NULL: it stays.
 * Valid until the next call, like all of them. */
const char *pseudonyms_word(struct pseudonyms *names, const char *word, size_t len);
/* Where in a word that is not known as a whole known names stand: "okapiService", "ZEBRAPROD". Each
 * stretch gets its pseudonym by pseudonyms_any(). Returns how many, in order. */
enum { PSEUDONYM_STRETCHES = 8 };
struct pseudonym_stretch {
    size_t start, end;
};
size_t pseudonyms_stretches(struct pseudonyms *names, const char *word, size_t len,
                            struct pseudonym_stretch out[PSEUDONYM_STRETCHES]);
/* The pseudonym of any word: for the part of a host's name that somebody has registered. */
const char *pseudonyms_any(struct pseudonyms *names, const char *word, size_t len);
/* Whether WORD has the looks of one, or one stands in it. */
bool pseudonym_is(const char *word, size_t len);
/* Of an account that is not one of those that AWS publishes; NULL: it stays. */
const char *pseudonyms_account(struct pseudonyms *names, const char *digits);
/* Of a network card's address, six bytes; NULL: it stays, as that of a group does. */
const char *pseudonyms_card(struct pseudonyms *names, const unsigned char card[6]);
/* Whether this address was asked for before: text that could be one is. */
bool pseudonyms_knows_address(struct pseudonyms *names, const unsigned char address[4]);
/* Of an address in network order, 4 or 16 bytes; BITS: its prefix length, the rest is kept zero when
 * it is. NULL: it stays. */
const char *pseudonyms_address(struct pseudonyms *names, const unsigned char *address, size_t len,
                               unsigned bits);

/* What this process knows to name somebody, to tell another one. */
typedef void pseudonyms_fn(void *user, const char *word);
void pseudonyms_each(const struct pseudonyms *names, pseudonyms_fn *fn, void *user);

/* pseudonym_address.c: false when the address stays. */
bool pseudonym_address(const unsigned char key[PSEUDONYM_KEY], const unsigned char *address,
                       size_t len, unsigned char *out);

#endif
