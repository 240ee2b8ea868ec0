# For what crates build with CMake. Of sentencepiece they link the static library alone; its shared ones, on by default,
# compile every file a second time.
set(SPM_ENABLE_SHARED OFF CACHE BOOL "")
