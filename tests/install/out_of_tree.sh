#!/bin/sh
# out_of_tree.sh BUILD CMAKE: installs the build tree into an empty prefix, makes a C section with the
# installed program, builds it with nothing but the installed header and debrief.pc, and lets the
# installed program lint, test and run it. Also: a section's component can be left out.
set -eu

build=$1
cmake=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

fail() {
    echo "out_of_tree: $*" >&2
    exit 1
}

"$cmake" --install "$build" --prefix "$prefix" >/dev/null
debrief=$prefix/bin/debrief
pc=$(dirname "$(find "$prefix" -name debrief.pc)")
export PKG_CONFIG_PATH="$pc"

"$debrief" list | grep -q '^grpc-codes' || fail "the installed program does not find its sections"

"$debrief" new site-port --lang c --dir "$work" >/dev/null
cc -std=c11 -Wall -Wextra -Werror -shared -fPIC $(pkg-config --cflags debrief) \
    -o "$work/site-port/site-port.so" "$work/site-port/site-port.c"
"$debrief" lint "$work/site-port" || fail "lint refuses the new section"
"$debrief" test "$work/site-port" || fail "the new section's cases fail"
"$debrief" list --plugin-path "$work" | grep -q '^site-port' || fail "the new section is not listed"

section=$work/one
"$cmake" --install "$build" --prefix "$section" --component program >/dev/null
"$cmake" --install "$build" --prefix "$section" --component section-probes >/dev/null
"$section/bin/debrief" list | grep -q '^probes' || fail "a section installed alone is not found"
if "$section/bin/debrief" list | grep -q '^grpc-codes'; then
    fail "a section that was not installed is listed"
fi
