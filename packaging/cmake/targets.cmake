# Targets carry the layers: a folder's headers are visible only to targets that list the folder under DEPENDS.
# Each folder gets an include root of its own in the build tree, holding one link to the folder,
# so `#include "config/x.h"` does not compile in a target that does not depend on `config`.

# ospatrol_folder_target(NAME folder): include root of a folder.
function(ospatrol_include_root target name folder scope)
  set(root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${folder} ${root}/${name} SYMBOLIC)
  target_include_directories(${target} ${scope} ${root})
endfunction()

# ospatrol_library(NAME FOLDER DIR [DEPENDS lib...] [LINK external...])
# Static library ospatrol_NAME from all .cpp files of DIR and of the folders in it, except main.cpp; header-only
# when there are none.
function(ospatrol_library name)
  cmake_parse_arguments(ARG "" "FOLDER" "DEPENDS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${ARG_FOLDER}/*.cpp ${ARG_FOLDER}/*/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  list(TRANSFORM ARG_DEPENDS PREPEND "ospatrol_")
  set(target ospatrol_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE ospatrol_flags)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  ospatrol_include_root(${target} ${name} ${ARG_FOLDER} ${scope})
  target_link_libraries(${target} ${scope} ${ARG_DEPENDS} ${ARG_LINK})
endfunction()

# ospatrol_program(NAME [DEPENDS lib...] [LINK external...])
# A daemon: src/NAME/main.cpp becomes ospatrol-NAME; everything else of the folder the library ospatrol_NAME.
function(ospatrol_program name)
  ospatrol_library(${name} FOLDER ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${ARGN})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/main.cpp)
    add_executable(ospatrol-${name} ${name}/main.cpp)
    target_link_libraries(ospatrol-${name} PRIVATE ospatrol_flags ospatrol_${name})
    set_property(GLOBAL APPEND PROPERTY OSPATROL_PROGRAMS ospatrol-${name})
  endif()
endfunction()

# ospatrol_tool(PROGRAM SOURCE [DEPENDS lib...]): a command of src/tools.
function(ospatrol_tool program source)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/tools/${source})
    return()
  endif()
  list(TRANSFORM ARG_DEPENDS PREPEND "ospatrol_")
  add_executable(${program} tools/${source})
  target_link_libraries(${program} PRIVATE ospatrol_flags ${ARG_DEPENDS} ${ARG_LINK})
  set_property(GLOBAL APPEND PROPERTY OSPATROL_PROGRAMS ${program})
endfunction()
