# What the program carries, so that it needs no files of its own: sets EMBEDDED_SOURCES.
include(DebriefEmbed)
set(generated ${CMAKE_BINARY_DIR}/generated)

# The files that `debrief new` writes: plugins/_template and the plugin header.
file(GLOB_RECURSE templates CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/plugins/_template/*)
list(TRANSFORM templates REPLACE "^plugins/_template/(.*)$" "\\0=\\1")
debrief_embed(${generated}/new_templates.c cli/new_templates.h "struct new_template new_templates"
              ${templates} core/include/debrief/plugin.h=c/include/debrief/plugin.h)

# The Lua modules that sections share (debrief.use): the program and its modules are of one version.
file(GLOB modules CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/lua/modules/*.lua)
list(TRANSFORM modules REPLACE "^lua/modules/(.*)[.]lua$" "\\0=\\1")
debrief_embed(${generated}/use_modules.c script/use.h "struct use_module use_modules" ${modules})

# The style and the scripts of the HTML report.
file(GLOB page CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/core/report/html/*)
list(TRANSFORM page REPLACE "^core/report/html/(.*)$" "\\0=html_asset_\\1")
debrief_embed(${generated}/html_assets.c report/html_assets.h "" ${page})

set(EMBEDDED_SOURCES ${generated}/new_templates.c ${generated}/use_modules.c
                     ${generated}/html_assets.c)
