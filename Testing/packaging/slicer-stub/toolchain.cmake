# The extension has nothing to compile, but project() looks for compilers: none is needed for this proof.
set(CMAKE_SYSTEM_NAME Generic)
foreach(_language C CXX)
  set(CMAKE_${_language}_COMPILER "${CMAKE_COMMAND}")
  set(CMAKE_${_language}_COMPILER_FORCED TRUE)
endforeach()
