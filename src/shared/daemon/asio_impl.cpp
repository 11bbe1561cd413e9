// The one place where Asio itself is compiled.
// Asio asks libstdc++'s macros how to allocate: with a header of it first, the answer is that which
// all other files get. Otherwise one file allocates with malloc what another one deletes.
#include <cstdlib>

#include <asio/impl/src.hpp>
