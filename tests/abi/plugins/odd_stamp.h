/* A plugin whose stamp is not what DEBRIEF_PLUGIN would write: ODD_PLUGIN(name, magic, major, minor,
 * sizes of debrief_check, debrief_finding_type, debrief_event and debrief_param, array of checks). */
#ifndef ABI_ODD_STAMP_H
#define ABI_ODD_STAMP_H

#include <debrief/plugin.h>

#define ODD_STAMP(...)  ODD_STAMP_(__VA_ARGS__) /* HOST_SIZES becomes four arguments on the way */
#define ODD_PLUGIN(...) ODD_PLUGIN_(__VA_ARGS__)

#define ODD_STAMP_(plugin_name, magic, major, minor, check, finding, event, param)                 \
    extern __attribute__((section(".note.debrief"), aligned(4), visibility("hidden")))             \
    const struct debrief_note debrief_note_;                                                       \
    __attribute__((used)) const struct debrief_note debrief_note_ = {                              \
        8,                                                                                         \
        sizeof(struct debrief_stamp),                                                              \
        DEBRIEF_NOTE_TYPE,                                                                         \
        DEBRIEF_NOTE_NAME,                                                                         \
        {magic, major, minor, sizeof(struct debrief_plugin), check, finding, event, param,         \
         plugin_name, "0.1.0"}};

#define ODD_PLUGIN_(plugin_name, magic, major, minor, check, finding, event, param, array)         \
    ODD_STAMP_(plugin_name, magic, major, minor, check, finding, event, param)                     \
    extern __attribute__((visibility("default"))) const struct debrief_plugin debrief_plugin;      \
    const struct debrief_plugin debrief_plugin = {plugin_name, "0.1.0", (const void *)(array),     \
                                                  sizeof(array) / sizeof((array)[0])};

/* The sizes of this header, for stamps that differ elsewhere. */
#define HOST_SIZES                                                                                 \
    sizeof(struct debrief_check), sizeof(struct debrief_finding_type),                             \
        sizeof(struct debrief_event), sizeof(struct debrief_param)

#endif
