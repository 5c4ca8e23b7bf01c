# The Lua modules that sections share (debrief.use), as bytes in a generated source: the program and its
# modules are always of one version. Included, it adds the rule; run as a script (-P) with OUT, TOP and
# FILES, it writes the source.
if(CMAKE_SCRIPT_MODE_FILE)
  string(REPLACE "|" ";" FILES "${FILES}")
  foreach(file ${FILES})
    file(READ ${TOP}/${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    get_filename_component(name ${file} NAME_WE)
    string(APPEND arrays "static const unsigned char ${name}[] = {${bytes}0};\n")
    string(APPEND rows "    {\"${name}\", (const char *)${name}, sizeof ${name} - 1},\n")
  endforeach()
  file(WRITE ${OUT} "/* Made by cmake/DebriefModules.cmake from lua/modules. */\n"
    "#include \"script/use.h\"\n\n${arrays}\n"
    "const struct use_module use_modules[] = {\n${rows}    {0},\n};\n")
  return()
endif()

file(GLOB DEBRIEF_MODULE_FILES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/lua/modules/*.lua)
set(DEBRIEF_MODULES_C ${CMAKE_BINARY_DIR}/generated/use_modules.c)
list(TRANSFORM DEBRIEF_MODULE_FILES PREPEND ${CMAKE_SOURCE_DIR}/
     OUTPUT_VARIABLE DEBRIEF_MODULE_PATHS)
list(JOIN DEBRIEF_MODULE_FILES "|" DEBRIEF_MODULE_LIST)
add_custom_command(OUTPUT ${DEBRIEF_MODULES_C}
  COMMAND ${CMAKE_COMMAND} -DOUT=${DEBRIEF_MODULES_C} -DTOP=${CMAKE_SOURCE_DIR}
          "-DFILES=${DEBRIEF_MODULE_LIST}" -P ${CMAKE_SOURCE_DIR}/cmake/DebriefModules.cmake
  DEPENDS ${DEBRIEF_MODULE_PATHS} ${CMAKE_SOURCE_DIR}/cmake/DebriefModules.cmake VERBATIM)
