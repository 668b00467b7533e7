/* Recursive calls. */
#include "runtime.h"
__attribute__((noinline)) static u64 fibonacci(u64 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
u64 work(void) { return fibonacci(39); }
