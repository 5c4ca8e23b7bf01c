# What the HTML report carries besides its facts: the style and the scripts, as bytes in a generated source.
# Included, it adds the rule; run as a script (-P) with OUT, TOP and FILES, it writes the source.
if(CMAKE_SCRIPT_MODE_FILE)
  string(REPLACE "|" ";" FILES "${FILES}")
  foreach(file ${FILES})
    file(READ ${TOP}/${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER ${name} name)
    string(APPEND arrays "const char html_asset_${name}[] = {${bytes}0};\n")
  endforeach()
  file(WRITE ${OUT} "/* Made by cmake/DebriefPage.cmake from core/report/html. */\n"
    "#include \"report/html_assets.h\"\n\n${arrays}")
  return()
endif()

file(GLOB DEBRIEF_PAGE_FILES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/core/report/html/*)
set(DEBRIEF_PAGE_C ${CMAKE_BINARY_DIR}/generated/html_assets.c)
list(TRANSFORM DEBRIEF_PAGE_FILES PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE DEBRIEF_PAGE_PATHS)
list(JOIN DEBRIEF_PAGE_FILES "|" DEBRIEF_PAGE_LIST)
add_custom_command(OUTPUT ${DEBRIEF_PAGE_C}
  COMMAND ${CMAKE_COMMAND} -DOUT=${DEBRIEF_PAGE_C} -DTOP=${CMAKE_SOURCE_DIR}
          "-DFILES=${DEBRIEF_PAGE_LIST}" -P ${CMAKE_SOURCE_DIR}/cmake/DebriefPage.cmake
  DEPENDS ${DEBRIEF_PAGE_PATHS} ${CMAKE_SOURCE_DIR}/cmake/DebriefPage.cmake VERBATIM)
